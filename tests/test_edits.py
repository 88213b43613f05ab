"""Edits: kept beside the dataset, seen by whoever loads it, made again by the next build."""

import json
import threading

import pytest
from test_dataset import make_zip, pictures_with_lines, png

from ocrtune.cli import main
from ocrtune.config import BuildConfig
from ocrtune.dataset import build_dataset
from ocrtune.dataset_files import load_samples, split_path
from ocrtune.editing import edit_sample, keep_picture, list_edits
from ocrtune.edits import Change, edits_path, load_edits
from ocrtune.errors import DatasetError
from ocrtune.records import SPLITS
from ocrtune.sample_index import SampleIndex


def build(tmp_path, files, name="d", **settings):
    """Build a zip of `files` and return the report and the dataset's prefix."""
    source = make_zip(tmp_path / "source.zip", files)
    prefix = str(tmp_path / name / "lines")
    settings = {"output": prefix} | settings
    return build_dataset(BuildConfig(source=str(source), **settings)), settings["output"]


def everything(prefix):
    """Return the text and the split of each sample."""
    return {
        one.picture_id: (one.text, split) for split in SPLITS for one in load_samples(prefix, split)
    }


@pytest.fixture
def dataset(tmp_path):
    return build(tmp_path, pictures_with_lines(12))[1]


def content_with(files, **texts):
    """Return the files with other texts: `_3="x"` is that of img/3.png; None drops the line."""
    lines = []
    for line in files["content.md"].splitlines():
        number = line.split(".")[0].removeprefix("img/")
        text = texts.get(f"_{number}", line.split(" ", 1)[1])
        lines += [] if text is None else [f"img/{number}.png {text}"]
    return files | {"content.md": "\n".join(lines)}


def test_an_edit_is_seen_at_once_and_the_files_stay_as_they_are(dataset):
    before = {split: split_path(dataset, split).read_bytes() for split in SPLITS}
    texts = everything(dataset)
    edit_sample(dataset, "img/3.png", Change(text="  right\r\ntext "))
    gone = next(name for name, (_, split) in texts.items() if split == "train" and "3" not in name)
    edit_sample(dataset, gone, Change(excluded=True))
    now = everything(dataset)
    assert now["img/3.png"] == ("right\ntext", texts["img/3.png"][1])
    assert gone not in now
    assert {split: split_path(dataset, split).read_bytes() for split in SPLITS} == before
    edit_sample(dataset, gone, Change(excluded=False))
    edit_sample(dataset, "img/3.png", Change(text="text 3"))
    edit_sample(dataset, "img/3.png", Change(checked=False))
    assert everything(dataset) == texts
    assert not load_edits(dataset), "nothing is left of what was taken back"


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "needs a text"), (" \n", "needs a text"), ("x" * 20_001, "20001 characters")]
    + [(odd, "unreadable") for odd in ("a\ud800", "a\0b", "\ufffd")],
)
def test_what_can_be_no_ground_truth_is_refused(dataset, text, words):
    with pytest.raises(DatasetError, match=words):
        edit_sample(dataset, "img/3.png", Change(text=text))
    assert not edits_path(dataset).exists()


def test_the_last_sample_of_a_split_stays(dataset):
    [only] = load_samples(dataset, "validation")
    with pytest.raises(DatasetError, match="last sample of the validation split"):
        edit_sample(dataset, only.picture_id, Change(excluded=True))


