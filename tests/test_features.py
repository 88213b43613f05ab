"""Vision features computed once: the same as in a batch, bounded, honest about bad pictures."""

import io
from dataclasses import replace

import pytest
import torch
from line_samples import draw_line
from PIL import Image
from small_models import CONFIG, LINE_CONFIG, fill_with_noise, write_model

from ocrtune import features
from ocrtune.config import TrainConfig
from ocrtune.errors import DatasetError
from ocrtune.events import Progress
from ocrtune.families.loading import add_lora, load_base
from ocrtune.features import (
    encode_samples,
    encode_views,
    features_key,
    lay_out,
    open_picture,
    picture_size,
    pixels,
    settle_layout,
)

WIDTHS = (200, 700, 300, 1400)
PICTURES = [(f"{width}.png", draw_line("text", width)) for width in WIDTHS]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    return load_base(str(write_model(tmp_path_factory.mktemp("model"), LINE_CONFIG)), device="cpu")


def test_the_order_is_kept_and_bad_pictures_leave_a_gap(loaded):
    events = []
    pictures = [PICTURES[0], ("bad.png", b"no picture"), *PICTURES[1:]]
    found = encode_samples(loaded, pictures, events.append, batch_size=2)
    tiles = [1, 3, 1, 5]  # 1 + ceil((width * 48 / 40 - 384) / 352)
    assert [None if f is None else len(f) for f in found] == [
        None if n is None else 2 * (12 * n + 1) + 1 for n in (tiles[0], None, *tiles[1:])
    ]
    assert events[-1] == Progress("features", 5, 5)
    assert not found[0].requires_grad


def test_small_portions_give_the_same_features(loaded, monkeypatch):
    views = [lay_out(loaded, data) for _, data in PICTURES]
    assert [pixels(one) for one in views] == [n * 48 * 384 for n in (1, 3, 1, 5)]
    with torch.no_grad():
        whole = encode_views(loaded, views)
        monkeypatch.setitem(features.PIXELS_AT_ONCE, "cpu", 3 * 48 * 384)
        parts = encode_views(loaded, views)
    for expected, found in zip(whole, parts, strict=True):
        assert torch.allclose(expected, found, atol=1e-5)
    assert encode_views(loaded, []) == []


def test_features_are_computed_once_whoever_asks(loaded, monkeypatch, tmp_path):
    monkeypatch.setenv("OCRTUNE_HOME", str(tmp_path))
    calls, real = [], features.encode_views
    counting = lambda loaded, views: calls.extend(views) or real(loaded, views)  # noqa: E731
    monkeypatch.setattr(features, "encode_views", counting)
    twice = [*PICTURES, ("the same.png", PICTURES[0][1])]
    first = encode_samples(loaded, twice)
    assert len(calls) == len(PICTURES)
    again = encode_samples(loaded, [("other name.png", data) for _, data in reversed(twice)])
    assert len(calls) == len(PICTURES)
    for one, other in zip(first, reversed(again), strict=True):
        assert one.dtype == torch.float32
        assert torch.equal(one, other)
    with torch.no_grad():
        fresh = real(loaded, [lay_out(loaded, data) for _, data in PICTURES])
    for expected, found in zip(fresh, first, strict=False):
        assert torch.equal(expected, found), "kept without any loss"


def test_other_weights_and_layouts_have_features_of_their_own(loaded, tmp_path):
    key = features_key(loaded)
    other = load_base(str(write_model(tmp_path / "same", LINE_CONFIG)), device="cpu")
    other.contract = loaded.contract
    assert features_key(other) == key
    with torch.no_grad():
        other.network.model.view_seperator[0] += 1
    assert features_key(other) != key
    other.contract = replace(loaded.contract, layout="other")
    assert features_key(other) != key


def test_an_adapter_that_changes_vision_neither_reads_nor_leaves_features(
    loaded, monkeypatch, tmp_path
):
    monkeypatch.setenv("OCRTUNE_HOME", str(tmp_path))
    plain = encode_samples(loaded, PICTURES[:1])[0]
    tuned = load_base(str(loaded.folder), device="cpu")
    add_lora(tuned, TrainConfig(data="", output="", lora_vision="yes"))
    fill_with_noise(tuned.model, seed=3, scale=0.3, only="lora_B")
    before = sorted(tmp_path.rglob("*"))
    assert not torch.allclose(encode_samples(tuned, PICTURES[:1])[0], plain, atol=1e-2)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_picture_lies_as_people_see_it():
    picture = Image.new("RGB", (60, 20), "white")
    turned = picture.getexif()
    turned[0x0112] = 6  # a camera held upright
    stream = io.BytesIO()
    picture.save(stream, "JPEG", exif=turned)
    assert picture_size(stream.getvalue()) == (20, 60)
    assert picture_size(PICTURES[0][1]) == (200, 40)
    assert picture_size(b"no picture") is None


def test_the_layout_is_chosen_by_the_pictures_and_kept_in_the_contract(tmp_path):
    pages = load_base(str(write_model(tmp_path, CONFIG)), "auto", device="cpu")
    assert pages.contract.layout == "base"
    choice = settle_layout(pages, [draw_line("text", 130), b"no picture"])
    assert (pages.contract.layout, choice.pictures) == ("tiny", 1)
    settle_layout(pages, [draw_line("text", 4000)])
    assert pages.contract.layout == "gundam"


def test_a_model_with_one_layout_keeps_it(loaded):
    assert settle_layout(loaded, [PICTURES[0][1]]) is None
    assert loaded.contract.layout == "line"


def test_garbage_is_no_picture():
    with pytest.raises(DatasetError, match="cannot be decoded"):
        open_picture(b"\x89PNG\r\n\x1a\n and no more")
