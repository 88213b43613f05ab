"""Which columns of a table are meant, and what stands in their cells."""

import base64
import json

import pytest
from line_samples import draw_line

from ocrtune.cells import picture_of, text_of
from ocrtune.columns import (
    Column,
    facts,
    kind_of_strings,
    map_columns,
    split_in_name,
)
from ocrtune.config import BuildConfig
from ocrtune.errors import DatasetError, QuestionError

CONFIG = BuildConfig(source="x", output="y")


def columns(**kinds: str) -> list[Column]:
    return [Column(name=name, type="t", kind=kind, example="e") for name, kind in kinds.items()]


@pytest.mark.parametrize(
    ("kinds", "image", "text"),
    [
        ({"image": "picture", "label": "text"}, "image", "label"),  # the article's layouts
        ({"image_path": "picture", "text": "text"}, "image_path", "text"),
        ({"id": "text", "img": "picture", "transcription": "text"}, "img", "transcription"),
        ({"image": "picture", "image_path": "path", "text": "text"}, "image", "text"),
        ({"file_name": "path", "文本": "text"}, "file_name", "文本"),
        ({"scan": "picture", "zeile": "text"}, "scan", "zeile"),  # the only texts there are
        ({"image": "picture", "text": "text", "label": "label"}, "image", "text"),
        ({"image": "picture", "label": "label"}, "image", "label"),
        ({"image": "picture", "text": "text", "writer": "text"}, "image", "text"),
        ({"Image": "picture", "groundTruth": "text", "lang": "text"}, "Image", "groundTruth"),
    ],
)
def test_columns_are_proposed_by_name_and_kind(kinds, image, text):
    used = map_columns(columns(**kinds), CONFIG, "x")
    assert (used.image.name, used.text.name) == (image, text)


def test_several_texts_are_asked_about_and_the_settings_answer():
    table = columns(image="picture", text="text", transcription="text", writer="number")
    with pytest.raises(QuestionError) as asked:
        map_columns(table, CONFIG, "x")
    assert asked.value.setting == "text_column"
    assert asked.value.choices == ("text", "transcription")
    answered = BuildConfig(source="x", output="y", text_column="transcription")
    used = map_columns(table, answered, "x")
    assert (used.text.name, used.group) == ("transcription", "writer")
    assert "transcription" in facts("x", table, CONFIG, {}).question


def test_an_unknown_column_offers_the_nearest():
    wrong = BuildConfig(source="x", output="y", text_column="txet")
    with pytest.raises(DatasetError, match="Did you mean `text`"):
        map_columns(columns(image="picture", text="text"), wrong, "x")


def test_a_table_without_pictures_lists_what_it_has():
    with pytest.raises(DatasetError, match="No column .* the pictures.*--image-column.*`a`"):
        map_columns(columns(a="text", b="number"), CONFIG, "x")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  line \r\n two ", "line \n two"),
        (["one", "two"], "one\ntwo"),
        (7, "7"),
        ({"text": "in a record"}, "in a record"),
        ('{"gt_parse": {"text_sequence": "donut"}}', "donut"),
        ("[1]", "[1]"),  # a footnote, no JSON
        ([{"from": "human", "value": "<image>"}, {"from": "gpt", "value": "llava"}], "llava"),
        (
            [
                {"role": "user", "content": [{"type": "image"}]},
                {"role": "assistant", "content": [{"type": "text", "text": "parts"}]},
            ],
            "parts",
        ),
        ({"from": ["human", "gpt"], "value": ["read", "columns"]}, "columns"),
        ([{"text": "a"}, {"text": "b"}], "a\nb"),
        (json.dumps([{"role": "user", "content": "?"}, {"role": "model", "content": "!"}]), "!"),
    ],
)
def test_a_text_is_found_in_its_cell(value, text):
    assert text_of(value, Column(name="t", type="", kind="text")) == text


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (None, "cell_empty"),
        ("  ", "cell_empty"),
        ("broken \ufffd", "unreadable"),
        ({"a": "1", "b": "2"}, "table_no_text"),  # which of them?
        ([{"role": "model", "content": "1"}, {"role": "model", "content": "2"}], "table_no_text"),
        (9, "table_no_label"),
    ],
)
def test_a_cell_without_one_text_says_why(value, key):
    assert text_of(value, Column(name="t", type="", kind="label", labels=("a", "b"))).key == key


def test_a_class_number_stands_for_its_name():
    assert text_of(1, Column(name="t", type="", kind="label", labels=("甲", "乙"))) == "乙"


def test_a_picture_is_found_in_its_cell():
    data = draw_line("x")
    encoded = base64.b64encode(data).decode()
    kinds = {kind: Column(name="i", type="", kind=kind) for kind in ("picture", "base64", "path")}
    kinds["pictures"] = Column(name="i", type="", kind="pictures")
    assert picture_of({"bytes": data, "path": "a.png"}, kinds["picture"]) == data
    assert picture_of(data, kinds["picture"]) == data
    assert picture_of(encoded, kinds["base64"]) == data
    assert picture_of(f"data:image/png;base64,{encoded}", kinds["base64"]) == data
    assert picture_of([{"bytes": data}], kinds["pictures"]) == data
    assert picture_of("a/b.png", kinds["path"]) == "a/b.png"
    assert picture_of([data, data], kinds["pictures"]).key == "table_pictures"
    assert picture_of({"bytes": None, "path": None}, kinds["picture"]).key == "table_no_picture"
    assert picture_of("%%%", kinds["base64"]).key == "table_base64"
    assert kind_of_strings([encoded, encoded]) == "base64"
    assert kind_of_strings(["a.png", "b/c.jpg"]) == "path"
    assert kind_of_strings(["a longer line of text, with spaces", ""]) == "text"


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("data/train-00000-of-00003.parquet", "train"),
        ("my_val.parquet", "validation"),
        ("test/0000.parquet", "test"),
        ("default/partial-train/0.parquet", "train"),
        ("trainings.parquet", ""),
        ("contest.parquet", ""),
        ("lines.parquet", ""),
    ],
)
def test_a_file_name_tells_its_split(name, split):
    assert split_in_name(name) == split
