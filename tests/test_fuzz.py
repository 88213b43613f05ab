"""Whatever comes in: a dataset, a reason or a sentence; never a traceback, nor a file elsewhere."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import fuzzing
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocrtune.config import BuildConfig
from ocrtune.content import decode, parse
from ocrtune.dataset import build_dataset
from ocrtune.errors import ArchiveError

ROUNDS = 5_200
MOST_MIB = 400
HERE = Path(__file__).parent


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of every file below a folder."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            stat = path.stat()
            found[str(path)] = (stat.st_size, stat.st_mtime_ns)
    return found


@pytest.mark.parametrize("shape", list(fuzzing.SEEDS))
def test_the_sound_archives_build(tmp_path, shape):
    """Else the damaged ones would only show that nonsense is refused."""
    source = tmp_path / "source.zip"
    source.write_bytes(fuzzing.packed(fuzzing.SEEDS[shape](), 8))
    report = build_dataset(BuildConfig(source=str(source), output=str(tmp_path / "d")))
    assert report.samples == {"paddle": 1, "page": 2, "alto": 1, "pdf": 2}.get(
        shape, len(fuzzing.KINDS)
    )
    assert report.rejects == ()


def test_thousands_of_damaged_archives_end_with_a_sentence(tmp_path):
    surroundings = tmp_path / "surroundings"
    work, home, temporary = (surroundings / name for name in ("work", "home", "temporary"))
    for folder in (work, home, temporary):
        folder.mkdir(parents=True)
    (surroundings / "precious.txt").write_text("mine")
    before = snapshot(surroundings)
    program = [sys.executable, str(HERE / "fuzzing.py"), str(work), str(ROUNDS), "5"]
    environment = os.environ | {
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        program, env=environment, cwd=home, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert sum(told["ends"].values()) == ROUNDS >= 5_000
    assert min(told["ends"][end] for end in ("built", "understood", "refused")) > ROUNDS // 40
    assert told["peak_mib"] < MOST_MIB
    after = snapshot(surroundings)
    outside = {name for name in after if not name.startswith(str(work))}
    assert {name: after[name] for name in outside} == before
    left = {path.name for path in work.iterdir()} | {path.name for path in (work / "out").iterdir()}
    endings = ("_train.parquet", "_val.parquet", "_test.parquet", "_report.json", "_rejects.csv")
    assert left <= {"source.zip", "out", *(f"d{ending}" for ending in endings)}


HALF = "\\ud800"
HALVES = {  # how JSON can say half of a character, which no file in UTF-8 holds
    "metadata.jsonl": f'{{"file_name": "1.png", "text": "a{HALF}"}}\n'
    '{"file_name": "2.jpeg", "text": "b"}\n',
    "labels.json": f'{{"1.png": "a{HALF}", "2.jpeg": "b"}}',
    "Label.txt": '1.png\t[{"transcription": "a\\ud800", "points": [[2,2],[50,4],[50,18],[2,16]]}, '
    '{"transcription": "b", "points": [[2,2],[50,4],[50,18],[2,16]]}]\n',
}


@pytest.mark.parametrize("name", list(HALVES))
def test_half_a_character_costs_its_line_and_says_so(tmp_path, name):
    source = tmp_path / "source.zip"
    source.write_bytes(
        fuzzing.packed(fuzzing.pictures() | {name: HALVES[name].encode()}, zipfile.ZIP_STORED)
    )
    report = build_dataset(BuildConfig(source=str(source), output=str(tmp_path / "d")))
    assert report.samples == 1
    (rejected,) = report.rejects
    assert rejected["key"] == "half_character"
    assert rejected["nearest"] == "1.png"
    assert (
        "half of a character"
        in json.loads((tmp_path / "d_report.json").read_text())["rejects"][0]["reason"]
    )


ODD = "/\\\"'`“‘<#%:"  # begin a quotation, a comment or a folder, or have a meaning in addresses
NO_LINE = ["C", "Zl", "Zp"]  # what no line of text holds
NAMES = st.lists(
    st.text(
        st.characters(
            codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="/\\\"'`“‘<#%:"
        ),
        min_size=1,
        max_size=12,
    ).map(lambda name: f"img/{name}.png"),
    min_size=1,
    max_size=5,
    unique_by=str.casefold,
)
TEXTS = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["C", "Zl", "Zp"], exclude_characters="\\\ufffd"
    ),
    min_size=1,
    max_size=40,
).filter(lambda text: text == text.strip() and text[0].isalnum())


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_every_line_that_can_be_written_is_read_back(data):
    names = data.draw(NAMES)
    texts = data.draw(st.lists(TEXTS, min_size=len(names), max_size=len(names)))
    written = [f"{name} {text}" for name, text in zip(names, texts, strict=True)]
    parsed = parse("\n".join(written), names)
    assert [(one.name, one.text) for one in parsed.entries] == list(zip(names, texts, strict=True))


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_text_or_get_a_sentence(data):
    try:
        text, encoding = decode(data)
    except ArchiveError:
        return
    assert "\0" not in text
    assert encoding


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(max_size=300))
def test_any_text_is_parsed_and_every_line_is_accounted_for(text):
    names = ["1.png", "img/2.jpg", "a b.png"]
    parsed = parse(text, names)
    for one in parsed.entries:
        assert one.name in names
        assert one.text
    numbers = [one.line_number for one in (*parsed.entries, *parsed.rejects)]
    assert len(numbers) == len(set(numbers)), "a line is used or rejected, not both"
