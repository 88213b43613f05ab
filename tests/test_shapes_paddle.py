"""PaddleOCR's label lists, tidy and as people have them."""

import json

import pytest
from shape_samples import page_png, png, read, reasons, remark_keys, texts

from ocrtune.errors import ArchiveError

WORDS = {f"train_data/rec/train/word_{n}.png": png(n) for n in range(1, 6)}
QUAD = [[10, 10], [60, 10], [60, 30], [10, 30]]


def box(text, points=QUAD, **more):
    """Return a box as PPOCRLabel writes it."""
    return {"transcription": text, "points": points} | more


def label(path, *boxes):
    """Return a line of Label.txt."""
    return f"{path}\t{json.dumps(boxes, ensure_ascii=False)}"


def test_recognition_lists_with_their_splits(tmp_path):
    files = WORDS | {
        "train_data/rec/rec_gt_train.txt": "rec/train/word_1.png\t简单可依赖\n"
        'train_data/rec/train/word_2.png\tsays "x", [a]\n',
        "train_data/rec/rec_gt_test.txt": "\ufefftrain/word_3.png\tthree words here\r\n",
        "train_data/dict.txt": "简\n单\n可\n",
    }
    truth = read(tmp_path, files)
    assert truth.shape == "paddle"
    assert {name[-10:]: text for name, text in texts(truth).items()} == {
        "word_1.png": "简单可依赖",
        "word_2.png": 'says "x", [a]',
        "word_3.png": "three words here",
    }
    assert [entry.split for entry in truth.entries] == ["test", "train", "train"]
    assert remark_keys(truth) == ["own_splits"]


def test_several_pictures_with_one_text(tmp_path):
    line = '["train/word_1.png", "train/word_2.png"]\tthe same\ntrain/word_3.png\tother'
    truth = read(tmp_path, WORDS | {"train_data/rec/list.txt": line})
    assert sorted(texts(truth).values()) == ["other", "the same", "the same"]


def test_lists_that_lost_their_tabs_are_still_understood(tmp_path):
    pictures = {"a b/my word 1.JPG": png(1, kind="JPEG"), "a b/2.png": png(2), "3.png": png(3)}
    lines = ["a b/my word 1.JPG    four spaces", "a b/2.png, a comma", "3.png\ta\ttab", "4.png\tx"]
    truth = read(tmp_path, pictures | {"rec_gt_train.txt": "\n".join([*lines, "3.png", "oh"])})
    assert texts(truth) == {
        "a b/my word 1.JPG": "four spaces",
        "a b/2.png": "a comma",
        "3.png": "a\ttab",
    }
    assert reasons(truth) == ["no_picture", "no_text", "no_label"]
    assert truth.remarks[0].key == "no_tabs"
    assert truth.remarks[0].values["count"] == 3


def test_boxes_become_lines_of_their_page(tmp_path):
    boxes = [box("上海"), box("###"), box(""), box("x", difficult=True), box("y", [[1, 2]]), "z"]
    files = {"img/p 1.png": page_png({(10, 10, 60, 30): "navy"}), "img/2.png": png(1)}
    lines = [label("img/p 1.png", *boxes), label("img/2.png"), label("img/3.png", box("a"))]
    truth = read(tmp_path, files | {"img/Label.txt": "\n".join(lines), "fileState.txt": "x\t1"})
    [entry] = truth.entries
    assert (truth.shape, entry.sample_name, entry.text) == ("paddle", "img/p 1.png#1", "上海")
    assert (entry.outline, entry.group) == ("10,10 60,10 60,30 10,30", "img/p 1.png")
    wanted = ["illegible", "no_text", "difficult", "no_box", "no_box", "no_boxes", "no_picture"]
    assert reasons(truth) == wanted


def test_crops_are_preferred_to_the_pages_they_come_from(tmp_path):
    files = {"d/p.png": page_png({}), "d/crop_img/p_crop_0.jpg": png(1, kind="JPEG")}
    files |= {"d/Label.txt": label("d/p.png", box("one"))}
    truth = read(tmp_path, files | {"d/rec_gt.txt": "crop_img/p_crop_0.jpg\tone\n"})
    assert texts(truth) == {"d/crop_img/p_crop_0.jpg": "one"}
    assert remark_keys(truth) == ["boxes_left"]


def test_a_plain_list_of_lines_stays_one(tmp_path):
    files = {"1.png": png(1), "2.png": png(2)}
    for name in ("labels.txt", "content.md"):
        truth = read(tmp_path, files | {name: "1.png\tone\n2.png\ttwo"})
        assert (truth.shape, texts(truth)) == ("lines", {"1.png": "one", "2.png": "two"})


def test_asked_for_without_lists_says_so(tmp_path):
    with pytest.raises(ArchiveError, match="no label list"):
        read(tmp_path, {"1.png": png()}, shape="paddle")
