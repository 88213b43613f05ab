"""The pages of PDFs as pictures: `book.pdf#page=3`, drawn when they are asked for.

PDFium is loaded when there is a PDF. It may only be used by one thread at a time.
"""

import importlib
import io
import tempfile
import threading
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from PIL import Image

from ocrtune.archive import DAMAGE, Archive, LocalFiles, ZipFiles, read_content
from ocrtune.errors import ArchiveError
from ocrtune.pictures import compact
from ocrtune.remarks import Remark, remark

MIB = 1024 * 1024
POINTS_PER_INCH = 72
DPI = 300
MOST_PIXELS = 5_000  # on the longer side: A3 at 300 dpi; some PDFs say a point is a pixel
MOST_PAGES = 5_000  # of one PDF
MOST_BYTES = 1024 * MIB
MOST_UNPACKED = 4 * MOST_BYTES  # of all PDFs of a zip together
MOST_BOOKS = 500  # PDFs of one archive
PDFIUM = threading.Lock()


class PdfFiles:
    """The files of an archive and the pages of its PDFs as further ones."""

    def __init__(self, files: "ZipFiles | LocalFiles | PdfAlone", books: list[str]) -> None:
        self.inner = files
        self.label = files.label
        self.books: dict[str, Any] = {}  # open documents by name
        self.problems: list[Remark] = []  # PDFs that cannot be read
        self.streams: list[IO[bytes]] = []
        self.pages: dict[str, tuple[str, int]] = {}
        self.unpacked = 0  # bytes of copies on the disk
        try:
            for name in books[:MOST_BOOKS]:
                self.add_book(name)
        except BaseException:  # nobody gets to close what was opened
            self.close()
            raise
        self.files = dict(files.files) | self.pages

    def add_book(self, name: str) -> None:
        """Open a PDF and name its pages; what is wrong with it becomes a problem."""
        pdfium = load_pdfium()
        try:
            stream = self.unpack(name)
            with PDFIUM:
                book = pdfium.PdfDocument(stream)
                count = len(book)
        except pdfium.PdfiumError as error:
            locked = "password" in str(error).lower()
            self.problems.append(remark("pdf_locked" if locked else "pdf_damaged", name=name))
            return
        except DAMAGE:  # of the zip around it
            self.problems.append(remark("pdf_damaged", name=name))
            return
        if count > MOST_PAGES:
            self.problems.append(remark("pdf_long", name=name, count=count, most=MOST_PAGES))
        self.books[name] = book
        for number in range(1, min(count, MOST_PAGES) + 1):
            self.pages[f"{name}#page={number}"] = (name, number)

    def unpack(self, name: str) -> IO[bytes]:
        """Return the PDF as a file that can be read in any order; it has no name on the disk."""
        source, packed = self.inner.open(name)
        if isinstance(source, io.BufferedReader) and hasattr(source, "fileno"):
            self.streams.append(source)
            return source
        stream = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the archive)
        self.streams.append(stream)
        size = 0
        with source:
            while part := source.read(MIB):
                size += len(part)
                self.unpacked += len(part)
                if self.unpacked > MOST_UNPACKED:
                    raise ArchiveError(
                        f"The PDFs in `{self.label}` unpack to more than {MOST_UNPACKED // MIB:,} "
                        "MiB.",
                        "Divide it into smaller ones.",
                    )
                if size > MOST_BYTES or size > 300 * MIB + 300 * packed:
                    raise ArchiveError(
                        f"`{name}` is larger than {MOST_BYTES // MIB} MiB.", "Divide it."
                    )
                stream.write(part)
        stream.seek(0)
        return stream

    def open(self, name: str) -> tuple[IO[bytes], int]:
        """Return a stream of a file, or of the drawn page, and its size in bytes."""
        if name not in self.pages:
            return self.inner.open(name)
        data = compact(self.draw(name))
        return io.BytesIO(data), len(data)

    def draw(self, name: str) -> Image.Image:
        """Return a page of a PDF as a picture, grey where it has no colour."""
        book, number = self.pages[name]
        pdfium = load_pdfium()
        try:
            with PDFIUM:
                page = self.books[book][number - 1]
                width, height = page.get_size()
                longest = max(width, height, 1)
                bitmap = page.render(scale=min(DPI / POINTS_PER_INCH, MOST_PIXELS / longest))
                image = bitmap.to_pil().convert("RGB")
                page.close()
        except pdfium.PdfiumError as error:
            raise ArchiveError(
                f"`{name}` cannot be drawn.", "Save the PDF again, or export the page as a picture."
            ) from error
        return image.convert("L") if is_grey(image) else image

    def has_text(self) -> bool:
        """Whether the first pages of a PDF hold words."""
        for name in list(self.pages)[:3]:
            book, number = self.pages[name]
            with PDFIUM:
                page = self.books[book][number - 1]
                words = page.get_textpage().get_text_bounded()
            if words.strip():
                return True
        return False

    def locate(self, path: str) -> str | None:
        """Return what the files beneath say; a page is known by its name."""
        return self.inner.locate(path)

    def close(self) -> None:
        """Close the PDFs and the files beneath."""
        with PDFIUM:
            for book in self.books.values():
                book.close()
        for stream in self.streams:
            stream.close()
        self.inner.close()


class PdfAlone:
    """A PDF of its own as an archive, with the files beside it that are called like it."""

    def __init__(self, path: Path) -> None:
        self.label = path.name
        self.root = path.parent.resolve()
        called = [one for one in sorted(self.root.iterdir()) if one.name.startswith(path.stem)]
        files = [one for one in called if one.is_file()]
        folder = self.root / path.stem
        files += sorted(one for one in folder.iterdir() if one.is_file()) if folder.is_dir() else []
        self.files = {one.relative_to(self.root).as_posix(): str(one) for one in files}

    def open(self, name: str) -> tuple[IO[bytes], int]:
        """Return a stream of the file and its size in bytes."""
        path = Path(self.files[name])
        return path.open("rb"), path.stat().st_size

    def locate(self, path: str) -> str | None:
        """Return nothing: only files called like the PDF belong to it."""
        return None

    def close(self) -> None:
        """Do nothing: no file stays open."""


def open_pdf(path: Path, content: Path | None = None) -> Archive:
    """Return a PDF, with the files beside it that are called like it, as an archive."""
    if not path.is_file():
        raise ArchiveError(f"There is no file `{path}`.", "Check the path.")
    archive = Archive(PdfAlone(path))
    if content is not None:
        archive.take_content(content.name, "", read_content(content, archive.limits))
    return archive


def add_pdf_pages(archive: Archive) -> Archive:
    """Return the archive; the pages of its PDFs are now among its names, if it has PDFs."""
    books = [name for name in archive.names() if name.lower().endswith(".pdf")]
    if books:
        archive.files = PdfFiles(archive.files, books)
    return archive


def pdf_problems(archive: Archive) -> tuple[Remark, ...]:
    """Return what is wrong with the PDFs of an archive."""
    return tuple(archive.files.problems) if isinstance(archive.files, PdfFiles) else ()


def is_grey(image: Image.Image) -> bool:
    """Whether a picture has no colour."""
    red, green, blue = image.split()
    return red.tobytes() == green.tobytes() == blue.tobytes()


def load_pdfium() -> ModuleType:
    """Return pypdfium2; importing it costs half a second that few builds need to spend."""
    return importlib.import_module("pypdfium2")
