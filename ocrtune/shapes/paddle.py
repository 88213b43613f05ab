"""PaddleOCR's label lists: `path<TAB>text`, and `path<TAB>[{"transcription": …, "points": …}]`."""

import json
import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ocrtune.archive import Archive
from ocrtune.config import BuildConfig
from ocrtune.content import PICTURE_NAME, is_picture_name, split_lines, stem
from ocrtune.errors import ArchiveError
from ocrtune.ground_truth import Entry, GroundTruth, Reject, reject
from ocrtune.remarks import Remark, remark
from ocrtune.shapes.finding import Pictures, head_text, is_side_file, picture_stem, read_text
from ocrtune.shapes.own_splits import split_of
from ocrtune.shapes.shape import Shape

SUFFIXES = (".txt", ".tsv", ".list", ".lst")
KNOWN_NAMES = re.compile(r"(rec|det)_?gt|^label$|(^label|^rec|^det)_?(train|val|test)")
BOXES = re.compile(r"^(?P<path>.+?)[\t ]+(?P<boxes>\[\s*(?:\{.*)?\])\s*$")
PATHS = re.compile(r'^(?P<paths>\[\s*"[^\]]*"\s*\])[\t ,]+(?P<text>.*)$')
# What people put between path and text when their editor took the tab away.
SUFFIX = r"\.(?:png|jpe?g|jpe|jfif|tiff?|webp|bmp|gif|jp2|p[bgpn]m)"
SPLIT = re.compile(SUFFIX + r"([\t ,;|]+)(?=\S)", re.I)
ILLEGIBLE = ("###", "*", "#")
MOST_FILES = 50  # lists looked into; a text for each picture is another shape
FEW_FILES = 10  # lists that are looked into without asking whether they are a picture's text
SAMPLE_LINES = 20


@dataclass(frozen=True, slots=True)
class Label:
    """One line of a list: its pictures with one text, or one picture with its boxes."""

    paths: tuple[str, ...]
    text: str
    boxes: list[Any] | None = None
    tabbed: bool = True


@dataclass
class Reading:
    """What several lists say together."""

    pictures: Pictures
    entries: list[Entry] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    taken: dict[str, Entry] = field(default_factory=dict)  # by picture, of whole pictures
    boxed: dict[str, tuple[str, int]] = field(default_factory=dict)  # file and line, by picture
    odd: list[tuple[str, int]] = field(default_factory=list)  # lines without a tab


def parse_label(line: str) -> Label | None:
    """Return what a line of a list says, or None when it is no such line."""
    if (found := BOXES.match(line)) and (boxes := as_json(found["boxes"])) is not None:
        return Label((found["path"].strip(),), "", boxes, "\t" in line)
    if (found := PATHS.match(line)) and (paths := as_json(found["paths"])) is not None:
        paths = tuple(path for path in paths if isinstance(path, str))
        return Label(paths, found["text"].strip(), tabbed="\t" in line)
    path, tab, text = line.partition("\t")
    if tab:
        return Label((path.strip(),), text.strip())
    if found := SPLIT.search(line):
        end = found.start(1)
        return Label((line[:end].strip(),), line[found.end() :].strip(), tabbed=False)
    return Label((line.strip(),), "", tabbed=False) if is_picture_name(line.strip()) else None


def as_json(text: str) -> list[Any] | None:
    """Return a JSON list, or None."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


def find_lists(archive: Archive) -> Sequence[str]:
    """Return the lists with boxes or tabs; those of whole lines where both say the same.

    A single list of lines that is not called as PaddleOCR's are is an ordinary content file.
    """
    if archive.content_name:
        names = [archive.content_name]
    else:
        names = [name for name in archive.names() if name.lower().endswith(SUFFIXES)]
        names = [name for name in names if not is_side_file(name)]
    if len(names) > FEW_FILES:
        stems = {picture_stem(name) for name in archive.names() if is_picture_name(name)}
        names = [name for name in names if picture_stem(name) not in stems]
    if len(names) > MOST_FILES:
        names = [name for name in names if KNOWN_NAMES.search(stem(name))][:MOST_FILES]
    kinds = {name: list_kind(head_text(archive, name)) for name in names}
    boxes = [name for name in names if kinds[name] == "boxes"]
    lines = [name for name in names if kinds[name] == "lines"]
    called = [name for name in lines if KNOWN_NAMES.search(stem(name))]
    divided = {split for name in lines if (split := split_of(name))}
    divided = "train" in divided and len(divided) > 1
    sure = lines if divided and not called else called
    paths = [name for name in names if kinds[name] == "paths"]
    return sorted({*sure, *paths}) or boxes


def list_kind(text: str) -> str:
    """Return what most of a text's first lines are: `boxes`, `paths`, `lines`, or empty."""
    lines = [line for line in split_lines(text) if line][:SAMPLE_LINES]
    kinds: Counter[str] = Counter()
    for line in lines:
        label = parse_label(line)
        if label is None or not all(map(is_path, label.paths)):
            continue
        if label.boxes is not None:
            kinds["boxes"] += 1
        elif line.startswith('["'):
            kinds["paths"] += 1
        elif label.text:
            kinds["lines"] += 1
    if 2 * kinds.total() <= len(lines) or not lines:
        return ""
    return next((kind for kind in ("boxes", "paths") if kinds[kind]), "lines")


def is_path(path: str) -> bool:
    """Whether a list's first column looks like the path of a picture."""
    return is_picture_name(path) and PICTURE_NAME.search(path) is not None


