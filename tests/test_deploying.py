"""Spaces are deployed by the real command and the real clients, to a Hub made here."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import hub_writing
import pytest
from hub_server import Fault, Hub, serve_hub

ROOT = Path(__file__).parent.parent
SECRET = "a-secret-value-of-the-deployer"
SPACE = "me/ocrtune"
CARD = "---\nsdk: gradio\napp_file: app.py\n---\n# A Space\n"
MANIFEST = """
version: 1
repo: {name: ocrtune, visibility: public}
hardware: t4-small
sleep_time: 7200
volumes: [{type: bucket, source: "{owner}/ocrtune-runs", mount_path: /data, optional: true}]
variables:
  OCRTUNE_HOME: /data/ocrtune
  OCRTUNE_SHARED_SPACE: "{owner}/{name}"
secrets: [OCRTUNE_STATE_SECRET]
files: {include: [app.py, "code/**", README.md, space.yaml]}
"""


@pytest.fixture
def hub():
    with serve_hub() as hub:
        yield hub


@pytest.fixture
def folder(tmp_path):
    """What is deployed: five files, and some that never leave the machine."""
    files = {
        "space.yaml": MANIFEST,
        "README.md": CARD,
        "app.py": "print('hello')\n",
        "code/a.py": "A = 1\n",
        "code/deep/weights.safetensors": "x" * 3000,
        "code/__pycache__/a.cpython-311.pyc": "cache",
        "code/private.txt": "mine",
        "code/.env": "HF_TOKEN=hf_abcdefghijklmnop",
        "other.txt": "not included",
        ".gitignore": "/code/private.txt\n",
    }
    for name, text in files.items():
        path = tmp_path / "space" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path / "space"


@pytest.fixture
def deploy(hub, folder, tmp_path) -> Callable[..., subprocess.CompletedProcess]:
    def run(*arguments: str, token: str = "hf_owner", secret: str = SECRET):
        environment = hub.environment(tmp_path / "hf", token) | {"PYTHONPATH": str(ROOT)}
        environment.pop("SYSTEM", None)
        environment |= {"OCRTUNE_STATE_SECRET": secret} if secret else {}
        command = [sys.executable, "-m", "ocrtune", "deploy", "--manifest", folder / "space.yaml"]
        done = subprocess.run(
            [*command, *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert SECRET not in done.stdout + done.stderr
        return done

    return run


def changes(hub: Hub) -> list[str]:
    """Return what was asked for since the last look that changes anything; count anew."""
    found = [one for one in hub.requests if is_change(one)]
    hub.forget()
    return found


def is_change(request: str) -> bool:
    """Return whether a request changes anything on the Hub."""
    method, _, path = request.partition(" ")
    reading = ("preupload", "batch", "validate-yaml", "paths-info")
    return (
        method not in ("GET", "HEAD") and not path.endswith(reading) and "/preupload/" not in path
    )


def test_a_space_is_made_once_brought_up_to_date_and_else_left_alone(hub, folder, deploy):
    dry = deploy("--dry-run")
    assert dry.returncode == 0
    assert changes(hub) == []
    assert hub.repos == {}

    refused = deploy()
    assert refused.returncode == 1
    assert "$0.40 an hour" in refused.stdout
    assert "`--yes`" in refused.stderr
    assert changes(hub) == []  # what costs money was not agreed to

    done = deploy("--yes")
    assert (done.returncode, done.stderr) == (0, "")
    planned = [line for line in dry.stdout.splitlines() if line.startswith("- ")]
    assert planned == [line for line in done.stdout.splitlines() if line.startswith("- ")]
    repo, space = hub.repos[SPACE], hub.spaces.of(SPACE)
    sent = {"space.yaml", "README.md", "app.py", "code/a.py", "code/deep/weights.safetensors"}
    assert set(repo.files) == {".gitattributes", *sent}
    assert not repo.private
    assert len(repo.branches["main"]) == 2  # its first commit and ours
    assert space.variables == {"OCRTUNE_HOME": "/data/ocrtune", "OCRTUNE_SHARED_SPACE": SPACE}
    assert space.secrets == {"OCRTUNE_STATE_SECRET": SECRET}
    assert [one["mountPath"] for one in space.volumes] == ["/data"]
    assert hub.spaces.buckets == {"me/ocrtune-runs": True}
    assert (space.hardware, space.sleep_time) == ("t4-small", 7200)
    asked = [one.split("/")[-1] for one in changes(hub) if "storage/" not in one]
    assert asked[0] == "create"
    assert asked[-3:] == ["main", "hardware", "sleeptime"]  # the files come before the machine

    again = deploy()
    assert again.returncode == 0
    assert "Nothing differs" in again.stdout
    assert changes(hub) == []

    (folder / "code" / "a.py").unlink()
    (folder / "code" / "b.py").write_text("B = 2\n", "utf-8")
    space.variables["BY_HAND"] = "1"
    text = MANIFEST.replace('  OCRTUNE_SHARED_SPACE: "{owner}/{name}"\n', "  MORE: more\n")
    (folder / "space.yaml").write_text(text, "utf-8")
    updated = deploy(secret="")  # the secret is there already
    assert updated.returncode == 0, updated.stderr
    assert "send 2 of 5 files" in updated.stdout
    assert "delete 1: code/a.py" in updated.stdout
    assert set(hub.repos[SPACE].files) == {".gitattributes", *sent - {"code/a.py"}, "code/b.py"}
    assert space.variables == {"OCRTUNE_HOME": "/data/ocrtune", "MORE": "more", "BY_HAND": "1"}
    assert "BY_HAND was set by hand" in updated.stdout
    assert len([one for one in changes(hub) if "/commit/" in one]) == 1


def test_what_fails_is_a_sentence_and_the_same_command_goes_on(hub, deploy):
    hub.faults.append(Fault("POST api/spaces/.*/commit/.*", 500, times=1))
    broken = deploy("--yes")
    assert broken.returncode == 1
    assert "500" in broken.stderr
    assert "goes on from there" in broken.stderr
    assert len(broken.stderr.splitlines()) == 1
    changes(hub)
    done = deploy("--yes")
    assert done.returncode == 0
    assert not [one for one in changes(hub) if one.endswith(("create", "variables", "secrets"))]
    assert "app.py" in hub.repos[SPACE].files


def test_an_account_that_cannot_pay_gets_a_space_as_far_as_it_may(hub, deploy):
    hub.spaces.poor = True
    done = deploy("--yes")
    assert done.returncode == 1
    assert "wants a payment for the machine `t4-small`" in done.stderr
    assert "OCRTUNE_HOME is not set" in done.stdout  # nothing can be kept where nothing is mounted
    assert hub.spaces.of(SPACE).variables == {"OCRTUNE_SHARED_SPACE": SPACE}
    assert "app.py" in hub.repos[SPACE].files
    free = deploy("--hardware", "cpu-basic")
    assert free.returncode == 0, free.stderr


def test_a_free_private_space_needs_no_consent(hub, deploy):
    done = deploy("me/mine", "--private", "--hardware", "cpu-basic")
    assert done.returncode == 0, done.stderr
    assert hub.repos["me/mine"].private
    assert hub.spaces.of("me/mine").variables["OCRTUNE_SHARED_SPACE"] == "me/mine"
    assert not [one for one in hub.requests if one.endswith(("hardware", "sleeptime"))][1:]
    shown = deploy("me/mine", "--hardware", "cpu-basic")
    assert shown.returncode == 1
    assert "Everybody will see" in shown.stdout
    assert hub.repos["me/mine"].private


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        ((), {"token": ""}, "Nobody is signed in"),
        ((), {"token": "hf_expired"}, "does not accept the token (401)"),
        (("--yes",), {"token": "hf_reader"}, "may not write"),
        (("other/ocrtune", "--yes"), {}, "may not write to `other/ocrtune`"),
        (("--yes",), {"secret": ""}, "needs the secret `OCRTUNE_STATE_SECRET`"),
        (("--hardware", "t4-smal"), {}, "no machine `t4-smal`. Did you mean `t4-small`?"),
        (("a/b/c",), {}, "`a/b/c` names no Space"),
    ],
)
def test_what_cannot_be_deployed_changes_nothing(arguments, settings, words, hub, deploy):
    done = deploy(*arguments, **settings)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert hub.repos == {}


def test_another_program_is_not_replaced_unasked(hub, deploy):
    files = {"README.md": b"mine", "game.py": b"play"}
    repo = hub.add_repo(SPACE, dict(files), "spaces", private=False, token="hf_owner")
    hub_writing.history(repo, "main")
    refused = deploy("--yes")
    assert refused.returncode == 1
    assert "holds another program (1 files, such as `game.py`)" in refused.stderr
    assert hub.repos[SPACE].files == files
    assert deploy("--yes", "--replace").returncode == 0
    assert "game.py" not in hub.repos[SPACE].files


def test_what_this_repository_deploys_starts(hub, deploy, tmp_path):
    """The real manifest with the real files, as they stand here."""
    done = deploy("--manifest", str(ROOT / "space.yaml"), "--dry-run")
    assert done.returncode == 0, done.stderr
    done = deploy("--manifest", str(ROOT / "space.yaml"), "--yes")
    assert done.returncode == 0, done.stderr
    names = set(hub.repos[SPACE].files)
    assert {"app.py", "ocrtune/cli.py", "ocrtune/ui/page.css", "requirements.txt"} <= names
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if not tracked.returncode and "app.py" in tracked.stdout:
        assert names - {".gitattributes"} <= set(tracked.stdout.splitlines()) | fresh()
    for name, data in hub.repos[SPACE].files.items():
        path = tmp_path / "served" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    started = [sys.executable, "app.py", "--help"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    shown = subprocess.run(
        started, cwd=tmp_path / "served", env=environment, capture_output=True, text=True
    )
    assert shown.returncode == 0, shown.stderr


def fresh() -> set[str]:
    """Return the files of this checkout that git does not know yet and does not ignore."""
    command = ["git", "ls-files", "--others", "--exclude-standard"]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.split("\n"))
