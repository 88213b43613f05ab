"""Training lines to check first."""

import pytest

from ocrtune.errors import MetricsError
from ocrtune.records import Prediction
from ocrtune.suspects import Found, judge, load_suspects, write_suspects


def read(name, text, **more):
    return Prediction(picture_id=name, text=text, seconds=0.1, model="m", **more)


def test_lines_with_real_errors_are_offered_worst_first():
    lines = [(name, "00", "abcd") for name in ("same", "one", "all", "lost", "failed", "cut")]
    predictions = [
        read("same", "abcd"),
        read("one", "abcx"),
        read("all", "wxyz"),
        read("lost", "ababababab", looped=True),
        read("failed", "", failed="no picture"),
        read("cut", "abcdefghi", cut=True),
    ]
    found = judge(lines, predictions)
    assert [(one.picture_id, one.errors, one.cer) for one in found] == [
        ("all", 4, 1.0),
        ("one", 1, 0.25),
    ]


def test_suspects_are_written_and_read_back(tmp_path):
    found = Found(2, 9, tuple(judge([("a", "00", "=1+1")], [read("a", "x")])))
    write_suspects(tmp_path, found)
    assert load_suspects(tmp_path) == found
    assert "'=1+1" in (tmp_path / "suspects.csv").read_text("utf-8-sig")
    assert load_suspects(tmp_path / "nowhere") == Found(0, 0, ())
    (tmp_path / "suspects.json").write_text('{"read": 1}', "utf-8")
    with pytest.raises(MetricsError, match="cannot be read"):
        load_suspects(tmp_path)
