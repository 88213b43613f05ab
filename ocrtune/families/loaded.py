"""A model in memory: how it is fed pictures and text, and how its answers become text."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import ClassVar

import torch
from peft import PeftModel
from PIL import Image, ImageOps
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from ocrtune.engines import Unsloth
from ocrtune.errors import ConfigError, ModelError, did_you_mean
from ocrtune.families import ModelFamily, tiny
from ocrtune.families.deepseek_ocr import lay_out_page
from ocrtune.families.deepseek_ocr_model import DeepseekOcrForConditionalGeneration, PictureViews
from ocrtune.families.page_layouts import PRESETS, image_tokens
from ocrtune.records import OcrContract

IMAGE_TOKEN = "<image>"
PLACE_MARKS = ("<|ref|>", "<|/ref|>", "<|det|>", "<|/det|>")  # what stands where in an answer
MAX_ASPECT = 250  # longer side to shorter side; beyond, the short side would vanish


@dataclass
class LoadedModel:
    """A network with everything needed to feed it and to understand its answers."""

    # Whether what the vision towers make of a picture can be kept and given to the text model.
    keeps_features: ClassVar[bool] = True

    model: DeepseekOcrForConditionalGeneration | PeftModel
    tokenizer: PreTrainedTokenizerFast
    family: ModelFamily
    contract: OcrContract
    device: torch.device
    folder: Path  # the base model's files
    engine: Unsloth | None = None  # what computes it in place of our own kernels
    known_characters: dict[str, bool] = field(default_factory=dict)  # asked about so far
    # The contracts of the adapters on the model by name, and the base model's own under "".
    contracts: dict[str, OcrContract] = field(default_factory=dict)

    @property
    def network(self) -> DeepseekOcrForConditionalGeneration:
        """The DeepSeek-OCR network, below peft if there is an adapter."""
        return self.model.get_base_model() if isinstance(self.model, PeftModel) else self.model

    @property
    def ends(self) -> tuple[int, ...]:
        """The token ids that end an answer; the first one is learned."""
        return (self.network.config.eos_token_id,)

    @property
    def head(self) -> Callable[[Tensor], Tensor]:
        """What turns the text model's last states into logits, [rows, vocabulary]."""
        return self.network.lm_head

    def use_layout(self, layout: str) -> None:
        """Lay out every picture from now on under another preset of the model's family."""
        refuse_unknown_layout(self.family, layout)
        self.contract = replace(self.contract, layout=layout)

    def lay_out(self, picture: Image.Image) -> PictureViews:
        """Return the views of a picture under the contract's layout preset, on the CPU."""
        refuse_hairline(picture)
        if self.family.name == "tiny":
            return tiny.lay_out_line(as_seen(picture))
        return lay_out_page(as_seen(picture), PRESETS[self.contract.layout])

    def image_tokens(self, views: PictureViews) -> int:
        """Return how many tokens the views take: one a feature, a newline a row, a separator."""
        patches = 4 * self.network.config.sam_config.patch_size  # pixels that share one feature
        count = 1
        if views.global_view is not None:
            _, height, width = views.global_view.shape
            count += -(-height // patches) * (-(-width // patches) + 1)
        if views.crops is not None:
            *_, height, width = views.crops.shape
            columns, rows = views.grid
            count += rows * -(-height // patches) * (columns * -(-width // patches) + 1)
        return count

    def expected_tokens(self, width: int, height: int) -> int:
        """Return how many image tokens a picture of that size in pixels will take."""
        if self.family.name != "tiny":
            return image_tokens(width, height, self.contract.layout)
        patches = 4 * self.network.config.sam_config.patch_size
        rows, columns = (-(-side // patches) for side in tiny.VIEW_SIZE)
        return rows * (columns * tiny.line_tiles(width, height)[1] + 1) + 1

    def prompt_ids(self, image_tokens: int) -> list[int]:
        """Return the token ids before the answer: begin, and the prompt with the picture in it."""
        config = self.network.config
        before, after = map(self._ids, self.contract.prompt.split(IMAGE_TOKEN))
        image = [config.image_token_id] * image_tokens
        return [config.bos_token_id, *before, *image, *after]

    def completion_ids(self, text: str) -> list[int]:
        """Return the token ids of an answer and its end; control tokens in it stay plain text."""
        # Cut behind its first character, `<image>` in the ground truth is just seven letters.
        cuts = [match.start() + 1 for match in self._control_pattern.finditer(text)]
        edges = [0, *cuts, len(text)]
        ids: list[int] = []
        for start, end in zip(edges, edges[1:], strict=False):
            ids += self._ids(text[start:end])
        if not self._control_tokens.keys().isdisjoint(ids):
            raise ModelError(
                f"The text {text[:60]!r} holds a token that steers the model.",
                "Change that place, or leave the sample out.",
            )
        return [*ids, self.ends[0]]

    def capped(self, longest: int) -> "LoadedModel":
        """Return the same model in memory, under a contract whose answers end sooner.

        longest: tokens; the contract's own limit is never exceeded.
        """
        most = min(longest, self.contract.max_new_tokens)
        return replace(self, contract=replace(self.contract, max_new_tokens=most))

    def require_tokens(self, tokens: Iterable[str]) -> None:
        """Raise a ModelError unless the tokenizer has a token of its own for each of `tokens`."""
        for token in tokens:
            if token not in self._control_tokens.values():
                raise ModelError(
                    f"`{self.contract.base_model}` has no token `{token}`.",
                    "Choose a prompt without it.",
                )

    def text_of(self, ids: Sequence[int], marks: bool = False) -> str:
        """Return the text of generated token ids, up to the end token, without control tokens.

        With `marks` the tokens stay that mark places on the picture, for `grounding` to read.
        """
        ends = self.ends
        written = takewhile(lambda index: index not in ends, map(int, ids))
        hidden = {*self._control_tokens, self.tokenizer.unk_token_id}
        if marks:
            hidden -= {i for i, token in self._control_tokens.items() if token in PLACE_MARKS}
        kept = [index for index in written if index not in hidden]
        return self.tokenizer.decode(kept, clean_up_tokenization_spaces=False)

    def unknown_characters(self, text: str) -> set[str]:
        """Return the characters of `text` that the model can neither learn nor write."""
        for character in set(text) - self.known_characters.keys():
            back = self.text_of(self._ids(character))
            self.known_characters[character] = back == character
        return {character for character in text if not self.known_characters[character]}

    def encode(self, views: Sequence[PictureViews], chunk: int = 0) -> list[Tensor]:
        """Return each picture's features [image tokens, text width], `chunk` views at a time."""
        return self.network.model.encode_pictures(views, chunk)

    def _ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False) if text else []

    @property
    def _steering(self) -> set[int]:
        """The ids of tokens that are no text although their looks do not tell."""
        config = self.network.config
        return {*self.ends, config.bos_token_id, config.pad_token_id, config.image_token_id}

    @cached_property
    def _control_tokens(self) -> dict[int, str]:
        """The tokens that steer the model instead of being text, by id."""
        steering = self._steering
        added = self.tokenizer.added_tokens_decoder.items()
        return {
            index: token.content
            for index, token in added
            if index in steering or re.fullmatch(r"<[|｜].*[|｜]>", token.content)
        }

    @cached_property
    def _control_pattern(self) -> re.Pattern[str]:
        """Matches, without consuming it, the place where a control token begins."""
        return re.compile(f"(?={'|'.join(map(re.escape, self._control_tokens.values()))})")


def refuse_hairline(picture: Image.Image) -> None:
    """Raise a ModelError if the picture is so thin that nothing would be left of it."""
    if max(picture.size) > MAX_ASPECT * min(picture.size):
        raise ModelError(
            f"A picture of {picture.width} x {picture.height} pixels is too thin to be read.",
            "Cut it so that it shows one line or one page.",
        )


def refuse_unknown_layout(family: ModelFamily, layout: str) -> None:
    """Raise a ConfigError unless the family knows the preset."""
    if layout not in family.layouts:
        raise ConfigError(
            f"`{family.base_model}` has no layout `{layout}`.",
            did_you_mean(layout, family.layouts) or f"Use one of: {', '.join(family.layouts)}.",
        )


def as_seen(picture: Image.Image) -> Image.Image:
    """Return a picture as people see it: upright, on white paper, 8-bit RGB."""
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I;16"):
        upright = upright.convert("I")
    if upright.mode == "I":  # 16-bit greys, which Pillow would clip at 255
        upright = upright.point(lambda grey: grey / 257).convert("L")
    if not upright.has_transparency_data:
        return upright.convert("RGB")
    layer = upright.convert("RGBA")
    paper = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(paper, layer).convert("RGB")
