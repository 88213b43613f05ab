"""One optimizer step after the other: what a batch looks like, and what its loss teaches."""

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from importlib import import_module
from threading import Thread
from typing import TypeVar

import torch
from torch import Tensor

from ocrtune.augmenting import augment
from ocrtune.config import TrainConfig
from ocrtune.errors import DatasetError, TrainingError
from ocrtune.events import Emit, Note
from ocrtune.examples import Example, batch_order
from ocrtune.families.deepseek_ocr_model import IGNORE_INDEX, PictureViews
from ocrtune.families.experts import can_be_recorded, rehearse
from ocrtune.families.flat import FlatWeights
from ocrtune.families.image_text import Lessons, Sight, WholePass
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import has_fixed_features
from ocrtune.families.text_pass import read_rows, read_rows_by_model
from ocrtune.features import encode_samples, encode_views, open_picture, pixels
from ocrtune.graphs import Portion, Recorder
from ocrtune.ranks import ALONE, Ranks
from ocrtune.reading import elongation

LARGEST_GRADIENT = 1.0  # its norm is cut to this
# Of pictures that go through the vision towers together when these learn: on a CPU, SAM's attention
# alone keeps some 550 bytes a pixel of a line for the way back.
PIXELS_WITH_GRADIENT = 300_000
# Recorded graphs are used again for rows and answers of about the same length.
ROW_STEP, ANSWER_STEP = 32, 128

T = TypeVar("T")
Lesson = tuple[Tensor | PictureViews | Sight, list[int]]  # what is seen, and the answer to it


@dataclass
class Batch:
    """What one process learns from in one step."""

    lessons: list[Lesson]
    supervised: int  # answers' tokens of all processes together
    portions: list[Portion] = field(default_factory=list)  # made ahead
    most: int = 0  # lessons of each of them; 0: they are not made


