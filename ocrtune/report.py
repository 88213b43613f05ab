"""A comparison of two models, and what people keep of it: JSON, CSV and one HTML file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ocrtune.conditions import Conditions, conditions_values
from ocrtune.errors import MetricsError
from ocrtune.metrics import (
    CharScore,
    Difference,
    Summary,
    compare_scores,
    confusions,
    errors_by_class,
    pool,
    require_same_ids,
    score_pairs,
    summarise,
)
from ocrtune.ranking import Ranking, ranking_values
from ocrtune.records import OcrContract, Prediction, Sample
from ocrtune.report_page import percent, points, render_page
from ocrtune.report_words import LANGUAGES, SENTENCES
from ocrtune.spreadsheet import write_table
from ocrtune.text import PROFILES, find_loop, is_right_to_left, needs_graphemes

LISTED_CONFUSIONS = 100  # the rest are mostly unique


@dataclass(frozen=True, kw_only=True)
class Line:
    """One picture as both models read it; texts as they were, scores under the contract."""

    picture_id: str
    reference: str
    base: str
    tuned: str
    base_score: CharScore
    tuned_score: CharScore
    base_looped: bool
    tuned_looped: bool
    base_failed: str  # why there is no text; empty when there is one
    tuned_failed: str
    base_cut: bool = False  # it was ended at the longest length that the contract allows
    tuned_cut: bool = False


@dataclass(frozen=True)
class ProfileScores:
    """Both models' pooled scores under one normalisation profile."""

    profile: str
    base: CharScore
    tuned: CharScore


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Base model against tuned model, on the same samples under the same contract."""

    contract: OcrContract
    split: str
    base_model: str  # as shown to people
    tuned_model: str
    lines: tuple[Line, ...]  # in the order of the samples
    base: Summary
    tuned: Summary
    difference: Difference
    profiles: tuple[ProfileScores, ...]
    ranking: Ranking | None = None  # of these two and of all others that were compared
    conditions: Conditions | None = None  # where more is known of them than the contract


@dataclass(frozen=True)
class _Readings:
    """One model's readings in the order of the samples; a failed one has no text."""

    model: str
    texts: list[str]
    looped: list[bool]
    failed: list[str]
    scores: list[CharScore]
    cut: list[bool]


