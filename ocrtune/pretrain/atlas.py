"""Every glyph of every font as one small picture, in one tensor that a GPU can sample from.

Reads the folder that `fonts.export_fonts` wrote; needs Pillow and torch only.
"""

import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy
import torch
from PIL import Image, ImageDraw, ImageFont

from ocrtune.alphabet import ALPHABET, INDEX

EM = 40  # pixels of one em in a cell
CELL = 56  # pixels of a cell's side
ORIGIN_X, BASELINE_Y = 8, 42  # where the pen stands in a cell: room for overhang and accents
RINGED = "aouAOU"  # letters that a small e may stand on: columns of their own behind the alphabet
RING_EM = 20  # the size of that e
METRICS_SIZE = 640  # advances are read at this size, where hinting no longer rounds them


@dataclass(frozen=True)
class GlyphAtlas:
    """All glyphs of a set of faces.

    cells: uint8 [glyphs, CELL, CELL], ink; advances: float32 [glyphs], in em;
    lookup: int32 [faces, alphabet + RINGED], the glyph of a character or -1;
    top, bottom: float32 [faces], how far ordinary letters reach above and below the baseline, in
    em; han, gothic: bool [faces], whether the face draws Chinese, or blackletter; foreign: int32
    [faces, 2], the first glyph and the number of glyphs of a face of a script that the alphabet
    has not, else 0; names: one per face.
    """

    cells: torch.Tensor
    advances: torch.Tensor
    lookup: torch.Tensor
    top: torch.Tensor
    bottom: torch.Tensor
    han: torch.Tensor
    gothic: torch.Tensor
    foreign: torch.Tensor
    names: tuple[str, ...]

    def to(self, device: torch.device | str) -> "GlyphAtlas":
        """Return the atlas with its tensors on `device`."""
        tensors = {key: value for key, value in vars(self).items() if key != "names"}
        return replace(self, **{key: value.to(device) for key, value in tensors.items()})

    def save(self, path: Path) -> None:
        """Write the atlas to one file."""
        torch.save(vars(self), path)

    @classmethod
    def load(cls, path: Path) -> "GlyphAtlas":
        """Return the atlas that `save` wrote."""
        return cls(**torch.load(path, weights_only=True))


@dataclass(frozen=True)
class FaceGlyphs:
    """What one face adds to the atlas; `members` are the columns of its cells in `lookup`."""

    name: str
    han: bool
    gothic: bool
    foreign: bool  # its cells belong to no column
    members: numpy.ndarray
    cells: numpy.ndarray
    advances: numpy.ndarray
    top: float
    bottom: float


