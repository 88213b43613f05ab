"""Draws lines of text as tensors: glyphs from the atlas, bent, spaced and flawed at random.

Everything is one batch of tensor operations, on a GPU or a CPU; no loop over lines.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ocrtune.alphabet import ALPHABET, CJK_PUNCTUATION, HAN, INDEX, RING_E
from ocrtune.families.tiny import VIEW_SIZE
from ocrtune.pretrain.atlas import BASELINE_Y, CELL, EM, ORIGIN_X, RINGED, GlyphAtlas
from ocrtune.pretrain.degrade import Degrader

HEIGHT = VIEW_SIZE[0]  # rows of a picture
SHARED = "“”‘’—…·"  # drawn by the Chinese face in Chinese lines
# Reach above the ascenders, as do the last three of RINGED.
RAISED = "ÀÁÂÃÄÅÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝŸŠŽ"
DESCENDING = "gjpqyQçÇ,;()[]{}|/„‚ſþßµ§_†‡¶@$ŠŽẞ" + HAN + CJK_PUNCTUATION
LONG_S = INDEX["ſ"]
TEXT, FOREIGN, BLANK = range(3)  # what a line shows: its text, another script, nothing
# How much more often than others: the cut of most German books from 1750 to 1900, and its sister.
FAVOURED = {"yfrak": 4.0, "yswab": 2.0}
FAR = 1e6  # where the pen of padding stands
SUBPIXELS = ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75))


@dataclass(frozen=True)
class Layout:
    """Where each character of a batch stands. All [lines, characters] or [lines]."""

    glyphs: Tensor
    pens: Tensor  # pixels from the left edge; FAR for padding
    scales_x: Tensor  # picture pixels per cell pixel
    scales_y: Tensor
    advances: Tensor  # pixels
    baselines: Tensor
    slack: Tensor  # rows that the text leaves free
    sizes: Tensor  # pixels per em
    widths: Tensor  # int64, columns of the whole line with its margins


class LineRenderer:
    """Draws batches of lines with one atlas, one device and one random sequence."""

    def __init__(
        self,
        atlas: GlyphAtlas,
        device: torch.device | str = "cpu",
        seed: int = 0,
        clean_share: float = 0.35,
    ) -> None:
        self.atlas = atlas.to(device)
        self.device = torch.device(device)
        self.generator = torch.Generator(device).manual_seed(seed)
        self.degrader = Degrader(self.generator, clean_share)
        self.han_class = self.mark(HAN + CJK_PUNCTUATION)
        self.shared = self.mark(SHARED)
        self.raised = self.mark(RAISED)
        self.descending = self.mark(DESCENDING)
        self.foreign_faces = (self.atlas.foreign[:, 1] > 0).nonzero()[:, 0]
        self.ringed = torch.zeros(self.atlas.lookup.shape[1], dtype=torch.long, device=self.device)
        for place, letter in enumerate(RINGED):
            self.ringed[INDEX[letter]] = len(ALPHABET) + place
        favour = [FAVOURED.get(name, 1.0) for name in self.atlas.names]
        self.favour = torch.tensor(favour, device=self.device)
        self.uncovered = (self.atlas.lookup < 0).float().T.contiguous()
        self.fallback = fallback_glyphs(self.atlas)
        self.blank = self.fallback[0]
        compiled = self.device.type == "cuda"
        self.sample = torch.compile(sample_ink, dynamic=True) if compiled else sample_ink

    def mark(self, characters: str) -> Tensor:
        """Return bool [alphabet and RINGED], true for `characters`."""
        marks = torch.zeros(self.atlas.lookup.shape[1], dtype=torch.bool)
        marks[[INDEX[character] for character in characters if character in INDEX]] = True
        return marks.to(self.device)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Return random numbers of this shape."""
        random = torch.rand(shape, generator=self.generator, device=self.device)
        return low + (high - low) * random

    def render(
        self,
        texts: Tensor,
        width: int,
        ink_shares: Tensor | None = None,
        least: int = 0,
        kinds: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return float32 [lines, 3, HEIGHT, width] in [-1, 1] and each line's own width.

        texts: int64 [lines, characters], -1 is padding; ink_shares: the part of the height that
        ascenders to descenders fill, 0.5 to 1. Lines too long for `width` are squeezed; lines
        shorter than `least` are spaced out, by a third at most. kinds: int64 [lines], TEXT, or
        FOREIGN or BLANK where another script or nothing takes the text's place.
        """
        if kinds is None:
            kinds = torch.full((len(texts),), TEXT, device=self.device)
        layout = self.lay_out(texts, width, ink_shares, least, kinds)
        ink = self.draw(layout, width)
        pixels = self.degrader.photograph(ink, layout.sizes, layout.widths, kinds == BLANK)
        return pixels, layout.widths

    def choose_faces(self, texts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return each line's Latin face, its Chinese face, and who draws which character.

        The last one is bool [lines, characters]: true where the Chinese face draws. Lines with a
        long s are mostly set in blackletter, others rarely.
        """
        there, ids = texts >= 0, texts.clamp(min=0)
        chinese = (there & self.han_class[ids]).any(1, keepdim=True)
        whole = chinese & (self.uniform(len(texts), 1) < 0.5)  # its Latin letters as well
        by_han = there & (self.han_class[ids] | (chinese & self.shared[ids]))
        han_face = self.pick_face(ids, by_han, self.atlas.han)
        covered = self.atlas.lookup[han_face[:, None], ids] >= 0
        by_han = (by_han | (whole & there)) & covered
        aged = (there & (ids == LONG_S)).any(1) & (self.uniform(len(texts)) < 0.75)
        gothic = aged | (self.uniform(len(texts)) < 0.02)
        roman = ~self.atlas.han & (self.atlas.foreign[:, 1] == 0)
        has_long_s = self.atlas.lookup[:, LONG_S] >= 0
        suiting = roman & (self.atlas.gothic == gothic[:, None]) & (has_long_s | ~aged[:, None])
        suiting = torch.where(suiting.any(1, keepdim=True), suiting, roman)
        # Blackletter faces are few and lack signs that a line in one of them may borrow.
        latin_face = self.pick_face(ids, there & ~by_han, suiting, 2.0 * gothic[:, None])
        return latin_face, han_face, by_han

    def pick_face(
        self, ids: Tensor, needed: Tensor, allowed: Tensor, spare: Tensor | float = 0.0
    ) -> Tensor:
        """Return a random allowed face per line among those that miss the fewest characters.

        allowed: bool [faces] or [lines, faces]; spare: how many more characters it may miss.
        """
        bag = torch.zeros(len(ids), len(self.uncovered), device=self.device)
        bag.scatter_reduce_(1, ids, needed.float(), "amax")
        missing = bag @ self.uncovered + (~allowed) * 1e4
        fewest = missing.amin(1, keepdim=True)
        # The largest of uniform numbers raised to 1 / favour falls on a face as often as favoured.
        chances = self.uniform(*missing.shape) ** (1 / self.favour)
        return (chances * (missing <= fewest + spare + 0.5)).argmax(1)

    def lay_out(
        self, texts: Tensor, width: int, ink_shares: Tensor | None, least: int, kinds: Tensor
    ) -> Layout:
        """Choose faces, sizes and spacing; return where everything stands."""
        lines = len(texts)
        texts, rings = self.join_rings(texts)
        there, ids = texts >= 0, texts.clamp(min=0)
        latin, han, by_han = self.choose_faces(texts)
        chinese = by_han.any(1)
        glyphs = self.atlas.lookup[torch.where(by_han, han[:, None], latin[:, None]), ids].long()
        glyphs = torch.where(glyphs < 0, self.fallback[ids], glyphs)
        foreign = kinds == FOREIGN
        if len(self.foreign_faces):
            other = self.foreign_faces[
                (self.uniform(lines) * len(self.foreign_faces)).long().clamp(min=0)
            ]
            first, count = self.atlas.foreign[other].T[..., None]
            any_glyph = first + (self.uniform(*ids.shape) * count).long()
            glyphs = torch.where(foreign[:, None] & (ids != 0), any_glyph, glyphs)
            latin = torch.where(foreign, other, latin)
            chinese = chinese & ~foreign
        nothing = rings | (kinds == BLANK)[:, None]
        glyphs = torch.where(there & ~nothing, glyphs, self.blank)
        main = torch.where(chinese, han, latin)
        top = self.atlas.top[main] + 0.16 * (there & self.raised[ids]).any(1)
        shallow = ~(there & self.descending[ids]).any(1) & (self.uniform(lines) < 0.5)
        bottom = torch.where(shallow, 0.04, self.atlas.bottom[main])
        hanging = (there & self.descending[ids] & ~self.han_class[ids]).any(1)
        bottom = torch.where(chinese & hanging, bottom.clamp(min=0.2), bottom)
        if ink_shares is None:
            ink_shares = self.ink_shares(lines)
        sizes = (ink_shares * HEIGHT / (top + bottom)).clamp(max=HEIGHT)
        guest = by_han.any(1, keepdim=True) & ~by_han  # Latin letters in a Chinese line
        ratios = torch.where(guest, self.uniform(lines, 1, low=0.92, high=1.12), 1.0)
        stretch = self.some(lines, 0.4, low=0.85, high=1.15, otherwise=1.0)
        spacing = self.some(lines, 0.35, low=-0.02, high=0.1, otherwise=0.0)
        spacing = spacing + self.some(lines, 0.04, low=0.1, high=0.4, otherwise=0.0)
        em = self.atlas.advances[glyphs] * ratios * stretch[:, None] + spacing[:, None]
        em = em + self.uniform(*ids.shape, low=-0.012, high=0.012)
        gaps = self.uniform(lines, low=0.75, high=1.5)
        gaps = gaps + self.some(lines, 0.12, low=0, high=1.8, otherwise=0.0)  # justified lines
        gaps = gaps[:, None] + self.uniform(*ids.shape, low=-0.15, high=0.15)
        em = torch.where(ids == 0, em * gaps, em).clamp(min=0.05) * there
        em = em.masked_fill(rings, 1e-4)
        left, right = self.margins(lines), self.margins(lines)
        wanted = (least - left - right) / (em.sum(1) * sizes)
        em = em * wanted.clamp(1.0, 1.33)[:, None]
        squeeze = ((width - left - right) / (em.sum(1) * sizes)).clamp(max=1.0).sqrt()
        sizes, em, stretch = sizes * squeeze, em * squeeze[:, None], stretch * squeeze
        advances = em * sizes[:, None]
        ends = advances.cumsum(1)
        pens = torch.where(there, ends - advances + left[:, None], FAR)
        slack = HEIGHT - sizes * (top + bottom)
        baselines = slack * self.uniform(lines, low=0.2, high=0.8) + top * sizes
        # Some lines were cut out of their page too tightly.
        baselines = baselines + self.some(lines, 0.12, low=-0.1, high=0.1, otherwise=0.0) * sizes
        scales_y = sizes[:, None] * ratios.expand(ids.shape) / EM
        widths = (ends[:, -1] + left + right).ceil().long().clamp(3, width)
        return Layout(
            glyphs, pens, scales_y * stretch[:, None], scales_y, advances, baselines, slack, sizes,
            widths,
        )  # fmt: skip

    def join_rings(self, texts: Tensor) -> tuple[Tensor, Tensor]:
        """Return texts in which a letter under a small e is one glyph, and where the e was."""
        rings = texts == INDEX[RING_E]
        before = torch.cat([rings[:, 1:], torch.zeros_like(rings[:, :1])], 1)
        joined = self.ringed[texts.clamp(min=0)]
        texts = torch.where(before & (joined > 0), joined, texts)
        return texts.masked_fill(rings, 0), rings

    def ink_shares(self, lines: int) -> Tensor:
        """Return how much of the height the text fills: mostly 0.65 to 1, as little as 0.36.

        The page around a line that was cut out askew leaves it little of the height.
        """
        dice = self.uniform(lines)
        shares = torch.where(
            dice < 0.76,
            self.uniform(lines, low=0.68, high=1.0),
            self.uniform(lines, low=0.5, high=0.75),
        )
        return torch.where(dice > 0.95, self.uniform(lines, low=0.36, high=0.5), shares)

    def margins(self, lines: int) -> Tensor:
        """Return columns of empty paper beside a line."""
        return self.uniform(lines, low=1, high=8) + self.some(lines, 0.2, 0, 24, otherwise=0.0)

    def some(self, lines: int, share: float, low: float, high: float, otherwise: float) -> Tensor:
        """Return random numbers for `share` of the lines and `otherwise` for the rest."""
        chosen = self.uniform(lines) < share
        return torch.where(chosen, self.uniform(lines, low=low, high=high), otherwise)

    def draw(self, layout: Layout, width: int) -> Tensor:
        """Return the ink coverage, float32 [lines, HEIGHT, width]."""
        lines = len(layout.pens)
        grid = torch.arange(width, device=self.device) + 0.5
        columns = grid.expand(lines, width).contiguous()
        table = torch.searchsorted(layout.pens, columns, right=True) - 1
        room = layout.slack.clamp(min=1.0)
        steepest = (0.7 * room / layout.widths).clamp(max=math.radians(2.5))
        angle = steepest * self.some(lines, 0.5, -1, 1, otherwise=0.0)
        wave = self.some(lines, 0.25, 0, 0.2, otherwise=0.0) * room.clamp(max=7)
        return self.sample(
            self.atlas.cells.view(-1),
            table.clamp(min=0),
            layout.glyphs,
            layout.pens,
            layout.advances,
            layout.scales_x,
            layout.scales_y,
            layout.baselines[:, None, None],
            layout.widths[:, None, None] / 2,
            angle[:, None, None],
            self.some(lines, 0.2, -0.06, 0.28, otherwise=0.0)[:, None, None],
            wave[:, None, None],
            2 * math.pi / self.uniform(lines, 1, 1, low=180, high=900),
            self.uniform(lines, 1, 1, high=2 * math.pi),
            *self.elastic(lines, width),
        )

    def elastic(self, lines: int, width: int) -> tuple[Tensor, Tensor]:
        """Return small smooth displacements, two times [lines, HEIGHT, width]."""
        strength = self.some(lines, 0.3, 0.1, 0.7, otherwise=0.0)[:, None, None, None]
        shape = (lines, 2, 6, max(2, width // 12))
        coarse = torch.randn(shape, generator=self.generator, device=self.device)
        field = functional.interpolate(coarse * strength, (HEIGHT, width), mode="bilinear")
        return field[:, 0], field[:, 1]


def fallback_glyphs(atlas: GlyphAtlas) -> Tensor:
    """Return for every character a glyph of the first face that has it, int64 [alphabet]."""
    first = (atlas.lookup >= 0).int().argmax(0)
    return atlas.lookup.gather(0, first[None])[0].long().clamp(min=0)


def sample_ink(
    cells: Tensor,
    table: Tensor,
    glyphs: Tensor,
    pens: Tensor,
    advances: Tensor,
    scales_x: Tensor,
    scales_y: Tensor,
    baseline: Tensor,
    centre: Tensor,
    angle: Tensor,
    shear: Tensor,
    wave: Tensor,
    frequency: Tensor,
    phase: Tensor,
    shift_x: Tensor,
    shift_y: Tensor,
) -> Tensor:
    """Return ink coverage [lines, rows, columns]: for every pixel, its character's cell sampled.

    cells: uint8, flat; table: int64 [lines, columns], the character at each column; the next five
    as in `Layout`; the others [lines, 1, 1] but the shifts, which are [lines, rows, columns].
    Pure arithmetic per pixel, so that a compiler can make it one kernel.
    """
    lines, rows, columns = shift_x.shape
    cosine, sine = angle.cos(), angle.sin()
    line = torch.arange(lines, device=cells.device)[:, None, None]
    last = glyphs.shape[1] - 1
    total = torch.zeros_like(shift_x)
    for offset_x, offset_y in SUBPIXELS:
        x = torch.arange(columns, device=cells.device)[None, None] + offset_x + shift_x - centre
        y = torch.arange(rows, device=cells.device)[None, :, None] + offset_y + shift_y - rows / 2
        along = cosine * x + sine * y + centre
        down = cosine * y - sine * x + rows / 2 - baseline
        down = down - wave * torch.sin(along * frequency + phase)
        along = along + shear * down
        own = table[line, along.long().clamp(0, columns - 1)]
        past = along > pens[line, own] + advances[line, own] / 2
        other = (own + torch.where(past, 1, -1)).clamp(0, last)
        inks = []
        for place in (own, other):
            x0 = (along - pens[line, place]) / scales_x[line, place] + ORIGIN_X - 0.5
            y0 = down / scales_y[line, place] + BASELINE_Y - 0.5
            inside = (x0 >= 0) & (x0 < CELL - 1) & (y0 >= 0) & (y0 < CELL - 1)
            x0, y0 = x0.clamp(0, CELL - 1.001), y0.clamp(0, CELL - 1.001)
            column, row = x0.long(), y0.long()
            right, low = x0 - column, y0 - row
            start = glyphs[line, place] * (CELL * CELL) + row * CELL + column
            upper = cells[start] * (1 - right) + cells[start + 1] * right
            lower = cells[start + CELL] * (1 - right) + cells[start + CELL + 1] * right
            inks.append((upper * (1 - low) + lower * low) * inside)
        total = total + torch.maximum(inks[0], inks[1])
    return total / (255 * len(SUBPIXELS))
