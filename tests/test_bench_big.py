"""bench train and bench read: what is measured, what the tables say of it, where they go."""

import json

import pytest

from ocrtune.bench import big
from ocrtune.bench.big import (
    BF16,
    NOTEBOOK,
    ONE,
    TWO,
    BenchError,
    add_ratios,
    cases_of,
    put_into_readme,
    report,
    run_big_bench,
    run_case,
)
from ocrtune.bench.gpu import Case
from ocrtune.bench.stand_in import stand_in_samples, stand_in_tokenizer, write_stand_in

FIGURES = {
    "hardware": "a card",
    "torch": "2",
    "second_epoch_samples_per_second": 210.0,
    "first_epoch_samples_per_second": 70.0,
    "peak_reserved_gib": 13.0,
    "first_step_seconds": 1.5,
    "features_ms_per_picture": 7.0,
    "host_peak_gib": 7.0,
    "losses": [3.0, 2.0],
}


def test_the_cases_follow_the_machine():
    names = [case.name for case in cases_of("train", "m", 512, gpus=1, unsloth=True)]
    assert len(names) == 4
    assert ONE not in names
    several = cases_of("train", "m", 512, gpus=2, unsloth=False)
    assert [case.name for case in several][-2:] == [ONE, TWO]
    assert [case.ranks for case in several] == [1, 1, 1, 2]
    assert several[1].capability == "7.5"


def test_goals_are_met_missed_or_not_measured():
    found = {
        BF16: {**FIGURES, "case": {"engine": "transformers"}},
        ONE: {**FIGURES, "case": {}, "second_epoch_samples_per_second": 250.0},
        TWO: {**FIGURES, "case": {}, "second_epoch_samples_per_second": 400.0},
    }
    add_ratios(found)
    assert found[TWO]["efficiency"] == pytest.approx(0.8)
    assert found[TWO]["largest_loss_difference"] == 0
    text = report("train", found, "full")
    for line in (
        "| samples/s from the second epoch on | ≥ 200 | 210 | met |",
        "| samples/s of one epoch, features too | ≥ 75 | 70 | missed |",
        "| efficiency of 2 GPUs | ≥ 0.9 | 0.8 | missed |",
        "| efficiency of 4 GPUs | ≥ 0.85 | – | not measured |",
        "| GiB reserved at most | ≤ 14 | 13 | met |",
    ):
        assert line in text
    assert f"{NOTEBOOK['second_epoch_samples_per_second']}" in text
    assert "goal" not in report("train", found, "small"), "a trial meets nothing"


def test_the_tables_stand_between_their_marks(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("a\n<!-- bench read -->\nold\n<!-- end of bench read -->\nb\n", "utf-8")
    put_into_readme(readme, "read", "new \\1")
    assert readme.read_text("utf-8") == (
        "a\n<!-- bench read -->\nnew \\1\n<!-- end of bench read -->\nb\n"
    )
    with pytest.raises(BenchError, match="no place for `bench train`"):
        put_into_readme(readme, "train", "x")


def test_the_stand_in_is_what_it_stands_for():
    tokenizer = stand_in_tokenizer(129_280)
    assert tokenizer.token_to_id("<image>") == 128_815
    assert tokenizer.token_to_id("<|grounding|>") == 128_820
    samples = stand_in_samples(5)
    assert len({sample.picture for sample in samples}) == 5
    assert all(len(tokenizer.encode(s.text).ids) == len(s.text) for s in samples)


def test_both_tasks_run_and_leave_their_files(tmp_path):
    base = str(write_stand_in(tmp_path / "model", "small"))
    shared = {"base": base, "layout": "tiny", "batch_size": 2}
    trained = run_case(Case(name="t", task="train", samples=4, **shared), tmp_path)
    assert len(trained["losses"]) == 4
    assert trained["second_epoch_samples_per_second"] > 0
    read = run_case(Case(name="r", task="read", samples=4, new_tokens=3, **shared), tmp_path)
    assert read["equal_texts"] == read["compared"] == 4
    assert read["lines_per_second_2"] > 0


def test_one_failed_case_does_not_cost_the_others(tmp_path, monkeypatch):
    def fail_once(case, folder):
        if case.name == BF16:
            raise BenchError("`bf16` was not measured: no memory.", "Try it alone.")
        return {**FIGURES, "case": {"engine": case.engine}}

    monkeypatch.setattr(big, "run_case", fail_once)
    told = []
    path = run_big_bench("train", tmp_path, "small", 8, False, told.append)
    assert any("no memory" in note.text for note in told)
    figures = json.loads((tmp_path / "train.json").read_text("utf-8"))
    assert list(figures["cases"]) == [big.T4]
    assert "a card" in path.read_text("utf-8")
