"""The checkup: what it finds here, what it says of broken machines, and what it never says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hub_server import serve_hub

from ocrtune import doctor, nvidia
from ocrtune.checkup_words import CHECKS, STATES, WORDS, found_and_fix, summary
from ocrtune.config import DoctorConfig
from ocrtune.events import Checked, silent
from ocrtune.home import home_folder

ROOT = Path(__file__).parent.parent
TOKEN = "hf_ownertokenthatnobodysees"


def test_the_command_tells_as_json_what_works_and_whose_account_it_is(tmp_path):
    with serve_hub() as hub:
        hub.users[TOKEN] = "me"
        environment = hub.environment(tmp_path / "hf", TOKEN) | {
            "OCRTUNE_HOME": str(tmp_path / "home"),
            "PYTHONPATH": str(ROOT),
        }
        done = subprocess.run(
            [sys.executable, "-m", "ocrtune", "doctor", "--json"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert TOKEN not in done.stdout + done.stderr
    assert str(tmp_path) not in done.stdout
    rows = {row["check"]: row for row in json.loads(done.stdout)}
    assert {"packages", "memory", "disk", "home", "driver", "hub", "torch", "product"} <= set(rows)
    assert rows["hub"] == {
        "check": "hub",
        "state": "ok",
        "found": "Reachable; signed in as me.",
        "fix": "",
    }
    assert rows["reading"]["state"] == "ok", rows["reading"]
    assert rows["product"]["state"] == "ok"
    problems = [row for row in rows.values() if row["state"] == "problem"]
    assert done.returncode == bool(problems)


def test_without_torch_it_still_runs_and_says_so(monkeypatch):
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    monkeypatch.setattr(doctor, "greet_hub", lambda token: ("away", "no network"))
    monkeypatch.setattr(doctor, "driver_version", lambda: "")
    found = {one.check: one for one in doctor.examine(DoctorConfig(), silent)}
    assert found["torch"].state == "problem"
    words, fix = found_and_fix(found["torch"].words, found["torch"].values)
    assert words.startswith("Not installed")
    assert fix == "Type `pip install -r requirements-cpu.txt`."
    assert found["hub"].state == "warning"  # everything but sharing works


@pytest.mark.parametrize(
    ("program", "check", "words"),
    [
        (
            'print(\'{"begins": "product"}\', flush=True); import os; os.kill(os.getpid(), 11)',
            "product",
            "was ended (11)",
        ),
        ("raise ImportError('libcudart.so.12: no such file')", "torch", "libcudart.so.12"),
        ("import sys; print('nonsense'); print('[1]'); sys.exit(3)", "torch", "exit code 3"),
    ],
)
def test_a_process_that_dies_is_a_finding(program, check, words):
    [(name, (state, key, values))] = doctor.probe("", (sys.executable, "-c", program))
    assert (name, state) == (check, "problem")
    assert words in found_and_fix(key, values)[0]


def test_one_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(doctor, "PROBE_SECONDS", 1.5)
    program = 'print(\'{"begins": "kernels"}\', flush=True); import time; time.sleep(60)'
    [(name, (state, key, _))] = doctor.probe("", (sys.executable, "-c", program))
    assert (name, state, key) == ("kernels", "problem", "late")


def test_packages_are_compared_with_what_is_pinned(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    assert doctor.look_at_packages("")[1] == "packages_unknown"
    lines = "# words\npytest>=1\nunheard-of-package==1\nunsloth==1\n"
    (tmp_path / "requirements-cpu.txt").write_text(lines)
    state, key, values = doctor.look_at_packages("")
    assert (state, key) == ("problem", "packages_missing")
    assert values["listed"] == "unheard-of-package"
    (tmp_path / "requirements-cpu.txt").write_text("pytest==0.1\n")
    state, key, values = doctor.look_at_packages("")
    assert (state, key) == ("warning", "packages_differ")
    assert "pytest" in values["listed"]
    (tmp_path / "requirements.txt").write_text("pytest>=1\nunsloth==1\n")
    assert doctor.look_at_packages("570.1")[:2] == ("warning", "packages_gpu")


@pytest.mark.parametrize(("gigabytes", "state"), [(0.5, "problem"), (3, "warning"), (20, "ok")])
def test_little_memory_and_a_full_disk_are_said(monkeypatch, gigabytes, state):
    free = int(gigabytes * 1e9)
    monkeypatch.setattr(doctor, "free_host_bytes", lambda: (free, 32 * 10**9))
    assert doctor.look_at_memory("")[0] == state
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: Usage(free))
    assert doctor.look_at_disk("")[0] == state


class Usage:
    """What a disk has."""

    def __init__(self, free: int) -> None:
        self.free = free


def test_a_space_without_its_volume_works_and_says_what_is_lost(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder can be made below")
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("OCRTUNE_HOME", str(tmp_path / "file" / "ocrtune"))
    assert home_folder() == tmp_path / "user" / ".cache" / "ocrtune"
    assert doctor.look_at_home("")[1] == "home_elsewhere"
    monkeypatch.setenv("OCRTUNE_HOME", str(tmp_path / "data"))
    assert doctor.look_at_home("")[1] == "home_forgets"
    monkeypatch.delenv("SYSTEM")
    monkeypatch.setenv("OCRTUNE_HOME", str(tmp_path / "file" / "ocrtune"))
    assert doctor.look_at_home("")[:2] == ("problem", "home_locked")  # who says so is taken at word


def test_the_driver_is_told_without_its_program(monkeypatch, tmp_path):
    monkeypatch.setattr(nvidia, "ASK", ("no-such-program",))
    monkeypatch.setattr(nvidia, "VERSION", tmp_path / "version")
    monkeypatch.setattr(nvidia, "DEVICE", tmp_path / "device")
    assert nvidia.driver_version() == ""
    (tmp_path / "device").touch()
    assert nvidia.driver_version() == "?"
    line = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC\n"
    (tmp_path / "version").write_text(line)
    assert nvidia.driver_version() == "550.54.15"


def test_every_finding_has_words_in_both_languages():
    for key, words in WORDS.items():
        assert len(words) == 4, key
        fields = [set(text.split("{")[1:]) for text in words[::2]]
        named = [{part.split("}")[0] for part in found} for found in fields]
        assert named[0] == named[1], key
        assert bool(words[1]) == bool(words[3]), key
    assert set(CHECKS) >= {*doctor.LOOKS, "hub", "torch"}
    assert summary(["ok", "warning", "warning"], "en") == "It works, with warnings: 2."
    assert summary(["ok"], "zh") == "一切正常。"
    assert set(STATES) == {"ok", "warning", "problem"}
    assert Checked("hub", "ok", "hub_signed_in", {"name": "me", "why": ""}).check in CHECKS


BARE = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in sys.argv[1].split(","):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name.split(".")[0])
sys.meta_path.insert(0, Missing())
from ocrtune.cli import main
sys.exit(main(sys.argv[2:]))
"""


def bare(missing: str, *command: str) -> subprocess.CompletedProcess:
    """Run a command where packages are missing."""
    words = [sys.executable, "-c", BARE, missing, *command]
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT)


def test_a_machine_without_most_packages_is_told_what_to_install():
    checked = bare("rapidfuzz,regex,jiwer,gradio,datasets,pyarrow", "doctor", "--quick")
    assert "Traceback" not in checked.stderr
    assert "Packages" in checked.stdout
    assert "Memory" in checked.stdout
    other = bare("rapidfuzz", "score", "--pairs", "a.jsonl")
    assert other.returncode == 1
    assert "`rapidfuzz` is not installed" in other.stderr
    assert "requirements-cpu.txt" in other.stderr
    assert "Traceback" not in other.stderr
