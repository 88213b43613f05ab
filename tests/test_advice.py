"""Advice on a dataset: what people should do follows from what their data are."""

from dataclasses import replace

import pytest

from ocrtune.advice import Facts, advise
from ocrtune.advice_words import ADVICE_WORDS
from ocrtune.config import BuildConfig
from ocrtune.ground_truth import Entry
from ocrtune.text_checks import Inventory

CONFIG = BuildConfig(source="a.zip", output="a")


def facts(
    count: int = 400,
    text: str = "a line of text",
    size: tuple[int, int] = (600, 48),
    name: str = "{}.png",
    group: str = "",
) -> Facts:
    """Return the facts of a dataset of equal samples, every tenth of which is for testing."""
    test = len(range(0, count, 10))
    return Facts(
        picture_ids=[name.format(number) for number in range(count)],
        entries=[
            Entry(line_number=1, name="", text=text, group=group.format(number))
            for number in range(count)
        ],
        sizes=[size] * count,
        split_of=[2 if number % 10 == 0 else 0 for number in range(count)],
        splits={"train": count - test, "validation": 0, "test": test},
        inventory=Inventory.of([text] * count),
        unseen={},
        warning_counts={},
        near=[],
        near_count=0,
        known_texts=0,
        right_to_left=0.0,
    )


def keys(known: Facts, config: BuildConfig = CONFIG) -> list[str]:
    told = advise(known, config)
    for one in told:
        assert "{" not in one.say("zh") + str(one)
    return [one.key for one in told]


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (facts(), ["advice_lines"]),
        (facts(40), ["advice_few", "advice_weak_test", "advice_lines"]),
        (facts(12), ["advice_very_few", "advice_lines"]),
        (facts(size=(600, 15)), ["advice_lines", "advice_low_resolution"]),
        (facts(size=(1200, 1700), text="many words " * 50), ["advice_pages"]),
        (facts(text="سلام"), ["advice_lines_foreign"]),
        (facts(text="thirty letters and one \u0416 here"), ["advice_lines", "advice_alphabet"]),
        (facts(size=(40, 40), text="人"), []),  # single characters are neither lines nor pages
        (replace(facts(), unseen={"ж": 3}), ["advice_lines", "advice_unseen"]),
        (replace(facts(), known_texts=20), ["advice_known_texts", "advice_lines"]),
        (replace(facts(), right_to_left=0.4), ["advice_lines", "advice_right_to_left"]),
        (
            replace(facts(), warning_counts={"text_decomposed": 3, "text_full_width": 1}),
            ["advice_lines", "advice_normal_forms", "advice_widths"],
        ),
        (
            replace(facts(), warning_counts={"picture_two_texts": 2}),
            ["advice_two_texts", "advice_lines"],
        ),
        (
            replace(facts(), near=[{"pictures": ["a", "b"]}], near_count=1),
            ["advice_near_duplicates", "advice_lines"],
        ),
    ],
)
def test_advice_follows_from_the_data(known, told):
    assert keys(known) == told


def test_the_sentence_names_the_height_and_the_model():
    words = str(advise(facts(40), CONFIG)[2])
    assert words.startswith("Your pictures are lines of text, about 48 px high: the model `tiny`")
    assert str(advise(facts(40), CONFIG)[0]) == "40 samples: enough to try, 300 would be better."


def test_lines_and_pages_together_are_told_apart():
    known = facts()
    known = replace(known, sizes=[(600, 48)] * 200 + [(900, 1200)] * 200)
    assert keys(known) == ["advice_lines_and_pages"]


def group_advice(known: Facts) -> dict:
    found = [one for one in advise(known, CONFIG) if one.key.startswith("advice_group")]
    return {one.key: dict(one.values) for one in found}


def test_pages_in_the_names_are_a_reason_to_group():
    known = facts()
    names = [f"img/book_1852_{number // 8:04}_{number % 8:03}.tif" for number in range(400)]
    found = group_advice(replace(known, picture_ids=names))
    # 40 test samples, every tenth of 400, lie on 40 of the 50 pages of eight lines
    assert found == {
        "advice_group_page": {"groups": 50, "crossing": 40, "example": "img/book_1852_0049"}
    }


def test_documents_in_the_names_are_the_next_one():
    names = [f"img/{'abcd'[number % 4]}_1852_{number:04}_001.tif" for number in range(400)]
    found = group_advice(replace(facts(), picture_ids=names))
    assert found["advice_group_document"]["groups"] == 4
    assert found["advice_group_document"]["example"] == "img/d"


def test_writers_of_the_ground_truth_come_first_and_a_grouped_dataset_needs_no_advice():
    known = facts(group="writer {}")
    known = replace(
        known,
        entries=[replace(one, group=f"w{number % 7}") for number, one in enumerate(known.entries)],
    )
    assert group_advice(known)["advice_group_writer"] == {"groups": 7, "crossing": 7}
    assert keys(known, replace(CONFIG, group_by="writer")) == ["advice_lines"]


def test_plain_numbers_are_no_documents():
    assert group_advice(facts(name="images/{:05}.jpg")) == {}
    assert group_advice(facts(name="img_{}.jpg")) == {}


def test_all_advice_is_written_in_both_languages():
    for english, chinese in ADVICE_WORDS.values():
        assert any("\u4e00" <= one <= "\u9fff" for one in chinese)
        assert english.isascii()
