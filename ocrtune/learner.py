"""One optimizer step after the other: what a batch looks like, and what its loss teaches."""

import math
import random
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor

from ocrtune.augmenting import augment
from ocrtune.config import TrainConfig
from ocrtune.errors import DatasetError, TrainingError
from ocrtune.events import Emit
from ocrtune.examples import Example, batch_order
from ocrtune.families.deepseek_ocr_model import IGNORE_INDEX, PictureViews
from ocrtune.families.image_text import Sight
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import has_fixed_features
from ocrtune.families.lora import quicken
from ocrtune.features import encode_samples, encode_views, open_picture, pixels
from ocrtune.reading import elongation

LARGEST_GRADIENT = 1.0  # its norm is cut to this
# Of pictures that go through the vision towers together when these learn: on a CPU, SAM's attention
# alone keeps some 550 bytes a pixel of a line for the way back.
PIXELS_WITH_GRADIENT = 300_000

Lesson = tuple[Tensor | PictureViews | Sight, list[int]]  # what is seen, and the answer to it


class Learner:
    """The model with its LoRA weights, their optimizer, and the examples they learn from."""

    def __init__(
        self, loaded: LoadedModel, config: TrainConfig, examples: Sequence[Example], emit: Emit
    ) -> None:
        self.loaded = loaded
        self.config = config
        self.examples = examples
        self.losses: list[float] = []  # one a step, mean per supervised token
        self.random = random.Random(config.seed)
        self.features: list[Tensor] = []  # of the examples, where vision is not trained
        quicken(loaded.model)
        if has_fixed_features(loaded):
            self.features = self.compute_features(emit)
        self.parameters = [p for p in loaded.model.parameters() if p.requires_grad]
        self.learning_rate = config.learning_rate or loaded.family.learning_rate
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=self.learning_rate, weight_decay=config.weight_decay
        )
        self.dtype = loaded.network.lm_head.weight.dtype
        self.scaler = torch.amp.GradScaler(loaded.device.type, enabled=self.dtype == torch.float16)
        self.batches = self.order()

    def compute_features(self, emit: Emit) -> list[Tensor]:
        """Return the vision features of all examples."""
        pictures = [(example.picture_id, example.picture) for example in self.examples]
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
        """Learn from the next batch and return its loss."""
        self.loaded.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate * rate_factor(len(self.losses), self.config)
        lessons = [self.prepare(index) for index in next(self.batches)]
        supervised = sum(len(completion) for _, completion in lessons)
        self.optimizer.zero_grad(set_to_none=True)
        mean = 0.0
        for portion in divide(lessons):
            share = sum(len(completion) for _, completion in portion) / supervised
            with self.autocast():
                loss = self.loss_of(portion) * share
            mean += loss.item()
            if not math.isfinite(mean):
                raise TrainingError(
                    f"The loss is {mean} at step {len(self.losses) + 1}: the weights ran away.",
                    "Train again with a smaller rate: "
                    f"`--learning-rate {self.learning_rate / 4:g}`.",
                )
            self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)
        torch.nn.utils.clip_grad_norm_(self.parameters, LARGEST_GRADIENT)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.losses.append(mean)
        return mean

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
            picture = augment(picture, self.random)
        return self.loaded.lay_out(picture), example.completion

    def loss_of(self, lessons: Sequence[Lesson]) -> Tensor:
        """Return the mean loss per supervised token of some lessons, with its gradient."""
        if not self.loaded.keeps_features:
            return self.loaded.loss_of(lessons)
        device = self.loaded.device
        seen = [sight for sight, _ in lessons]
        features = seen if self.features else encode_views(self.loaded, seen)
        ids, labels = pad_right(
            [self.loaded.prompt_ids(len(feature)) for feature in features],
            [completion for _, completion in lessons],
            self.loaded.network.config.pad_token_id,
        )
        together = torch.cat([feature.to(device) for feature in features])
        return batch_loss(self.loaded, ids.to(device), labels.to(device), together)

    def autocast(self) -> AbstractContextManager:
        """Return the context in which the network computes in its own precision."""
        if self.dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self.loaded.device.type, self.dtype)


def divide(lessons: Sequence[Lesson]) -> Iterator[list[Lesson]]:
    """Yield the lessons in portions whose gradient fits into memory together."""
    portion: list[Lesson] = []
    room = PIXELS_WITH_GRADIENT
    for sight, completion in lessons:
        size = pixels(sight) if isinstance(sight, PictureViews) else 0
        if portion and size > room:
            yield portion
            portion, room = [], PIXELS_WITH_GRADIENT
        portion.append((sight, completion))
        room -= size
    yield portion


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
