"""A comparison as plain JSON values: what report.json holds, see `report_schema`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ocrtune.alignment import uncollected
from ocrtune.bootstrap import Difference, own_interval
from ocrtune.breakdowns import class_rows, confusion_tables, group_rows, length_rows
from ocrtune.comparisons import Comparison, Line, NumberScores, WordScores
from ocrtune.conditions import conditions_values
from ocrtune.metrics import class_errors, ranked_confusions
from ocrtune.misreadings import Misreadings
from ocrtune.number_tokens import NUMBER_KINDS
from ocrtune.ranking import ranking_values
from ocrtune.report_schema import SCHEMA_VERSION
from ocrtune.report_words import LANGUAGES
from ocrtune.text import (
    CHARACTER_CLASSES,
    character_class,
    is_right_to_left,
    needs_graphemes,
    script_of,
)
from ocrtune.verdicts import verdict

MODELS = ("base", "tuned")
LISTED_CONFUSIONS = 100  # the rest are mostly unique
LEVEL = 0.95  # of every interval


@uncollected()
def report_values(comparison: Comparison) -> dict[str, Any]:
    """Return everything about the comparison as plain JSON values, worst tuned lines first."""
    contract = comparison.contract
    readings = dict(zip(MODELS, comparison.counted.readings, strict=True))
    return {
        "schema_version": SCHEMA_VERSION,
        "contract": asdict(contract),
        "contract_digest": contract.digest(),
        "split": comparison.split,
        "lines": len(comparison.lines),
        "models": {"base": comparison.base_model, "tuned": comparison.tuned_model},
        "verdict": {language: verdict(comparison, language) for language in LANGUAGES},
        "base": asdict(comparison.base),
        "tuned": asdict(comparison.tuned),
        "difference": asdict(comparison.difference),
        "intervals": {
            model: own_interval(one.profiles[contract.profile], comparison.draws, comparison.seed)
            for model, one in readings.items()
        },
        "bootstrap": {"draws": comparison.draws, "seed": comparison.seed, "level": LEVEL},
        "profiles": {
            row.profile: {
                "base": asdict(row.base),
                "tuned": asdict(row.tuned),
                "difference": asdict(row.difference),
            }
            for row in comparison.profiles
        },
        "needs_graphemes": needs_graphemes("\n".join(line.reference for line in comparison.lines)),
        "words": _word_values(comparison.words),
        "numbers": _number_values(comparison.numbers),
        "confusions": {
            model: [asdict(row) for row in ranked_confusions(one.confusions, LISTED_CONFUSIONS)]
            for model, one in readings.items()
        },
        **confusion_tables(comparison),
        "classes": {
            model: _class_values(comparison, one.confusions) for model, one in readings.items()
        },
        "scripts": class_rows(comparison, script_of),
        "lengths": length_rows(comparison),
        "groups": group_rows(comparison),
        "conditions": comparison.conditions
        and conditions_values(
            comparison.conditions,
            [line.picture_id for line in comparison.lines],
            [line.base_score for line in comparison.lines],
            [line.tuned_score for line in comparison.lines],
        ),
        "ranking": comparison.ranking and ranking_values(comparison.ranking),
        "worst": [_line_values(line) for line in sorted(comparison.lines, key=_badness)],
    }


def _class_values(comparison: Comparison, confusions: Misreadings) -> list[dict[str, Any]]:
    rows = class_errors(comparison.counted.units, confusions, character_class)
    rows.sort(key=lambda row: CHARACTER_CLASSES.index(row.name))
    return [{**asdict(row), "cer": row.cer} for row in rows]


def _word_values(words: WordScores | None) -> dict[str, Any] | None:
    if words is None:
        return None
    return {
        "lines": words.lines,
        "reference_words": words.reference_words,
        "base": {"errors": words.base_errors, "wer": words.base_errors / words.reference_words},
        "tuned": {"errors": words.tuned_errors, "wer": words.tuned_errors / words.reference_words},
        "difference": _renamed(words.difference, "wer"),
    }


def _number_values(numbers: NumberScores) -> dict[str, Any]:
    """Return the numbers that were read exactly; a difference above zero is an improvement."""
    wrong = numbers.difference
    flipped = {"low": wrong.high, "high": wrong.low, "share": wrong.cer}
    shares = {name: None if value is None else -value for name, value in flipped.items()}
    return {
        "tokens": numbers.tokens,
        **{model: _number_row([*numbers.kinds[model].values()]) for model in MODELS},
        "difference": {**_renamed(wrong, "share"), **shares},
        "kinds": {
            kind: {
                "tokens": numbers.kinds["base"][kind][0],
                **{model: _number_row([numbers.kinds[model][kind]]) for model in MODELS},
            }
            for kind in NUMBER_KINDS
            if kind in numbers.kinds["base"]
        },
    }


def _number_row(counts: Sequence[tuple[int, int, int]]) -> dict[str, Any]:
    tokens, exact, same_value = (sum(one[place] for one in counts) for place in range(3))
    return {
        "exact": exact,
        "share": exact / tokens if tokens else None,
        "same_value": same_value,
        "same_value_share": same_value / tokens if tokens else None,
    }


def _renamed(difference: Difference, name: str) -> dict[str, Any]:
    """Return a difference whose rate is not a CER."""
    values = asdict(difference)
    return {name: values.pop("cer"), **values}


def _badness(line: Line) -> tuple:
    score = line.tuned_score
    return -score.errors / max(1, score.reference_length), -score.errors, line.picture_id


def _line_values(line: Line) -> dict:
    return {
        "picture_id": line.picture_id,
        "reference": line.reference,
        "base": line.base,
        "tuned": line.tuned,
        "reference_characters": line.base_score.reference_length,
        "base_errors": line.base_score.errors,
        "tuned_errors": line.tuned_score.errors,
        "base_cer": line.base_score.cer,
        "tuned_cer": line.tuned_score.cer,
        "base_looped": line.base_looped,
        "tuned_looped": line.tuned_looped,
        "base_failed": line.base_failed,
        "tuned_failed": line.tuned_failed,
        "base_cut": line.base_cut,
        "tuned_cut": line.tuned_cut,
        "right_to_left": is_right_to_left(line.reference),
        "group": line.group,
        "base_substitutions": line.base_score.substitutions,
        "base_deletions": line.base_score.deletions,
        "base_insertions": line.base_score.insertions,
        "tuned_substitutions": line.tuned_score.substitutions,
        "tuned_deletions": line.tuned_score.deletions,
        "tuned_insertions": line.tuned_score.insertions,
        "numbers": line.numbers,
        "base_numbers": line.base_numbers,
        "tuned_numbers": line.tuned_numbers,
    }
