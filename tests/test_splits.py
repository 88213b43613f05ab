"""Splits: exact sizes, nothing that belongs together in two of them, the same for the same seed."""

import random
import subprocess
import sys
import zipfile
from collections import Counter

import pytest
from datasets import load_dataset
from line_samples import draw_line
from sklearn.model_selection import train_test_split

from ocrtune.config import BuildConfig
from ocrtune.dataset import build_dataset
from ocrtune.dataset_files import load_samples, split_path
from ocrtune.errors import OcrtuneError
from ocrtune.ground_truth import Entry
from ocrtune.grouping import group_samples
from ocrtune.records import SPLITS
from ocrtune.splits import own_remarks, own_splits, split_remarks, split_samples, split_sizes

CONFIG = BuildConfig(source="", output="")


@pytest.mark.parametrize(
    ("count", "train", "validation", "test"),
    [
        (1, 1, 0, 0),
        (2, 2, 0, 0),
        (3, 1, 1, 1),
        (4, 2, 1, 1),
        (5, 3, 1, 1),
        (9, 7, 1, 1),
        (10, 8, 1, 1),
        (12, 9, 1, 2),
        (15, 12, 1, 2),
        (150, 120, 15, 15),
        (363, 290, 36, 37),
        (10_000, 8_000, 1_000, 1_000),
    ],
)
def test_split_sizes(count, train, validation, test):
    sizes = {"train": train, "validation": validation, "test": test}
    assert split_sizes(count, CONFIG) == sizes
    splits = split_samples([b"%d" % row for row in range(count)], CONFIG)
    assert {split: len(rows) for split, rows in splits.items()} == sizes
    assert sorted(sum(splits.values(), [])) == list(range(count))


def test_other_fractions_are_respected():
    config = BuildConfig(source="", output="", train_fraction=0.5, validation_fraction=0.3)
    assert split_sizes(100, config) == {"train": 50, "validation": 30, "test": 20}


def test_the_draw_is_that_of_scikit_learn():
    train, rest = train_test_split(list(range(123)), train_size=0.8, random_state=7)
    validation, test = train_test_split(rest, train_size=0.5, random_state=7)
    config = BuildConfig(source="", output="", seed=7)
    assert split_samples([b"%d" % row for row in range(123)], config) == {
        "train": sorted(train),
        "validation": sorted(validation),
        "test": sorted(test),
    }


@pytest.mark.parametrize(
    "groups",
    [
        [2] + [1] * 148,
        [3, 2, 2] + [1] * 8,
        [5, 5, 1],
        [2, 2, 2],
        [40, 1, 1],
        [1, 1, 90, 3, 3],
        [7] * 10,
        [60, 30, 20, 10] + [2] * 20,
    ],
)
def test_identical_pictures_never_cross(groups):
    digests = [b"%d" % group for group, size in enumerate(groups) for _ in range(size)]
    random.Random(3).shuffle(digests)
    splits = split_samples(digests, CONFIG)
    assert all(splits.values())
    assert sorted(sum(splits.values(), [])) == list(range(len(digests)))
    home = {}
    for split, rows in splits.items():
        for row in rows:
            assert home.setdefault(digests[row], split) == split


def test_repeated_pictures_leave_the_sizes_exact_where_possible():
    digests = [b"twin"] * 2 + [b"%d" % row for row in range(148)]
    splits = split_samples(digests, CONFIG)
    assert [len(rows) for rows in splits.values()] == [120, 15, 15]


def rows_of(count):
    """Return the digests of so many different pictures."""
    return [b"%d" % row for row in range(count)]


@pytest.mark.parametrize(
    "sizes",
    [[10] * 36, [1] * 20, [50, 30, 10, 5, 5, 3], [7, 7, 7], [90, 5, 5], [3] * 8 + [1]],
)
def test_groups_stay_whole_and_fill_the_splits_as_nearly_as_they_can(sizes):
    groups = [f"book {number}" for number, size in enumerate(sizes) for _ in range(size)]
    random.Random(5).shuffle(groups)
    splits = split_samples(rows_of(len(groups)), CONFIG, groups)
    assert sorted(sum(splits.values(), [])) == list(range(len(groups)))
    homes = {}
    for split, rows in splits.items():
        assert rows, f"{split} is empty"
        for row in rows:
            assert homes.setdefault(groups[row], split) == split
    wanted = split_sizes(len(groups), CONFIG)
    for split in ("validation", "test"):
        assert len(splits[split]) <= max(wanted[split], sorted(sizes)[1])


def test_other_seeds_hold_other_groups_out():
    groups = [f"book {row // 5}" for row in range(200)]
    tests = set()
    for seed in range(6):
        config = BuildConfig(source="", output="", seed=seed)
        tests.add(tuple(split_samples(rows_of(200), config, groups)["test"]))
    assert len(tests) == 6


