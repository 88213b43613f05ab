"""Fine-tuning: a LoRA run on the train split, watched by its CER on the validation split."""

import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from ocrtune.adapter_names import shared_name, shown_name
from ocrtune.checkpoints import (
    describe_identity,
    load_checkpoint,
    remove_checkpoint,
    require_checkpoint,
    save_checkpoint,
)
from ocrtune.config import TrainConfig
from ocrtune.dataset_files import load_samples
from ocrtune.engines import UNSLOTH, Unsloth, choose_engine
from ocrtune.errors import TrainingError
from ocrtune.events import (
    Emit,
    Event,
    Note,
    Preflight,
    Resumed,
    Saved,
    Step,
    append_event,
    rewind_events,
    silent,
)
from ocrtune.examples import Examined, choose_samples, draw_allowed, examine_samples
from ocrtune.families.adapter_files import ADAPTER_WEIGHTS, CONTRACT
from ocrtune.families.loaded import LoadedModel, refuse_unknown_layout
from ocrtune.families.loading import (
    adapts_experts,
    add_lora,
    continue_lora,
    contract_for,
    load_base,
    refuse_other_base,
    save_adapter,
    trains_vision,
)
from ocrtune.families.page_layouts import AUTO, LayoutChoice
from ocrtune.features import settle_layout
from ocrtune.hardware import describe_hardware, used_bytes
from ocrtune.learner import Learner
from ocrtune.limits import NO_LIMITS, Limits
from ocrtune.preflight import SampleSizes, inspect_run, measure_samples, refuse_full_disk
from ocrtune.ranks import ALONE, Ranks, join_ranks
from ocrtune.reading import use_cores
from ocrtune.records import Sample
from ocrtune.report_page import percent
from ocrtune.shared_adapters import folder_of
from ocrtune.subsets import groups_of, share_of
from ocrtune.validation import MeasuringStoppedError, Validation, never

CHECKPOINT_SECONDS = 120.0  # between two checkpoints, unless the settings count steps
CHECKPOINT_SHARE = 0.05  # of a run's time, at most, goes into them then
MEASUREMENTS = 4  # of the CER in a run, beside the one of the base model
LOGGED_LOSSES = 10  # steps at both ends of a run whose mean loss is kept
LOCAL_SETTINGS = (
    "data",
    "output",
    "base",
    "start_from",
)  # tell of this machine; the contract has the base


def train_adapter(
    config: TrainConfig,
    emit: Emit = silent,
    stop_requested: Callable[[], bool] = never,
    resume: bool = False,
    limits: Limits = NO_LIMITS,
) -> Path:
    """Fine-tune the base model and return the adapter's folder, `OUTPUT/adapter`.

    The weights with the lowest CER on the validation sample are kept. Asked to stop, the run ends
    after the step it is in and keeps the weights of that moment, and a checkpoint. With `resume` it
    goes on from the checkpoint in `config.output`, to the same losses and weights as if it had
    never been interrupted. Started once for each GPU by `accelerate launch`, the processes share
    the work, and the first one writes and tells.
    """
    use_cores()
    ranks = join_ranks()
    if not ranks.is_first:
        emit = silent
    torch.manual_seed(config.seed)
    folder = Path(config.output)
    if resume:
        require_checkpoint(folder)
    whole = load_samples(config.data, "train")
    train = draw_allowed(whole, limits.max_samples, config.seed)
    validation = choose_samples(load_samples(config.data, "validation"), config)
    loaded, why = open_base(config)
    start = start_folder(config, resume)
    told = follow_start(loaded, config, start)
    choice = choose_layout(loaded, config, train)
    train = choose_share(config, train)
    if not resume and ranks.is_first:
        clear(folder)
        config.save(folder / "config.json")

    def log(event: Event) -> None:
        if ranks.is_first:
            append_event(folder / "log.jsonl", event)
            emit(event)

    if cut := limits.cut_words(len(whole)):
        log(Note(cut))
    if choice:
        log(Note(choice.reason()))
    for words in told:
        log(Note(words))
    examined = examine_samples(loaded, train, log)
    config = config.with_steps(len(examined.examples))
    limits.refuse_long(config.steps)
    config = put_lora(loaded, config, start)
    identity = describe_identity(config, loaded.contract, [*train, *validation])
    state = load_checkpoint(folder, identity) if resume else None
    if state:
        refuse_shorter(state["steps"], config.steps)
    if ranks.is_first:
        config.save(folder / "config.json")
    sizes = measure_samples(loaded, examined.examples)
    refuse_full_disk(loaded, sizes)
    with explaining_memory():
        pair = set_up(config, loaded, examined, validation, log, ranks)
        run = Run(*pair, log, identity)
        if state is None:
            log(describe_start(*pair, examined, sizes, choice))
            log(Note(describe_run(run.learner, len(validation))))
            if loaded.device.type == "cuda":
                log(Note(why))
            if idle := run.idle_early_stop():
                log(Note(idle))
        else:
            run.resume(state)
        run.go(stop_requested)
    log(Note(run.outcome()))
    log(Saved("adapter", str(run.folder)))
    return run.folder


