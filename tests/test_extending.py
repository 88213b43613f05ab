"""A dataset that gets more samples: what was there stays where it was."""

from dataclasses import replace

import pytest
from line_samples import write_source
from test_dataset import make_zip, pictures_with_lines, png
from test_edits import build, everything

from ocrtune import picture_store
from ocrtune.config import BuildConfig
from ocrtune.dataset import build_dataset
from ocrtune.dataset_files import load_samples
from ocrtune.editing import edit_sample, keep_picture
from ocrtune.edits import Change
from ocrtune.errors import DatasetError
from ocrtune.records import SPLITS
from ocrtune.splits import split_samples


@pytest.fixture
def dataset(tmp_path):
    return build(tmp_path, pictures_with_lines(30))[1]


def more_lines(first, last):
    """Return the files of an archive of other pictures in another folder."""
    files = {f"more/{number}.png": png(number) for number in range(first, last)}
    lines = [f"more/{number}.png text {number}" for number in range(first, last)]
    return files | {"content.md": "\n".join(lines)}


@pytest.mark.parametrize("same_prefix", [True, False])
def test_samples_keep_their_splits_and_new_ones_fill_them_up(tmp_path, dataset, same_prefix):
    before = everything(dataset)
    pictures = {one.picture_id: one.picture for s in SPLITS for one in load_samples(dataset, s)}
    settings = {"output": dataset} if same_prefix else {}
    report, prefix = build(tmp_path, more_lines(100, 170), "x", extend=dataset, **settings)
    now = everything(prefix)
    assert {name: now[name] for name in before} == before
    assert len(now) == 100
    assert report.splits == {"train": 80, "validation": 10, "test": 10}
    assert report.samples == 100
    after = {one.picture_id: one.picture for s in SPLITS for one in load_samples(prefix, s)}
    assert {name: after[name] for name in pictures} == pictures
    keys = {one["key"]: one["values"] for one in report.remarks}
    assert keys["extended"] == {"count": 30, "added": 70}


def test_known_pictures_are_counted_or_contradicted_and_taken_names_changed(tmp_path, dataset):
    edit_sample(dataset, "img/2.png", Change(text="fixed 2"))
    files = {f"img/{number}.png": png(number) for number in range(5)}
    files["img/9.png"] = png(999)  # another picture under a name that is taken
    lines = ["img/0.png text 0", "img/1.png other", "img/2.png text 2", "img/9.png nine"]
    files["content.md"] = "\n".join(lines)
    report, prefix = build(tmp_path, files, "x", extend=dataset)
    now = everything(prefix)
    assert len(now) == 31
    assert now["source/img/9.png"][0] == "nine"
    assert now["img/9.png"][0] == "text 9"
    assert now["img/2.png"][0] == "fixed 2"
    keys = {one["key"]: one["values"] for one in report.remarks}
    assert keys["extend_known"] == {"count": 2}
    assert keys["extend_renamed"] == {"count": 1, "names": ["source/img/9.png"]}
    [line] = report.rejects
    assert (line["line_number"], line["original"]) == (2, "img/1.png other")
    assert "text 1" in line["reason"]
    assert "other" in line["reason"]


def test_edits_and_additions_of_the_earlier_dataset_are_carried(tmp_path, dataset):
    texts = everything(dataset)
    out = next(name for name, (_, split) in texts.items() if split == "train")
    edit_sample(dataset, out, Change(excluded=True))
    keep_picture(dataset, "new.png", png(5000), "added text")
    _, prefix = build(tmp_path, more_lines(100, 110), "x", extend=dataset)
    now = everything(prefix)
    assert out not in now
    assert now["added/new.png"] == ("added text", "train")
    files = more_lines(200, 205) | {"again.png": png(int(out[4:].split(".")[0]))}
    files["content.md"] += f"\nagain.png {texts[out][0]}"
    report, prefix = build(tmp_path, files, "y", extend=prefix)
    now = everything(prefix)
    assert len(now) == 29 + 1 + 10 + 5, "what was excluded stays out when it comes again"
    assert now["added/new.png"] == ("added text", "train")
    assert "edits_missing" not in [one["key"] for one in report.remarks]


def test_the_same_build_gives_the_same_files_and_old_pictures_are_not_decoded(
    tmp_path, dataset, monkeypatch
):
    decoded = []
    check = picture_store.check_picture

    def noted(data, *rest):
        decoded.append(data)
        return check(data, *rest)

    monkeypatch.setattr(picture_store, "check_picture", noted)
    found = []
    for name in ("x", "y"):
        _, prefix = build(tmp_path, more_lines(100, 110), name, extend=dataset)
        found.append([p.read_bytes() for p in sorted((tmp_path / name).glob("*.parquet"))])
    assert found[0] == found[1]
    assert len(decoded) == 20


def test_a_dataset_that_is_not_there_cannot_be_extended(tmp_path):
    source = make_zip(tmp_path / "s.zip", pictures_with_lines(5))
    config = BuildConfig(source=str(source), output=str(tmp_path / "o"), extend="nowhere/d")
    with pytest.raises(DatasetError, match="There is no"):
        build_dataset(config)
    with pytest.raises(DatasetError, match="There is no"):
        build_dataset(replace(config, extend="", edits="nowhere/d"))


def test_identical_new_pictures_share_a_split():
    digests = [b"a", b"b", b"c", *[b"new"] * 6, *[bytes([n]) for n in range(20)]]
    fixed = {0: "train", 1: "validation", 2: "test"}
    splits = split_samples(digests, BuildConfig(source="", output=""), fixed=fixed)
    homes = [split for split, rows in splits.items() if set(rows) & set(range(3, 9))]
    assert len(homes) == 1
    assert sorted(row for rows in splits.values() for row in rows) == list(range(len(digests)))


def test_a_dataset_of_one_sample_is_extended(tmp_path):
    one = write_source(tmp_path / "one", 1)
    build_dataset(BuildConfig(source=str(one), output=str(tmp_path / "d")))
    more = write_source(tmp_path / "more", 12)
    report = build_dataset(
        BuildConfig(source=str(more), output=str(tmp_path / "d"), extend=str(tmp_path / "d"))
    )
    assert report.splits == {"train": 9, "validation": 1, "test": 2}
    assert "0.png" in {one.picture_id for one in load_samples(str(tmp_path / "d"), "train")}
