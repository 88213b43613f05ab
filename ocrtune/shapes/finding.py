"""What the shapes of ground truth share: files begun or read as text, and pictures found."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from ocrtune.archive import DAMAGE, SIDE_TEXTS, Archive
from ocrtune.config import BuildConfig
from ocrtune.content import PDF_PAGE, Names, clean, decode, fold, is_picture_name
from ocrtune.errors import ArchiveError
from ocrtune.ground_truth import clip
from ocrtune.remarks import Remark, remark

HEAD_BYTES = 8_192  # enough to tell what kind of file it is
NEAREST_LIMIT = 200  # rejects that get a nearest name: each costs a look at every picture
# Of a line's picture, in ocropus and OCR-D: from nearly plain to black and white.
VARIANTS = (".raw", ".color", ".gray", ".dew", ".nrm", ".bin")
PAGE_NUMBER = re.compile(r"(.*?)(?:\.pdf)?[ _.\-]*(?:page|pg|p|seite)?[ _.\-]*0*([1-9]\d{0,4})\Z")
TOOLS_TEXTS = ("filestate", "dict", "word_dict", "charset", "classes", "alphabet", "robots")
URL = re.compile(r"[a-z][a-z0-9+.\-]+://", re.I)


@dataclass(frozen=True, slots=True)
class Found:
    """The picture that was meant, or why there is none."""

    name: str = ""
    reason: Remark | None = None
    nearest: str = ""


class Pictures:
    """The pictures of an archive, found by whatever a list, a table or an XML file calls them."""

    def __init__(self, archive: Archive) -> None:
        self.known = Names(archive.names(), "", archive.locate)
        self.stems: dict[str, list[str]] = defaultdict(list)
        self.pdf_pages: dict[tuple[str, str], str] = {}
        self.searched = 0
        for name in self.known.pictures:
            if page := PDF_PAGE.search(name):
                self.pdf_pages[fold(posixpath.basename(name[: page.start()])), page[1]] = name
            else:
                self.stems[picture_stem(name)].append(name)

    def find(self, written: str, folder: str = "") -> Found:
        """Return the picture called `written` in a file that lies in `folder`."""
        path = local_path(written)
        near = posixpath.normpath(posixpath.join(folder, path))
        if near in self.known.exact and is_picture_name(near):
            return Found(near)
        match = self.known.find(path)
        names = [name for name in match.names if is_picture_name(name)] if match else []
        if not names and (page := self.find_pdf_page(near)):
            return Found(page)
        if names:
            return self.one_of(names, near, written)
        return Found(reason=remark("no_picture", path=clip(written)), nearest=self.nearest(path))

    def find_by_stem(self, written: str, file: str) -> Found:
        """Return the picture whose stem is that of `written`, the one nearest to `file`."""
        names = self.stems.get(picture_stem(written), [])
        if names:
            return self.one_of(names, file, written)
        page = self.find_pdf_page(posixpath.splitext(file)[0])
        return Found(page) if page else Found(reason=remark("no_picture", path=clip(written)))

    def find_pdf_page(self, path: str) -> str:
        """Return the PDF's page that a path means: `book_0003`, `book/3`, `book.pdf 3`."""
        if not self.pdf_pages:
            return ""
        folder, base = posixpath.split(fold(path))
        base = posixpath.splitext(base)[0] if is_picture_name(base) else base
        if not (page := PAGE_NUMBER.match(base)):
            return ""
        books = {book for book, _ in self.pdf_pages}
        for book in (page[1], posixpath.basename(folder)):
            if (book, page[2]) in self.pdf_pages:
                return self.pdf_pages[book, page[2]]
        only = books.pop() if len(books) == 1 and not page[1] else ""
        return self.pdf_pages.get((only, page[2]), "")

    def one_of(self, names: Sequence[str], near: str, written: str) -> Found:
        """Return the one of several pictures that lies nearest to `near`, if it is one."""
        shares = [shared_segments(name, near) for name in names]
        best = [name for name, share in zip(names, shares, strict=True) if share == max(shares)]
        if len(best) == 1:
            return Found(best[0])
        shown = [f"`{name}`" for name in best[:3]] + ["…"] * (len(best) > 3)
        values = {"path": clip(written), "count": len(best), "names": shown}
        return Found(reason=remark("several_pictures", **values), nearest=best[0])

    def nearest(self, written: str) -> str:
        """Return the picture with the most similar name, for the first few that ask."""
        self.searched += 1
        return self.known.nearest(written) if self.searched <= NEAREST_LIMIT else ""


def local_path(written: str) -> str:
    """Return a path or the path of a URL, with forward slashes."""
    if URL.match(written):
        written = unquote(re.split(r"[?#]", written.split("://", 1)[1], maxsplit=1)[0])
    return clean(written)


def shared_segments(name: str, other: str) -> int:
    """Return how much the folders of two paths have in common, from the front and the back."""
    one, two = name.split("/")[:-1], other.split("/")[:-1]
    front = len(posixpath.commonprefix([one, two]))
    back = len(posixpath.commonprefix([one[front:][::-1], two[front:][::-1]]))
    return front + back + (len(one) == len(two))


def picture_stem(name: str) -> str:
    """Return the folded file name without its suffix and without a mark like `.nrm`."""
    base = fold(posixpath.basename(name))
    root, dot, suffix = base.rpartition(".")
    root = root if dot and len(suffix) <= 5 else base
    return root.removesuffix(next((end for end in VARIANTS if root.endswith(end)), "\0"))


def is_side_file(name: str) -> bool:
    """Whether a file usually stands beside ground truth and is none: a read-me, a licence."""
    return picture_stem(name).partition(".")[0] in (*SIDE_TEXTS, *TOOLS_TEXTS)


def head(archive: Archive, name: str) -> bytes:
    """Return the first bytes of a file; none where it cannot be read."""
    if name == archive.content_name:
        return archive.content_data[:HEAD_BYTES]
    try:
        stream, _ = archive.files.open(name)
        with stream:
            return stream.read(HEAD_BYTES)
    except (*DAMAGE, ArchiveError):
        return b""


def head_text(archive: Archive, name: str) -> str:
    """Return the text that a file begins with, without its last, cut line; empty for no text."""
    data = head(archive, name)
    if len(data) == HEAD_BYTES:
        data = data[: data.rfind(b"\n") + 1] or data
    try:
        return decode(data)[0]
    except ArchiveError:
        return ""


def read_text(archive: Archive, name: str, config: BuildConfig) -> tuple[str, str]:
    """Return the whole text of a file and its encoding: as set, else as detected."""
    given = name == archive.content_name  # it may lie beside the archive
    return decode(archive.content_data if given else archive.read(name), config.encoding)
