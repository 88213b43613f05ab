"""The names of an archive's pictures, found by whatever path people wrote."""

import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

from rapidfuzz import fuzz, process

PICTURE_NAME = re.compile(r"\.(png|jpe?g|jpe|jfif|tiff?|webp|bmp|gif|jp2|p[bgpn]m)\Z", re.I)
PDF_PAGE = re.compile(r"\.pdf#page=([1-9][0-9]{0,4})\Z", re.I)
ESCAPED = re.compile(r"\\([_*~#+.!()\[\]-])")  # as Markdown editors write a path's characters
SIGN = re.compile(r"[\s,，;；|:：>→\\]")
TAIL_SEGMENTS = 8  # path segments compared from the end; more never decide anything
CROWD = 16  # pictures with one file name, from which on their longer tails are indexed


def nowhere(path: str) -> str | None:
    """Locate nothing: the pictures of a zip are in the zip."""


def is_picture_name(name: str) -> bool:
    """Whether the name ends like a picture's or is that of a PDF's page."""
    return PICTURE_NAME.search(name[-5:]) is not None or PDF_PAGE.search(name[-17:]) is not None


def clean(path: str) -> str:
    """Return the path with forward slashes and without empty or `.` segments, its root kept."""
    path = path.replace("\\", "/")
    if path[:7].lower() == "file://":
        path = path[7:]
    if "//" not in path and "./" not in path and path[-1:] not in ("/", "."):
        return path
    segments = [segment for segment in path.split("/") if segment not in ("", ".")]
    return ("/" if path.startswith("/") else "") + "/".join(segments)


def fold(name: str) -> str:
    """Return the form in which names are equal whatever their case and Unicode form."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def stem(name: str) -> str:
    """Return the folded file name without its suffix: what people mean by a picture's name."""
    return fold(posixpath.splitext(posixpath.basename(name))[0])


@dataclass(frozen=True, slots=True)
class Match:
    """The pictures a written path may mean; more than one is an ambiguity."""

    names: tuple[str, ...]
    skipped: int  # leading segments the archive lacks; 0: none; -1: this is the very path


