"""What the Space and Colab install can be installed: asked of the index, names and needs only."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_space import CARD, ROOT, pins

UV = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
NO_INDEX = ("error sending request", "failed to fetch", "dns error", "timed out", "connect")
BESIDE = f"gradio[oauth,mcp]=={CARD['sdk_version']}\nuvicorn\nwebsockets\nspaces\n"  # by the Hub


def resolve(wanted: str) -> dict[str, str]:
    """Return the version of every package that a Space on Linux would get for these."""
    command = [UV, "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    command += ["--python-version", CARD["python_version"], "--only-binary", ":all:"]
    command += ["--python-platform", "x86_64-manylinux_2_28", "-"]
    try:
        done = subprocess.run(command, input=wanted, capture_output=True, text=True, timeout=240)
    except subprocess.TimeoutExpired:
        pytest.skip("The index takes too long to answer.")
    if done.returncode and any(words in done.stderr.lower() for words in NO_INDEX):
        pytest.skip("No index of packages can be reached from here.")
    assert done.returncode == 0, done.stderr
    return dict(re.findall(r"^([\w.-]+)==(\S+)", done.stdout, re.MULTILINE))


@pytest.mark.skipif(not UV, reason="uv is not installed: type `pip install uv`")
@pytest.mark.parametrize("name", ["requirements.txt", "ocrtune/assets/requirements-colab.txt"])
def test_the_space_and_colab_can_be_installed(name):
    """Beside what the Hub adds to a Space's own list, in one command, for Python 3.12."""
    found = resolve((ROOT / name).read_text("utf-8") + BESIDE)
    for package, pin in pins(name).items():
        if pin.startswith("=="):
            assert found[package.replace("_", "-")] == pin[2:], package
    assert CARD["python_version"] == "3.12"
    assert found["gradio"] == CARD["sdk_version"]


@pytest.mark.skipif(not UV, reason="uv is not installed: type `pip install uv`")
def test_a_list_that_cannot_be_installed_is_noticed():
    with pytest.raises(AssertionError, match="(?i)no solution|unsatisfiable"):
        resolve("huggingface_hub==1.33.0\nhuggingface_hub==1.32.0\n")
