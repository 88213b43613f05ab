"""What the Space is told, in README.md, space.yaml and the requirements, agrees with itself."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from line_samples import draw_line

from ocrtune import config, dataset, dataset_files
from ocrtune.hub_accounts import WRITING_SCOPES
from ocrtune.limits import USUAL, Limits
from ocrtune.space_manifest import load_manifest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CARD = yaml.safe_load(README.split("---\n")[1])
MANIFEST = yaml.safe_load((ROOT / "space.yaml").read_text("utf-8"))
FILLED = load_manifest(ROOT / "space.yaml").filled("us", "ocrtune")


def pins(name: str) -> dict[str, str]:
    """Return what a requirements file asks for: {package: the rest of its line}."""
    lines = (ROOT / name).read_text("utf-8").splitlines()
    wanted = (re.match(r"([A-Za-z_-]+)(\[.*\])?(.*)", line) for line in lines if line[:1] != "#")
    return {match[1].lower(): match[3] for match in wanted if match}


def test_the_card_fits_the_hub():
    assert CARD["sdk"] == "gradio"
    assert isinstance(CARD["python_version"], str)  # unquoted, 3.10 would become 3.1
    assert len(CARD["short_description"]) <= 60  # the Hub refuses a push with more
    assert (ROOT / CARD["app_file"]).is_file()


def test_visitors_may_sign_in_to_push_what_they_made_there_and_nothing_else():
    assert CARD["hf_oauth"] is True
    assert CARD["hf_oauth_scopes"] == ["contribute-repos"]
    assert set(CARD["hf_oauth_scopes"]) < set(WRITING_SCOPES)


def test_card_manifest_and_requirements_agree():
    assert MANIFEST["hardware"] == CARD["suggested_hardware"]
    assert pins("requirements.txt")["gradio"] == f"=={CARD['sdk_version']}"
    assert pins("requirements-cpu.txt")["gradio"] == f"=={CARD['sdk_version']}"


def test_the_manifest_names_files_that_exist():
    for pattern in MANIFEST["files"]["include"]:
        assert list(ROOT.glob(pattern)), pattern


def test_the_cpu_requirements_are_the_others_without_the_gpu_part():
    space, cpu = pins("requirements.txt"), pins("requirements-cpu.txt")
    assert set(space) - set(cpu) == {"torchvision", "unsloth", "unsloth_zoo", "bitsandbytes"}
    assert cpu["torch"] == "==2.13.0"
    assert {name: pin for name, pin in cpu.items() if name != "torch"}.items() <= space.items()


@pytest.mark.parametrize("folder", ["", "img/"])
def test_the_content_file_in_the_readme_builds_as_it_stands(folder, tmp_path):
    example = re.search(r"```\n(/Users/.*?)```", README, re.DOTALL)[1]
    pictures = tmp_path / "pictures"
    (pictures / folder).mkdir(parents=True)
    (pictures / "content.md").write_text(example, "utf-8")
    for number in range(1, 11):
        (pictures / f"{folder}{number}.jpg").write_bytes(draw_line(f"line {number}"))
    report = dataset.build_dataset(
        config.BuildConfig(source=str(pictures), output=str(tmp_path / "set"))
    )
    assert (report.samples, report.rejects) == (10, ())
    samples = {
        sample.text
        for split in ("train", "validation", "test")
        for sample in dataset_files.load_samples(str(tmp_path / "set"), split)
    }
    assert samples == {line.split(" ", 1)[1] for line in example.splitlines()}


def test_the_commands_in_the_readme_are_the_ones_that_ci_runs():
    tests = [line for line in README.splitlines() if re.match(r"python3 -m venv .*pytest", line)]
    assert len(tests) == 1
    assert "grep -m1 -E '^python3 -m venv .*pytest' README.md" in (ROOT / ".ci/run").read_text()


def test_the_manifest_sets_every_limit_of_the_shared_space_and_of_no_duplicate():
    given = dict(FILLED.variables)
    limits = Limits.from_environment(given | {"SPACE_ID": "us/ocrtune"})
    assert limits == USUAL
    assert all(f"OCRTUNE_{field.name.upper()}" in given for field in fields(Limits))
    assert Limits.from_environment(given | {"SPACE_ID": "me/copy"}) == Limits()
