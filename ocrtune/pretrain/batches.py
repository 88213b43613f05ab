"""An endless source of training batches: lines from a pool, drawn so that they fill their tiles."""

import numpy
import torch
from torch import Tensor

from ocrtune.alphabet import CJK_PUNCTUATION, HAN, INDEX, RING_E, SIGNS
from ocrtune.families.tiny import STRIDE, VIEW_SIZE
from ocrtune.pretrain.atlas import GlyphAtlas
from ocrtune.pretrain.render import BLANK, FOREIGN, HEIGHT, TEXT, LineRenderer
from ocrtune.pretrain.texts import Pool

TILE = VIEW_SIZE[1]  # columns; each further tile shows STRIDE new ones
HAN_EM, LATIN_EM = 1.0, 0.5  # typical advances, to guess a line's width before it is drawn
FOREIGN_SHARE, BLANK_SHARE = 0.015, 0.015  # of lines that teach silence
CHUNK_COLUMNS = 1 << 18  # drawn at once, which bounds the memory


def canvas_width(tiles: int) -> int:
    """Return the columns that `tiles` overlapping tiles cover."""
    return TILE + STRIDE * (tiles - 1)


def narrowest(width: int) -> int:
    """Return the columns that a line must exceed to need a canvas of this width."""
    return 0 if width == TILE else width - STRIDE


class BatchSource:
    """Draws batches from a pool of lines; equal seeds draw equal batches.

    Lines with a character that no face has are left out. `silence` is how often, compared with
    FOREIGN_SHARE and BLANK_SHARE, a picture shows another script or nothing, and its text is empty.
    """

    def __init__(
        self,
        atlas: GlyphAtlas,
        pool: Pool,
        device: torch.device | str = "cpu",
        seed: int = 0,
        clean_share: float = 0.35,
        silence: float = 1.0,
    ) -> None:
        self.silence = silence
        self.renderer = LineRenderer(atlas, device, seed, clean_share)
        ids = torch.from_numpy(pool.ids.astype(numpy.int16)).to(device)
        lengths = torch.from_numpy(pool.lengths.astype(numpy.int64)).to(device)
        drawable = can_draw(self.renderer.atlas, ids, lengths)
        ids, lengths = ids[drawable], lengths[drawable]
        ems = typical_widths(ids, lengths)
        shuffled = torch.randperm(
            len(ems), generator=self.renderer.generator, device=self.renderer.device
        )
        order = shuffled[ems[shuffled].argsort(stable=True)]
        self.ids, self.lengths, self.ems = ids[order], lengths[order], ems[order]

    def batch(self, tiles: int, lines: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return pictures, texts, lengths and widths of lines that need exactly `tiles` tiles.

        Pictures: float32 [lines, 3, HEIGHT, canvas_width(tiles)] in [-1, 1]; texts: int64 [lines,
        longest], alphabet indices, -1 behind the end; lengths (characters) and
        widths (columns): int64 [lines].
        """
        width = canvas_width(tiles)
        chunk = max(1, CHUNK_COLUMNS // width)
        parts = [self.draw(width, min(chunk, lines - at)) for at in range(0, lines, chunk)]
        pixels, texts, lengths, widths = (torch.cat(part) for part in zip(*parts, strict=True))
        return pixels, texts[:, : int(lengths.max())], lengths, widths

    def draw(self, width: int, lines: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return one chunk of a batch, its texts padded to the pool's length."""
        shares = self.renderer.ink_shares(lines)
        rows = self.choose_lines(width, shares)
        lengths = self.lengths[rows]
        texts = self.ids[rows].long()
        beyond = torch.arange(texts.shape[1], device=texts.device) >= lengths[:, None]
        texts = texts.masked_fill(beyond, -1)
        kinds = self.choose_kinds(lines)
        pixels, widths = self.renderer.render(texts, width, shares, narrowest(width), kinds)
        silent = kinds != TEXT
        return (
            pixels,
            texts.masked_fill(silent[:, None], -1),
            lengths.masked_fill(silent, 0),
            widths,
        )

    def choose_kinds(self, lines: int) -> Tensor:
        """Return which lines show their text, another script or nothing, int64 [lines]."""
        dice = self.renderer.uniform(lines)
        blank, foreign = BLANK_SHARE * self.silence, FOREIGN_SHARE * self.silence
        if not len(self.renderer.foreign_faces):
            foreign = 0.0
        kinds = torch.full((lines,), TEXT, device=dice.device)
        return kinds.masked_fill(dice < blank + foreign, FOREIGN).masked_fill(dice < blank, BLANK)

    def choose_lines(self, width: int, shares: Tensor) -> Tensor:
        """Return pool rows whose text should be about as wide as the canvas asks for."""
        lines = len(shares)
        shortest = max(12, narrowest(width))
        goal = shortest + (width - shortest) * self.renderer.uniform(lines) ** 0.8
        ems = (goal / (shares * HEIGHT)).to(self.ems.dtype)
        low = torch.searchsorted(self.ems, ems * 0.9 - 0.3)
        high = torch.searchsorted(self.ems, ems * 1.02).clamp(max=len(self.ems) - 1)
        span = (high - low).clamp(min=1)
        return (low + self.renderer.uniform(lines) * span).long().clamp(0, len(self.ems) - 1)


def can_draw(atlas: GlyphAtlas, ids: Tensor, lengths: Tensor) -> Tensor:
    """Return which lines some face can draw every character of, bool [lines]."""
    covered = (atlas.lookup >= 0).any(0)
    covered[INDEX[RING_E]] = True  # drawn with the letter below it
    beyond = torch.arange(ids.shape[1], device=ids.device)
    parts = [
        (covered[i.int()] | (beyond >= n[:, None])).all(1)
        for i, n in zip(ids.split(1 << 17), lengths.split(1 << 17), strict=True)
    ]
    return torch.cat(parts)


def typical_widths(ids: Tensor, lengths: Tensor) -> Tensor:
    """Return about how many em each line of a pool is wide, float32 [lines]."""
    per_character = torch.full((len(INDEX),), LATIN_EM)
    per_character[[INDEX[character] for character in HAN + CJK_PUNCTUATION + SIGNS]] = HAN_EM
    per_character[INDEX[RING_E]] = 0.0
    per_character = per_character.to(ids.device)
    there = torch.arange(ids.shape[1], device=ids.device)
    parts = [
        (per_character[i.int()] * (there < n[:, None])).sum(1)
        for i, n in zip(ids.split(1 << 17), lengths.split(1 << 17), strict=True)
    ]
    return torch.cat(parts)
