import csv

import pytest

from ocrtune.spreadsheet import harmless, write_table


@pytest.mark.parametrize(
    "value",
    [
        '=HYPERLINK("http://a")',
        "+1",
        "-1",
        "@SUM(A1)",
        "＝1",
        "\t=1",
        "\r\n=1",
        "  =1",
        "\ufeff=1",  # invisible at the beginning
        "\u200b-1",
        "\ttext",
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(value):
    assert harmless(value) == f"'{value}"


@pytest.mark.parametrize("value", ["a=b", "1-2", "", " ", "«=»", 5, -5, None, "'=1"])
def test_other_cells_stay_as_they_are(value):
    assert harmless(value) == value


def test_a_table_opens_as_utf_8_and_keeps_its_cells_apart(tmp_path):
    path = tmp_path / "a.csv"
    rows = [{"a": '图,"片"\n二', "b": 1}, {"a": "=1", "b": "\ud800x"}]  # half a surrogate pair
    write_table(path, ["a", "b"], rows)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        assert [*csv.reader(stream)] == [["a", "b"], ['图,"片"\n二', "1"], ["'=1", "?x"]]
