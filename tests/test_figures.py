import csv
import json

import pytest
from line_samples import draw_line

from ocrtune.config import BuildConfig
from ocrtune.dataset import build_dataset
from ocrtune.figures import CHARS, HEIGHTS, MOST_CHARACTERS, describe_samples, histogram

ALL = {"train": [0, 1, 2], "validation": [], "test": [3]}


def build(folder, lines, pictures):
    """Build a folder of line pictures, by name, with these lines; return the report."""
    source = folder / "source"
    source.mkdir(exist_ok=True)
    for name, text in pictures.items():
        (source / name).write_bytes(draw_line(text))
    (source / "content.md").write_text("\n".join(lines), "utf-8")
    return build_dataset(BuildConfig(source=str(source), output=str(folder / "out" / "d")))


def bins(counted):
    """Return the bins of a histogram that are not empty, by where they begin."""
    return {
        edge: count
        for edge, count in zip(counted["edges"], counted["counts"], strict=True)
        if count
    }


def test_a_bin_reaches_from_its_edge_to_the_next_one_and_the_last_is_open():
    assert bins(histogram([1, 2, 4, 5, 9, 10, 50_000], CHARS)) == {
        1: 1,
        2: 2,
        5: 2,
        10: 1,
        10_000: 1,
    }
    assert bins(histogram([3, 10, 15, 16], HEIGHTS)) == {10: 3, 16: 1}  # 3 is below the first
    assert sum(histogram([], CHARS)["counts"]) == 0


def test_every_sample_is_in_each_histogram():
    found = describe_samples(["a", "bb", "", "ccc"], [(100, 40), (99, 48), (7_000, 5_000)] * 2, ALL)
    counted = found["histograms"]
    assert bins(counted["chars"]) == {0: 1, 1: 1, 2: 2}
    assert bins(counted["width"]) == {50: 2, 100: 2, 6_000: 2}
    assert bins(counted["height"]) == {40: 2, 48: 2, 4_096: 2}
    assert bins(counted["pixels"]) == {1_000: 4, 20_000_000: 2}


def test_the_inventory_counts_each_character_the_most_frequent_first():
    found = describe_samples(["bab", "b字", "c", "dd"], [(10, 10)] * 4, ALL)
    assert list(found["inventory"].items()) == [("b", 3), ("d", 2), ("a", 1), ("c", 1), ("字", 1)]
    assert (found["once"], found["once_total"]) == (["a", "c", "字"], 3)


def test_a_long_inventory_is_cut_but_its_totals_are_not():
    text = "".join(map(chr, range(0x4E00, 0x4E00 + MOST_CHARACTERS + 5)))
    found = describe_samples([text], [(10, 10)], {"train": [0], "validation": [], "test": []})
    assert len(found["inventory"]) == MOST_CHARACTERS
    assert found["once_total"] == MOST_CHARACTERS + 5


def test_characters_that_only_the_test_split_shows_are_told():
    texts = ["abc", "ab", "c", "ab xyz\u3000x"]
    found = describe_samples(texts, [(10, 10)] * 4, ALL)
    assert list(found["unseen"].items()) == [("x", 2), ("y", 1), ("z", 1)]  # no white space
    splits = {"train": [0, 1], "validation": [3], "test": [2]}
    assert describe_samples(texts, [(10, 10)] * 4, splits)["unseen"] == {}


@pytest.mark.parametrize(
    ("texts", "count"),
    [
        (["abc", "123", "x", ""], 0),
        (["سلام", "PDF خواندن فایل", "abc", "שלום"], 3),
        (["the word سلام in English", "abc", "x", ""], 0),
    ],
)
def test_texts_from_right_to_left_are_counted(texts, count):
    assert describe_samples(texts, [(10, 10)] * 4, ALL)["right_to_left"] == count


def test_the_report_of_a_build_holds_the_figures(tmp_path):
    pictures = {f"{number}.png": f"line {number}" for number in range(9)}
    lines = [f"{number}.png Zeile {number}" for number in range(9)]
    report = build(tmp_path, lines, pictures)
    saved = json.loads((tmp_path / "out" / "d_report.json").read_text("utf-8"))
    assert saved["inventory"] == report.inventory
    assert saved["inventory"]["e"] == 18
    assert bins(saved["histograms"]["chars"]) == {5: 9}
    assert bins(saved["histograms"]["height"]) == {40: 9}
    assert saved["once_total"] == 9
    assert saved["unseen"] == dict.fromkeys(saved["unseen"], 1)
    assert len(saved["unseen"]) == report.splits["test"]  # each has a digit of its own


def test_rejected_lines_are_written_as_a_table_of_their_own(tmp_path):
    pictures = {f"{number}.png": f"line {number}" for number in range(4)}
    lines = [f"{number}.png text" for number in range(4)]
    bad = ["lost.png =1+1", "0.png other"]
    build(tmp_path, lines + bad, pictures)
    path = tmp_path / "out" / "d_rejects.csv"
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = [*csv.DictReader(stream)]
    assert [row["line"] for row in rows] == ["5", "6"]
    assert rows[0]["original"] == "lost.png =1+1"
    assert rows[0]["reason"].startswith("There is no picture")
    assert rows[0]["reason_zh"].startswith("没有图片")
    assert rows[1]["reason"] == "Line 1 has another text for the same picture and was kept."
    build(tmp_path, lines, pictures)
    assert not path.exists()  # what an earlier build rejected says nothing about this one


def test_no_cell_of_the_rejects_can_run_in_a_spreadsheet(tmp_path):
    pictures = {f"{number}.png": f"line {number}" for number in range(3)}
    lines = [f"{number}.png text" for number in range(3)]
    build(tmp_path, [*lines, '=HYPERLINK("http://a";"b") x', "＝cmd.png text"], pictures)
    with (tmp_path / "out" / "d_rejects.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = [*csv.DictReader(stream)]
    assert [row["original"][:2] for row in rows] == ["'=", "'＝"]
