"""The whole demo on the sample that comes along, with fewer steps: the CER must fall."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from ocrtune import cli
from ocrtune.families import tiny

# A process in which every connection fails, and that says at its end which were tried.
WITHOUT_NETWORK = """
import socket, sys
tried = []
def refuse(self, address):
    tried.append(address)
    raise OSError("this test has no network")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = lambda host, *rest, **names: refuse(None, host)
from ocrtune.cli import main
code = main(sys.argv[1:])
print("CONNECTIONS", tried)
sys.exit(code)
"""

pytestmark = pytest.mark.skipif(
    not (cli.SAMPLE.is_file() and (tiny.FOLDER / "config.json").is_file()),
    reason="the embedded model or the sample is not in ocrtune/assets yet",
)


def test_the_demo_reads_better_afterwards(tmp_path):
    demo = subprocess.run(
        [sys.executable, "-c", WITHOUT_NETWORK, "demo", "--output", tmp_path, "--steps", "20"],
        cwd=Path(cli.__file__).parents[1],
        capture_output=True,
        text=True,
    )
    assert demo.returncode == 0, demo.stderr
    assert "CONNECTIONS []" in demo.stdout
    report = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    base, tuned = report["base"], report["tuned"]
    assert base["cer"] > 0.15, "the sample must leave something to learn"
    assert tuned["cer"] < 0.8 * base["cer"], demo.stdout
    assert report["difference"]["better"] > report["difference"]["worse"]
    assert report["split"] == "test"
    assert "base model" in demo.stdout
    assert "tuned model" in demo.stdout
    assert str(tmp_path / "report" / "report.html") in demo.stdout
    assert demo.stdout.count("before ") == demo.stdout.count("after ") == cli.SHOWN_READINGS
    assert (tmp_path / "run" / "adapter" / "adapter_model.safetensors").is_file()
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # KiB
    assert most < 3_000_000, f"{most} KiB of memory"
