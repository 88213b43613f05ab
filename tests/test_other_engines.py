"""Other engines' texts find their pictures, and nothing is guessed."""

import json
import zipfile

import pytest

from ocrtune.errors import MetricsError
from ocrtune.other_engines import read_other_texts

IDS = ("a/1.png", "a/2.png", "b/1.png")


def texts(found):
    return {one.picture_id: one.text for one in found.predictions if not one.failed}


def write(folder, **files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def test_a_folder_of_texts_is_matched_by_the_longest_tail(tmp_path):
    files = {
        "a/1.txt": "one\n\f",  # Tesseract ends a page so
        "a/2.png.txt": "two",
        "a/2.gt.txt": "the ground truth is nobody's reading",
        "b/1.pred.txt": "three",
        "c/9.txt": "of no picture",
    }
    found = read_other_texts("t", write(tmp_path, **files), IDS)
    assert texts(found) == {"a/1.png": "one", "a/2.png": "two", "b/1.png": "three"}
    assert (found.missing, found.foreign) == (0, 1)
    assert [one.model for one in found.predictions] == ["t"] * 3


def test_what_an_engine_lacks_has_failed_and_other_splits_are_foreign(tmp_path):
    """Alone, `b/1` would be taken for the only other `1`."""
    folder = write(tmp_path, **{"a/1.txt": "", "b/1.txt": "of another split"})
    found = read_other_texts("t", folder, ("a/1.png", "a/2.png"), ("b/1.png",))
    assert texts(found) == {"a/1.png": ""}, "an empty text is a reading"
    assert (found.missing, found.foreign) == (1, 1)
    assert "has no text" in found.predictions[1].failed


def test_numbers_with_dots_are_no_suffixes(tmp_path):
    found = read_other_texts("t", write(tmp_path, **{"1.2.txt": "x", "1.txt": "y"}), ("1.png",))
    assert texts(found) == {"1.png": "y"}
    assert found.foreign == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "Picture ID,reference,Hypothesis\na/1.png,right,one\na/2.png,right,two\n"),
        ("t.tsv", "file\ttext\nout/a/1.png\tone\nout/a/2\ttwo\n"),
        ("t.csv", "a/1.png,one\na/2.png,two\n"),
        ("t.jsonl", '{"id": "a/1.png", "text": "one"}\n{"id": "a/2.png", "text": "two"}\n'),
        (
            "t.json",
            json.dumps(
                [
                    {"picture_id": "a/1.png", "text": "one", "failed": ""},
                    {"picture_id": "a/2.png", "text": "two"},
                ]
            ),
        ),
        ("t.json", json.dumps({"a/1.png": "one", "a/2.png": "two"})),
    ],
)
def test_tables_are_read_whatever_wrote_them(tmp_path, name, content):
    (tmp_path / name).write_text(content, "utf-8")
    found = read_other_texts("t", tmp_path / name, IDS)
    assert texts(found) == {"a/1.png": "one", "a/2.png": "two"}
    assert found.missing == 1


def test_what_read_json_says_of_a_failure_is_kept(tmp_path):
    rows = [{"picture_id": "a/1.png", "text": "", "failed": "too large"}]
    rows.append({"picture_id": "a/2.png", "text": "two", "failed": ""})
    (tmp_path / "t.json").write_text(json.dumps(rows), "utf-8")
    found = read_other_texts("t", tmp_path / "t.json", IDS)
    assert found.predictions[0].failed == "too large"
    assert found.missing == 2


@pytest.mark.parametrize(
    ("files", "place", "problem"),
    [
        ({"a/1.txt": "x", "a/1.png.txt": "y"}, "", "two texts for `a/1.png`"),
        ({"a/1.gt.txt": "x"}, "", "only ground truth"),
        ({"a/1.png": "x"}, "", r"no `\*.txt`"),
        ({"7.txt": "x"}, "", "None of the 1 texts .* such as `7`"),
        ({}, "missing", "There is no"),
        ({"t.xlsx": "x"}, "t.xlsx", "neither a folder nor a table"),
        ({"t.csv": "foo,bar,baz\n1,2,3\n"}, "t.csv", "has the columns `foo`, `bar`, `baz`"),
        ({"t.csv": ""}, "t.csv", "has the columns of no table"),
        ({"t.jsonl": "nonsense\n"}, "t.jsonl", "Line 1 of .* is no row"),
        ({"t.json": "{"}, "t.json", "is no sound JSON"),
    ],
)
def test_what_cannot_be_used_is_explained(tmp_path, files, place, problem):
    with pytest.raises(MetricsError, match=problem):
        read_other_texts("t", write(tmp_path, **files) / place, IDS)


def zipped(path, **files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_a_zip_holds_texts_or_one_table(tmp_path):
    files = {"out/a/1.txt": "one", "out/a/1.gt.txt": "no reading", "out/pictures.csv": "x,y\n"}
    found = read_other_texts("t", zipped(tmp_path / "t.zip", **files), IDS)
    assert texts(found) == {"a/1.png": "one"}
    files = {"result.csv": "picture_id,text\na/2.png,two\n", "a/1.png": "a picture"}
    found = read_other_texts("t", zipped(tmp_path / "T.ZIP", **files), IDS)
    assert texts(found) == {"a/2.png": "two"}


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"a.png": "x"}, "`t.zip` holds no text and no table"),
        ({"a.csv": "x", "b.csv": "y"}, "`t.zip` holds 2 tables"),
        ({"../a/1.txt": "x"}, "leads out of the archive"),
        ({"7.txt": "x"}, "None of the 1 texts in `t.zip`"),
    ],
)
def test_a_zip_that_is_of_no_use_is_explained(tmp_path, files, problem):
    with pytest.raises(MetricsError, match=problem) as caught:
        read_other_texts("t", zipped(tmp_path / "t.zip", **files), IDS)
    assert str(tmp_path) not in str(caught.value), "the visitor of a page knows no folder of ours"
    (tmp_path / "broken.zip").write_bytes(b"PK no zip")
    with pytest.raises(MetricsError, match="Zip the texts anew"):
        read_other_texts("t", tmp_path / "broken.zip", IDS)