class Learner:
    """The model with its LoRA weights, their optimizer, and the examples they learn from."""

    def __init__(
        self,
        loaded: LoadedModel,
        config: TrainConfig,
        examples: Sequence[Example],
        emit: Emit,
        ranks: Ranks = ALONE,
    ) -> None:
        self.loaded = loaded
        self.config = config
        self.examples = examples
        self.emit = emit
        self.ranks = ranks
        self.losses: list[float] = []  # one a step, mean per supervised token
        self.features: Sequence[Tensor] = []  # of the examples, where vision is not trained
        self.features_seconds = 0.0  # that computing them took
        self.dtype = loaded.network.lm_head.weight.dtype
        on_gpu = loaded.device.type == "cuda"
        # Graphs are recorded on a stream of their own, and gradients stay on the one they began on.
        self.stream = torch.cuda.Stream(loaded.device) if on_gpu else None
        own = loaded.engine is None
        warm = Thread(target=warm_up, args=(loaded, config), daemon=True)
        warm.start()
        if has_fixed_features(loaded):
            started = time.perf_counter()
            self.features = self.compute_features(emit)
            self.features_seconds = time.perf_counter() - started
        self.parameters = [p for p in loaded.model.parameters() if p.requires_grad]
        # Unsloth wants the LoRA weights in fp32, and brings them to the network's precision itself.
        self.flat = FlatWeights(self.parameters, self.dtype if own else torch.float32)
        ranks.share(self.flat.master.data)
        self.flat.publish()
        self.learning_rate = config.learning_rate or loaded.family.learning_rate
        warm.join()
        self.optimizer = make_optimizer(self.flat.master, self.learning_rate, config)
        self.scaler = torch.amp.GradScaler(loaded.device.type, enabled=self.dtype == torch.float16)
        self.scaler.scale(torch.zeros((), device=loaded.device))  # else it knows no scale yet
        # Samples that go through the model together; see `fit`.
        self.micro_batch = config.micro_batch or config.batch_size
        recompute = config.checkpointing == "yes"
        if loaded.keeps_features:
            self.recorder = Recorder(
                loaded.network,
                recompute,
                record=own
                and on_gpu
                and not config.lora_dropout
                and can_be_recorded(loaded.network),
                read=read_rows if own else read_rows_by_model,
            )
        else:
            self.recorder = WholePass(loaded, recompute)
        self.batches = self.order()
        self.ahead: Batch | None = None  # the next one, if it is prepared

    def compute_features(self, emit: Emit) -> list[Tensor]:
        """Return the vision features of all examples."""
        pictures = [(example.picture_id, example.picture) for example in self.examples]
        if self.ranks.count > 1:  # each its share, which the others then find on the disk
            encode_samples(self.loaded, pictures[self.ranks.index :: self.ranks.count], emit)
            self.ranks.wait()
        features = encode_samples(self.loaded, pictures, emit)
        for example, feature in zip(self.examples, features, strict=True):
            if feature is None:
                raise broken_picture(example)
        return features

    def order(self) -> Iterator[list[int]]:
        """Return the batches, as indices of examples, without end."""
        if self.features:
            pairs = zip(self.features, self.examples, strict=True)
            lengths = [len(feature) + len(example.completion) for feature, example in pairs]
        else:
            lengths = [elongation(example.picture) for example in self.examples]
        return batch_order(lengths, self.config.batch_size, self.config.seed)

    def step(self) -> float:
        """Learn from the next batch and return its loss.

        A batch that does not fit into memory goes through the model in smaller portions, which
        teach the same.
        """
        self.loaded.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate * rate_factor(len(self.losses), self.config)
        with torch.cuda.stream(self.stream) if self.stream else nullcontext():
            batch = self.ahead or self.prepare_batch()
            self.ahead = None
            loss = self.with_less_at_once(lambda: self.learn(batch))
            self.change_weights(loss)
        self.losses.append(loss)
        return loss

    def fit(self, micro_batch: int, checkpointing: bool) -> None:
        """Let so many samples go through the model together, its layers computed twice or not."""
        if (micro_batch, checkpointing) != (self.micro_batch, self.recorder.recompute):
            self.recorder.clear()
        self.micro_batch, self.recorder.recompute = micro_batch, checkpointing

    def prepare_batch(self) -> Batch:
        """Return this process's share of the next batch."""
        batch = next(self.batches)
        supervised = sum(len(self.examples[index].completion) for index in batch)
        mine = batch[self.ranks.index :: self.ranks.count]
        return Batch([self.prepare(index) for index in mine], supervised)

    def with_less_at_once(self, learn: Callable[[], T]) -> T:
        """Return what `learn` returns, after as many tries with less at once as memory asks for."""
        while True:
            try:
                return learn()
            except torch.OutOfMemoryError:
                if self.micro_batch == 1:
                    raise
            # Outside of the handler, which would keep the tensors alive.
            self.micro_batch = max(1, self.micro_batch // 2)
            self.recorder.clear()
            if self.stream:
                torch.cuda.empty_cache()
            self.emit(Note(f"Memory is short: {self.micro_batch} samples at a time from now on."))

    def learn(self, batch: Batch) -> float:
        """Gather the gradients of a step from all processes and return its loss."""
        losses = self.gather(batch)
        total = torch.stack(losses).sum() if losses else self.flat.master.new_zeros(())
        self.ranks.add_up(total)
        self.ranks.add_up(self.flat.master.grad)
        if self.stream and self.features:  # while the GPU works
            self.ahead = self.ahead or self.prepare_batch()
            self.ahead.portions = list(self.portions(self.ahead))
            self.ahead.most = self.micro_batch
        return total.item() / self.scaler.get_scale()

    def gather(self, batch: Batch) -> list[Tensor]:
        """Put this process's gradients of a batch in place of the last ones.

        Returns each portion's share of the loss, scaled as the gradients are.
        """
        self.flat.forget()
        weight = self.scaler.get_scale() / batch.supervised
        losses = []
        for portion in self.portions(batch):
            portion.weight.fill_(weight)
            losses.append(self.recorder.learn(portion).clone())
            self.flat.collect()
        return losses

    def portions(self, batch: Batch) -> Iterator[Portion | Lessons]:
        """Yield a batch in portions that fit into memory, if need be through the vision towers."""
        if batch.most == self.micro_batch:
            yield from batch.portions
            return
        for lessons in divide(batch.lessons, self.micro_batch):
            if not self.loaded.keeps_features:
                yield Lessons(lessons, torch.ones((), device=self.loaded.device))
                continue
            features = [sight for sight, _ in lessons]
            if not self.features:
                features = encode_views(self.loaded, features)
            yield make_portion(self.loaded, features, [answer for _, answer in lessons])

    def change_weights(self, loss: float) -> None:
        """Take a step along the gradients; a TrainingError if there is no sense in them."""
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss is {loss} at step {len(self.losses) + 1}: the weights ran away.",
                f"Train again with a smaller rate: `--learning-rate {self.learning_rate / 4:g}`.",
            )
        self.scaler.unscale_(self.optimizer)
        torch.nn.utils.clip_grad_norm_([self.flat.master], LARGEST_GRADIENT)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.flat.publish()

    def prepare(self, index: int) -> Lesson:
        """Return the features of an example, or its views where vision learns; and its answer."""
        example = self.examples[index]
        if self.features:
            return self.features[index], example.completion
        try:
            picture = open_picture(example.picture)
        except DatasetError as error:
            raise broken_picture(example) from error
        if self.config.augment:
            # Made of what is known, so that a resumed run sees the same changes.
            chance = random.Random(f"{self.config.seed} {len(self.losses)} {index}")
            picture = augment(picture, chance)
        return self.loaded.lay_out(picture), example.completion

    def in_full(self) -> AbstractContextManager:
        """Let the model hold its weights in fp32 for a while, to save or to replace them."""
        return self.flat.in_full()

    def state(self) -> dict:
        """Return everything that the next steps depend on, for `restore`.

        Dictionaries with keys of str or int, lists, numbers, texts, None, and tensors, which share
        memory with the model. Which batches are next, and how their pictures are varied, follows
        from how many losses there are.
        """
        on_gpu = self.loaded.device.type == "cuda"
        return {
            "arithmetic": self.arithmetic(),
            "weights": self.flat.master.data,
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "losses": list(self.losses),
            "micro_batch": self.micro_batch,
            "checkpointing": self.recorder.recompute,
            "torch_random": torch.get_rng_state(),
            "cuda_random": torch.cuda.get_rng_state(self.loaded.device) if on_gpu else None,
        }

    def restore(self, state: dict) -> None:
        """Go on where a learner of the same settings and examples was when it gave `state`.

        Lists may stand where tuples were. A TrainingError if this machine computes otherwise.
        """
        theirs, ours = state["arithmetic"], self.arithmetic()
        if theirs != ours:
            raise TrainingError(
                f"The checkpoint was made with {theirs}, but this machine uses {ours}.",
                "Resume on the same kind of machine, or start a new run.",
            )
        self.flat.master.data.copy_(state["weights"])
        self.flat.publish()
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.losses = list(state["losses"])
        self.ahead = None
        self.fit(state["micro_batch"], state["checkpointing"])
        self.batches = self.order()
        for _ in self.losses:
            next(self.batches)
        torch.set_rng_state(state["torch_random"])
        if state["cuda_random"] is not None:
            torch.cuda.set_rng_state(state["cuda_random"], self.loaded.device)

    def arithmetic(self) -> str:
        """Return which optimizer keeps which weights in which precision, for people."""
        precision = str(self.dtype).removeprefix("torch.")
        return f"{type(self.optimizer).__name__} in {precision} on {self.loaded.device.type}"


