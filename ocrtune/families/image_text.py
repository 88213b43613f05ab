"""A model of transformers that reads pictures: one builder of inputs for training and reading."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from transformers import ProcessorMixin

from ocrtune.errors import ModelError
from ocrtune.families.cache_steps import CacheSteps
from ocrtune.families.loaded import IMAGE_TOKEN, LoadedModel, as_seen, refuse_hairline
from ocrtune.families.text_pass import compute_twice
from ocrtune.families.weights import quiet


@dataclass(frozen=True, kw_only=True)
class PictureLimit:
    """How large a picture may be when the model's own processor takes it over; 0: no limit."""

    pixels: int = 0
    side: int = 0  # pixels of the longer side


# By layout preset. A processor may well shrink a picture further, or cut it.
LIMITS = {
    "page": PictureLimit(pixels=2_000_000),  # 1,400 x 1,400: small print stays legible
    "full": PictureLimit(),
    "gundam": PictureLimit(),
    "base": PictureLimit(side=768),  # up to which DeepSeek-OCR-2 does not cut a picture
}


@dataclass(frozen=True, eq=False)
class Sight:
    """A picture and the prompt around it, as numbers."""

    ids: list[int]  # of the prompt, with the image tokens in it
    pixels: dict[str, Tensor]  # what the network takes beside tokens, by parameter of its forward
    marks: dict[str, Tensor]  # the same where there is one value a token, [tokens]


@dataclass
class ImageTextModel(LoadedModel):
    """A network whose vision runs inside its forward, so that nothing of it can be kept."""

    keeps_features: ClassVar[bool] = False

    processor: ProcessorMixin = field(kw_only=True)
    stops: tuple[int, ...] = field(kw_only=True)  # ids that end an answer; the first is learned
    padding: int = field(kw_only=True)  # id; hidden by the mask
    sizes_seen: dict[tuple[int, int, str], int] = field(default_factory=dict, kw_only=True)

    @property
    def ends(self) -> tuple[int, ...]:
        return self.stops

    @property
    def head(self) -> Callable[[Tensor], Tensor]:
        """Steps give logits already."""
        return lambda logits: logits

    def lay_out(self, picture: Image.Image) -> Sight:
        """Return a picture within the contract's prompt, under its layout preset, on the CPU."""
        refuse_hairline(picture)
        seen = within(as_seen(picture), LIMITS[self.contract.layout])
        prompt = self.contract.prompt.replace(IMAGE_TOKEN, self.processor.image_token)
        try:
            with quiet():
                values = self.processor(
                    images=[seen],
                    text=[prompt],
                    text_kwargs={"add_special_tokens": False},
                    images_kwargs={"return_tensors": "pt"},
                )
        except ValueError as error:
            raise ModelError(
                f"A picture of {picture.width} x {picture.height} pixels cannot be shown to "
                f"`{self.contract.base_model}`: {error}.",
                "Cut it or scale it, so that it shows one line or one page.",
            ) from error
        ids = torch.as_tensor(values["input_ids"])
        taken = inspect.signature(self.network.forward).parameters
        known = {
            name: torch.as_tensor(value)
            for name, value in values.items()
            if name in taken and name not in ("input_ids", "attention_mask")
        }
        marks = {name: tensor[0] for name, tensor in known.items() if tensor.shape == ids.shape}
        pixels = {name: tensor for name, tensor in known.items() if name not in marks}
        return Sight(ids[0].tolist(), pixels, marks)

    def image_tokens(self, views: Sight) -> int:
        """Return how many tokens of the prompt stand for the picture."""
        return views.ids.count(self.network.config.image_token_id)

    def expected_tokens(self, width: int, height: int) -> int:
        """Return how many image tokens a picture of that size in pixels will take."""
        if (width, height, self.contract.layout) not in self.sizes_seen:
            blank = Image.new("RGB", (width, height), "white")
            count = self.image_tokens(self.lay_out(blank))
            self.sizes_seen[width, height, self.contract.layout] = count
        return self.sizes_seen[width, height, self.contract.layout]

    def prompt_ids(self, image_tokens: int) -> list[int]:
        """Return about what `lay_out` makes of the prompt: some processors add tokens of theirs."""
        before, after = map(self._ids, self.contract.prompt.split(IMAGE_TOKEN))
        return [*before, *[self.network.config.image_token_id] * image_tokens, *after]

    def collate(
        self, sights: Sequence[Sight], completions: Sequence[Sequence[int]] = ()
    ) -> dict[str, Tensor]:
        """Return what the network takes for some pictures, with the answers behind the prompts.

        Rows are padded on the left, so that they end together.
        """
        answers = completions or [()] * len(sights)
        rows = [
            torch.tensor([*sight.ids, *answer])
            for sight, answer in zip(sights, answers, strict=True)
        ]
        inputs = {
            "input_ids": pad_left(rows, self.padding),
            "attention_mask": pad_left([torch.ones_like(row) for row in rows], 0),
        }
        for name in sights[0].marks:
            marks = [
                F.pad(sight.marks[name], (0, len(answer)))
                for sight, answer in zip(sights, answers, strict=True)
            ]
            inputs[name] = pad_left(marks, 0)
        for name in dict.fromkeys(name for sight in sights for name in sight.pixels):
            parts = [sight.pixels[name] for sight in sights if name in sight.pixels]
            inputs[name] = stack(parts)
        inputs = {name: self._placed(tensor) for name, tensor in inputs.items()}
        # transformers counts positions from the mask only while it generates.
        inputs["position_ids"] = self.network._prepare_position_ids_for_generation(
            inputs["input_ids"], inputs
        )
        return inputs

    def loss_of(self, lessons: Sequence[tuple[Sight, Sequence[int]]]) -> Tensor:
        """Return the mean loss per supervised token of some lessons, with its gradient."""
        sights, completions = zip(*lessons, strict=True)
        inputs = self.collate(sights, completions)
        lengths = torch.tensor([len(answer) for answer in completions], device=self.device)
        longest = int(lengths.max())
        logits = self.network(**inputs, use_cache=False, logits_to_keep=longest + 1).logits[:, :-1]
        places = torch.arange(longest, device=self.device)
        supervised = places >= longest - lengths[:, None]
        wanted = inputs["input_ids"][:, -longest:][supervised]
        return F.cross_entropy(logits[supervised].float(), wanted)

    def begin(self, sights: Sequence[Sight]) -> tuple[CacheSteps, Tensor]:
        """Return the network behind the pictures' prompts, and its logits, [rows, vocabulary]."""
        steps = CacheSteps(self.network)
        return steps, steps.read(self.collate(sights))

    def _placed(self, tensor: Tensor) -> Tensor:
        dtype = self.network.lm_head.weight.dtype if tensor.is_floating_point() else None
        return tensor.to(self.device, dtype)

    @property
    def _steering(self) -> set[int]:
        added = self.tokenizer.added_tokens_decoder.items()
        return {*self.ends, *(index for index, token in added if token.special)}


