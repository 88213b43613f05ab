"""The learning curve: one run on each share of the train split, all measured on the same lines."""

import gc
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from ocrtune.archive import cause
from ocrtune.checkpoints import digest_samples
from ocrtune.comparing import Reader
from ocrtune.config import CHECKPOINT, LearnConfig, TrainConfig
from ocrtune.dataset_files import load_samples
from ocrtune.errors import ConfigError, DatasetError, MetricsError
from ocrtune.events import Emit, Note, Saved, silent
from ocrtune.examples import choose_samples
from ocrtune.families.loading import DETAILS, load_base
from ocrtune.families.weights import weights_digest
from ocrtune.learning_curve import Curve, Point, curve_values
from ocrtune.learning_page import render_curve
from ocrtune.metrics import CharScore, score_pairs
from ocrtune.reading import follow_adapter, use_cores
from ocrtune.records import OcrContract, Prediction, Sample
from ocrtune.seen import describe_seen, find_seen
from ocrtune.training import choose_share, train_adapter

FREE = ("output", "fractions", "language", "draws")  # may change from one call to the next
CONFIG, CURVE, PAGE, POINT = "config.json", "learn.json", "learn.html", "point.json"


def never() -> bool:
    """Nobody asks to end."""
    return False


def learn_curve(
    config: LearnConfig, emit: Emit = silent, stop_requested: Callable[[], bool] = never
) -> dict | None:
    """Return the values of the curve, after writing them and their page to the output folder.

    A share that was finished by an earlier call is not trained again, and a run that was stopped
    goes on. Asked to stop, it writes the curve of the shares that are finished; None if none is.
    """
    use_cores()
    samples = load_samples(config.data, config.split)
    if not samples:
        raise DatasetError(
            f"The {config.split} split of `{config.data}` is empty: nothing to measure on.",
            "Build the dataset from at least 3 different pictures with text; 300 are a good start.",
        )
    folder = Path(config.output)
    settle(config, folder)
    seen = find_seen(config.data, config.split, samples, emit)
    if told := describe_seen(seen, config.split):
        emit(Note(told.split(" They are read")[0]))
    found: dict[float, dict] = {}
    for fraction in config.fractions:
        if stop_requested():
            break
        earlier = next(iter(found.values()), None)
        values = learn_share(config.run(fraction), samples, earlier, emit, stop_requested)
        if values is None:
            break
        found[fraction] = values
    if not found:
        return None
    curve = build_curve(config, samples, found, len(seen.samples))
    values = curve_values(curve)
    write(folder / CURVE, json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    write(folder / PAGE, render_curve(values, config.language))
    emit(Saved("report", config.output))
    return values


def settle(config: LearnConfig, folder: Path) -> None:
    """Write the settings to the folder; a ConfigError if its curve has others already."""
    path = folder / CONFIG
    if path.is_file():
        before, now = asdict(LearnConfig.load(path)), asdict(config)
        odd = [name for name in now if name not in FREE and before[name] != now[name]]
        if odd:
            listed = "; ".join(f"`{n}` was {before[n]!r}, is {now[n]!r}" for n in odd)
            raise ConfigError(
                f"`{folder}` holds a learning curve with other settings: {listed}.",
                "Its points would not belong together: use those settings, or another `--output`.",
            )
    config.save(path)


def learn_share(
    config: TrainConfig,
    samples: Sequence[Sample],
    earlier: dict[str, Any] | None,
    emit: Emit,
    stop_requested: Callable[[], bool],
) -> dict[str, Any] | None:
    """Return what is known of one share: trained and read now, or before; None if stopped.

    earlier: what is known of another one, which spares reading with the base model again.
    """
    run = Path(config.output)
    train = load_samples(config.data, "train")
    share = choose_share(config, train)
    identity = describe_point(config, share, samples)
    if known := load_point(run / POINT, identity, run / "adapter"):
        emit(Note(f"Share {config.fraction:g}: finished before, with {known['samples']} samples."))
        return known
    emit(Note(f"Share {config.fraction:g}: {len(share)} of {len(train)} samples."))
    del train, share
    adapter = train_adapter(config, emit, stop_requested, resume=(run / CHECKPOINT).is_file())
    gc.collect()  # the model that learned is gone before the one that reads is loaded
    details = json.loads((adapter / DETAILS).read_text("utf-8"))
    if details["stopped"]:
        return None
    values = {"identity": identity, **summarise_run(details)}
    values |= read_point(config, samples, earlier, emit)
    gc.collect()
    write(run / POINT, json.dumps(values) + "\n")
    return values


def describe_point(
    config: TrainConfig, share: Sequence[Sample], samples: Sequence[Sample]
) -> dict[str, Any]:
    """Return what must be equal for a finished point to be this one."""
    validation = choose_samples(load_samples(config.data, "validation"), config)
    settings = {k: v for k, v in asdict(config).items() if k not in ("output", "checkpoint_every")}
    return {"settings": settings, "data": digest_samples([*share, *validation, *samples])}


def load_point(path: Path, identity: dict[str, Any], adapter: Path) -> dict[str, Any] | None:
    """Return a finished point; None if there is none, or of other samples or other weights."""
    try:
        values = json.loads(path.read_text("utf-8"))
        same = values["identity"] == identity
        return values if same and values["revision"] == weights_digest(adapter) else None
    except OSError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise MetricsError(
            f"`{path}` is damaged: {cause(error)}.", "Remove it; its share is then read again."
        ) from error


def summarise_run(details: dict[str, Any]) -> dict[str, Any]:
    """Return what a point says of its run."""
    batch = details["settings"]["batch_size"]
    return {
        "samples": details["train_samples"],
        "steps": details["steps"],
        "passes": details["steps"] * batch / details["train_samples"],
        "kept_step": details["kept_step"],
    }


def read_point(
    config: TrainConfig, samples: Sequence[Sample], earlier: dict[str, Any] | None, emit: Emit
) -> dict[str, Any]:
    """Return the errors of the tuned and of the base model on each sample, and how they read."""
    folder = Path(config.output) / "adapter"
    loaded = load_base(config.base)
    follow_adapter(loaded, str(folder), silent)
    reader = Reader(loaded, samples, 1 if earlier else 2, emit)
    contract = reader.contract()
    tuned = score(samples, reader.read(f"{config.base} + {folder}"), contract)
    if earlier and earlier["contract"] == asdict(contract):
        base = earlier["base"]
    else:
        with loaded.model.disable_adapter():
            base = [one.errors for one in score(samples, reader.read(config.base), contract)]
    return {
        "contract": asdict(contract),
        "revision": weights_digest(folder),
        "lengths": [one.reference_length for one in tuned],
        "base": base,
        "errors": [one.errors for one in tuned],
    }


def score(
    samples: Sequence[Sample], predictions: Sequence[Prediction], contract: OcrContract
) -> list[CharScore]:
    """Return the score of each reading; a failed one is an empty text."""
    pairs = zip(samples, predictions, strict=True)
    texts = [(sample.text, "" if one.failed else one.text) for sample, one in pairs]
    return score_pairs(texts, contract.profile)


def build_curve(
    config: LearnConfig, samples: Sequence[Sample], found: dict[float, dict], seen: int
) -> Curve:
    """Return the curve of the shares that are finished; all must have been read alike."""
    first, *others = found.values()
    for one in others:
        if one["contract"] != first["contract"]:
            theirs = OcrContract.from_dict(one["contract"])
            odd = OcrContract.from_dict(first["contract"]).differences(theirs)
            raise MetricsError(
                f"The shares were not read alike: {'; '.join(odd)}.",
                "Draw the curve into another folder, with one base model.",
            )
    names = {field.name for field in fields(Point)} - {"fraction", "errors"}
    return Curve(
        data=config.data,
        split=config.split,
        contract=OcrContract.from_dict(first["contract"]),
        lengths=tuple(first["lengths"]),
        base=tuple(first["base"]),
        points=tuple(
            Point(
                fraction=fraction,
                errors=tuple(one["errors"]),
                **{name: one[name] for name in names},
            )
            for fraction, one in found.items()
        ),
        finished=len(found) == len(config.fractions),
        same_steps=not config.epochs,
        seen=seen,
        draws=config.draws,
        seed=config.seed,
    )


def write(path: Path, text: str) -> None:
    """Write a file in one move, so that it is whole or absent."""
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(text, "utf-8", errors="backslashreplace")
    draft.replace(path)
