"""Which shape of ground truth counts where an archive seems to have several."""

import posixpath
from collections.abc import Mapping, Sequence

from ocrtune.archive import Archive
from ocrtune.content import fold, is_picture_name, split_lines
from ocrtune.shapes.finding import head_text, is_side_file, picture_stem
from ocrtune.shapes.paddle import list_kind
from ocrtune.shapes.pairs import LOOKED_AT, SURE, is_numbers, text_stem
from ocrtune.shapes.shape import Shape
from ocrtune.shapes.table_files import is_metadata, is_table_name

SAMPLE_LINES = 30
CONTENT = "content.md"


def recognise(archive: Archive, shapes: Mapping[str, Shape]) -> dict[str, list[str]]:
    """Return the files of each shape that the archive has, a file under one shape only."""
    found = {name: list(files) for name, shape in shapes.items() if (files := shape.find(archive))}
    others = {file for name, files in found.items() if name != "lines" for file in files}
    if lines := found.pop("lines", []):
        lines = [file for file in lines if file not in others]
        if not archive.content_name and all_boxes(archive, lines):
            lines = []
        if others and not archive.content_name:
            lines = [file for file in lines if not is_side_file(file)]
            lines = [file for file in lines if is_content_file(archive, file)]
        if "paddle" in found:  # PPOCRLabel's boxes beside the lines cut out by them
            lines = [file for file in lines if list_kind(head_text(archive, file)) != "boxes"]
        if lines:
            found["lines"] = lines
    if not found:
        # better a reason why a table cannot be used than none
        tables = [name for name in archive.names() if is_table_name(name)]
        csv = [name for name in tables if not name.lower().endswith(".json")]
        return {"table": csv} if csv else {}
    return found


def all_boxes(archive: Archive, files: Sequence[str]) -> bool:
    """Whether texts are a detector's boxes: one for each picture, and nothing but numbers."""
    return len(files) > 1 and all(is_numbers(head_text(archive, f)) for f in files[:LOOKED_AT])


def is_content_file(archive: Archive, file: str) -> bool:
    """Whether a text beside other ground truth has lines that begin with a picture's name."""
    names = archive.names()
    basenames = {fold(posixpath.basename(name)) for name in names if is_picture_name(name)}
    lines = [line for line in split_lines(head_text(archive, file)) if line][:SAMPLE_LINES]
    hits = 0
    for line in lines:
        words = fold(line.lstrip("#*-|> \t\"'`![").replace("\\", "/")).split()
        first = words[0].strip("\"'`|,;:()") if words else ""
        base = posixpath.basename(first)
        hits += len(words) > 1 and (base in basenames or is_picture_name(base))
        hits += line.startswith(("#", "!")) and is_picture_name(base)
    return 3 * hits >= len(lines) > 0


def leading(archive: Archive, found: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the shapes that really are a choice: without those that only accompany another."""
    names = list(found)
    if archive.content_name:  # given by the user: what it looks like decides
        special = [name for name in names if archive.content_name in found[name]]
        return [name for name in special if name != "lines"][:1] or special or names
    if "table" in names and all(map(is_metadata, found["table"])):
        return ["table"]
    layouts = [name for name in names if name in ("page", "alto")]
    if len(layouts) == 2 and same_stems(found["page"], found["alto"]):
        names.remove("alto")  # an export in both forms: PAGE keeps more
    if layouts and "pairs" in names and accompanies(found["pairs"], found[layouts[0]]):
        names.remove("pairs")
    return names


def same_stems(some: Sequence[str], others: Sequence[str]) -> bool:
    """Whether two lists of files are called alike, whatever their folders and suffixes."""
    return {picture_stem(name) for name in some} <= {picture_stem(name) for name in others}


def accompanies(texts: Sequence[str], layouts: Sequence[str]) -> bool:
    """Whether plain texts were exported along with the layout files of the same pages."""
    if any(name.lower().endswith(SURE) for name in texts):
        return False  # somebody called them ground truth
    return {text_stem(name) for name in texts} <= {picture_stem(name) for name in layouts}
