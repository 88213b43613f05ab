"""Texts beside pictures, as tesstrain, kraken and OCR-D keep them."""

import pytest
from shape_samples import png, read, reasons, remark_keys, texts

from ocrtune.errors import ArchiveError, ConfigError


@pytest.mark.parametrize(
    ("picture", "text"),
    [
        ("a/x.png", "a/x.gt.txt"),
        ("a/x.tif", "a/x.txt"),
        ("a/x.bin.png", "a/x.gt.txt"),
        ("a/x.nrm.png", "a/x.gt.txt"),
        ("a/X.JPG", "a/x.gt.txt"),
        ("images/x.png", "texts/x.txt"),
        ("set/img/x.png", "set/gt/x.gt.txt"),
        ("a/v1.2.png", "a/v1.2.gt.txt"),  # a dot is not a suffix
    ],
)
def test_a_text_finds_its_picture(tmp_path, picture, text):
    truth = read(tmp_path, {picture: png(), text: "Grüße\n", "README.txt": "Made by hand"})
    assert (truth.shape, texts(truth), truth.rejects) == ("pairs", {picture: "Grüße"}, [])


def test_the_plain_picture_is_preferred_to_its_variants(tmp_path):
    names = ("l/1.bin.png", "l/1.nrm.png", "l/1.png", "l/2.bin.png", "l/2.nrm.png")
    files = {name: png(number) for number, name in enumerate(names)}
    truth = read(tmp_path, files | {"l/1.gt.txt": "eins", "l/2.gt.txt": "zwei"})
    assert texts(truth) == {"l/1.png": "eins", "l/2.nrm.png": "zwei"}
    assert truth.remarks == ()  # variants are no pictures without a text


def test_equal_names_in_several_folders_keep_to_their_folder(tmp_path):
    files = {f"{split}/images/1.png": png(n) for n, split in enumerate(("train", "val"))}
    files |= {"train/labels/1.txt": "one", "val/labels/1.txt": "two"}
    truth = read(tmp_path, files)
    assert texts(truth) == {"train/images/1.png": "one", "val/images/1.png": "two"}
    assert [entry.split for entry in truth.entries] == ["train", "validation"]
    files = {"a/1.png": png(1), "b/1.png": png(2), "c/2.png": png(3)}
    truth = read(tmp_path, files | {"t/1.txt": "one", "t/2.txt": "two"})
    assert (texts(truth), reasons(truth)) == ({"c/2.png": "two"}, ["several_pictures"])


def test_lines_of_a_page_stay_lines_and_what_is_missing_is_told(tmp_path):
    files = {f"{n}.png": png(n) for n in range(4)}
    files |= {"0.gt.txt": " one \r\n\r\ntwo\r\n", "1.gt.txt": "\n", "3.txt": "another reading"}
    truth = read(tmp_path, files | {"lost9.gt.txt": "text"})
    assert texts(truth) == {"0.png": "one\n\ntwo"}
    assert reasons(truth) == ["text_empty", "text_no_picture"]
    assert truth.rejects[1].file == "lost9.gt.txt"
    assert remark_keys(truth) == ["pictures_no_text", "texts_left"]
    assert truth.remarks[0].values["first"] == "2.png"


def test_encodings_are_judged_together_and_can_be_set(tmp_path):
    words = ("文字识别", "真", "标注")
    files = {f"{n}.png": png(n) for n in range(4)} | {"3.gt.txt": "ok".encode("utf-16")}
    files |= {f"{n}.gt.txt": word.encode("gbk") for n, word in enumerate(words)}
    truth = read(tmp_path, files)
    assert list(texts(truth).values()) == [*words, "ok"]
    assert truth.encoding == "gb18030"
    files = {"0.png": png(), "0.gt.txt": "€5".encode("cp1252")}
    assert texts(read(tmp_path, files, encoding="cp1252")) == {"0.png": "€5"}
    with pytest.raises(ConfigError, match="There is no encoding `cp-no`"):
        read(tmp_path, files, encoding="cp-no")


def test_a_binary_text_is_refused_alone(tmp_path):
    files = {"0.png": png(), "1.png": png(1), "0.gt.txt": "fine", "1.gt.txt": bytes(range(256)) * 9}
    truth = read(tmp_path, files)
    assert (texts(truth), reasons(truth)) == ({"0.png": "fine"}, ["not_text"])


def test_boxes_of_a_detector_are_no_texts(tmp_path):
    files = {f"{n}.png": png(n) for n in range(3)}
    files |= {f"{n}.txt": "0 0.51 0.4 0.2 0.1\n1 0.1 0.4 0.2 0.1\n" for n in range(3)}
    with pytest.raises(ArchiveError):
        read(tmp_path, files)


def test_asked_for_without_texts_says_so(tmp_path):
    with pytest.raises(ArchiveError, match="no texts beside pictures"):
        read(tmp_path, {"1.png": png()}, shape="pairs")
