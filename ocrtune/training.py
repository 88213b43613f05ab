"""Fine-tuning: a LoRA run on the train split, watched by its CER on the validation split."""

import math
import platform
import random
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from statistics import fmean

import torch
import torch.nn.functional as F
from torch import Tensor

from ocrtune.augmenting import augment
from ocrtune.config import TrainConfig
from ocrtune.dataset import load_samples
from ocrtune.errors import DatasetError, TrainingError
from ocrtune.events import Emit, Event, Note, Saved, Step, append_event, silent
from ocrtune.examples import Example, batch_order, choose_samples, make_examples
from ocrtune.families.deepseek_ocr_model import IGNORE_INDEX
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import add_lora, load_base, save_adapter, trains_vision
from ocrtune.features import encode_samples, encode_views, open_picture
from ocrtune.reading import elongation, use_cores
from ocrtune.report_page import percent
from ocrtune.validation import Validation

MEASUREMENTS = 4  # of the CER in a run, beside the one of the base model
LARGEST_GRADIENT = 1.0  # its norm is cut to this
LOGGED_LOSSES = 10  # steps at both ends of a run whose mean loss is kept


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
    run = Path(config.output)
    train = load_samples(config.data, "train")
    validation = choose_samples(load_samples(config.data, "validation"), config)
    loaded = load_base(config.base, config.layout)
    shutil.rmtree(run / "adapter", ignore_errors=True)  # it would pass for the one of this run
    config.save(run / "config.json")
    (run / "log.jsonl").unlink(missing_ok=True)

    def log(event: Event) -> None:
        append_event(run / "log.jsonl", event)
        emit(event)

    examples = make_examples(loaded, train, log)
    add_lora(loaded, config)
    try:
        tuner = Tuner(loaded, config, examples, Validation(loaded, validation, log), log)
        tuner.run(stop_requested)
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"The accelerator's memory is too small for batches of {config.batch_size}.",
            f"Use `--batch-size {max(1, config.batch_size // 2)}`.",
        ) from error
    log(Note(tuner.outcome()))
    log(Saved("adapter", str(tuner.folder)))
    return tuner.folder


class Tuner:
    """One run: the model that learns, what it learns from, and how far it is."""

    def __init__(
        self,
        loaded: LoadedModel,
        config: TrainConfig,
        examples: Sequence[Example],
        validation: Validation,
        emit: Emit,
    ) -> None:
        self.loaded = loaded
        self.config = config
        self.examples = examples
        self.validation = validation
        self.emit = emit
        self.folder = Path(config.output) / "adapter"
        self.started = time.perf_counter()
        self.losses: list[float] = []  # one a step
        self.step_seconds = 0.0  # of all steps together
        self.stopped = False
        self.kept_step = 0  # whose weights the adapter holds
        self.random = random.Random(config.seed)
        self.features: list[Tensor] = []  # of the examples, where vision is not trained
        if not trains_vision(loaded):
            pictures = [(example.picture_id, example.picture) for example in examples]
            self.features = [
                require_features(example, feature)
                for example, feature in zip(
                    examples, encode_samples(loaded, pictures, emit), strict=True
                )
            ]
        self.parameters = [p for p in loaded.model.parameters() if p.requires_grad]
        self.learning_rate = config.learning_rate or loaded.family.learning_rate
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=self.learning_rate, weight_decay=config.weight_decay
        )
        self.dtype = loaded.network.lm_head.weight.dtype
        self.scaler = torch.amp.GradScaler(loaded.device.type, enabled=self.dtype == torch.float16)

    def run(self, stop_requested: Callable[[], bool]) -> None:
        """Train to the end, or until asked to stop, and write the adapter."""
        steps = self.config.steps
        every = self.config.evaluate_every or math.ceil(steps / MEASUREMENTS)
        due = {*range(every, steps, every), steps}
        batches = batch_order(self.lengths(), self.config.batch_size, self.config.seed)
        self.validation.measure(0)
        while len(self.losses) < steps:
            if stop_requested():
                self.stopped = True
                break
            before = time.perf_counter()
            self.losses.append(self.step(next(batches)))
            self.step_seconds += time.perf_counter() - before
            self.report_step(due)
            if len(self.losses) in due and self.validation.measure(len(self.losses)):
                self.save(len(self.losses))
        if self.stopped:
            self.save(len(self.losses))
        else:
            self.validation.restore_best()
            self.save(self.validation.best_step)

    def report_step(self, due: set[int]) -> None:
        """Tell that a step is finished, and when all of them will be."""
        done, steps = len(self.losses), self.config.steps
        a_measurement = self.validation.seconds / max(1, len(self.validation.cers))
        left = self.step_seconds / done * (steps - done)
        left += a_measurement * sum(step >= done for step in due)
        seconds = time.perf_counter() - self.started
        self.emit(Step(done, steps, self.losses[-1], seconds, left))

    def lengths(self) -> list[float]:
        """Return what grows with the number of tokens of each example."""
        if not self.features:
            return [elongation(example.picture) for example in self.examples]
        return [
            len(feature) + len(example.completion)
            for feature, example in zip(self.features, self.examples, strict=True)
        ]

    def step(self, batch: Sequence[int]) -> float:
        """Learn from some examples and return their mean loss."""
        self.loaded.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate * rate_factor(len(self.losses), self.config)
        device = self.loaded.device
        with self.autocast():
            features = self.look_at(batch)
            ids, labels = pad_right(
                [self.loaded.prompt_ids(len(feature)) for feature in features],
                [self.examples[index].completion for index in batch],
                self.loaded.network.config.pad_token_id,
            )
            loss = batch_loss(self.loaded, ids.to(device), labels.to(device), torch.cat(features))
        value = loss.item()
        if not math.isfinite(value):
            raise TrainingError(
                f"The loss is {value} at step {len(self.losses) + 1}: the weights ran away.",
                f"Train again with a smaller rate: `--learning-rate {self.learning_rate / 4:g}`.",
            )
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)
        torch.nn.utils.clip_grad_norm_(self.parameters, LARGEST_GRADIENT)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return value

    def look_at(self, batch: Sequence[int]) -> list[Tensor]:
        """Return the features of some examples: computed before, or now and with a gradient."""
        if self.features:
            return [self.features[index].to(self.loaded.device) for index in batch]
        views = []
        for example in (self.examples[index] for index in batch):
            try:
                picture = open_picture(example.picture)
            except DatasetError as error:
                raise broken_picture(example) from error
            if self.config.augment:
                picture = augment(picture, self.random)
            views.append(self.loaded.lay_out(picture))
        return encode_views(self.loaded, views)

    def autocast(self) -> AbstractContextManager:
        """Return the context in which the network computes in its own precision."""
        if self.dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self.loaded.device.type, self.dtype)

    def save(self, step: int) -> None:
        """Write the adapter with the weights as they are, those of `step`."""
        self.kept_step = step
        save_adapter(self.loaded, self.folder, self.details())

    def details(self) -> dict:
        """Return what to know of the run, JSON-ready; no path of this machine is in it."""
        cers = self.validation.cers
        return {
            "steps": len(self.losses),
            "steps_planned": self.config.steps,
            "stopped": self.stopped,
            "kept_step": self.kept_step,
            "kept_because": "stopped there" if self.stopped else "lowest validation CER",
            "base_cer": cers.get(0),
            "validation_cer": cers.get(self.kept_step) if self.kept_step else None,
            "validation_samples": len(self.validation.samples),
            "cers": [{"step": step, "cer": cer} for step, cer in cers.items()],
            "first_loss": mean_loss(self.losses[:LOGGED_LOSSES]),
            "last_loss": mean_loss(self.losses[-LOGGED_LOSSES:]),
            "train_samples": len(self.examples),
            "supervised_tokens": sum(len(example.completion) for example in self.examples),
            "trainable_parameters": sum(p.numel() for p in self.parameters),
            "learning_rate": self.learning_rate,
            "settings": {
                name: value
                for name, value in asdict(self.config).items()
                if name not in ("data", "output", "base", "learning_rate")
            },
            "seconds": round(time.perf_counter() - self.started, 1),
            "hardware": describe_hardware(self.loaded.device),
            "versions": {name: version(name) for name in ("torch", "transformers", "peft")},
        }

    def outcome(self) -> str:
        """Return a sentence on which weights were kept, and what they are worth."""
        done, cers = len(self.losses), self.validation.cers
        if self.stopped:
            return f"Stopped after step {done}; the adapter holds the weights of that moment."
        before, after = cers.get(0), cers.get(self.kept_step)
        if before is None or after is None:
            return f"The adapter holds the weights of step {self.kept_step}, the last ones."
        measured = f"{percent(after)} CER on the validation sample, base model {percent(before)}"
        if after >= before:
            return (
                f"The tuned model reads no better than the base model ({measured}). "
                "More samples or more steps may help."
            )
        return f"The adapter holds the weights of step {self.kept_step} of {done}: {measured}."


