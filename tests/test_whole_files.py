"""A file is replaced at once, or stays as it was."""

import stat

import pytest

from ocrtune.whole_files import put_in_place


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "a.json"
    put_in_place(path, b"a longer one")
    put_in_place(path, b"new", 0o600)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_put_there_leaves_no_draft(tmp_path):
    (tmp_path / "a.json").mkdir()
    (tmp_path / "a.json" / "inner").touch()
    with pytest.raises(OSError, match="directory"):
        put_in_place(tmp_path / "a.json", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
