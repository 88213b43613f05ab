"""Why a model reads better or worse, worked out by hand on a few lines."""

import json

import pytest

from ocrtune.records import OcrContract, Prediction, Sample
from ocrtune.report import build_comparison, report_values
from ocrtune.subsets import known_groups

CONTRACT = OcrContract(
    family="tiny",
    base_model="tiny",
    revision="abc",
    prompt="",
    layout="line",
    max_new_tokens=64,
    no_repeat_ngram=0,
    ngram_window=0,
)


def values_of(rows, profile="strict"):
    """Return the report of rows (picture id, reference, base text, tuned text)."""
    contract = OcrContract(**{**vars(CONTRACT), "profile": profile})
    samples = [Sample(picture_id=row[0], picture=b"", text=row[1]) for row in rows]
    base, tuned = (
        [Prediction(picture_id=row[0], text=row[side], seconds=0, model="m") for row in rows]
        for side in (2, 3)
    )
    return report_values(build_comparison(contract, "test", samples, base, tuned, 200))


def test_confusions_of_both_models_and_what_became_of_them():
    rows = [("a", "ſein ſo", "fein fo", "ſein fo"), ("b", "a\u00adb c", "ab c", "ab  cd")]
    values = values_of(rows)
    table = {(row["reference"], row["hypothesis"]): row for row in values["confusion_table"]}
    assert {way: (row["base"], row["tuned"]) for way, row in table.items()} == {
        ("ſ", "f"): (2, 1),
        ("\u00ad", ""): (1, 1),
        ("", "d"): (0, 1),
    }
    assert table["ſ", "f"]["base_share"] == 2 / 3
    assert table["\u00ad", ""]["reference_shown"] == "U+00AD"  # nobody sees a soft hyphen
    ways = {
        name: [(row["reference"], row["hypothesis"]) for row in values[name]]
        for name in ("errors_gone", "errors_left", "errors_added")
    }
    assert ways["errors_gone"] == [("ſ", "f")]
    assert set(ways["errors_left"]) == set(table)
    assert ways["errors_added"] == [("", "d")]


def test_confusions_of_clusters_have_their_names_and_odd_planes_too():
    row = ("a", "q\u0307a\U0010fffd", "qa\U00040000", "q\u0307a\U0010fffd")
    for profile, expected in (
        ("grapheme", {("q\u0307", "q"), ("\U0010fffd", "\U00040000")}),
        ("strict", {("\u0307", ""), ("\U0010fffd", "\U00040000")}),
    ):
        table = values_of([row], profile)["confusion_table"]
        assert {(one["reference"], one["hypothesis"]) for one in table} == expected


def test_errors_by_script_and_by_length():
    rows = [("a", "Хлеб ab", "Хлео ab", "Хлеб ax"), ("b", "ไทย", "ไท", "ไทย"), ("c", "", "x", "")]
    values = values_of(rows)
    scripts = {row["name"]: row for row in values["scripts"]}
    assert {name: row["reference_characters"] for name, row in scripts.items()} == {
        "cyrillic": 4,
        "thai": 3,
        "latin": 2,
        "common": 1,
    }
    assert scripts["cyrillic"]["base"] == {"errors": 1, "cer": 0.25}
    assert scripts["latin"]["base"]["errors"] == 1  # the inserted x
    assert scripts["latin"]["tuned"] == {"errors": 1, "cer": 0.5}
    assert [
        (row["shortest"], row["longest"], row["lines"], row["base"]["errors"], row["base"]["cer"])
        for row in values["lengths"]
    ] == [(0, 0, 1, 1, None), (1, 5, 1, 1, 1 / 3), (6, 10, 1, 1, 1 / 7)]