def build_atlas(
    folder: Path, held_out: bool = False, workers: int = 2, limit: int | None = None
) -> GlyphAtlas:
    """Draw every glyph of the exported training (or held-out) faces; `limit` takes fewer faces."""
    entries = json.loads((folder / "faces.json").read_text("utf-8"))
    entries = [entry for entry in entries if entry["held_out"] == held_out]
    if limit is not None:
        step = max(1, len(entries) // limit)
        entries = [e for i, e in enumerate(entries) if i % step == 0 or "DejaVuSans." in e["file"]]
    jobs = [(str(folder / e["file"]), e) for e in entries]
    if workers < 2:
        faces = [draw_face(job) for job in jobs]
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
            faces = list(pool.map(draw_face, jobs, chunksize=4))
    return join_faces([face for face in faces if len(face.members) > 40])


def load_atlas(data: Path, held_out: bool = False, workers: int | None = None) -> GlyphAtlas:
    """Return the atlas of the fonts in `data/fonts`: drawn the first time, then kept in `data`."""
    path = data / ("atlas_heldout.pt" if held_out else "atlas.pt")
    if path.exists():
        return GlyphAtlas.load(path)
    atlas = build_atlas(data / "fonts", held_out, workers or os.cpu_count() or 1)
    part = path.with_suffix(f".{os.getpid()}.part")  # several processes may draw at once
    atlas.save(part)
    part.rename(path)
    return atlas


def draw_face(job: tuple[str, dict]) -> FaceGlyphs:
    """Draw one face's characters; those without ink or too large for a cell are left out."""
    path, entry = job
    characters, han = entry["characters"], entry["han"]
    gothic, foreign = entry.get("gothic", False), entry.get("foreign", False)
    font = ImageFont.truetype(path, EM, layout_engine=ImageFont.Layout.BASIC)
    large = ImageFont.truetype(path, METRICS_SIZE, layout_engine=ImageFont.Layout.BASIC)
    members, cells, advances = [], [], []
    for character in characters:
        cell = draw_glyph(font, character)
        if cell is not None:
            members.append(INDEX.get(character, -1))
            cells.append(cell)
            advances.append(large.getlength(character) / METRICS_SIZE)
    if not han and not foreign and "e" in characters:
        small = ImageFont.truetype(path, RING_EM, layout_engine=ImageFont.Layout.BASIC)
        for place, letter in enumerate(RINGED):
            cell = draw_ringed(font, small, letter) if letter in characters else None
            if cell is not None:
                members.append(len(ALPHABET) + place)
                cells.append(cell)
                advances.append(large.getlength(letter) / METRICS_SIZE)
    top, bottom = vertical_reach(large, characters, han)
    return FaceGlyphs(
        Path(path).stem,
        han,
        gothic,
        foreign,
        numpy.array(members, numpy.int64),
        numpy.array(cells, numpy.uint8).reshape(-1, CELL, CELL),
        numpy.array(advances, numpy.float32),
        top,
        bottom,
    )


def draw_glyph(font: ImageFont.FreeTypeFont, character: str) -> numpy.ndarray | None:
    """Return one cell, or None when the glyph is empty or does not fit."""
    left, top, right, bottom = font.getbbox(character, anchor="ls")
    fits = left >= -ORIGIN_X and right <= CELL - ORIGIN_X
    if not fits or top < -BASELINE_Y or bottom > CELL - BASELINE_Y:
        return None
    cell = Image.new("L", (CELL, CELL))
    ImageDraw.Draw(cell).text((ORIGIN_X, BASELINE_Y), character, 255, font, anchor="ls")
    pixels = numpy.asarray(cell)
    return pixels if pixels.any() or character == " " else None


def draw_ringed(
    font: ImageFont.FreeTypeFont, small: ImageFont.FreeTypeFont, letter: str
) -> numpy.ndarray | None:
    """Return a cell with the letter and a small e above it; faces rarely have one of their own."""
    base = draw_glyph(font, letter)
    if base is None:
        return None
    left, top, right, _ = font.getbbox(letter, anchor="ls")
    e_left, _, e_right, e_bottom = small.getbbox("e", anchor="ls")
    cell = Image.fromarray(base.copy())
    pen_x = ORIGIN_X + (left + right - e_left - e_right) / 2
    pen_y = BASELINE_Y + top - e_bottom - 1
    ImageDraw.Draw(cell).text((pen_x, pen_y), "e", 255, small, anchor="ls")
    return numpy.asarray(cell)


def vertical_reach(font: ImageFont.FreeTypeFont, characters: str, han: bool) -> tuple[float, float]:
    """Return how far ordinary letters reach above and below the baseline, in em."""
    letters = [c for c in ("国永围" if han else "hdlpgq") if c in characters] or list(characters)
    boxes = [font.getbbox(letter, anchor="ls") for letter in letters]
    top = -min(box[1] for box in boxes) / METRICS_SIZE
    bottom = max(box[3] for box in boxes) / METRICS_SIZE
    return top, bottom


def join_faces(faces: list[FaceGlyphs]) -> GlyphAtlas:
    """Return one atlas of all faces."""
    lookup = numpy.full((len(faces), len(ALPHABET) + len(RINGED)), -1, numpy.int32)
    foreign = numpy.zeros((len(faces), 2), numpy.int32)
    start = 0
    for row, face in enumerate(faces):
        if face.foreign:
            foreign[row] = start, len(face.members)
        else:
            lookup[row, face.members] = numpy.arange(start, start + len(face.members))
        start += len(face.members)
    return GlyphAtlas(
        cells=torch.from_numpy(numpy.concatenate([face.cells for face in faces])),
        advances=torch.from_numpy(numpy.concatenate([face.advances for face in faces])),
        lookup=torch.from_numpy(lookup),
        top=torch.tensor([face.top for face in faces]),
        bottom=torch.tensor([face.bottom for face in faces]),
        han=torch.tensor([face.han for face in faces]),
        gothic=torch.tensor([face.gothic for face in faces]),
        foreign=torch.from_numpy(foreign),
        names=tuple(face.name for face in faces),
    )
