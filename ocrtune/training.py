"""Fine-tuning: a LoRA run on the train split, watched by its CER on the validation split."""

import math
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from statistics import fmean

import torch

from ocrtune.config import TrainConfig
from ocrtune.dataset import load_samples
from ocrtune.errors import TrainingError
from ocrtune.events import Emit, Event, Note, Saved, Step, append_event, silent
from ocrtune.examples import choose_samples, make_examples
from ocrtune.families.loading import CONTRACT, add_lora, load_base, save_adapter
from ocrtune.learner import Learner
from ocrtune.reading import use_cores
from ocrtune.report_page import percent
from ocrtune.validation import Validation

MEASUREMENTS = 4  # of the CER in a run, beside the one of the base model
LOGGED_LOSSES = 10  # steps at both ends of a run whose mean loss is kept
LOCAL_SETTINGS = ("data", "output", "base")  # tell of this machine; the contract has the base


def train_adapter(
    config: TrainConfig,
    emit: Emit = silent,
    stop_requested: Callable[[], bool] = lambda: False,
) -> Path:
    """Fine-tune the base model and return the adapter's folder, `OUTPUT/adapter`.

    The weights with the lowest CER on the validation sample are kept. Asked to stop, the run ends
    after the step it is in and keeps the weights of that moment.
    """
    use_cores()
    torch.manual_seed(config.seed)
    folder = Path(config.output)
    train = load_samples(config.data, "train")
    validation = choose_samples(load_samples(config.data, "validation"), config)
    loaded = load_base(config.base, config.layout, prompt=config.prompt)
    if (folder / "adapter" / CONTRACT).exists():  # an older one would pass for this run's
        shutil.rmtree(folder / "adapter")
    config.save(folder / "config.json")
    (folder / "log.jsonl").unlink(missing_ok=True)

    def log(event: Event) -> None:
        append_event(folder / "log.jsonl", event)
        emit(event)

    examples = make_examples(loaded, train, log)
    add_lora(loaded, config)
    try:
        learner = Learner(loaded, config, examples, log)
        log(Note(describe_run(learner, len(validation))))
        run = Run(learner, Validation(loaded, validation, log), log)
        run.go(stop_requested)
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"The accelerator's memory is too small for batches of {config.batch_size}.",
            f"Use `--batch-size {max(1, config.batch_size // 2)}`.",
        ) from error
    log(Note(run.outcome()))
    log(Saved("adapter", str(run.folder)))
    return run.folder


class Run:
    """The course of one run: steps, measurements, and which weights the adapter holds."""

    def __init__(self, learner: Learner, validation: Validation, emit: Emit) -> None:
        self.learner = learner
        self.validation = validation
        self.emit = emit
        self.config = learner.config
        self.folder = Path(self.config.output) / "adapter"
        self.started = time.perf_counter()
        self.step_seconds = 0.0  # of all steps together
        self.stopped = False
        self.kept_step = 0
        every = self.config.evaluate_every or math.ceil(self.config.steps / MEASUREMENTS)
        self.due = {*range(every, self.config.steps, every), self.config.steps}  # measurements

    @property
    def steps(self) -> int:
        return len(self.learner.losses)

    def go(self, stop_requested: Callable[[], bool]) -> None:
        """Train to the end, or until asked to stop, and write the adapter."""
        self.validation.measure(0)
        while self.steps < self.config.steps:
            if stop_requested():
                self.stopped = True
                self.save(self.steps)
                return
            before = time.perf_counter()
            self.learner.step()
            self.step_seconds += time.perf_counter() - before
            self.report_step()
            if self.steps in self.due and self.validation.measure(self.steps):
                self.save(self.steps)
        self.validation.restore_best()
        self.save(self.validation.best_step)

    def report_step(self) -> None:
        """Tell that a step is finished, and when all of them will be."""
        measured = self.validation.seconds / len(self.validation.cers)
        left = self.step_seconds / self.steps * (self.config.steps - self.steps)
        left += measured * sum(step >= self.steps for step in self.due)
        seconds = time.perf_counter() - self.started
        self.emit(Step(self.steps, self.config.steps, self.learner.losses[-1], seconds, left))

    def save(self, step: int) -> None:
        """Write the adapter with the weights as they are, those of `step`."""
        self.kept_step = step
        save_adapter(self.learner.loaded, self.folder, self.details())

    def details(self) -> dict:
        """Return what to know of the run, JSON-ready; no path of this machine is in it."""
        cers, losses = self.validation.cers, self.learner.losses
        examples, parameters = self.learner.examples, self.learner.parameters
        settings = asdict(self.config) | {"learning_rate": self.learner.learning_rate}
        return {
            "steps": self.steps,
            "stopped": self.stopped,
            "kept_step": self.kept_step,
            "kept_because": "stopped there" if self.stopped else "lowest validation CER",
            "base_cer": cers[0],
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
            "hardware": describe_hardware(self.learner.loaded.device),
            "versions": {name: version(name) for name in ("torch", "transformers", "peft")},
        }

    def outcome(self) -> str:
        """Return a sentence on which weights were kept, and what they are worth."""
        if self.stopped:
            return f"Stopped after step {self.steps}; the adapter holds the weights of that moment."
        before, after = self.validation.cers[0], self.validation.cers[self.kept_step]
        if before is None or after is None:
            return f"The adapter holds the weights of step {self.kept_step}, the last one."
        measured = f"{percent(after)} CER on the validation sample, base model {percent(before)}"
        if after >= before:
            return (
                f"The tuned model reads no better than the base model ({measured}). "
                "More samples or more steps may help."
            )
        return (
            f"The adapter holds the weights of step {self.kept_step} of {self.steps}: {measured}."
        )


def describe_run(learner: Learner, validation_samples: int) -> str:
    """Return a sentence on what is about to happen."""
    count = sum(parameter.numel() for parameter in learner.parameters)
    return (
        f"Fine-tuning `{learner.loaded.contract.base_model}` on {len(learner.examples)} samples, "
        f"measured on {validation_samples}; {count:,} weights learn."
    )


def mean_loss(losses: Sequence[float]) -> float | None:
    """Return the mean; None before the first step."""
    return round(fmean(losses), 4) if losses else None


def describe_hardware(device: torch.device) -> str:
    """Return what computed, for people."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.get_num_threads()} CPU cores, {platform.machine()}"
