"""Layout files (PAGE XML, ALTO) as ground truth: a sample for each line, or for each page."""

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from xml.etree.ElementTree import Element

from ocrtune.archive import Archive, UnsafeArchiveError
from ocrtune.config import BuildConfig
from ocrtune.errors import ArchiveError
from ocrtune.ground_truth import Entry, GroundTruth, Reject, reject
from ocrtune.remarks import Remark, remark
from ocrtune.shapes.alto_xml import read_alto_xml
from ocrtune.shapes.finding import HEAD_BYTES, Found, Pictures, head
from ocrtune.shapes.layout import PageLayout
from ocrtune.shapes.page_xml import read_page_xml
from ocrtune.shapes.shape import Shape
from ocrtune.shapes.xml_tree import XmlError, parse_xml

SUFFIXES = (".xml", ".alto", ".page")
LOOKED_AT = 3  # files of each folder, to tell what it holds
BREAKS = re.compile(r"\s*[\r\n\t]\s*")
UNITS = ("pixel", "")  # in which outlines count as they are
READERS: dict[str, Callable[[Element], list[PageLayout]]] = {
    "PcGts": read_page_xml,
    "alto": read_alto_xml,
}
ROOTS = {"page": ("PcGts",), "alto": ("alto",), "pages": ("PcGts", "alto")}


@dataclass
class Reading:
    """What several layout files say together."""

    pictures: Pictures
    entries: list[Entry] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)  # picture: the file that has it
    others: list[str] = field(default_factory=list)  # XML of another kind
    used: list[str] = field(default_factory=list)


