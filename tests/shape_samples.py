"""Archives with ground truth of other shapes than a content file, for the tests."""

import io
import zipfile

from PIL import Image, ImageDraw

from ocrtune.config import BuildConfig
from ocrtune.events import silent
from ocrtune.shapes import read_ground_truth
from ocrtune.sources import open_source


def png(number=0, width=24, height=12, colour=None, kind="PNG"):
    """Return a small picture that differs from that of any other number."""
    buffer = io.BytesIO()
    colour = colour or (number % 256, number // 256, 99)
    Image.new("RGB", (width, height), colour).save(buffer, kind)
    return buffer.getvalue()


def page_png(boxes, width=200, height=100, kind="PNG", **options):
    """Return a light page with each box (left, top, right, bottom) filled in its colour."""
    image = Image.new("RGB", (width, height), (240, 235, 220))
    draw = ImageDraw.Draw(image)
    for box, colour in boxes.items():
        draw.rectangle(box, fill=colour)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def make_zip(path, files):
    """Write a zip of `files` and return its path."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def read(tmp_path, files, **settings):
    """Return the ground truth of a zip of `files`."""
    source = make_zip(tmp_path / "source.zip", files)
    config = BuildConfig(source=str(source), output="", **settings)
    with open_source(config, silent) as archive:
        return read_ground_truth(archive, config)


def texts(truth):
    """Return what the entries say: {sample name: text}."""
    return {entry.sample_name: entry.text for entry in truth.entries}


def reasons(truth):
    """Return the keys of the rejects' reasons, in order."""
    return [one.reason.key for one in truth.rejects]


def remark_keys(truth):
    """Return the keys of the remarks."""
    return [one.key for one in truth.remarks]
