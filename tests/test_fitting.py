"""How a batch is made to fit: the quickest way that the memory allows, and never more than that."""

from dataclasses import replace

import pytest

from ocrtune.fitting import Fit, ModelShape, choose_fit, halvings, needed_bytes

# DeepSeek-OCR in 16 bit without adapters on the experts, lines in `base`: 273 tokens and a text.
SHAPE = ModelShape(
    width=1280, layers=12, active=8 * 896, vocabulary=129280, value_bytes=2, learned=3_978_240
)
LINES = [(323, 50)] * 20
GIB = 1024**3
WEIGHTS = 6.7e9


def test_the_estimate_is_what_was_measured():
    """Eight lines without checkpointing took 14.0 GiB on an H200, weights included."""
    assert (WEIGHTS + needed_bytes(SHAPE, LINES, 8, False)) / GIB == pytest.approx(14.0, abs=1.5)


def test_needs_grow_with_everything():
    few = needed_bytes(SHAPE, LINES, 4, False)
    assert few < needed_bytes(SHAPE, LINES, 8, False)
    assert few < needed_bytes(SHAPE, [*LINES, (1300, 80)], 4, False), "rows are padded"
    assert few > needed_bytes(SHAPE, LINES, 4, True)
    learned = SHAPE.learned * 8
    doubled = needed_bytes(SHAPE, LINES, 4, False, correction=2)
    assert doubled - learned == pytest.approx(2 * (few - learned), abs=2)
    more = replace(SHAPE, learned=63_091_712)  # with the experts
    assert needed_bytes(more, LINES, 4, False) - few == 8 * (more.learned - SHAPE.learned)


@pytest.mark.parametrize(
    ("gigabytes", "way"),
    [
        (40, (8, False)),
        (14, (8, False)),
        (5, (4, False)),  # half a batch is quicker than computing twice
        (2.5, (8, True)),
        (1.2, (4, True)),
        (0.1, (1, True)),  # too little for anything: the least is tried
    ],
)
def test_the_quickest_way_that_fits_is_taken(gigabytes, way):
    fit = choose_fit(int(gigabytes * 1e9), LINES, SHAPE, 8)
    assert (fit.micro_batch, fit.checkpointing) == way
    assert fit.bytes <= 0.92 * gigabytes * 1e9 or gigabytes < 1


def test_wishes_are_kept():
    assert choose_fit(0, LINES, SHAPE, 8, micro_batch=3, checkpointing="no").micro_batch == 3
    assert not choose_fit(0, LINES, SHAPE, 8, checkpointing="no").checkpointing
    assert choose_fit(10**12, LINES, SHAPE, 8, checkpointing="yes").checkpointing
    assert isinstance(choose_fit(10**12, LINES, SHAPE, 1), Fit)


def test_what_was_measured_corrects_the_estimate():
    room = int(14e9)
    assert choose_fit(room, LINES, SHAPE, 8).micro_batch == 8
    assert choose_fit(room, LINES, SHAPE, 8, correction=2).micro_batch == 4
    assert choose_fit(room, LINES, SHAPE, 8, correction=4).checkpointing


def test_halvings_end_at_one():
    assert halvings(8) == [8, 4, 2, 1]
    assert halvings(7) == [7, 4, 2, 1]
    assert halvings(1) == [1]