def clear(folder: Path) -> None:
    """Remove what an earlier run left in the folder: it would pass for this run's."""
    if (folder / "adapter" / CONTRACT).exists():
        shutil.rmtree(folder / "adapter")
    remove_checkpoint(folder)
    (folder / "log.jsonl").unlink(missing_ok=True)


def check_run(config: TrainConfig, emit: Emit = silent, limits: Limits = NO_LIMITS) -> Preflight:
    """Return what a run would take, without training; nothing is written to its folder.

    The features that had to be computed are kept for the run.
    """
    use_cores()
    torch.manual_seed(config.seed)
    whole = load_samples(config.data, "train")
    train = draw_allowed(whole, limits.max_samples, config.seed)
    if cut := limits.cut_words(len(whole)):
        emit(Note(cut))
    validation = choose_samples(load_samples(config.data, "validation"), config)
    loaded, _ = open_base(config)
    start = start_folder(config)
    for words in follow_start(loaded, config, start):
        emit(Note(words))
    choice = choose_layout(loaded, config, train)
    train = choose_share(config, train)
    examined = examine_samples(loaded, train, emit)
    config = config.with_steps(len(examined.examples))
    limits.refuse_long(config.steps)
    config = put_lora(loaded, config, start)
    sizes = measure_samples(loaded, examined.examples)
    refuse_full_disk(loaded, sizes)
    with explaining_memory():
        pair = set_up(config, loaded, examined, validation, emit)
        told = describe_start(*pair, examined, sizes, choice)
    emit(told)
    return told


def open_base(config: TrainConfig) -> tuple[LoadedModel, str]:
    """Return the base model of a run under its engine, and why it is that engine."""
    engine, why = choose_engine(config)
    unsloth = Unsloth() if engine == UNSLOTH else None
    return load_base(config.base, config.layout, prompt=config.prompt, engine=unsloth), why


def start_folder(config: TrainConfig, resume: bool = False) -> Path | None:
    """Return the adapter that a run begins with; None for fresh weights.

    A run that goes on needs only its layers, which its own adapter has, too.
    """
    if not config.start_from:
        return None
    own = Path(config.output) / "adapter"
    if resume and (own / ADAPTER_WEIGHTS).is_file():
        return own
    return folder_of(config.start_from)


def follow_start(loaded: LoadedModel, config: TrainConfig, start: Path | None) -> list[str]:
    """Let the model be asked as the adapter was that the run begins with; returns what to tell.

    A layout or a prompt that somebody chose goes before it.
    """
    if start is None:
        return []
    theirs, ours = contract_for(loaded, start), loaded.contract
    refuse_other_base(ours, theirs)
    loaded.contract = replace(
        theirs,
        base_model=ours.base_model,
        revision=ours.revision,
        prompt=ours.prompt if config.prompt else theirs.prompt,
        layout=theirs.layout if config.layout == AUTO else ours.layout,
    )
    refuse_unknown_layout(loaded.family, loaded.contract.layout)
    words = f"The run begins with the weights of `{shown_name(config.start_from)}`"
    kept = theirs.differences(loaded.contract)
    told = [f"{words}, whose layers, prompt and layout it keeps."]
    return told + [f"It was trained under another contract: {one}." for one in kept]