def xml_kind(data: bytes) -> str:
    """Return the root that a file begins with, `PcGts` or `alto`, or an empty string."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.replace(b"\0", b"")
    for root in READERS:
        for mark in (b"<" + root.encode(), b":" + root.encode()):
            at = data.find(mark)
            if at >= 0 and data[at + len(mark) : at + len(mark) + 1] in b" \t\r\n>/":
                return root
    return ""


def find_layouts(kind: str, archive: Archive) -> Sequence[str]:
    """Return the XML files of all folders in which this kind was seen."""
    names = [name for name in archive.names() if name.lower().endswith(SUFFIXES)]
    folders: dict[str, list[str]] = {}
    for name in names:
        folders.setdefault(posixpath.dirname(name), []).append(name)
    chosen = []
    for files in folders.values():
        files = [name for name in files if posixpath.basename(name).lower() != "mets.xml"]
        looked = files[:LOOKED_AT]
        if any(xml_kind(head(archive, name)) in ROOTS[kind] for name in looked):
            chosen += files
    return chosen


def find_nothing(archive: Archive) -> Sequence[str]:
    """Return nothing: whole pages are only read when asked for, lines are the usual case."""
    return ()


def read_layouts(
    kind: str, archive: Archive, files: Sequence[str], config: BuildConfig
) -> GroundTruth:
    """Return the entries and rejects of all layout files of a kind; `pages`: one for each page."""
    files = files or find_layouts(kind, archive)
    if not files:
        raise ArchiveError(
            f"`{archive.label}` holds no {' or '.join(SAID[kind])}.",
            "Export it from eScriptorium or Transkribus together with the pictures.",
        )
    reading = Reading(Pictures(archive))
    for file in files:
        read_file(reading, archive, file, kind)
    others = reading.others
    left = (remark("xml_others", count=len(others), first=others[0]),) if others else ()
    return GroundTruth(
        shape=kind,
        files=tuple((reading.used or list(files))[:1]),
        entries=reading.entries,
        rejects=reading.rejects,
        remarks=(*left, remark("layouts_read", files=len(reading.used))),
    )


SAID = {"page": ("PAGE XML",), "alto": ("ALTO",), "pages": ("PAGE XML", "ALTO")}


def read_file(reading: Reading, archive: Archive, file: str, kind: str) -> None:
    """Add what one layout file says; METS and other XML files are left alone."""
    try:
        data = archive.read(file)
        beginning = data if b"<!DOCTYPE" in data[:HEAD_BYTES] else data[:HEAD_BYTES]
        if xml_kind(beginning) not in ROOTS[kind]:
            reading.others.append(file)
            return
        root = parse_xml(data)
    except XmlError as error:
        reading.rejects.append(reject(0, "", error.reason, file=file))
        return
    except UnsafeArchiveError:
        raise
    except ArchiveError as error:
        reading.rejects.append(reject(0, "", remark("said", text=str(error)), file=file))
        return
    reading.used.append(file)
    pages = READERS[root.tag](root) if root.tag in READERS else []
    if not any(page.lines or page.bare for page in pages):
        reading.rejects.append(reject(0, "", remark("layout_empty"), file=file))
    for page in pages:
        if page.lines or page.bare:
            add_page(reading, file, page, kind == "pages")


def add_page(reading: Reading, file: str, page: PageLayout, whole: bool) -> None:
    """Add the lines of a page or the page itself, or the reason why there is nothing of it."""
    found = find_picture(reading.pictures, page, file)
    reason = found.reason
    if not reason and found.name in reading.taken:
        reason = remark("page_taken", name=found.name, file=reading.taken[found.name])
    if not reason and page.unit not in UNITS and not page.size and not whole:
        reason = remark("alto_unit", unit=page.unit)
    if reason:
        text = "\n".join(line.text for line in page.lines)
        reading.rejects.append(reject(0, text, reason, found.nearest, file=file))
        return
    reading.taken[found.name] = file
    if whole:
        add_whole(reading, file, page, found.name)
    else:
        add_lines(reading, file, page, found.name)


def find_picture(pictures: Pictures, page: PageLayout, file: str) -> Found:
    """Return the picture of a page: as it is called there, else with the name of the file."""
    first = Found()
    for written in page.pictures:
        found = pictures.find(written, posixpath.dirname(file))
        if found.name:
            return found
        first = first if first.reason else found
    found = pictures.find_by_stem(posixpath.basename(file), file)
    if found.name or not first.reason:
        return found
    return first


def add_whole(reading: Reading, file: str, page: PageLayout, name: str) -> None:
    """Add the page with all of its text as one entry."""
    texts = [one_line(line.text) for line in page.lines] + [line.text for line in page.bare]
    text = "\n".join(filter(None, texts))
    if reason := fault(text):
        reading.rejects.append(reject(0, text, reason, name, file=file))
        return
    reading.entries.append(Entry(line_number=0, name=name, text=text, file=file, group=name))


def add_lines(reading: Reading, file: str, page: PageLayout, name: str) -> None:
    """Add an entry for each line that has a text and a place."""
    seen: Counter[str] = Counter()
    for line in page.lines:
        text = one_line(line.text)
        seen[line.id] += 1
        part = line.id if seen[line.id] == 1 else f"{line.id}_{seen[line.id]}"
        reason = None if line.outline else remark("line_no_place", part=part)
        reason = remark("line_no_text", part=part) if not text else reason or fault(text)
        if reason:
            reading.rejects.append(reject(line.line_number, text, reason, name, file=file))
            continue
        entry = Entry(
            line_number=line.line_number,
            name=name,
            text=text,
            file=file,
            part=part,
            outline=line.outline,
            frame=page.size,
            group=name,
        )
        reading.entries.append(entry)
    for region in page.bare:
        reason = remark("region_no_lines", part=region.id)
        reading.rejects.append(reject(region.line_number, region.text, reason, name, file=file))


def one_line(text: str) -> str:
    """Return the text of a line without breaks and indents in it."""
    return BREAKS.sub(" ", text).strip()


def fault(text: str) -> Remark | None:
    """Return why a text cannot be used, or None."""
    if not text:
        return remark("page_no_text")
    return remark("unreadable") if "\ufffd" in text else None


PAGE = Shape("page", partial(find_layouts, "page"), partial(read_layouts, "page"))
ALTO = Shape("alto", partial(find_layouts, "alto"), partial(read_layouts, "alto"))
PAGES = Shape("pages", find_nothing, partial(read_layouts, "pages"))
