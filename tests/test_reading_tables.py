"""Readings as tables and texts that people take along."""

import csv
import io
import zipfile
from pathlib import Path

import pytest
from line_samples import draw_line, paged

from ocrtune.cli import main
from ocrtune.events import Read
from ocrtune.reading_tables import (
    rows_of,
    safe_path,
    table_bytes,
    text_bytes,
    text_files,
    zip_bytes,
)


def read(name, text, model="base", **more):
    known = {"looped": False, "failed": ""} | more
    return Read(name, text, 0.1, model, **known)


BOTH = [
    read("scans/1.png", "=1+1"),
    read("scans/2.png", "same"),
    read("scans/1.png", "one", "tuned", looped=True),
    read("scans/2.png", "same", "tuned"),
    read("scans/3.png", "", failed="It is broken."),
    read("scans/3.png", "", "tuned", failed="It is broken."),
]


def test_rows_know_what_is_odd_about_them():
    first, second, third = rows_of(BOTH)
    assert (first.text, first.differs, first.is_flagged, first.failed) == ("one", True, True, "")
    assert (second.differs, second.is_flagged) == (False, False)
    assert third.failed == "It is broken."
    assert [row.name for row in rows_of(BOTH, ["scans/4.png"])][0] == "scans/4.png"


def test_the_table_is_safe_to_open_in_a_spreadsheet():
    data = table_bytes(rows_of(BOTH), ["base", "tuned"])
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert [row["base"] for row in rows] == ["'=1+1", "same", ""]
    assert [row["differs"] for row in rows] == ["yes", "", ""]
    assert [row["tuned_looped"] for row in rows] == ["yes", "", ""]
    assert rows[2]["base_failed"] == "It is broken."


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-2", "@SUM(A1)", "\t=1", "＝1", " =1"])
def test_no_reading_and_no_name_becomes_a_formula(text):
    rows = rows_of([read(text, text)])
    [_, cells] = csv.reader(io.StringIO(table_bytes(rows, ["text"]).decode("utf-8-sig")))
    assert all(cell.startswith("'") for cell in cells[:2])


def test_texts_stand_below_the_names_of_their_pictures():
    assert text_bytes(rows_of(BOTH)).decode() == (
        "=== scans/1.png ===\none\n\n=== scans/2.png ===\nsame\n\n"
        "=== scans/3.png ===\n[It is broken.]\n"
    )
    assert text_bytes(rows_of(BOTH[1:2])) == b"same\n"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a/1.png", "a/1"),
        ("book.pdf#page=12", "book.pdf-12"),
        ("../../etc/passwd", "etc/passwd"),
        ("/abs/1.png", "abs/1"),
        ("a\\..\\b.png", "a/b"),
        ('x<>:"|?*.png', "x_______"),
        ("...", "picture"),
        ("扫描 1.jpg", "扫描 1"),
    ],
)
def test_a_text_lies_below_the_place_it_is_put(name, path):
    assert safe_path(name) == path


def test_no_text_takes_the_place_of_another():
    rows = rows_of([read("s/1.png", "a"), read("s/1.jpg", "b"), read("s/1.PNG", "c")])
    assert text_files(rows) == {"1.txt": b"a\n", "1-2.txt": b"b\n", "1-3.txt": b"c\n"}
    with zipfile.ZipFile(io.BytesIO(zip_bytes(rows))) as archive:
        assert archive.namelist() == ["1.txt", "1-2.txt", "1-3.txt"]


# The command


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("given") / "scans"
    folder.mkdir()
    for name in ("1", "2"):
        (folder / f"{name}.png").write_bytes(draw_line(f"line {name}"))
    (folder / "3.png").write_bytes(b"no picture")
    return folder


def test_every_page_of_a_tiff_is_named_and_read(tmp_path, capsys):
    scan, texts = tmp_path / "scan.tif", tmp_path / "texts"
    scan.write_bytes(paged([draw_line(f"line {number}") for number in (1, 2, 3)]))
    assert main(["read", str(scan), "--pages", "2-", "--txt", str(texts)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in out] == [f"{scan}#page=2", f"{scan}#page=3"]
    for number in (2, 3):
        assert str(number) in (texts / f"scan.tif-{number}.txt").read_text("utf-8")


def test_a_folder_is_read_into_a_table_and_texts(scans, tmp_path, capsys):
    table, texts = tmp_path / "new" / "out.csv", tmp_path / "texts"
    code = main(["read", str(scans), "--csv", str(table), "--txt", str(texts)])
    out, err = capsys.readouterr()
    assert code == 1, "one picture is broken"
    assert "3.png: The file is not a picture" in err
    assert out.startswith(f"{scans}/1.png: ")
    rows = list(csv.DictReader(io.StringIO(table.read_text("utf-8-sig"))))
    assert [Path(row["picture"]).name for row in rows] == ["1.png", "2.png", "3.png"]
    assert rows[0]["text"]
    assert rows[2]["text_failed"]
    assert sorted(path.name for path in texts.iterdir()) == ["1.txt", "2.txt"]
    assert (texts / "1.txt").read_text("utf-8") == rows[0]["text"] + "\n"


def test_what_cannot_be_written_is_told_before_anything_is_read(scans, tmp_path, capsys):
    (tmp_path / "file").touch()
    code = main(["read", str(scans), "--csv", str(tmp_path / "file" / "out.csv")])
    out, err = capsys.readouterr()
    assert (code, out) == (1, "")
    assert "cannot be written" in err
    assert "--csv" in err
    code = main(["read", str(scans), "--pages", "one"])
    assert code == 1
    assert "names no pages" in capsys.readouterr().err


def test_the_first_pictures_alone_are_read(scans, capsys):
    code = main(["read", str(scans), "--most", "1"])
    out, err = capsys.readouterr()
    assert code == 0
    assert len(out.splitlines()) == 1
    assert "2 more were left out" in err