def put_lora(loaded: LoadedModel, config: TrainConfig, start: Path | None) -> TrainConfig:
    """Put the weights that learn on the model; returns the settings as these weights have them."""
    if start is None:
        add_lora(loaded, config)
        return config
    lora = continue_lora(loaded, start, config.lora_dropout)
    return replace(
        config,
        lora_rank=lora.r,
        lora_alpha=max(1, round(lora.lora_alpha)),
        lora_experts="yes" if lora.target_parameters else "no",
        lora_vision="yes" if trains_vision(loaded) else "no",
    )


def choose_layout(
    loaded: LoadedModel, config: TrainConfig, samples: Sequence[Sample]
) -> LayoutChoice | None:
    """Give the model the layout that suits the samples, if that is asked for, and say why."""
    if config.layout != AUTO or config.start_from:  # whose own one is kept
        return None
    return settle_layout(loaded, [s.picture for s in samples], [s.text for s in samples])


def choose_share(config: TrainConfig, train: Sequence[Sample]) -> list[Sample]:
    """Return the samples that a run learns from."""
    if config.fraction == 1:
        return list(train)
    groups = groups_of(config.data, [sample.picture_id for sample in train])
    return share_of(train, config.fraction, config.seed, groups)


def set_up(
    config: TrainConfig,
    loaded: LoadedModel,
    examined: Examined,
    validation: Sequence[Sample],
    emit: Emit,
    ranks: Ranks = ALONE,
) -> tuple[Learner, Validation]:
    """Return what a run needs for its first step; the pictures' features are computed."""
    learner = Learner(loaded, config, examined.examples, emit, ranks)
    return learner, Validation(loaded, validation, emit, learner.in_full, ranks)


def describe_start(
    learner: Learner,
    validation: Validation,
    examined: Examined,
    sizes: Sequence[SampleSizes],
    choice: LayoutChoice | None,
) -> Preflight:
    """Return what the run will take, after a dry step has settled how its batches fit."""
    count = len(measurement_steps(learner.config)) + 1  # the base model is measured too
    return inspect_run(learner, validation, examined, sizes, choice, count)


