"""Vision features computed once: the same as in a batch, bounded, honest about bad pictures."""

import pytest
import torch
from line_samples import draw_line
from small_models import LINE_CONFIG, write_model

from ocrtune import features
from ocrtune.errors import DatasetError
from ocrtune.events import Progress
from ocrtune.families.loading import load_base
from ocrtune.features import encode_samples, encode_views, lay_out, open_picture, pixels

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


def test_many_features_are_kept_in_half_precision(loaded, monkeypatch):
    monkeypatch.setattr(features, "LARGE_BYTES", 6_000)  # one tile takes 27 * 64 * 4 bytes
    found = encode_samples(loaded, PICTURES)
    assert [feature.dtype for feature in found] == [torch.float32, *[torch.float16] * 3]


def test_garbage_is_no_picture():
    with pytest.raises(DatasetError, match="cannot be decoded"):
        open_picture(b"\x89PNG\r\n\x1a\n and no more")