class Names:
    """The names of an archive, ready to be found by whatever path people wrote."""

    def __init__(
        self, names: Collection[str], folder: str, locate: Callable[[str], str | None]
    ) -> None:
        self.exact = frozenset(names)
        self.folder = folder
        self.locate = locate
        self.longest_basename = 0
        # one name as it is, several in a list: most file names are there once
        self.by_basename: dict[str, str | list[str]] = {}
        self.crowds: dict[str, dict[str, list[str]]] = {}
        for name in sorted(self.exact):
            base = name.rpartition("/")[2]
            self.longest_basename = max(self.longest_basename, len(base))
            base = fold(base)
            known = self.by_basename.setdefault(base, name)
            if isinstance(known, list):
                known.append(name)
            elif known is not name:
                self.by_basename[base] = [known, name]
        # three times as long: a composed character may have been written in three parts
        self.longest_basename *= 3

    @cached_property
    def are_plain(self) -> bool:
        """Whether no name holds a space or another sign that may stand behind a path."""
        return self.locate is nowhere and not any(map(SIGN.search, self.exact))

    def within(self, folder: str) -> "Names":
        """Return the same names for paths that are relative to another folder."""
        names = copy(self)
        names.folder = folder
        return names

    @cached_property
    def pictures(self) -> list[str]:
        """The names that end like a picture's, sorted."""
        return [name for name in sorted(self.exact) if is_picture_name(name)]

    @cached_property
    def stems(self) -> list[str]:
        """The stem of each picture."""
        return [stem(name) for name in self.pictures]

    @cached_property
    def by_stem(self) -> dict[str, list[str]]:
        """The pictures of each stem."""
        names = defaultdict(list)
        for name, one in zip(self.pictures, self.stems, strict=True):
            names[one].append(name)
        return names

    def may_end(self, basename: str) -> bool:
        """Whether a path with this last segment is worth a closer look."""
        if len(basename) <= self.longest_basename and fold(basename) in self.by_basename:
            return True
        if "%" in basename and fold(unquote(basename)) in self.by_basename:
            return True
        if "\\" in basename:
            plain = fold(ESCAPED.sub(r"\1", basename))
            return plain in self.by_basename or self.may_end(basename.rpartition("\\")[2])
        return self.locate is not nowhere and is_picture_name(basename)

    def find(self, written: str) -> Match | None:
        """Return what a path means: the very picture, or those that share its longest tail.

        What is escaped, for a URL or for Markdown, is tried as it stands first.
        """
        match = self.find_path(written)
        if match is None and "%" in written:
            match = self.find_path(unquote(written))
        if match is None and "\\" in written and (plain := ESCAPED.sub(r"\1", written)) != written:
            match = self.find_path(plain)
        return match

    def find_path(self, written: str) -> Match | None:
        """Return what a path means as it stands."""
        path = clean(written)
        if self.folder or ".." in path:
            near = posixpath.normpath(posixpath.join(self.folder, path))
            if near in self.exact:
                return Match((near,), -1)
        if path in self.exact:
            return Match((path,), -1)
        if is_picture_name(path) and (located := self.locate(path)):
            return Match((located,), -1)
        segments = path.lstrip("/").split("/")
        found = self.by_basename.get(fold(segments[-1])) if segments[-1] else None
        if found is None:
            return None
        rivals = [found] if isinstance(found, str) else found
        names, length = self.share_tail(rivals, segments)
        tail = "/" + "/".join(segments[-length:])
        same_case = [name for name in names if f"/{name}".endswith(tail)]
        names = same_case or names
        if len(names) > 1 and self.folder:
            names = [name for name in names if name.startswith(f"{self.folder}/")] or names
        return Match(tuple(names), len(segments) - length)

    def share_tail(self, rivals: list[str], segments: list[str]) -> tuple[list[str], int]:
        """Return those of the pictures that share the longest tail, and its segments."""
        folded = [fold(segment) for segment in segments[-TAIL_SEGMENTS:]]
        if len(rivals) > CROWD:
            tails = self.crowds.get(folded[-1]) or self.crowd(folded[-1], rivals)
            for length in range(len(folded), 0, -1):
                if names := tails.get("/".join(folded[-length:])):
                    return names, length
        best, most = [], 0
        for name in rivals:
            shared = common_tail([fold(part) for part in name.split("/")], folded)
            if shared > most:
                best, most = [], shared
            if shared == most:
                best.append(name)
        return best, most

    def crowd(self, base: str, rivals: list[str]) -> dict[str, list[str]]:
        """Return the pictures of one file name by all their tails, remembered."""
        tails = defaultdict(list)
        for name in rivals:
            segments = [fold(segment) for segment in name.split("/")]
            for length in range(1, min(len(segments), TAIL_SEGMENTS) + 1):
                tails["/".join(segments[-length:])].append(name)
        self.crowds[base] = tails
        return tails

    def find_bare(self, written: str) -> Match | None:
        """Return what a path without its suffix means: pictures of that name, in its folder."""
        path = clean(written)
        names = self.by_stem.get(fold(path.rpartition("/")[2]), [])
        matches = {name: self.find_path(path + posixpath.splitext(name)[1]) for name in names}
        found = {name: match for name, match in matches.items() if match and name in match.names}
        if not found:
            return None
        skipped = min(match.skipped for match in found.values())
        best = [name for name, match in found.items() if match.skipped == skipped]
        return Match(tuple(best), skipped)

    def nearest(self, written: str) -> str:
        """Return the picture with the most similar file name, or an empty string."""
        wanted = stem(clean(written))
        found = process.extractOne(wanted, self.stems, scorer=fuzz.ratio, score_cutoff=60)
        return self.pictures[found[2]] if found else ""


def common_tail(one: list[str], two: list[str]) -> int:
    """Return how many segments two paths share at their ends, TAIL_SEGMENTS at most."""
    pairs: Iterator[tuple[str, str]] = zip(reversed(one), reversed(two), strict=False)
    length = 0
    for left, right in pairs:
        if left != right or length == TAIL_SEGMENTS:
            break
        length += 1
    return length