@pytest.mark.parametrize(
    ("names", "by", "groups"),
    [
        (["a/1.png", "a/2.png", "b/1.png", "b/2.png"], "folder", ["a", "b"]),
        (["p1_l1.png", "p1_l2.png", "p2_l1.png", "p2_l2.png"], "page", ["p1", "p2"]),
        (["x.jpg#l1", "x.jpg#l2", "y.jpg#l1", "y.jpg#l2"], "page", ["x.jpg", "y.jpg"]),
        (["m_1_1.png", "m_2_1.png", "n_1_1.png", "n_2_1.png"], "document", ["m", "n"]),
        (["anna.png", "ben.png", "carl.png", "dora.png"], "", []),
    ],
)
def test_errors_by_document(names, by, groups):
    reading = [("ab", "ab"), ("ax", "ab"), ("xx", "ab"), ("xx", "xb")]
    values = values_of([(name, "ab", *texts) for name, texts in zip(names, reading, strict=True)])
    found = values["groups"]
    assert (found["by"], found["groups"]) == (by, len(groups))
    if groups:
        assert [row["name"] for row in found["rows"]] == groups[::-1]  # most errors left first
        second, first = found["rows"]
        assert second["base"] == {"errors": 4, "cer": 1.0}
        assert second["tuned"] == {"errors": 1, "cer": 0.25}
        assert (first["lines"], first["base"]["errors"], first["tuned"]["errors"]) == (2, 1, 0)
    assert [line["group"] for line in values["worst"]].count("") == (0 if by else 4)


def test_numbers_and_words_with_their_differences():
    rows = [
        ("a", "Total 12.50 €", "Total 12.60 €", "Total 12.50 €"),
        ("b", "on 1.2.2026", "on", "on"),
    ]
    rows += [("c", "你好", "你", "你好")]
    values = values_of(rows)
    numbers, words = values["numbers"], values["words"]
    assert (numbers["tokens"], numbers["base"]["exact"], numbers["tuned"]["exact"]) == (2, 0, 1)
    assert numbers["tuned"]["share"] == 0.5
    difference = numbers["difference"]
    assert difference["share"] == 0.5
    assert 0 <= difference["low"] <= difference["high"] == 1.0
    assert numbers["kinds"]["amount"]["tuned"]["exact"] == 1
    assert numbers["kinds"]["date"]["tuned"]["share"] == 0.0
    assert (words["lines"], words["reference_words"]) == (2, 5)
    assert (words["base"]["errors"], words["tuned"]["wer"]) == (2, 0.2)
    line = next(line for line in values["worst"] if line["picture_id"] == "a")
    assert (line["numbers"], line["base_numbers"], line["tuned_numbers"]) == (1, 0, 1)
    assert values_of([("a", "你好", "你", "你")])["words"] is None


def test_every_profile_has_an_interval_of_its_own():
    rows = [(f"{number}", "你 好吗", "你好吗", "你 好吗") for number in range(40)]
    profiles = values_of(rows)["profiles"]
    assert profiles["strict"]["difference"]["high"] == pytest.approx(-0.25)
    assert profiles["no-space"]["difference"]["high"] == 0
    assert profiles["no-space"]["base"]["exact_lines"] == 40
    assert profiles["strict"]["base"]["deletions"] == 40


def test_groups_are_those_by_which_the_dataset_was_split(tmp_path):
    names = [
        f"scans/{volume}{page}-{line}.png" for volume in "AB" for page in "12" for line in "12"
    ]
    assert known_groups(str(tmp_path / "none"), names) == ("", [])
    told = {"text": "", "key": "split_groups", "values": {"count": 2, "by": r"/([A-Z])\d"}}
    (tmp_path / "data_report.json").write_text(
        json.dumps({"remarks": [told], "rejects": []}), "utf-8"
    )
    groups = known_groups(str(tmp_path / "data"), names)
    assert groups == ("document", [*"AAAABBBB"])
    samples = [Sample(picture_id=name, picture=b"", text="ab") for name in names]
    readings = [Prediction(picture_id=name, text="a", seconds=0, model="m") for name in names]
    known = build_comparison(CONTRACT, "test", samples, readings, readings, 200, 0, groups)
    assert [row["name"] for row in report_values(known)["groups"]["rows"]] == ["A", "B"]
    by_name = build_comparison(CONTRACT, "test", samples, readings, readings, 200)
    assert report_values(by_name)["groups"]["by"] == "page"
