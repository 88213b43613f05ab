"""Figures of a report, worked out by hand, and the table of rejects."""

import csv
import json

import pytest
from line_samples import draw_line

from ocrtune.config import BuildConfig
from ocrtune.dataset import build_dataset
from ocrtune.text_checks import Inventory
from ocrtune.text_figures import describe_texts, histogram, histograms, unseen_characters


def build(folder, lines, count):
    """Build a folder of so many line pictures with these lines; return the report."""
    source = folder / "source"
    source.mkdir(exist_ok=True)
    for number in range(count):
        (source / f"{number}.png").write_bytes(draw_line(f"line {number}"))
    (source / "content.md").write_text("\n".join(lines), "utf-8")
    return build_dataset(BuildConfig(source=str(source), output=str(folder / "out" / "d")))


def rejects_of(folder):
    path = folder / "out" / "d_rejects.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")  # Excel takes it for UTF-8
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [*csv.DictReader(stream)]


@pytest.mark.parametrize(
    "values",
    [[5], [5, 5, 5], [0, 0, 1], [*range(100)], [1, 2, 3, 90_000], [10**7, 3, 3, 3], [0]],
)
def test_every_value_is_in_one_bin(values):
    found = histogram(values)
    edges, counts = found["edges"], found["counts"]
    assert len(edges) == len(counts) + 1 <= 15
    assert sum(counts) == len(values)
    assert edges == sorted(set(edges))
    assert edges[0] <= min(values)
    assert max(values) <= edges[-1]
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        last = high == edges[-1]
        assert count == sum(low <= one < high or (last and one == high) for one in values)


def test_sizes_and_lengths_have_a_histogram_each():
    found = histograms(["a", "bb", "ccc"], [(100, 40), (200, 40), (300, 50)])
    assert {name: sum(one["counts"]) for name, one in found.items()} == {
        "characters": 3,
        "width": 3,
        "height": 3,
    }


def test_the_inventory_counts_characters_and_names_the_rare_ones():
    texts = ["bab", "b字", "c", "dd"]
    found = describe_texts(texts, Inventory.of(texts))
    assert list(found["inventory"].items()) == [("b", 3), ("d", 2), ("a", 1), ("c", 1), ("字", 1)]
    assert found["rare"] == ["a", "c", "字"]


def test_characters_that_only_the_test_split_shows_are_told():
    texts = ["abc", "ab", "c", "ab xyzx"]
    splits = {"train": [0, 1], "validation": [2], "test": [3]}
    found = unseen_characters([*texts], splits)
    assert {one: found[one] for one in "xyz"} == {"x": 2, "y": 1, "z": 1}
    assert "a" not in found
    splits = {"train": [0, 1, 3], "validation": [], "test": [2]}
    assert unseen_characters(texts, splits) == {}


@pytest.mark.parametrize(
    ("texts", "share"),
    [
        (["abc", "123", "x", ""], 0),
        (["سلام", "PDF خواندن فایل", "abc", "שלום"], 0.75),
        (["the word سلام in English", "abc", "x", ""], 0),
    ],
)
def test_texts_from_right_to_left_are_counted(texts, share):
    assert describe_texts(texts, Inventory.of(texts))["right_to_left"] == share


def test_the_report_of_a_build_holds_the_figures(tmp_path):
    report = build(tmp_path, [f"{number}.png Zeile {number}" for number in range(9)], 9)
    saved = json.loads((tmp_path / "out" / "d_report.json").read_text("utf-8"))
    assert saved["inventory"] == report.inventory
    assert saved["inventory"]["e"] == 18
    assert sum(saved["histograms"]["height"]["counts"]) == 9
    assert set(saved["rare"]) == set("012345678")
    assert set(saved["unseen"]) <= set("012345678")
    assert len(saved["unseen"]) == report.splits["test"]  # each has a digit of its own


def test_rejected_lines_stand_in_a_table_of_their_own(tmp_path):
    lines = [f"{number}.png text" for number in range(4)]
    build(tmp_path, [*lines, "lost.png =1+1", "0.png other"], 4)
    rows = rejects_of(tmp_path)
    assert [row["line"] for row in rows] == ["5", "6"]
    assert rows[0]["original"] == "lost.png =1+1"
    assert rows[0]["reason"].startswith("There is no picture")
    assert rows[0]["reason_zh"].startswith("没有图片")
    assert rows[1]["reason"].startswith("Line 1 has another text for the same picture")
    build(tmp_path, lines, 4)
    assert rejects_of(tmp_path) == []  # what an earlier build rejected says nothing about this one


def test_no_cell_of_the_rejects_can_run_in_a_spreadsheet(tmp_path):
    lines = [f"{number}.png text" for number in range(3)]
    build(tmp_path, [*lines, '=HYPERLINK("http://a";"b") x', "＝cmd.png text"], 3)
    assert [row["original"][:2] for row in rejects_of(tmp_path)] == ["'=", "'＝"]
