"""report.json says what its documentation says, and an earlier one is understood."""

import json
import re
from dataclasses import replace

import pytest
from test_breakdowns import CONTRACT, values_of
from test_report import HARD, compare

from ocrtune import report_schema
from ocrtune.conditions import Conditions
from ocrtune.errors import MetricsError
from ocrtune.ranking import Contender, rank_models
from ocrtune.records import Prediction, Sample
from ocrtune.report import build_comparison, read_report, report_values, write_report
from ocrtune.seen import Seen, SeenSample

ROWS = [
    ("b/1.png", "Total 12.50 on 1.2.2026 Х你ą", "Tofal 12.60", "Total 12.50 om 1.2.2026 Х你"),
    ("b/2.png", "", "noise", ""),
    ("a/1.png", "abc def", "abcdef", "abc deff"),
    ("a/2.png", "abc def", "abcdef", "abc def"),
]
NAMED = {"contract", "verdict", "profiles", "kinds"}  # whose keys are names


def paths_of(values, path=""):
    """Yield the path of each value that is neither a list nor an object."""
    if isinstance(values, dict):
        for name, value in values.items():
            known = "*" if path.rpartition(".")[2] in NAMED else name
            yield from paths_of(value, f"{path}.{known}" if path else known)
    elif isinstance(values, list):
        for value in values:
            yield from paths_of(value, f"{path}[]")
    else:
        yield path


def documented():
    """Return the paths that the docstring names, with what stands for others written out."""
    paths, same = set(), []
    for line in report_schema.__doc__.splitlines():
        if found := re.match(r"    ([\w.*\[\]]+)(?: = ([\w.*\[\]]+))?(?:\s{2}|\s*$)", line):
            if found[2]:
                same.append((found[1], found[2]))
            else:
                paths.add(found[1])
    for name, other in same:
        starts = (f"{other}.", f"{other}[")
        paths |= {name + path[len(other) :] for path in paths if path.startswith(starts)}
    return paths - {"words", "conditions", "ranking"}  # said of the whole object


def full_report():
    """Return a report that holds everything: conditions, and a ranking with a third model."""
    samples = [Sample(picture_id=row[0], picture=b"", text=row[1]) for row in ROWS]
    contenders = [
        Contender(
            name=name,
            kind=kind,
            predictions=[
                Prediction(picture_id=row[0], text=row[column], seconds=0, model=name)
                for row in ROWS
            ],
            notes=notes,
        )
        for name, kind, column, notes in (
            ("m", "base", 2, ()),
            ("m + tuned", "adapter", 3, ()),
            ("other", "texts", 2, ("read by another engine",)),
        )
    ]
    comparison = build_comparison(
        CONTRACT, "test", samples, contenders[0].predictions, contenders[1].predictions, 200
    )
    conditions = Conditions(
        base_revision="abc",
        adapter_revision="def",
        adapter_steps=10,
        seen=Seen(3, (SeenSample("a/1.png", "text", "t.png"),)),
    )
    ranking = rank_models(samples, contenders, draws=200)
    return report_values(replace(comparison, conditions=conditions, ranking=ranking))


def test_the_documentation_lists_exactly_what_a_report_holds():
    assert set(paths_of(full_report())) == documented()
    assert report_values(compare(HARD))["schema_version"] == report_schema.SCHEMA_VERSION == 2


def test_a_report_comes_back_as_it_was_written(tmp_path):
    values = report_values(compare(HARD))
    paths = write_report(compare(HARD), {}, tmp_path)
    assert read_report(paths["json"]) == json.loads(json.dumps(values))
    assert (
        paths["json"].read_bytes() == write_report(compare(HARD), {}, tmp_path)["json"].read_bytes()
    )
    rows = [line for line in paths["json"].read_text("utf-8").splitlines() if "picture_id" in line]
    assert len(rows) == len(HARD)  # every line of the split on one row


def test_new_columns_of_the_table_stand_behind_the_old_ones(tmp_path):
    head = write_report(compare(HARD), {}, tmp_path)["csv"].read_text("utf-8-sig").splitlines()[0]
    assert head.startswith(
        "picture_id,reference,base,tuned,reference_characters,base_errors,tuned_errors,base_cer,"
        "tuned_cer,base_looped,tuned_looped,base_failed,tuned_failed,base_cut,tuned_cut,"
        "right_to_left,group,"
    )


def first_version(values):
    """Return what the first version of report.json held."""
    kept = ("contract", "contract_digest", "split", "lines", "models", "verdict", "base", "tuned")
    kept += ("difference", "needs_graphemes", "confusions", "classes")
    lines = [dict(list(line.items())[:16]) for line in values["worst"]]
    return {**{name: values[name] for name in kept}, "profiles": {}, "worst": lines}


def test_a_report_of_the_first_version_is_counted_again(tmp_path):
    values = json.loads(json.dumps(report_values(compare(HARD, draws=10_000))))
    path = tmp_path / "report.json"
    path.write_text(json.dumps(first_version(values)), "utf-8")
    assert read_report(path) == values


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 3}, "another version of ocrtune .schema 3"),
        ({"schema_version": "x"}, "another version"),
        ({"worst": [{"picture_id": "a"}]}, "earlier ocrtune that cannot be counted again"),
        ({"worst": []}, "cannot be counted again"),
        ({"models": 3}, "cannot be counted again"),
    ],
)
def test_a_report_that_cannot_be_understood_says_what_to_do(tmp_path, change, message):
    values = {**first_version(report_values(compare(HARD))), **change}
    path = tmp_path / "report.json"
    path.write_text(json.dumps(values), "utf-8")
    with pytest.raises(MetricsError, match=message) as caught:
        read_report(path)
    assert "ocrtune compare" in caught.value.fix


def test_the_contract_of_these_tests_is_one():
    assert set(values_of([("a", "b", "b", "b")])["contract"]) == set(vars(CONTRACT))