@dataclass(frozen=True, eq=False)
class Lessons:
    """Samples that go through a network together, vision included; see `graphs.Portion`."""

    lessons: Sequence[tuple[Sight, Sequence[int]]]
    weight: Tensor  # fp32 scalar: what a nat of loss counts in the gradient


class WholePass:
    """Adds the gradients of lessons; takes the place of `graphs.Recorder`, recording nothing."""

    record = False

    def __init__(self, loaded: ImageTextModel, recompute: bool) -> None:
        """recompute: compute the layers twice instead of remembering them."""
        self.loaded = loaded
        self.recompute = recompute

    def learn(self, portion: Lessons) -> Tensor:
        """Add the portion's gradients to those there are, and return its weighted loss."""
        compute_twice(self.loaded.network, self.recompute)
        tokens = sum(len(answer) for _, answer in portion.lessons)
        loss = self.loaded.loss_of(portion.lessons) * tokens * portion.weight
        loss.backward()
        return loss.detach()

    def clear(self) -> None:
        """Forget what was recorded: nothing."""


def within(picture: Image.Image, limit: PictureLimit) -> Image.Image:
    """Return the picture, made smaller in its own shape where it exceeds the limit."""
    width, height = picture.size
    scale = 1.0
    if limit.pixels:
        scale = min(scale, (limit.pixels / (width * height)) ** 0.5)
    if limit.side:
        scale = min(scale, limit.side / max(width, height))
    if scale == 1.0:
        return picture
    size = max(1, int(width * scale)), max(1, int(height * scale))
    return picture.resize(size, Image.Resampling.BICUBIC)


def pad_left(rows: Sequence[Tensor], padding: int) -> Tensor:
    """Return rows [tokens] of different lengths as one tensor [rows, longest]."""
    longest = max(map(len, rows))
    return torch.stack([F.pad(row, (longest - len(row), 0), value=padding) for row in rows])


def stack(parts: Sequence[Tensor]) -> Tensor:
    """Return tensors joined along their first dimension; smaller ones get zeros at their ends."""
    sizes = [max(lengths) for lengths in zip(*(part.shape[1:] for part in parts), strict=True)]
    padded = []
    for part in parts:
        room = [size - length for size, length in zip(sizes, part.shape[1:], strict=True)]
        padded.append(F.pad(part, [side for extra in reversed(room) for side in (0, extra)]))
    return torch.cat(padded)
