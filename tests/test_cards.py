"""The words on the card of a shared dataset."""

import pytest

from ocrtune.cards import (
    DatasetCard,
    Mark,
    files_digest,
    read_mark,
    with_metadata,
    with_text,
)
from ocrtune.dataset_facts import DatasetFacts, SplitFacts, source_of
from ocrtune.licenses import LICENSES, USUAL_LICENSES
from ocrtune.records import OcrContract

CONTENT = "c" * 64


def facts(scripts=None, **changes) -> DatasetFacts:
    values = {
        "splits": {
            "train": SplitFacts(samples=1_200, characters=9_000, picture_bytes=3 * 1024 * 1024),
            "test": SplitFacts(samples=30, characters=400, picture_bytes=1024),
        },
        "scripts": scripts or {"latin": 9_000, "common": 400},
        "shortest": 1,
        "longest": 80,
        "digest": CONTENT,
        "source": "scans.zip",
        "shape": "lines",
    }
    return DatasetFacts(**values | changes)


def card(**changes) -> DatasetCard:
    return DatasetCard(**{"repo_id": "me/lines", "facts": facts()} | changes)


@pytest.mark.parametrize(
    ("scripts", "languages"),
    [
        ({"latin": 900, "common": 50}, []),  # which of hundreds, nobody can tell
        ({"han": 900, "latin": 300, "common": 50}, ["zh"]),
        ({"han": 500, "hiragana": 400, "katakana": 90}, ["ja"]),
        ({"hangul": 500, "han": 100}, ["ko", "zh"]),
        ({"latin": 990, "greek": 3}, []),  # an α in a formula is no Greek
        ({"thai": 90, "latin": 10}, ["th"]),
        ({"cyrillic": 90}, []),
        ({"common": 10}, []),
    ],
)
def test_languages_are_named_where_the_script_tells_them(scripts, languages):
    assert facts(scripts).languages() == languages
    assert card(facts=facts(scripts)).metadata().get("language", []) == languages
    assert card(facts=facts(scripts), languages=("de",)).metadata()["language"] == ["de"]


def test_a_card_says_what_is_there_in_numbers():
    words = card(license="odbl").text("f" * 64)
    for part in (
        "1,230 pictures",
        "| `train` | 1,200 | 9,000 | 3.0 |",
        "| latin | 9,000 | 95.7 % |",
        "- Source: `scans.zip`.",
        "- Licence: `odbl`.",
        'load_dataset("me/lines")',
        "python -m ocrtune build me/lines --rows 1230 --output lines/dataset",
        "训练 1,200、测试 30",
    ):
        assert part in words
    assert "contract" not in words
    assert card().metadata()["size_categories"] == ["1K<n<10K"]
    assert "license" not in card().metadata()


def test_a_contract_stands_on_the_card_of_what_was_trained_on():
    contract = OcrContract(
        family="tiny",
        base_model="tiny",
        revision="abc",
        prompt="<image>\nFree `OCR`. | x",
        layout="base",
        max_new_tokens=9,
        no_repeat_ngram=0,
        ngram_window=0,
        profile="lenient",
    )
    words = card(contract=contract).text("")
    assert f"contract `{contract.digest()}`" in words
    assert "prompt `<image> Free 'OCR'. / x`" in words
    assert "profile `lenient`" in words


def test_what_people_wrote_around_our_part_stays_and_our_part_is_written_anew():
    first = with_text("Theirs.\n", card().text("f" * 64))
    assert first.startswith("Theirs.\n\n<!-- ocrtune: begin")
    assert read_mark(first) == Mark(CONTENT, "f" * 64)
    second = with_text(f"{first}\nBelow.\n", card(license="mit").text("e" * 64))
    assert second.startswith("Theirs.\n\n<!-- ocrtune: begin")
    assert second.endswith("<!-- ocrtune: end -->\n\nBelow.\n")
    assert second.count("<!-- ocrtune: begin") == 1
    assert "`mit`" in second
    assert read_mark(second).files == "e" * 64
    assert read_mark("# A card of somebody else") is None


def test_a_name_cannot_end_our_part_or_leave_its_code_marks():
    odd = facts(source="a` <!-- ocrtune: end --> | b\n# c.zip")
    words = with_text("", card(facts=odd).text("f" * 64))
    assert words.count("<!-- ocrtune: end -->") == 1
    again = with_text(words, card().text("f" * 64))
    assert again == card().text("f" * 64)


def test_machines_are_told_ours_beside_what_people_added():
    known = {"tags": ["letters", "ocr"], "pretty_name": "My letters", "license": "mit", "x": [1]}
    told = with_metadata(known, card(license="odbl").metadata())
    assert told["tags"] == ["letters", "ocr", "ocrtune", "image"]
    assert told["pretty_name"] == "My letters"
    assert told["license"] == "odbl"
    assert told["x"] == [1]
    assert with_metadata({"tags": "one", "license": "mit"}, card().metadata())["license"] == "mit"


def test_sources_are_told_without_folders_of_the_machine():
    assert source_of({"source": "/home/ann/private/scans.zip"}) == "scans.zip"
    address = {"key": "hub_source", "values": {"address": "ann/lines/tree/0123456789abcdef"}}
    source = source_of({"source": "hf://datasets/ann/lines", "remarks": [address]})
    words = card(facts=facts(source=source)).text("")
    assert "[ann/lines](https://huggingface.co/datasets/ann/lines/tree/0123456789abcdef)" in words


def test_files_are_told_apart_by_name_and_content():
    assert files_digest({"a": "1", "b": "2"}) == files_digest({"b": "2", "a": "1"})
    assert files_digest({"a": "1"}) != files_digest({"a": "2"}) != files_digest({"b": "2"})


def test_usual_licences_are_licences():
    assert set(USUAL_LICENSES) <= set(LICENSES)
    assert len(set(LICENSES)) == len(LICENSES)