def warm_up(loaded: LoadedModel, config: TrainConfig) -> None:
    """Build and load what the first step will need on a GPU, while pictures are looked at."""
    if loaded.device.type != "cuda":
        return
    with torch.cuda.device(loaded.device):
        rehearse(loaded.model)
        if config.optimizer != "adamw":
            with suppress(ImportError, OSError, RuntimeError):  # told when it is really needed
                import_module("bitsandbytes.optim")


def make_optimizer(weights: Tensor, rate: float, config: TrainConfig) -> torch.optim.Optimizer:
    """Return AdamW over the flat weights: with 8-bit moments where bitsandbytes can, if asked."""
    settings = {"lr": rate, "weight_decay": config.weight_decay}
    wanted = config.optimizer == "adamw-8bit"
    if wanted or (config.optimizer == "auto" and weights.is_cuda):
        try:
            return import_module("bitsandbytes.optim").AdamW8bit([weights], **settings)
        except (ImportError, OSError, RuntimeError) as error:  # it looks for CUDA when imported
            if wanted:
                raise TrainingError(
                    "The optimizer `adamw-8bit` needs bitsandbytes, which cannot be loaded.",
                    "Install requirements.txt, or use `--optimizer adamw`.",
                ) from error
    return torch.optim.AdamW([weights], fused=True, **settings)