def read_lists(archive: Archive, files: Sequence[str], config: BuildConfig) -> GroundTruth:
    """Return the entries and rejects of all lists."""
    if not files:
        raise ArchiveError(
            f"`{archive.label}` holds no label list of PaddleOCR.",
            "Add `rec_gt_train.txt` with a path, a tab and the text on each line.",
        )
    reading = Reading(Pictures(archive))
    encodings: Counter[str] = Counter()
    for file in files:
        text, encoding = read_text(archive, file, config)
        encodings[encoding] += 1
        folder = posixpath.dirname(file) if file != archive.content_name else archive.content_folder
        for line_number, line in enumerate(split_lines(text), start=1):
            if line:
                read_line(reading, file, folder, line_number, line)
    others = [name for name in encodings if name not in ("utf-8", "utf-8-sig")]
    remarks = []
    if reading.odd:
        first_file, first_line = reading.odd[0]
        remarks.append(
            remark("no_tabs", count=len(reading.odd), file=first_file, line=str(first_line))
        )
    if left := boxes_left(archive, files):
        remarks.append(remark("boxes_left", file=left[0], used=files[0]))
    return GroundTruth(
        shape="paddle",
        files=tuple(files),
        entries=reading.entries,
        rejects=reading.rejects,
        encoding=others[0] if others else "utf-8",
        remarks=tuple(remarks),
    )


def boxes_left(archive: Archive, files: Sequence[str]) -> list[str]:
    """Return the lists with boxes that were left for lists of the lines cut out of them."""
    if archive.content_name:
        return []
    names = [name for name in archive.names() if KNOWN_NAMES.search(stem(name))]
    names = [name for name in names if name.lower().endswith(".txt") and name not in files]
    return [name for name in names[:MOST_FILES] if list_kind(head_text(archive, name)) == "boxes"]


def read_line(reading: Reading, file: str, folder: str, line_number: int, line: str) -> None:
    """Add what one line of a list says."""
    label = parse_label(line)
    if label is None:
        refuse(reading, file, line_number, line, remark("no_label"))
        return
    if not label.tabbed:
        reading.odd.append((file, line_number))
    for path in label.paths:
        found = reading.pictures.find(path, folder)
        if found.reason:
            refuse(reading, file, line_number, line, found.reason, found.nearest)
        elif label.boxes is not None:
            add_boxes(reading, file, line_number, line, found.name, label.boxes)
        else:
            add_whole(reading, file, line_number, line, found.name, label.text)


def refuse(
    reading: Reading, file: str, line_number: int, line: str, reason: Remark, nearest: str = ""
) -> None:
    """Add a reject."""
    reading.rejects.append(reject(line_number, line, reason, nearest, file=file))


def text_fault(text: str) -> Remark | None:
    """Return why a transcription cannot be learned from, or None."""
    if not text:
        return remark("no_text")
    if text in ILLEGIBLE or set(text) == {"#"}:
        return remark("illegible", mark=text)
    return remark("unreadable") if "\ufffd" in text else None


def add_whole(
    reading: Reading, file: str, line_number: int, line: str, name: str, text: str
) -> None:
    """Add a picture with its text, unless it has one already."""
    reason = text_fault(text)
    if not reason and (first := reading.taken.get(name)):
        key = "repeated_row" if first.text == text else "contradicted_row"
        reason = remark(key, file=first.file, line=str(first.line_number))
    if reason:
        refuse(reading, file, line_number, line, reason, name)
        return
    entry = Entry(line_number=line_number, name=name, text=text, file=file)
    reading.taken[name] = entry
    reading.entries.append(entry)


def add_boxes(
    reading: Reading, file: str, line_number: int, line: str, name: str, boxes: list[Any]
) -> None:
    """Add an entry for each legible box of a page."""
    if name in reading.boxed:
        first, where = reading.boxed[name]
        reason = remark("repeated_page", file=first, line=str(where))
        refuse(reading, file, line_number, line, reason, name)
        return
    reading.boxed[name] = file, line_number
    if not boxes:
        refuse(reading, file, line_number, line, remark("no_boxes"), name)
    for number, box in enumerate(boxes, start=1):
        text, outline, reason = read_box(box)
        if reason:
            shown = json.dumps(box, ensure_ascii=False)
            refuse(reading, file, line_number, f"{name} {number}: {shown}", reason, name)
            continue
        entry = Entry(
            line_number=line_number,
            name=name,
            text=text,
            file=file,
            part=str(number),
            outline=outline,
            group=name,
        )
        reading.entries.append(entry)


def read_box(box: Any) -> tuple[str, str, Remark | None]:
    """Return text and outline of a box, or the reason why it cannot be used.

    The corners stay in their order: it says in which direction the text runs.
    """
    if not isinstance(box, dict):
        return "", "", remark("no_box")
    text = box.get("transcription", box.get("label", box.get("text", "")))
    text = " ".join(text.splitlines()).strip() if isinstance(text, str) else ""
    reason = text_fault(text)
    if box.get("difficult") is True and not reason:
        reason = remark("difficult")
    outline = outline_of_box(box.get("points"))
    return text, outline, reason or (None if outline else remark("no_box"))


def outline_of_box(points: Any) -> str:
    """Return the outline of a list of points, or an empty string when they are none."""
    if not isinstance(points, list) or not 3 <= len(points) <= 200:
        return ""
    parts = []
    for point in points:
        if not isinstance(point, list) or len(point) != 2:
            return ""
        if not all(isinstance(one, int | float) and abs(one) < 1e6 for one in point):
            return ""
        parts.append(f"{round(point[0])},{round(point[1])}")
    return " ".join(parts)


PADDLE = Shape("paddle", find_lists, read_lists)
