import pytest

from ocrtune.archive import Archive, open_archive
from ocrtune.config import BuildConfig
from ocrtune.errors import ArchiveError, QuestionError
from ocrtune.ground_truth import GroundTruth
from ocrtune.shapes import read_ground_truth
from ocrtune.shapes.lines import find_content


def make(tmp_path, files: dict[str, str | bytes]) -> Archive:
    """Return the archive of a folder with these files."""
    for name, data in files.items():
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return open_archive(tmp_path / "set")


def read(archive: Archive, **settings) -> GroundTruth:
    """Return the archive's ground truth in the shape `lines`."""
    config = BuildConfig(source="", output="", shape="lines", **settings)
    return read_ground_truth(archive, config)


def texts(truth: GroundTruth) -> dict[str, str]:
    """Return the texts by picture."""
    return {entry.name: entry.text for entry in truth.entries}


def keys(truth: GroundTruth) -> list[str]:
    """Return what was remarked on."""
    return [one.key for one in truth.remarks]


PICTURES = {"a/1.jpg": b"", "a/2.jpg": b"", "b/1.jpg": b"", "b/2.jpg": b""}


def test_a_content_file_in_each_folder_speaks_of_its_own_pictures(tmp_path):
    files = {"a/content.md": "1.jpg a1\n2.jpg a2", "b/content.md": "1.jpg b1\n9.jpg b9"}
    truth = read(make(tmp_path, PICTURES | files))
    assert texts(truth) == {"a/1.jpg": "a1", "a/2.jpg": "a2", "b/1.jpg": "b1"}
    assert [entry.file for entry in truth.entries] == ["a/content.md"] * 2 + ["b/content.md"]
    assert [(one.file, one.line_number) for one in truth.rejects] == [("b/content.md", 2)]
    assert truth.original(truth.entries[2]) == "1.jpg b1"
    assert (truth.files, keys(truth)) == (("a/content.md", "b/content.md"), ["files_read"])


def test_lists_of_any_name_are_read_together_and_notes_are_left(tmp_path):
    files = {"train.txt": "a/1.jpg x\nb/1.jpg y", "test.txt": "a/2.jpg z", "notes.md": "To do."}
    truth = read(make(tmp_path, PICTURES | files))
    assert texts(truth) == {"a/1.jpg": "x", "b/1.jpg": "y", "a/2.jpg": "z"}
    assert keys(truth) == ["files_read", "files_left", "own_splits"]
    assert "`notes.md`" in str(truth.remarks[1])


def test_content_md_wins_over_other_names(tmp_path):
    files = {"content.md": "a/1.jpg new", "old.txt": "a/1.jpg old"}
    truth = read(make(tmp_path, PICTURES | files))
    assert texts(truth) == {"a/1.jpg": "new"}
    assert "`old.txt`" in str(truth.remarks[0])


def test_files_that_contradict_each_other_are_asked_about(tmp_path):
    files = {"one.txt": "a/1.jpg new\na/2.jpg x", "two.txt": "a/1.jpg old\nb/1.jpg y"}
    archive = make(tmp_path, PICTURES | files)
    with pytest.raises(QuestionError, match="`one.txt` and `two.txt` have different") as caught:
        read(archive)
    assert (caught.value.setting, caught.value.choices) == ("content", ("one.txt", "two.txt"))


def test_what_a_second_file_repeats_is_told_once(tmp_path):
    copy = {"one.txt": "a/1.jpg x\na/2.jpg y", "two.txt": "a/1.jpg x\na/2.jpg y"}
    truth = read(make(tmp_path, PICTURES | copy))
    assert (truth.files, len(truth.entries), truth.rejects) == (("one.txt",), 2, [])
    assert keys(truth) == ["files_left"]
    truth = read(make(tmp_path, {"two.txt": "a/1.jpg x\nb/1.jpg z"}))
    assert texts(truth) == {"a/1.jpg": "x", "a/2.jpg": "y", "b/1.jpg": "z"}
    [again] = truth.rejects
    assert (again.file, again.line_number, again.original) == ("two.txt", 1, "a/1.jpg x")
    assert "`one.txt` has the same picture" in str(again.reason)


def test_files_without_a_line_to_use_are_asked_about(tmp_path):
    archive = make(tmp_path, PICTURES | {"one.txt": "words", "two.txt": "words"})
    with pytest.raises(QuestionError, match="may be the content file"):
        read(archive)


def test_a_text_beside_its_picture_is_no_content_file(tmp_path):
    files = {"a/1.txt": "a", "a/2.gt.txt": "b", "b/content.md": "1.jpg c", "README.md": "Read"}
    assert list(find_content(make(tmp_path, PICTURES | files))) == ["b/content.md"]


def test_no_content_file_at_all(tmp_path):
    with pytest.raises(ArchiveError, match="holds no content file"):
        read(make(tmp_path, PICTURES))


@pytest.mark.parametrize(("named", "told"), [("", ["encoding_guessed"]), ("gbk", [])])
def test_a_guessed_encoding_is_told(tmp_path, named, told):
    data = "a/1.jpg 谁也不讨厌谁".encode("gb18030")
    truth = read(make(tmp_path, PICTURES | {"content.md": data}), encoding=named)
    assert (texts(truth), truth.encoding) == ({"a/1.jpg": "谁也不讨厌谁"}, "gb18030")
    assert keys(truth) == told


def test_a_separate_content_file_is_read_in_the_encoding_that_is_named(tmp_path):
    make(tmp_path, PICTURES)
    content = tmp_path / "mine.txt"
    content.write_bytes("a/1.jpg привет, мир\na/9.jpg привет".encode("cp1251"))
    archive = open_archive(tmp_path / "set", content)
    truth = read(archive, encoding="cp1251")
    assert texts(truth) == {"a/1.jpg": "привет, мир"}
    assert truth.original(truth.entries[0]) == "a/1.jpg привет, мир"
    assert truth.rejects[0].original == "a/9.jpg привет"


def test_a_page_is_given_back_as_it_is_written(tmp_path):
    truth = read(make(tmp_path, PICTURES | {"content.md": "# a/1.jpg\nx\n\ny\n# a/2.jpg\nz\n"}))
    assert texts(truth) == {"a/1.jpg": "x\n\ny", "a/2.jpg": "z"}
    assert [truth.original(one) for one in truth.entries] == ["# a/1.jpg\nx\n\ny", "# a/2.jpg\nz"]