def require_features(example: Example, feature: Tensor | None) -> Tensor:
    """Return the features of an example; a TrainingError if there are none."""
    if feature is None:
        raise broken_picture(example)
    return feature


def broken_picture(example: Example) -> TrainingError:
    """Return the error for a picture that was sound when the dataset was built."""
    return TrainingError(
        f"The picture `{example.picture_id}` of the train split cannot be used.",
        "Build the dataset again.",
    )


def pad_right(
    prompts: Sequence[Sequence[int]], completions: Sequence[Sequence[int]], padding: int
) -> tuple[Tensor, Tensor]:
    """Return ids and labels, int64 [samples, longest]; only the completions have labels."""
    longest = max(len(p) + len(c) for p, c in zip(prompts, completions, strict=True))
    ids = torch.full((len(prompts), longest), padding)
    labels = torch.full((len(prompts), longest), IGNORE_INDEX)
    for row, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        end = len(prompt) + len(completion)
        ids[row, :end] = torch.tensor([*prompt, *completion])
        labels[row, len(prompt) : end] = torch.tensor(completion)
    return ids, labels


def batch_loss(loaded: LoadedModel, ids: Tensor, labels: Tensor, features: Tensor) -> Tensor:
    """Return the mean loss per supervised token, as the network's own `labels` would give it.

    features: [all image tokens, width]. The head, which is wide, sees supervised places only. Rows
    are padded on the right, where causal attention never looks, so they need no mask.
    """
    network = loaded.network
    hidden = network.model.language_model(
        inputs_embeds=network.model.embed(ids, features), use_cache=False
    ).last_hidden_state
    wanted = labels[:, 1:]
    supervised = wanted != IGNORE_INDEX
    logits = network.lm_head(hidden[:, :-1][supervised])
    return F.cross_entropy(logits.float(), wanted[supervised])


def rate_factor(step: int, config: TrainConfig) -> float:
    """Return the share of the learning rate at a step from 0: up within the warm-up, then down."""
    warm = min(1.0, (step + 1) / max(1, config.warmup_steps))
    return warm * (1 - step / config.steps)


def mean_loss(losses: Sequence[float]) -> float | None:
    """Return the mean; None before the first step."""
    return round(fmean(losses), 4) if losses else None


def describe_hardware(device: torch.device) -> str:
    """Return what computed, for people."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.get_num_threads()} CPU cores, {platform.machine()}"
