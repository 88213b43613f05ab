"""The pictures to read: files, folders, zips and pages; listed first and opened one by one.

One that cannot be used is told and keeps no other from being read. Only one archive is open at a
time, and no more pictures are in memory than whoever reads asks for.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ocrtune.archive import LIMITS, MIB, Archive, LocalFiles, ZipFiles
from ocrtune.content import is_picture_name
from ocrtune.errors import ArchiveError, ConfigError, OcrtuneError
from ocrtune.pdf_files import MOST_BOOKS, PdfFiles, open_pdf
from ocrtune.picture_bombs import TIFF_STARTS
from ocrtune.pictures import PictureError, check_picture, page_frames, quiet_pillow
from ocrtune.remarks import Remark, remark

PAGE_MARK = "#page="
TIFF_NAMES = (".tif", ".tiff")
LAST_PAGE = 1_000_000  # what `5-` leads to
RANGE = re.compile(r"(\d{1,6})(-)?(\d{1,6})?")
DASHES = str.maketrans({"–": "-", "—": "-", "－": "-", "~": "-", "～": "-", "至": "-"})
COMMAS = re.compile(r"[,;，；、]")
DIGITS = re.compile(r"(\d+)")

Pages = tuple[tuple[int, int], ...]  # first and last page of each range; none: all pages


@dataclass(frozen=True)
class Given:
    """One picture that somebody wants to have read."""

    picture_id: str  # `scans/1.png`, `scans.zip/1.png`, `book.pdf#page=3`
    place: Path  # the file it comes from
    member: str = ""  # its name in there; empty: it is the file itself
    trouble: OcrtuneError | None = None  # why there is no picture
    frame: int = 0  # which of several pictures in the file


@dataclass(frozen=True)
class Found:
    """Everything that was given, in the order in which it is read."""

    pictures: tuple[Given, ...]
    left_out: int = 0  # pictures beyond the most that may be read
    passed_by: tuple[Remark, ...] = ()  # what else was there


def parse_pages(words: str) -> Pages:
    """Return the pages that `1-3, 7` or `5-` asks for; a ConfigError for what is no such list."""
    ranges = []
    for part in COMMAS.split(words.translate(DASHES)):
        plain = "".join(part.split())
        if not plain:
            continue
        match = RANGE.fullmatch(plain)
        first = int(match[1]) if match else 0
        last = int(match[3] or (LAST_PAGE if match[2] else first)) if match else 0
        if not 1 <= first <= last:
            raise ConfigError(f"`{part.strip()}` names no pages.", "Write them like `1-3, 7`.")
        ranges.append((first, last))
    return tuple(ranges)


def is_wanted(page: int, pages: Pages) -> bool:
    """Return whether a page, counted from 1, was asked for."""
    return not pages or any(first <= page <= last for first, last in pages)


def natural(name: str) -> list:
    """Return what sorts `page 2` before `page 10`."""
    parts = DIGITS.split(name.casefold())
    return [(int(part), part) if index % 2 else (0, part) for index, part in enumerate(parts)]


def find_pictures(names: Sequence[str], pages: str = "", most: int = 0) -> Found:
    """Return the pictures behind some paths; nothing of them is decoded.

    pages: of every PDF and of every TIFF with several, see `parse_pages`; most: how many may be
    read, 0 for all: TIFFs that come later are not looked into, and count as one picture.
    """
    wanted = parse_pages(pages)
    pictures: list[Given] = []
    passed_by: list[Remark] = []
    with contextlib.closing(Opener()) as opener:
        for name in dict.fromkeys(names):
            try:
                listed = behind(Path(name), wanted, passed_by)
            except OcrtuneError as error:
                listed = [Given(name, Path(name), trouble=error)]
            for one in listed:
                is_beyond = most and len(pictures) >= most
                pictures += [one] if is_beyond else opener.pages(one, wanted)
    taken = pictures[:most] if most else pictures
    return Found(tuple(taken), len(pictures) - len(taken), tuple(passed_by))


def behind(path: Path, wanted: Pages, passed_by: list[Remark]) -> list[Given]:
    """Return the pictures that a path leads to; what else lies there goes into `passed_by`."""
    if not is_archive(path):
        return [Given(str(path), path)]
    with open_archive(path) as archive:
        names = archive.names()
        files = archive.files
        pages = files.pages if isinstance(files, PdfFiles) else {}
        books = [name for name in names if name.lower().endswith(".pdf")]
        found = [name for name in names if is_picture_name(name) and name not in pages]
        found += [name for name, (_, number) in pages.items() if is_wanted(number, wanted)]
        given = [Given(id_of(path, name), path, name) for name in sorted(set(found), key=natural)]
        given += without_pages(path, archive, books, found)
        nested = [name for name in names if name.lower().endswith(".zip")]
        if nested:
            passed_by.append(remark("read_zips", count=len(nested), name=nested[0]))
        if not given:
            raise PictureError(remark("read_no_picture", name=path.name))
        return given


def without_pages(
    path: Path, archive: Archive, books: Sequence[str], found: Sequence[str]
) -> list[Given]:
    """Return a picture that cannot be had for each PDF that gives none."""
    with_pages = {name.rpartition(PAGE_MARK)[0] for name in found if PAGE_MARK in name}
    files = archive.files
    problems = files.problems if isinstance(files, PdfFiles) else []
    known = {str(problem.values["name"]): problem for problem in problems}
    given = []
    for name in books:
        if name in with_pages:
            continue
        reason = known.get(name) or remark("pdf_no_page", name=name)
        given.append(Given(id_of(path, name), path, name, PictureError(reason)))
    return given


def id_of(path: Path, member: str) -> str:
    """Return how people are told of a file in an archive, or of a page of a PDF."""
    if path.suffix.lower() == ".pdf" and not path.is_dir():
        return f"{path}{member.removeprefix(path.name)}"
    return f"{path}/{member}"


def is_archive(path: Path) -> bool:
    """Return whether a path leads to several pictures: a folder, a zip or a PDF."""
    return path.is_dir() or path.suffix.lower() in (".zip", ".pdf")


def count_pages(path: Path) -> int:
    """Return how many pages a picture file has, from its tags: 1 for all but TIFFs."""
    with contextlib.closing(Opener()) as opener:
        return len(opener.pages(Given(str(path), path), ()))


def open_archive(path: Path) -> Archive:
    """Return a folder, a zip or a PDF as an archive with the pages of its PDFs."""
    if path.is_dir():
        archive = Archive(LocalFiles(path, LIMITS, whole=True))
    elif path.suffix.lower() == ".pdf":
        archive = open_pdf(path)
        alone = archive.files
        alone.files = {path.name: alone.files[path.name]}  # what lies beside it was not given
    else:
        if not path.exists():
            raise ArchiveError(f"There is no file `{path}`.", "Check the path.")
        archive = Archive(ZipFiles(path, LIMITS))
    try:
        books = [name for name in archive.names() if name.lower().endswith(".pdf")]
        if books:
            archive.files = PdfFiles(archive.files, books[:MOST_BOOKS])
    except BaseException:
        archive.close()
        raise
    return archive


class Opener:
    """Opens pictures one after another; the archive that the last one came from stays open."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.archive: Archive | None = None
        self.last: tuple[tuple[Path, str] | None, bytes] = (None, b"")  # a TIFF, page by page

    def pages(self, given: Given, wanted: Pages) -> list[Given]:
        """Return the pages that were asked for of a TIFF with several; else what was given.

        What cannot be opened is returned too: whoever loads it is told.
        """
        if given.trouble or not self.may_have_pages(given):
            return [given]
        try:
            with quiet_pillow():
                frames = page_frames(self.bytes_of(given))
        except OcrtuneError:
            return [given]
        if len(frames) == 1:
            return [replace(given, frame=frames[0])]
        pages = [
            replace(given, picture_id=f"{given.picture_id}{PAGE_MARK}{number}", frame=frame)
            for number, frame in enumerate(frames, start=1)
            if is_wanted(number, wanted)
        ]
        if pages:
            return pages
        reason = remark("pdf_no_page", name=given.member or given.place.name)
        return [replace(given, trouble=PictureError(reason))]

    def may_have_pages(self, given: Given) -> bool:
        """Return whether it is a TIFF: by its name in an archive, else by how it begins."""
        if given.member:
            return given.member.lower().endswith(TIFF_NAMES)
        try:
            with given.place.open("rb") as stream:
                return stream.read(len(TIFF_STARTS[0])) in TIFF_STARTS
        except OSError:
            return False

    def load(self, given: Given) -> bytes:
        """Return a picture in a form that models read; an OcrtuneError says why there is none."""
        if given.trouble:
            raise given.trouble
        with quiet_pillow():
            return check_picture(self.file_of(given), given.frame).data

    def file_of(self, given: Given) -> bytes:
        """Return the file; a TIFF is at hand for as long as its pages are asked for."""
        source = (given.place, given.member)
        if self.last[0] == source:
            return self.last[1]
        data = self.bytes_of(given)
        self.last = (source, data) if data.startswith(TIFF_STARTS) else (None, b"")
        return data

    def bytes_of(self, given: Given) -> bytes:
        """Return the file, or the drawn page."""
        if given.member:
            return self.around(given.place).read(given.member)
        try:
            if given.place.stat().st_size > LIMITS.file_bytes:
                raise PictureError(remark("picture_heavy", most=LIMITS.file_bytes // MIB))
            return given.place.read_bytes()
        except OSError as error:
            raise PictureError(remark("picture_closed", cause=error.strerror or error)) from error

    def around(self, path: Path) -> Archive:
        """Return the archive at a path, opened."""
        if path != self.path or self.archive is None:
            self.close()
            self.archive, self.path = open_archive(path), path
        return self.archive

    def close(self) -> None:
        """Close the archive that is open."""
        if self.archive is not None:
            with contextlib.suppress(OSError):
                self.archive.close()
        self.path, self.archive = None, None


@dataclass(frozen=True)
class Loaded:
    """A picture, or why there is none."""

    given: Given
    number: int  # from 1, in the order of `Found.pictures`
    data: bytes = b""
    trouble: OcrtuneError | None = None


def load_in_portions(found: Found, sizes: Iterator[int], most_bytes: int) -> Iterator[list[Loaded]]:
    """Yield the pictures in portions of these sizes, or smaller ones where they are heavy."""
    opener, portion, weight = Opener(), [], 0
    wanted = next(sizes)
    try:
        for number, given in enumerate(found.pictures, start=1):
            try:
                one = Loaded(given, number, opener.load(given))
            except OcrtuneError as error:
                one = Loaded(given, number, trouble=error)
            portion.append(one)
            weight += len(one.data)
            if len(portion) >= wanted or weight >= most_bytes:
                yield portion
                portion, weight, wanted = [], 0, next(sizes)
        if portion:
            yield portion
    finally:
        opener.close()


def told(trouble: OcrtuneError) -> tuple[str, dict[str, object]]:
    """Return why there is no picture: in English, and as key and values of the same in others."""
    if isinstance(trouble, PictureError):
        reason = trouble.reason
        return str(reason), {"key": reason.key, "values": dict(reason.values)}
    if trouble.key:
        return str(trouble), {"key": trouble.key, "values": dict(trouble.values)}
    return str(trouble), {}
