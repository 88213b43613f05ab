"""Rendered lines for tests, as pictures, samples and whole datasets."""

import io
import random
from pathlib import Path

from PIL import Image, ImageDraw

from ocrtune.config import BuildConfig
from ocrtune.dataset import build_dataset
from ocrtune.records import Sample

WORDS = ("line", "page", "Berlin", "42", "ocr", "of", "the", "text")


def draw_line(text: str, width: int = 0) -> bytes:
    """Return a PNG of the text on white, 40 pixels high and as wide as asked or needed."""
    picture = Image.new("RGB", (width or 30 + 14 * len(text), 40), "white")
    ImageDraw.Draw(picture).text((8, 6), text, fill=0, font_size=24)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def paged(pages: list[bytes], tags: dict[int, dict] | None = None) -> bytes:
    """Return a TIFF with these pictures as its pages; tags of single ones by number from 0."""
    first, *others = images = [Image.open(io.BytesIO(page)) for page in pages]
    for number, of_one in (tags or {}).items():
        images[number].encoderinfo = {"tiffinfo": of_one}
    buffer = io.BytesIO()
    first.save(buffer, "TIFF", save_all=True, append_images=others)
    return buffer.getvalue()


def some_texts(count: int, seed: int = 1) -> list[str]:
    """Return different texts of one to six words."""
    source = random.Random(seed)
    return [f"{n} " + " ".join(source.choices(WORDS, k=source.randint(1, 6))) for n in range(count)]


def some_samples(count: int, seed: int = 1) -> list[Sample]:
    """Return samples of rendered lines."""
    return [
        Sample(picture_id=f"{index}.png", picture=draw_line(text), text=text)
        for index, text in enumerate(some_texts(count, seed))
    ]


def write_source(folder: Path, count: int) -> Path:
    """Write a folder of pictures with its content.md; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = some_samples(count)
    for sample in samples:
        (folder / sample.picture_id).write_bytes(sample.picture)
    lines = [f"{sample.picture_id} {sample.text}\n" for sample in samples]
    (folder / "content.md").write_text("".join(lines), "utf-8")
    return folder


def write_dataset(folder: Path, count: int) -> str:
    """Build a dataset of rendered lines below the folder; returns its prefix."""
    prefix = str(folder / "dataset")
    build_dataset(BuildConfig(source=str(write_source(folder / "source", count)), output=prefix))
    return prefix