@pytest.mark.parametrize(
    ("groups", "sizes"),
    [
        (["a"] * 9, [9, 0, 0]),  # one group cannot be held out
        (["a"] * 7 + ["b"] * 2, [7, 0, 2]),
        (["a"] * 7 + ["b", "c"], [7, 1, 1]),
        ([""] * 10, [8, 1, 1]),  # rows without a group stand alone
    ],
)
def test_few_groups(groups, sizes):
    splits = split_samples(rows_of(len(groups)), CONFIG, groups)
    assert [len(rows) for rows in splits.values()] == sizes


def test_an_identical_picture_joins_its_groups():
    digests = rows_of(40)
    digests[39] = digests[0]
    groups = [f"g{row // 4}" for row in range(40)]
    splits = split_samples(digests, CONFIG, groups)
    home = {row: split for split, rows in splits.items() for row in rows}
    assert len({home[row] for row in (0, 1, 2, 3, 36, 37, 38, 39)}) == 1


def test_fixed_rows_stay_and_the_others_fill_up():
    fixed = {row: ("train", "validation", "test")[row % 3] for row in range(30)}
    splits = split_samples(rows_of(100), CONFIG, fixed=fixed)
    for row, split in fixed.items():
        assert row in splits[split]
    assert [len(splits[split]) for split in SPLITS] == [80, 10, 10]


def test_what_belongs_to_a_fixed_row_follows_it():
    digests = rows_of(40)
    digests[20] = digests[0]
    groups = [""] * 40
    groups[1] = groups[21] = "writer"
    splits = split_samples(digests, CONFIG, groups, {0: "test", 1: "validation"})
    assert 20 in splits["test"]
    assert 21 in splits["validation"]


def entries_in(*splits):
    return [
        Entry(line_number=row, name=f"{row}.png", text="t", split=split)
        for row, split in enumerate(splits, start=1)
    ]


def test_own_splits_are_kept():
    own = ["train"] * 5 + ["validation"] * 3 + ["test"] * 4 + [""]
    fixed = own_splits(entries_in(*own), rows_of(13), CONFIG)
    splits = split_samples(rows_of(13), CONFIG, fixed=fixed)
    assert splits == {
        "train": [0, 1, 2, 3, 4, 12],
        "validation": [5, 6, 7],
        "test": [8, 9, 10, 11],
    }


@pytest.mark.parametrize(("given", "missing"), [("test", "validation"), ("validation", "test")])
@pytest.mark.parametrize("held_out", [2, 40])  # fewer and more than a tenth
def test_a_split_that_the_ground_truth_lacks_is_taken_from_train(given, missing, held_out):
    entries = entries_in(*["train"] * 60, *[given] * held_out)
    digests = rows_of(60 + held_out)
    fixed = own_splits(entries, digests, CONFIG)
    splits = split_samples(digests, CONFIG, fixed=fixed)
    assert splits[given] == list(range(60, 60 + held_out))  # neither more nor less than it was
    assert len(splits[missing]) == 6
    assert set(splits[missing]) < set(range(60))
    assert [one.values for one in own_remarks(entries)] == [{"missing": [missing]}]


def test_what_crosses_own_splits_stays_where_it_was_while_another_is_drawn():
    entries = entries_in(*["train"] * 20, "test")
    digests = [*rows_of(20), rows_of(20)[3]]
    groups = ["a", "b", "c", "d", *["e"] * 8, *["f"] * 8, "d"]
    fixed = own_splits(entries, digests, CONFIG, groups)
    splits = split_samples(digests, CONFIG, groups, fixed)
    assert splits["test"] == [20]
    assert {fixed[row] for row in range(4, 12)} == {fixed[4]}  # a group is not torn for it
    names = list(map(str, range(21)))
    keys = [one.key for one in split_remarks(splits, digests, groups, names, CONFIG)]
    assert "split_leak" in keys


@pytest.mark.parametrize("own", [["train"] * 30, ["test"] * 30, [""] * 30])
def test_a_single_own_split_is_none(own):
    entries = entries_in(*own)
    assert own_splits(entries, rows_of(30), CONFIG) == {}
    assert own_remarks(entries) == []


def test_an_identical_picture_in_two_own_splits_is_told():
    own = ["train", "train", "validation", "test"]
    digests = [b"a", b"b", b"c", b"a"]
    fixed = own_splits(entries_in(*own), digests, CONFIG)
    splits = split_samples(digests, CONFIG, fixed=fixed)
    assert splits["test"] == [3]
    told = split_remarks(splits, digests, [], ["1", "2", "3", "4"], CONFIG)
    assert [str(one) for one in told][0].startswith("2 identical pictures stand in more than one")


