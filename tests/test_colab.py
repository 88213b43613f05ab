"""What the README says for Google Colab, as far as a machine without Colab can try it."""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from hub_server import serve_hub
from page_server import free_port, serve_page
from test_space import pins

from ocrtune import cli
from ocrtune.arguments import make_parser

ROOT = Path(__file__).parent.parent
TESTS = Path(__file__).parent
README = (ROOT / "README.md").read_text("utf-8")
TUNNEL = "https://0123456789abcdef.gradio.live"


def cells() -> list[list[str]]:
    """Return the lines of the README's cells for Colab."""
    part = README.split("## Free of charge, on Google Colab\n")[1].split("\n## ")[0]
    found = re.findall(r"```\n(.*?)```", part, re.DOTALL)
    return [cell.strip().splitlines() for cell in found]


def commands() -> list[list[str]]:
    """Return the arguments of every ocrtune command in these cells."""
    lines = [line.removeprefix("!") for cell in cells() for line in cell]
    parts = [shlex.split(part) for line in lines for part in line.split("&&")]
    return [part[3:] for part in parts if part[:3] == ["python", "-m", "ocrtune"]]


def test_three_lines_start_the_page_and_every_command_exists():
    first, headless = cells()
    assert len(first) == 3
    assert all(line.startswith(("!", "%cd ")) for line in first + headless)
    assert commands()[0] == ["app", "--share"]
    assert [command[0] for command in commands()[1:]] == ["build", "train", "compare"]
    for command in commands():
        make_parser().parse_args(command)


def test_colab_keeps_its_torch():
    colab, space = pins("ocrtune/assets/requirements-colab.txt"), pins("requirements.txt")
    assert set(space) - set(colab) == {"torch", "torchvision", "unsloth", "unsloth_zoo"}
    assert colab.items() <= space.items()
    lines = [line for cell in cells() for line in cell if "pip install" in line]
    assert lines
    assert all("requirements-colab.txt" in line for line in lines)


@pytest.fixture
def space(tmp_path):
    """Deploy this very checkout to a Hub made here, and fetch it as the first line does."""
    with serve_hub() as hub:
        environment = hub.environment(tmp_path / "hf", "hf_owner")
        environment |= {"OCRTUNE_STATE_SECRET": "s" * 20, "PYTHONPATH": str(ROOT)}
        deploy = [sys.executable, "-m", "ocrtune", "deploy", "me/ocrtune", "--yes"]
        subprocess.run(deploy, env=environment, check=True, capture_output=True)
        line = cells()[0][0].removeprefix("!").replace("USER/", "me/")
        words = shlex.split(line)
        words[0] = str(Path(sys.executable).parent / words[0])
        stranger = hub.environment(tmp_path / "stranger")
        subprocess.run(words, env=stranger, check=True, capture_output=True, cwd=tmp_path)
    return tmp_path / "ocrtune"


def test_the_cell_brings_what_the_page_needs(space):
    assert (space / "ocrtune/assets/requirements-colab.txt").is_file()
    weights = space / "ocrtune" / "assets" / "tiny" / "model-00001-of-00003.safetensors"
    assert weights.read_bytes() == (ROOT / weights.relative_to(space)).read_bytes()
    shown = subprocess.run(
        [sys.executable, "-m", "ocrtune", "app", "--help"],
        cwd=space,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
    )
    assert "--share" in shown.stdout, shown.stderr


@contextmanager
def shared_page(tunnel: str, folder: Path, *arguments: str) -> Iterator[tuple[str, Path]]:
    """Serve the page with such a tunnel; yield its address here, and what it printed."""
    port = free_port()
    program = (str(TESTS / "shared_page.py"), tunnel, *arguments)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{ROOT}:{TESTS}")
        patch.setenv("HF_TOKEN", "hf_tokenofthismachine")
        with serve_page(folder / "home", port, program) as address:
            log = folder / f"page-{port}.log"
            deadline = time.monotonic() + 60
            while "The page is at" not in log.read_text("utf-8") and time.monotonic() < deadline:
                time.sleep(0.2)  # the server answers before the tunnel is made
            yield address, log


def is_hidden(config: dict, elem_id: str) -> bool:
    """Return whether a widget, or anything around it, is not shown."""
    known = {part["id"]: part["props"] for part in config["components"]}

    def search(node: dict, hidden: bool) -> bool | None:
        props = known.get(node["id"], {})
        hidden = hidden or props.get("visible") is False
        if props.get("elem_id") == elem_id:
            return hidden
        found = (search(child, hidden) for child in node.get("children", []))
        return next((one for one in found if one is not None), None)

    hidden = search(config["layout"], False)
    assert hidden is not None, elem_id
    return hidden


def test_a_shared_page_opens_for_strangers_who_stay_strangers(tmp_path):
    with shared_page(TUNNEL, tmp_path, "--share") as (address, log):
        printed = log.read_text("utf-8")
        assert f"Open {TUNNEL}" in printed
        assert "Whoever knows this address" in printed
        seen = httpx.get(f"{address}/config", headers={"Host": TUNNEL[8:]})
        assert seen.status_code == 200
        # Nobody acts with this machine's own account: what needs one is not on the page.
        assert is_hidden(seen.json(), "ot-copy-consent")
        assert not is_hidden(seen.json(), "ot-start")
        assert "hf_tokenofthismachine" not in seen.text


def test_without_a_way_out_the_page_says_so_and_serves_this_machine(tmp_path):
    with shared_page("broken", tmp_path, "--share") as (address, log):
        assert "No public address could be made" in log.read_text("utf-8")
        assert httpx.get(address).status_code == 200


def test_a_page_that_nobody_asked_to_share_stays_here(monkeypatch, capsys):
    monkeypatch.setenv("SYSTEM", "spaces")
    assert cli.main(["app", "--share"]) == 1
    assert "A Space has an address already." in capsys.readouterr().err
    assert not make_parser().parse_args(["app"]).share
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab_20261101")
    assert cli.is_colab()
