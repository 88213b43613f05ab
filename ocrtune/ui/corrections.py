"""Corrected readings of a visitor who has no dataset yet: kept beside the reading, then built."""

import os
import shutil
from pathlib import Path

from ocrtune.edits import usable_text
from ocrtune.errors import DatasetError
from ocrtune.pictures import check_picture, quiet_pillow
from ocrtune.whole_files import put_in_place

FOLDER = "corrected"  # within the reading's job
LEAST = 3  # of which a dataset can be made: one to learn from, one to watch, one to test
MOST = 500
NUMBERED = 5  # digits


def corrected(folder: Path) -> list[Path]:
    """Return the texts of the corrected readings of a job, oldest first."""
    try:
        return sorted((folder / FOLDER).glob("*.txt"))
    except OSError:
        return []


def keep_correction(folder: Path, data: bytes, words: str) -> int:
    """Keep a picture with its right text, in place of an earlier text; return how many there are.

    Those of a picture that is known already get the newer text.
    """
    with quiet_pillow():
        picture = check_picture(data).data
    words = usable_text(words)
    known = corrected(folder)
    there = folder / FOLDER
    there.mkdir(exist_ok=True)
    for path in known:
        if any(one.read_bytes() == picture for one in pictures_of(path)):
            put_in_place(path, words.encode())
            return len(known)
    if len(known) >= MOST:
        raise DatasetError(
            f"{MOST} corrected readings are kept already.", "Make a dataset of them first."
        )
    name = f"{len(known) + 1:0{NUMBERED}}"
    ending = "png" if picture.startswith(b"\x89PNG") else "jpg"
    put_in_place(there / f"{name}.{ending}", picture)
    put_in_place(there / f"{name}.txt", words.encode())
    return len(known) + 1


def pictures_of(text: Path) -> list[Path]:
    """Return the picture that belongs to a text, if it is there."""
    return [path for ending in ("png", "jpg") if (path := text.with_suffix(f".{ending}")).is_file()]


def take_along(before: Path, after: Path) -> None:
    """Give the corrected readings of a job to the next one, which may outlive it."""
    for text in corrected(before):
        for path in (text, *pictures_of(text)):
            kept = after / FOLDER / path.name
            kept.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".txt":
                shutil.copyfile(path, kept)
                continue
            try:
                os.link(path, kept)
            except OSError:  # a disk without links
                shutil.copyfile(path, kept)
