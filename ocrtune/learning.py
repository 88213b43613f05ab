"""The learning curve: one run on each share of the train split, all measured on the same lines."""

import gc
import json
import time
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
from ocrtune.examples import choose_samples, draw_allowed
from ocrtune.families.digests import weights_digest
from ocrtune.families.loading import DETAILS, load_base
from ocrtune.learning_curve import Curve, Point, curve_values
from ocrtune.learning_page import render_curve, write_chart
from ocrtune.limits import Limits
from ocrtune.metrics import CharScore, score_pairs
from ocrtune.reading import follow_adapter, use_cores
from ocrtune.records import OcrContract, Prediction, Sample
from ocrtune.seen import describe_seen, find_seen
from ocrtune.training import NO_LIMITS, choose_share, train_adapter
from ocrtune.validation import LOOK_SECONDS, MeasuringStoppedError, never

FREE = ("output", "fractions", "language", "draws")  # may change from one call to the next
CONFIG, CURVE, PAGE, POINT = "config.json", "learn.json", "learn.html", "point.json"


def learn_curve(
    config: LearnConfig,
    emit: Emit = silent,
    stop_requested: Callable[[], bool] = never,
    limits: Limits = NO_LIMITS,
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
        share = Share(config.run(fraction), samples, limits, emit)
        values = share.finish(earlier, stop_requested)
        if values is None:
            break
        found[fraction] = values
    if not found:
        return None
    curve = build_curve(config, samples, found, len(seen.samples))
    values = curve_values(curve)
    write(folder / CURVE, json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    write(folder / PAGE, render_curve(values, config.language))
    for note in write_chart(values, folder, config.language):
        emit(Note(note))
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


class Share:
    """One share of the train split: its run, and what the result reads."""

    def __init__(
        self, config: TrainConfig, samples: Sequence[Sample], limits: Limits, emit: Emit
    ) -> None:
        self.config = config
        self.samples = samples
        self.limits = limits
        self.emit = emit
        self.folder = Path(config.output)
        self.adapter = self.folder / "adapter"

    def finish(
        self, earlier: dict[str, Any] | None, stop_requested: Callable[[], bool]
    ) -> dict[str, Any] | None:
        """Return what is known of the share, trained and read now or before; None if stopped.

        earlier: what is known of another one, which spares reading with the base model again.
        """
        train = load_samples(self.config.data, "train")
        train = draw_allowed(train, self.limits.max_samples, self.config.seed)
        share = choose_share(self.config, train)
        identity = describe_point(self.config, share, self.samples)
        known = load_point(self.folder / POINT, identity, self.adapter)
        name, words = f"Share {self.config.fraction:g}", f"{len(share)} of {len(train)} samples"
        del train, share
        if known and "errors" in known:
            self.emit(Note(f"{name}: finished before, {words}."))
            return known
        if not known:
            self.emit(Note(f"{name}: {words}."))
            known = self.train(stop_requested)
        if known is None:
            return None
        known["identity"] = identity
        write(self.folder / POINT, json.dumps(known) + "\n")  # it is not trained again
        try:
            known |= self.read(earlier, stop_requested)
        except MeasuringStoppedError:
            return None
        write(self.folder / POINT, json.dumps(known) + "\n")
        return known

    def train(self, stop_requested: Callable[[], bool]) -> dict[str, Any] | None:
        """Return what a point says of its run; None if it was stopped."""
        resume = (self.folder / CHECKPOINT).is_file()
        train_adapter(self.config, self.emit, stop_requested, resume, self.limits)
        gc.collect()  # the model that learned is gone before the one that reads is loaded
        details = json.loads((self.adapter / DETAILS).read_text("utf-8"))
        if details["stopped"]:
            return None
        seen = details["steps"] * details["settings"]["batch_size"]
        return {
            "samples": details["train_samples"],
            "steps": details["steps"],
            "passes": seen / details["train_samples"],
            "kept_step": details["kept_step"],
            "revision": weights_digest(self.adapter),
        }

    def read(
        self, earlier: dict[str, Any] | None, stop_requested: Callable[[], bool]
    ) -> dict[str, Any]:
        """Return the errors of the tuned and of the base model on each sample.

        A MeasuringStoppedError when asked to stop meanwhile.
        """

        looked = 0.0

        def look() -> None:
            nonlocal looked
            now = time.monotonic()
            if now - looked < LOOK_SECONDS:
                return
            looked = now
            if stop_requested():
                raise MeasuringStoppedError("Stopped while the test lines were read.", "")

        base = self.config.base
        loaded = load_base(base)
        follow_adapter(loaded, str(self.adapter), silent)
        reader = Reader(loaded, self.samples, 1 if earlier else 2, self.emit, look)
        contract = reader.contract()
        tuned = score(self.samples, reader.read(f"{base} + {self.adapter}"), contract)
        if earlier and earlier["contract"] == asdict(contract):
            errors = earlier["base"]
        else:
            with loaded.model.disable_adapter():
                errors = [one.errors for one in score(self.samples, reader.read(base), contract)]
        del loaded, reader
        gc.collect()
        return {
            "contract": asdict(contract),
            "lengths": [one.reference_length for one in tuned],
            "base": errors,
            "errors": [one.errors for one in tuned],
        }


def describe_point(
    config: TrainConfig, share: Sequence[Sample], samples: Sequence[Sample]
) -> dict[str, Any]:
    """Return what must be equal for a finished point to be this one."""
    validation = choose_samples(load_samples(config.data, "validation"), config)
    settings = {k: v for k, v in asdict(config).items() if k not in ("output", "checkpoint_every")}
    return {"settings": settings, "data": digest_samples([*share, *validation, *samples])}


def load_point(path: Path, identity: dict[str, Any], adapter: Path) -> dict[str, Any] | None:
    """Return a point that was trained; None if there is none, or of other samples or weights."""
    try:
        values = json.loads(path.read_text("utf-8"))
        same = values["identity"] == identity
        return values if same and values["revision"] == weights_digest(adapter) else None
    except OSError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise MetricsError(
            f"`{path}` is damaged: {cause(error)}.", "Remove it; its share is then made again."
        ) from error


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