def test_many_who_edit_at_once_lose_nothing(dataset):
    names = [f"img/{number}.png" for number in range(12)]
    threads = [
        threading.Thread(target=edit_sample, args=(dataset, name, Change(text=f"new {name}")))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {text for text, _ in everything(dataset).values()} == {f"new {name}" for name in names}


@pytest.mark.parametrize(
    "damage",
    [
        "{",
        "[]",
        '{"version": 9, "edits": [], "additions": []}',
        '{"version": 1, "edits": [{"picture_id": "a"}], "additions": []}',
        '{"version": 1, "edits": [{"picture_id": 7}], "additions": []}',
        '{"version": 1, "edits": [], "additions": [{"picture_id": "a", "digest": "0", "text": "t", '
        '"file": "../../etc/passwd"}]}',
    ],
)
def test_a_damaged_file_of_edits_gets_a_sentence(dataset, damage):
    edits_path(dataset).write_text(damage, "utf-8")
    with pytest.raises(DatasetError, match="Restore the file"):
        load_samples(dataset, "train")


def test_edits_survive_a_rebuild_from_a_newer_zip(tmp_path, dataset):
    texts = everything(dataset)
    edit_sample(dataset, "img/1.png", Change(text="fixed 1"))
    edit_sample(dataset, "img/2.png", Change(text="fixed 2"))
    edit_sample(dataset, "img/4.png", Change(checked=True))
    trained = [name for name, (_, split) in texts.items() if split == "train"]
    out = next(name for name in trained if name not in ("img/1.png", "img/2.png", "img/4.png"))
    edit_sample(dataset, out, Change(excluded=True, origin="suspects"))
    keep_picture(dataset, "new.png", png(500), "brand new")
    newer = content_with(pictures_with_lines(12), _2="other 2")
    report, prefix = build(tmp_path, newer, "newer", edits=dataset)
    now = everything(prefix)
    expected = {name: one for name, one in texts.items() if name != out}
    for name, text in {"img/1.png": "fixed 1", "img/2.png": "fixed 2"}.items():
        expected[name] = (text, texts[name][1])
    assert now == expected | {"added/new.png": ("brand new", "train")}
    assert report.edits == {"gallery": 2, "suspects": 1, "reading": 1}
    said = {one["key"]: one["values"] for one in report.remarks}
    assert said["edits_made"] == {"count": 4}
    assert said["edits_kept"] == {"count": 1, "names": ["img/2.png"]}
    edits_path(prefix).rename(tmp_path / "away")
    assert everything(prefix) == now, "the build has put them into the files"
    (tmp_path / "away").rename(edits_path(prefix))
    first = {path.name: path.read_bytes() for path in (tmp_path / "newer").glob("lines_*.*")}
    build(tmp_path, newer, "newer")
    again = {path.name: path.read_bytes() for path in (tmp_path / "newer").glob("lines_*.*")}
    assert {k: v for k, v in again.items() if "report" not in k} == {
        k: v for k, v in first.items() if "report" not in k
    }, "building twice makes nothing twice"


def test_what_was_built_in_can_be_taken_back(tmp_path, dataset):
    texts = everything(dataset)
    files = pictures_with_lines(12)
    out = next(name for name, (_, split) in texts.items() if split == "train")
    other = next(name for name in texts if name != out)
    edit_sample(dataset, out, Change(excluded=True))
    edit_sample(dataset, other, Change(text="wrongly fixed"))
    build(tmp_path, files, output=dataset)
    assert out not in everything(dataset)
    assert SampleIndex(dataset).find(out).split == ""
    edit_sample(dataset, out, Change(excluded=False))
    edit_sample(dataset, other, Change(text=texts[other][0]))
    assert everything(dataset)[other] == texts[other]
    build(tmp_path, files, output=dataset)
    assert everything(dataset) == texts


def test_an_edit_follows_its_picture_to_another_name_but_not_a_name_to_another_picture(
    tmp_path, dataset
):
    edit_sample(dataset, "img/1.png", Change(text="fixed 1"))
    edit_sample(dataset, "img/2.png", Change(text="fixed 2"))
    edit_sample(dataset, "img/3.png", Change(text="fixed 3"))
    files = pictures_with_lines(12)
    files["img/moved.png"] = files.pop("img/1.png")
    files["img/2.png"] = png(900)  # the same line, scanned again
    files["img/3.png"] = png(901)  # another line
    files = content_with(files, _1=None, _3="a different text")
    files["content.md"] += "\nimg/moved.png text 1"
    report, prefix = build(tmp_path, files, "newer", edits=dataset)
    now = {name: text for name, (text, _) in everything(prefix).items()}
    assert now["img/moved.png"] == "fixed 1"
    assert now["img/2.png"] == "fixed 2"
    assert now["img/3.png"] == "a different text"
    assert "edits_missing" in [one["key"] for one in report.remarks]
    assert "img/3.png" in load_edits(prefix).edits, "it waits for its picture"


def test_an_added_picture_that_comes_with_the_source_is_one_sample(tmp_path, dataset):
    done, _ = keep_picture(dataset, "new.png", png(500), "brand new")
    assert done == "added"
    assert everything(dataset)["added/new.png"] == ("brand new", "train")
    assert keep_picture(dataset, "again.png", png(500), "newer")[0] == "edited"
    assert everything(dataset)["added/new.png"] == ("newer", "train")
    files = pictures_with_lines(12)
    files |= {"late.png": png(500), "content.md": files["content.md"] + "\nlate.png wrong"}
    _, prefix = build(tmp_path, files, "newer", edits=dataset)
    now = everything(prefix)
    assert len(now) == 13
    assert now["late.png"][0] == "newer"


def test_a_reading_of_a_picture_of_the_dataset_edits_it_where_it_is(dataset):
    [test, *_] = load_samples(dataset, "test")
    done, found = keep_picture(dataset, "x.png", test.picture, "right")
    assert (done, found.picture_id, found.split) == ("edited", test.picture_id, "test")
    assert everything(dataset)[test.picture_id] == ("right", "test")


def test_edits_made_during_a_build_are_not_lost(tmp_path, dataset):
    source = make_zip(tmp_path / "source.zip", pictures_with_lines(12))

    def edit_meanwhile(event):
        edit_sample(dataset, "img/3.png", Change(text="meanwhile"))

    with pytest.raises(DatasetError, match="changed while"):
        build_dataset(BuildConfig(source=str(source), output=dataset), edit_meanwhile)
    assert everything(dataset)["img/3.png"][0] == "meanwhile"


# The command line


def test_the_command_line_can_do_what_the_page_can(tmp_path, dataset, capsys):
    run = lambda *words: main(["edit", dataset, *words])  # noqa: E731
    assert run("--picture", "img/3.png", "--text", "a\\nb", "--checked") == 0
    out = next(n for n, (_, s) in everything(dataset).items() if s == "train" and "3" not in n)
    assert run("--picture", out, "--exclude") == 0
    (tmp_path / "new.png").write_bytes(png(777))
    assert run("--add", str(tmp_path / "new.png"), "--text", "new") == 0
    table = tmp_path / "fixes.csv"
    table.write_text('id,text\nimg/5.png,"five, fixed"\nimg/6.png,six\n', "utf-8-sig")
    assert run("--from", str(table)) == 0
    now = {name: text for name, (text, _) in everything(dataset).items()}
    assert (now["img/3.png"], now["img/5.png"], now["img/6.png"]) == ("a\nb", "five, fixed", "six")
    assert now["added/new.png"] == "new"
    assert out not in now
    capsys.readouterr()
    assert run("--list") == 0
    assert capsys.readouterr().out.splitlines() == list_edits(dataset)
    assert len(list_edits(dataset)) == 5
    assert run("--picture", out, "--include") == 0
    assert out in everything(dataset)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("name,text\na,b\n", "no columns"),
        ("id,text\nimg/1.png,x\nimg/nine.png,y\n", "no sample `img/nine.png`"),
        ("id,text\nimg/1.png\n", "no id or no text"),
        ('id,text\nimg/1.png,"x\n', "cannot be read"),
    ],
)
def test_a_table_that_cannot_be_used_changes_nothing(tmp_path, dataset, capsys, table, words):
    (tmp_path / "t.csv").write_text(table, "utf-8")
    assert main(["edit", dataset, "--from", str(tmp_path / "t.csv")]) == 1
    assert words in capsys.readouterr().err
    assert not edits_path(dataset).exists()


@pytest.mark.parametrize(
    "words", [[], ["--picture", "a"], ["--list", "--exclude"], ["--add", "a.png"]]
)
def test_a_half_command_is_explained(dataset, words):
    with pytest.raises(SystemExit, match="2"):
        main(["edit", dataset, *words])


def test_the_file_of_edits_is_plain_json(dataset):
    edit_sample(dataset, "img/3.png", Change(text="三", note="CER 80 %", origin="suspects"))
    values = json.loads(edits_path(dataset).read_text("utf-8"))
    [edit] = values["edits"]
    assert (edit["before"], edit["after"], edit["origin"]) == ("text 3", "三", "suspects")
    assert edit["note"] == "CER 80 %"