def build_comparison(
    contract: OcrContract,
    split: str,
    samples: Sequence[Sample],
    base: Sequence[Prediction],
    tuned: Sequence[Prediction],
    draws: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Return the comparison of two models' predictions, one by each for every sample."""
    if not samples:
        raise MetricsError(
            f"The {split} split holds no sample.", "Compare on another split or add pictures."
        )
    before = _pair_readings(samples, base, "the base model", contract.profile)
    after = _pair_readings(samples, tuned, "the tuned model", contract.profile)
    return Comparison(
        contract=contract,
        split=split,
        base_model=before.model,
        tuned_model=after.model,
        lines=tuple(_build_lines(samples, before, after)),
        base=_summarise(before),
        tuned=_summarise(after),
        difference=compare_scores(before.scores, after.scores, draws, seed),
        profiles=tuple(_score_profiles(samples, before, after)),
    )


def _pair_readings(
    samples: Sequence[Sample], predictions: Sequence[Prediction], name: str, profile: str
) -> _Readings:
    require_same_ids(
        [sample.picture_id for sample in samples],
        [prediction.picture_id for prediction in predictions],
        name,
    )
    by_id = {prediction.picture_id: prediction for prediction in predictions}
    ordered = [by_id[sample.picture_id] for sample in samples]
    texts = ["" if prediction.failed else prediction.text for prediction in ordered]
    references = [sample.text for sample in samples]
    return _Readings(
        model=ordered[0].model,
        texts=texts,
        looped=[
            bool(text) and (prediction.looped or find_loop(text))
            for prediction, text in zip(ordered, texts, strict=True)
        ],
        failed=[prediction.failed for prediction in ordered],
        scores=score_pairs(zip(references, texts, strict=True), profile),
        cut=[prediction.cut for prediction in ordered],
    )


def _summarise(readings: _Readings) -> Summary:
    failed = [bool(reason) for reason in readings.failed]
    return summarise(readings.scores, looped=readings.looped, failed=failed, cut=readings.cut)


def _build_lines(samples: Sequence[Sample], base: _Readings, tuned: _Readings) -> list[Line]:
    return [
        Line(
            picture_id=sample.picture_id,
            reference=sample.text,
            base=base.texts[index],
            tuned=tuned.texts[index],
            base_score=base.scores[index],
            tuned_score=tuned.scores[index],
            base_looped=base.looped[index],
            tuned_looped=tuned.looped[index],
            base_failed=base.failed[index],
            tuned_failed=tuned.failed[index],
            base_cut=base.cut[index],
            tuned_cut=tuned.cut[index],
        )
        for index, sample in enumerate(samples)
    ]


def _score_profiles(
    samples: Sequence[Sample], base: _Readings, tuned: _Readings
) -> list[ProfileScores]:
    references = [sample.text for sample in samples]
    return [
        ProfileScores(
            profile,
            pool(score_pairs(zip(references, base.texts, strict=True), profile)),
            pool(score_pairs(zip(references, tuned.texts, strict=True), profile)),
        )
        for profile in PROFILES
    ]


def verdict(comparison: Comparison, language: str = "en") -> str:
    """Return one plain sentence that says whether the tuned model reads better."""
    base, tuned, difference = comparison.base, comparison.tuned, comparison.difference
    sentences = SENTENCES[language]

    def lines(count: int) -> str:
        return sentences["line" if count == 1 else "lines"].format(count=count)

    if difference.cer is None:
        return sentences["nothing"]
    facts = {
        "all": lines(tuned.lines),
        "before": percent(base.cer),
        "after": percent(tuned.cer),
        "low": points(difference.low),
        "high": points(difference.high),
        "better": lines(difference.better),
        "worse": difference.worse,
        "tied": difference.tied,
        "few": sentences["few"].format(all=lines(tuned.lines)) if difference.few_lines else "",
        "change": _change(base.errors, tuned.errors, sentences),
    }
    return sentences[_outcome(comparison)].format(**facts)


def _outcome(comparison: Comparison) -> str:
    """Return which of the SENTENCES the numbers call for."""
    difference = comparison.difference
    if comparison.base.errors == comparison.tuned.errors == 0:
        return "perfect"
    if difference.better == difference.worse == 0:
        return "same"
    return "undecided" if difference.low <= 0 <= difference.high else "decided"


def _change(before: int, after: int, sentences: Mapping[str, str]) -> str:
    if not before:
        return sentences["first"]
    share = 100 * abs(after - before) / before
    near_an_end = share < 10 or 99 < share < 100  # where whole numbers would round to 0 or 100
    relative = f"{share:.1f} %" if near_an_end else f"{share:.0f} %"
    return sentences["fewer" if after < before else "more"].format(relative=relative)


def report_values(comparison: Comparison) -> dict:
    """Return everything about the comparison as plain JSON values, worst tuned lines first."""
    contract = comparison.contract
    pairs = {
        "base": [(line.reference, line.base) for line in comparison.lines],
        "tuned": [(line.reference, line.tuned) for line in comparison.lines],
    }
    return {
        "contract": asdict(contract),
        "contract_digest": contract.digest(),
        "split": comparison.split,
        "lines": len(comparison.lines),
        "models": {"base": comparison.base_model, "tuned": comparison.tuned_model},
        "verdict": {language: verdict(comparison, language) for language in LANGUAGES},
        "base": asdict(comparison.base),
        "tuned": asdict(comparison.tuned),
        "difference": asdict(comparison.difference),
        "profiles": {
            row.profile: {"base": _score_values(row.base), "tuned": _score_values(row.tuned)}
            for row in comparison.profiles
        },
        "needs_graphemes": any(needs_graphemes(line.reference) for line in comparison.lines),
        "confusions": {
            model: [asdict(row) for row in confusions(texts, contract.profile)[:LISTED_CONFUSIONS]]
            for model, texts in pairs.items()
        },
        "classes": {
            model: [
                {**asdict(row), "cer": row.cer} for row in errors_by_class(texts, contract.profile)
            ]
            for model, texts in pairs.items()
        },
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


def _score_values(score: CharScore) -> dict:
    return {
        "errors": score.errors,
        "reference_characters": score.reference_length,
        "cer": score.cer,
    }


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
    }


def write_report(
    comparison: Comparison, pictures: Mapping[str, bytes], folder: Path, language: str = "en"
) -> dict[str, Path]:
    """Write report.json, lines.csv and report.html; return their paths as json, csv and html.

    pictures: encoded images by picture id; only those of the lines shown are asked for.
    """
    values = report_values(comparison)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {
        "json": folder / "report.json",
        "csv": folder / "lines.csv",
        "html": folder / "report.html",
    }
    text = json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False)
    # Half of a surrogate pair cannot be UTF-8; backslashed it is JSON's own escape.
    paths["json"].write_text(text + "\n", "utf-8", errors="backslashreplace")
    write_table(paths["csv"], list(values["worst"][0]), values["worst"])
    paths["html"].write_text(render_page(values, pictures, language), "utf-8", errors="replace")
    return paths


def read_report(path: Path) -> dict:
    """Return the values of a report.json that `write_report` wrote."""
    path = Path(path)
    again = "Make one with `python -m ocrtune compare`."
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise MetricsError(f"`{path}` cannot be read as a report: {error}.", again) from error
    needed = {"contract", "split", "lines", "base", "tuned", "difference", "verdict", "worst"}
    missing = sorted(needed - set(values)) if isinstance(values, dict) else sorted(needed)
    if missing:
        raise MetricsError(
            f"`{path}` is not a report of ocrtune: it lacks {', '.join(missing)}.", again
        )
    return values