@contextmanager
def explaining_memory() -> Iterator[None]:
    """Turn the lack of memory for a single sample into words."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            "The accelerator's memory is too small even for one sample at a time.",
            "Choose a layout with fewer tokens, cut the longest picture in parts, use a smaller "
            "`--lora-rank`, or end other programs that use the accelerator.",
        ) from error


def measurement_steps(config: TrainConfig) -> set[int]:
    """Return after which steps the CER is measured."""
    every = config.evaluate_every or math.ceil(config.steps / MEASUREMENTS)
    return {*range(every, config.steps, every), config.steps}


class Run:
    """The course of one run: steps, measurements, and which weights the adapter holds."""

    def __init__(
        self, learner: Learner, validation: Validation, emit: Emit, identity: dict[str, Any]
    ) -> None:
        self.learner = learner
        self.ranks = learner.ranks
        self.validation = validation
        self.emit = emit
        self.identity = identity  # of the run, as its checkpoints tell it
        self.config = learner.config
        self.folder = Path(self.config.output) / "adapter"
        self.started = time.perf_counter()
        self.step_seconds = 0.0  # of all steps together
        self.checkpointed = self.started  # when the last checkpoint was saved
        self.checkpoint_seconds = 0.0  # that saving it took
        self.stopped = False
        self.ended_early = False  # for want of a better CER
        self.kept_step = 0
        self.due = measurement_steps(self.config)

    @property
    def steps(self) -> int:
        return len(self.learner.losses)

    def go(self, stop_requested: Callable[[], bool]) -> None:
        """Train to the end, or until asked to stop, and write the adapter."""
        begun = self.steps
        while True:
            if self.ranks.any(stop_requested(), self.learner.loaded.device):
                return self.stop()
            try:
                self.measure_if_due(stop_requested)
            except MeasuringStoppedError:
                return self.stop()
            if self.steps > begun and self.is_checkpoint_due():
                self.save_checkpoint()
            if self.is_over():
                break
            before = time.perf_counter()
            self.learner.step()
            self.step_seconds += time.perf_counter() - before
            self.report_step()
        self.validation.restore_best()
        self.save(self.validation.best_step)
        if self.ranks.is_first:
            remove_checkpoint(self.folder.parent)

    def is_over(self) -> bool:
        """Return whether no more steps are to come: all are done, or no more of them help."""
        if self.steps == self.config.steps or not self.config.early_stop:
            return self.steps == self.config.steps
        if self.validation.stale() < self.config.early_stop:
            return False
        self.ended_early = True
        return True

    def measure_if_due(self, stop_requested: Callable[[], bool]) -> None:
        """Measure the CER where that is due and not yet done; the best weights are saved.

        A MeasuringStoppedError when asked to stop meanwhile: the measurement is made after Resume.
        Processes that share the work finish it together.
        """
        if self.steps not in {0, *self.due} or self.steps in self.validation.cers:
            return
        if self.ranks.count > 1:
            stop_requested = never
        if self.validation.measure(self.steps, stop_requested):
            self.save(self.steps)

    def stop(self) -> None:
        """Keep the weights as they are, and what it takes to go on from here."""
        self.stopped = True
        self.save(self.steps)
        self.save_checkpoint()

    def is_checkpoint_due(self) -> bool:
        """Return whether losing what was learned since the last checkpoint would hurt."""
        if self.steps == self.config.steps:
            return False
        if self.config.checkpoint_every:
            return self.steps % self.config.checkpoint_every == 0
        patience = max(CHECKPOINT_SECONDS, self.checkpoint_seconds / CHECKPOINT_SHARE)
        return time.perf_counter() - self.checkpointed >= patience

    def save_checkpoint(self) -> None:
        """Save everything that the rest of the run depends on."""
        if not self.ranks.is_first:
            return
        started = time.perf_counter()
        state = {
            "learner": self.learner.state(),
            "validation": self.validation.state(),
            "step_seconds": self.step_seconds,
            "seconds": started - self.started,
            "steps": self.config.steps,
        }
        try:
            save_checkpoint(self.folder.parent, self.identity, state)
        except TrainingError as error:  # no reason to lose the run
            self.emit(Note(f"{error} The run goes on without it."))
        self.checkpointed = time.perf_counter()
        self.checkpoint_seconds = self.checkpointed - started

    def resume(self, state: dict[str, Any]) -> None:
        """Go on where the run was when it saved that state, and tell so."""
        self.learner.restore(state["learner"])
        self.validation.restore(state["validation"])
        self.step_seconds = state["step_seconds"]
        self.started = time.perf_counter() - state["seconds"]
        if self.ranks.is_first:
            rewind_events(self.folder.parent / "log.jsonl", self.steps)
        self.emit(Resumed(self.steps, self.config.steps))
        self.emit(Note(f"The run goes on after step {self.steps} of {self.config.steps}."))
        if state["steps"] != self.config.steps:
            self.emit(Note(lengthened(state["steps"], self.config)))

    def idle_early_stop(self) -> str:
        """Return a sentence on an early stop that cannot come about; empty if it can."""
        asked = self.config.early_stop
        if not asked:
            return ""
        if not self.validation.samples:
            return "Without a validation split there is no CER that could end the run early."
        if len(self.due) > asked:
            return ""
        return (
            f"The CER is measured {len(self.due)} times: `--early-stop {asked}` can end nothing. "
            "Measure more often with `--evaluate-every`."
        )

    def report_step(self) -> None:
        """Tell that a step is finished, and when all of them will be."""
        measured = self.validation.seconds / len(self.validation.cers)
        left = self.step_seconds / self.steps * (self.config.steps - self.steps)
        left += measured * sum(step >= self.steps for step in self.due)
        seconds = time.perf_counter() - self.started
        used = used_bytes(self.learner.loaded.device)
        self.emit(Step(self.steps, self.config.steps, self.learner.losses[-1], seconds, left, used))

    def save(self, step: int) -> None:
        """Write the adapter with the weights as they are, those of `step`."""
        self.kept_step = step
        if not self.ranks.is_first:
            return
        with self.learner.in_full():
            save_adapter(self.learner.loaded, self.folder, self.details())

    def details(self) -> dict:
        """Return what to know of the run, JSON-ready; no path of this machine is in it."""
        cers, losses = self.validation.cers, self.learner.losses
        examples, parameters = self.learner.examples, self.learner.parameters
        settings = asdict(self.config) | {"learning_rate": self.learner.learning_rate}
        start = shared_name(self.config.start_from)
        begun = {}
        if self.config.start_from:  # a folder is not named: it tells of this machine
            begun = {"start_from": start.address if start else "a folder", "start_cer": cers.get(0)}
        return begun | {
            "steps": self.steps,
            "stopped": self.stopped,
            "ended_early": self.ended_early,
            "kept_step": self.kept_step,
            "kept_because": "stopped there" if self.stopped else "lowest validation CER",
            "base_cer": None if begun else cers.get(0),
            "validation_cer": cers.get(self.kept_step) if self.kept_step else None,
            "validation_samples": len(self.validation.samples),
            "cers": [{"step": step, "cer": cer} for step, cer in cers.items()],
            "first_loss": mean_loss(losses[:LOGGED_LOSSES]),
            "last_loss": mean_loss(losses[-LOGGED_LOSSES:]),
            "train_samples": len(examples),
            "supervised_tokens": sum(len(example.completion) for example in examples),
            "trainable_parameters": sum(parameter.numel() for parameter in parameters),
            "settings": {k: v for k, v in settings.items() if k not in LOCAL_SETTINGS},
            "seconds": round(time.perf_counter() - self.started, 1),
            "hardware": describe_hardware(self.learner.loaded.device, self.ranks.count),
            "versions": {name: version(name) for name in ("torch", "transformers", "peft")},
        }

    def outcome(self) -> str:
        """Return a sentence on which weights were kept, and what they are worth."""
        if self.stopped:
            return (
                f"Stopped after step {self.steps}; the adapter holds the weights of that moment, "
                "and `--resume` goes on from there."
            )
        early = ""
        if self.ended_early:
            early = (
                f"The run ended after step {self.steps} of {self.config.steps}: "
                f"{self.config.early_stop} measurements in a row brought no better CER. "
            )
        return early + self.kept()

    def kept(self) -> str:
        """Return a sentence on the weights that a finished run keeps."""
        before, after = self.validation.cers[0], self.validation.cers[self.kept_step]
        if before is None or after is None:
            return f"The adapter holds the weights of step {self.kept_step}, the last one."
        first = "base model"
        if self.config.start_from:
            first = f"`{shown_name(self.config.start_from)}`"
        the_first = first if self.config.start_from else f"the {first}"
        measured = f"{percent(after)} CER on the validation sample, {first} {percent(before)}"
        if after >= before:
            return (
                f"The tuned model reads no better than {the_first} ({measured}). "
                "More samples or more steps may help."
            )
        return (
            f"The adapter holds the weights of step {self.kept_step} of {self.steps}: {measured}."
        )


def describe_run(learner: Learner, validation_samples: int) -> str:
    """Return a sentence on what is about to happen."""
    count = sum(parameter.numel() for parameter in learner.parameters)
    config, samples = learner.config, len(learner.examples)
    passes = config.steps * config.batch_size / samples
    adapted = ["the text model"]
    adapted += ["its experts"] * adapts_experts(learner.loaded, config)
    adapted += ["vision"] * trains_vision(learner.loaded)
    return (
        f"Fine-tuning `{learner.loaded.contract.base_model}` on {samples} samples for "
        f"{config.steps} steps of {config.batch_size}: {passes:.2g} passes over them, measured on "
        f"{validation_samples} others. {count:,} weights learn, in {listed(adapted)}."
    )


def listed(words: Sequence[str]) -> str:
    """Return the words as they stand in a sentence: `one`, `one and two`, `one, two and three`."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def refuse_shorter(planned: int, wanted: int) -> None:
    """Raise a TrainingError if a resumed run shall take fewer steps than were planned."""
    if wanted < planned:
        raise TrainingError(
            f"The run was planned for {planned} steps; {wanted} are fewer.",
            "Leave `--steps` out, or give more.",
        )


def lengthened(steps: int, config: TrainConfig) -> str:
    """Return a sentence on what more steps than the `steps` planned first mean for the rate."""
    words = f"The run was planned for {steps} steps and now takes {config.steps}."
    if config.schedule == "constant":
        return words
    return f"{words} From here on the learning rate is that of a run of {config.steps} steps."


def mean_loss(losses: Sequence[float]) -> float | None:
    """Return the mean; None before the first step."""
    return round(fmean(losses), 4) if losses else None