@pytest.mark.parametrize(
    ("group_by", "groups"),
    [
        ("folder", ["a", "a", "b", ""]),
        ("page", ["a/heidi_0018", "a/heidi_0018", "b/ann", "scan 7"]),
        (r"^(\w)/", ["a", "a", "b", ""]),
        (r"heidi", ["heidi", "heidi", "", ""]),
    ],
)
def test_groups_come_from_the_names(group_by, groups):
    names = ["a/heidi_0018_001.tif", "a/heidi_0018_002.tif", "b/ann-l7.png", "scan 7 line 3.png"]
    entries = [Entry(line_number=1, name=name, text="t") for name in names]
    config = BuildConfig(source="", output="", group_by=group_by)
    assert group_samples(entries, names, config) == groups


def test_lines_cut_from_a_page_belong_to_it_and_writers_to_themselves():
    entries = [
        Entry(line_number=1, name="p1.png", text="t", part="l1"),
        Entry(line_number=2, name="p2.png", text="t", group="Anna"),
    ]
    names = [entry.sample_name for entry in entries]
    by = {
        kind: group_samples(entries, names, BuildConfig(source="", output="", group_by=kind))
        for kind in ("page", "writer", "folder")
    }
    assert by == {"page": ["p1.png", "Anna"], "writer": ["", "Anna"], "folder": ["", ""]}


@pytest.mark.parametrize(
    ("group_by", "words"),
    [
        ("(", "nor a regular expression"),
        ("nothing", "matches no picture's name, such as `aaaa"),
        ("(a|aa)+$", "takes too long"),
        ("x" * 600, "has 600 characters"),
        ("writer", "names no writers"),
    ],
)
def test_a_grouping_that_cannot_be_gets_a_sentence(group_by, words):
    names = ["a" * 60 + "!.png"]
    entries = [Entry(line_number=1, name=names[0], text="t")]
    with pytest.raises(OcrtuneError) as caught:
        group_samples(entries, names, BuildConfig(source="", output="", group_by=group_by))
    assert words in str(caught.value)


def write_lines(folder, count):
    """Write a folder of so many line pictures, five to a page, with its content.md."""
    folder.mkdir()
    lines = []
    for row in range(count):
        name = f"page{row // 5}_{row % 5}.png"
        (folder / name).write_bytes(draw_line(f"line {row}"))
        lines.append(f"{name} line {row}\n")
    (folder / "content.md").write_text("".join(lines), "utf-8")
    return folder


def test_pages_stay_whole_in_a_build(tmp_path):
    source = write_lines(tmp_path / "source", 100)
    prefix = tmp_path / "set"
    report = build_dataset(BuildConfig(source=str(source), output=str(prefix), group_by="page"))
    pages = Counter(
        page
        for split in SPLITS
        for page in {one.picture_id.split("_")[0] for one in load_samples(str(prefix), split)}
    )
    assert report.splits == {"train": 80, "validation": 10, "test": 10}
    assert set(pages.values()) == {1}
    assert "20 groups (by page) were kept whole" in report.remarks[-1]["text"]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_small_set_is_built_and_opens(tmp_path, count):
    prefix = tmp_path / "set"
    source = write_lines(tmp_path / "source", count)
    report = build_dataset(BuildConfig(source=str(source), output=str(prefix)))
    files = {split: str(split_path(prefix, split)) for split in SPLITS if report.splits[split]}
    opened = load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))
    assert {split: rows.num_rows for split, rows in opened.items()} == {
        split: count for split, count in report.splits.items() if count
    }
    assert [len(load_samples(str(prefix), split)) for split in SPLITS] == [*report.splits.values()]
    assert report.splits["test"] == (count == 3)
    keys = [one["key"] for one in report.remarks]
    assert ("split_no_test" in keys) == (count < 3)


def test_the_same_input_gives_the_same_bytes(tmp_path):
    source = write_lines(tmp_path / "source", 40)
    made = []
    for seed in ("0", "77"):
        prefix = tmp_path / seed / "set"
        command = ["build", str(source), "--output", str(prefix), "--group-by", "page"]
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}
        subprocess.run(
            [sys.executable, "-m", "ocrtune", *command], check=True, env=environment, timeout=120
        )
        made.append({path.name: path.read_bytes() for path in prefix.parent.iterdir()})
    assert made[0] == made[1]
    assert len(made[0]) >= 4


def test_the_order_of_the_files_in_a_zip_changes_nothing(tmp_path):
    folder = write_lines(tmp_path / "lines", 30)
    (folder / "unnamed_b.png").write_bytes(draw_line("b"))
    (folder / "unnamed_a.png").write_bytes(draw_line("a"))
    made = []
    for name, order in (("one", 1), ("other", -1)):
        (tmp_path / name).mkdir()
        with zipfile.ZipFile(tmp_path / name / "lines.zip", "w") as archive:
            for path in sorted(folder.iterdir())[::order]:
                archive.write(path, path.name)
        prefix = tmp_path / name / "out" / "set"
        build_dataset(BuildConfig(source=str(tmp_path / name / "lines.zip"), output=str(prefix)))
        made.append({path.name: path.read_bytes() for path in prefix.parent.iterdir()})
    assert made[0] == made[1]