def divide(lessons: Sequence[Lesson], most: int) -> Iterator[list[Lesson]]:
    """Yield the lessons in portions of at most so many whose gradient fits into memory together."""
    portion: list[Lesson] = []
    room = PIXELS_WITH_GRADIENT
    for sight, completion in lessons:
        size = pixels(sight) if isinstance(sight, PictureViews) else 0
        if portion and (size > room or len(portion) == most):
            yield portion
            portion, room = [], PIXELS_WITH_GRADIENT
        portion.append((sight, completion))
        room -= size
    if portion:
        yield portion


def make_portion(
    loaded: LoadedModel,
    features: Sequence[Tensor],
    completions: Sequence[list[int]],
) -> Portion:
    """Return samples as the text model learns from them, on its device, each nat counting one.

    features: of each picture, [image tokens, width]. On a GPU, rows and answers are padded to round
    numbers, and nothing waits for what it is still busy with.
    """
    network, device = loaded.network, loaded.device
    rounded = device.type == "cuda"
    ids, labels = pad_right(
        [loaded.prompt_ids(len(feature)) for feature in features],
        completions,
        network.config.pad_token_id,
        ROW_STEP if rounded else 1,
    )
    flat_ids, wanted = ids.flatten(), labels.roll(-1, 1).flatten()
    places = (wanted != IGNORE_INDEX).nonzero().flatten()
    answers = wanted[places]
    if rounded:
        more = -len(places) % ANSWER_STEP
        places = torch.nn.functional.pad(places, (0, more))
        answers = torch.nn.functional.pad(answers, (0, more), value=IGNORE_INDEX)
    pictures = (flat_ids == network.config.image_token_id).nonzero().flatten()
    together = send(torch.cat(list(features)), device)
    embeddings = network.model.language_model.embed_tokens(send(flat_ids, device)).detach()
    embeddings = embeddings.index_copy(0, send(pictures, device), together.to(embeddings.dtype))
    return Portion(
        embeddings.view(*ids.shape, -1),
        send(places, device),
        send(answers, device),
        torch.ones((), device=device),
    )


def send(values: Tensor, device: torch.device) -> Tensor:
    """Return the values on the device; a GPU is not waited for."""
    if device.type != "cuda" or values.is_cuda:
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


def broken_picture(example: Example) -> TrainingError:
    """Return the error for a picture that was sound when the dataset was built."""
    return TrainingError(
        f"The picture `{example.picture_id}` of the train split cannot be used.",
        "Build the dataset again.",
    )


def pad_right(
    prompts: Sequence[Sequence[int]],
    completions: Sequence[Sequence[int]],
    padding: int,
    multiple: int = 1,
) -> tuple[Tensor, Tensor]:
    """Return ids and labels, int64 [samples, longest]; only the completions have labels.

    multiple: what the rows' length is a multiple of.
    """
    longest = max(len(p) + len(c) for p, c in zip(prompts, completions, strict=True))
    longest += -longest % multiple
    ids = torch.full((len(prompts), longest), padding)
    labels = torch.full((len(prompts), longest), IGNORE_INDEX)
    for row, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        end = len(prompt) + len(completion)
        ids[row, :end] = torch.tensor([*prompt, *completion])
        labels[row, len(prompt) : end] = torch.tensor(completion)
    return ids, labels


def rate_factor(step: int, config: TrainConfig) -> float:
    """Return the share of the learning rate at a step from 0: up within the warm-up, then down.

    `linear` falls evenly and `cosine` late, both to nothing at the end; `constant` never falls.
    """
    warm = min(1.0, (step + 1) / max(1, config.warmup_steps))
    done = step / config.steps
    if config.schedule == "constant":
        return warm
    if config.schedule == "cosine":
        return warm * (1 + math.cos(math.pi * done)) / 2
    return warm * (1 - done)
