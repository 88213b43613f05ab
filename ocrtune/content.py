"""The content file: from bytes to text, from each line to a picture or to a reason why not.

Nothing here opens a file: the names of the archive come in as strings, and `locate` may answer
for paths that lie outside of them.
"""

import codecs
import posixpath
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from ocrtune.errors import ArchiveError
from ocrtune.ground_truth import Entry, Reject, clip, reject
from ocrtune.remarks import Remark, remark

PICTURE_NAME = re.compile(r"\.(png|jpe?g|jpe|jfif|tiff?|webp|bmp|gif|jp2|p[bgpn]m)\Z", re.I)
PDF_PAGE = re.compile(r"\.pdf#page=([1-9][0-9]{0,4})\Z", re.I)
MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "<": ">"}
PATH_CHARS = 4_096  # a longer path exists nowhere
TAIL_SEGMENTS = 8  # path segments compared from the end; more never decide anything
NEAREST_LIMIT = 200  # rejects that get a nearest name: each costs a look at every picture


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """What a content file says about the pictures of an archive; both tuples are in line order."""

    entries: tuple[Entry, ...]
    rejects: tuple[Reject, ...]
    matches: dict[str, int]  # how the kept paths were found: `exact`, `spelling`, `tail`


@dataclass(frozen=True, slots=True)
class Match:
    """The pictures a written path may mean; more than one is an ambiguity."""

    names: tuple[str, ...]
    skipped: int  # leading segments the archive lacks; 0: none; -1: this is the very path


@dataclass(frozen=True, slots=True)
class Claim:
    """A line that found its picture, before claims on the same picture are settled."""

    line_number: int
    original: str
    written: str
    text: str
    match: Match

    def reject(self, reason: Remark) -> Reject:
        """Return the Reject of this line."""
        return reject(self.line_number, self.original, reason, self.match.names[0])


def nowhere(path: str) -> str | None:
    """Locate nothing: the pictures of a zip are in the zip."""


def decode(data: bytes) -> tuple[str, str]:
    """Return the text of `data` and its encoding: as marked, else UTF-8, GB18030 or cp1252.

    Broken bytes become U+FFFD, so that a few of them cost a few lines and not the whole file.
    """
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return decode_as(data[len(mark) :], encoding), encoding
    if b"\0" in data:
        little = data[1::2].count(0) >= data[::2].count(0)  # a Latin letter's empty half
        encoding = "utf-16-le" if little else "utf-16-be"
        few = 50 * data.count(0) < len(data)  # UTF-16 has them in every path and space
        return decode_as(data, "utf-8" if few else encoding), encoding
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd") - data.count(b"\xef\xbf\xbd")
    sound = len(text) - len(text.encode("ascii", "ignore")) - broken
    if 20 * broken <= sound:
        return text, "utf-8"
    encoding = "gb18030" if is_double_byte(data) else "cp1252"
    return decode_as(data, encoding), encoding


def decode_as(data: bytes, encoding: str) -> str:
    """Return `data` decoded; an ArchiveError when what comes out is no text."""
    text = data.decode(encoding, "replace")
    if "\0" in text or 5 * text.count("\ufffd") > len(text):
        raise ArchiveError(
            "The content file is not a text.", "Save it as plain text in UTF-8 and try again."
        )
    return text


def split_lines(text: str) -> list[str]:
    """Return the lines without the white space and byte order marks around them."""
    return [line.strip().strip("\ufeff").strip() for line in re.split("\r\n|\n|\r", text)]


def is_double_byte(data: bytes) -> bool:
    """Whether high bytes mostly touch each other, as in Chinese but not in German or French."""
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", data)]
    return 2 * sum(run for run in runs if run > 1) >= sum(runs)


def is_picture_name(name: str) -> bool:
    """Whether the name ends like a picture's or is that of a PDF's page."""
    return PICTURE_NAME.search(name[-5:]) is not None or PDF_PAGE.search(name) is not None


def clean(path: str) -> str:
    """Return the path with forward slashes and without empty or `.` segments, its root kept."""
    path = path.replace("\\", "/")
    segments = [segment for segment in path.split("/") if segment not in ("", ".")]
    return ("/" if path.startswith("/") else "") + "/".join(segments)


def fold(name: str) -> str:
    """Return the form in which names are equal whatever their case and Unicode form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def stem(name: str) -> str:
    """Return the folded file name without its suffix: what people mean by a picture's name."""
    return fold(posixpath.splitext(posixpath.basename(name))[0])


class Names:
    """The names of an archive, ready to be found by whatever path people wrote."""

    def __init__(
        self, names: Collection[str], folder: str, locate: Callable[[str], str | None]
    ) -> None:
        self.exact = frozenset(names)
        self.folder = folder
        self.locate = locate
        self.tails: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self.exact):
            segments = fold(name).split("/")
            for start in range(max(0, len(segments) - TAIL_SEGMENTS), len(segments)):
                self.tails["/".join(segments[start:])].append(name)
        # three times as long: a composed character may have been written in three parts
        longest = max((len(posixpath.basename(name)) for name in self.exact), default=0)
        self.longest_basename = 3 * longest
        self.pictures = [name for name in sorted(self.exact) if is_picture_name(name)]
        self.stems = [stem(name) for name in self.pictures]

    def may_end(self, basename: str) -> bool:
        """Whether a path with this last segment is worth a closer look."""
        if len(basename) <= self.longest_basename and fold(basename) in self.tails:
            return True
        return self.locate is not nowhere and is_picture_name(basename)

    def find(self, written: str) -> Match | None:
        """Return what a path means: the very picture, or those that share its longest tail."""
        path = clean(written)
        for name in (posixpath.normpath(posixpath.join(self.folder, path)), path):
            if name in self.exact:
                return Match((name,), -1)
        if is_picture_name(path) and (located := self.locate(path)):
            return Match((located,), -1)
        segments = path.lstrip("/").split("/")
        for length in range(min(len(segments), TAIL_SEGMENTS), 0, -1):
            tail = "/".join(segments[-length:])
            if found := self.tails.get(fold(tail)):
                same_case = [name for name in found if f"/{name}".endswith(f"/{tail}")]
                return Match(tuple(same_case or found), len(segments) - length)
        return None

    def nearest(self, written: str) -> str:
        """Return the picture with the most similar file name, or an empty string."""
        wanted = stem(clean(written))
        found = process.extractOne(wanted, self.stems, scorer=fuzz.ratio, score_cutoff=60)
        return self.pictures[found[2]] if found else ""


def parse(
    text: str,
    names: Collection[str],
    folder: str = "",
    locate: Callable[[str], str | None] = nowhere,
) -> Parsed:
    """Return the entries and rejects of a content file that lies in `folder` of the archive.

    `locate` returns the archive's name of a path that `names` does not list, or None.
    """
    known = Names(names, folder, locate)
    claims: dict[str, list[Claim]] = defaultdict(list)
    rejects: list[Reject] = []
    searched = 0
    for line_number, line in enumerate(split_lines(text), start=1):
        if not line:
            continue
        written, ground_truth, match = split_line(line, known)
        if line.startswith("#") and (match is None or match.skipped > 0):
            continue  # a comment, not the path of a picture whose name begins with #
        if reason := fault(written, ground_truth, match):
            searched += match is None
            near = known.nearest(written) if match is None and searched <= NEAREST_LIMIT else ""
            rejects.append(reject(line_number, line, reason, near))
        else:
            claim = Claim(line_number, line, written, ground_truth, match)
            claims[match.names[0]].append(claim)
    kept: list[Claim] = []
    for name, rivals in claims.items():
        winner, losers = settle(name, rivals)
        kept += winner
        rejects += losers
    entries = [
        Entry(line_number=claim.line_number, name=claim.match.names[0], text=claim.text)
        for claim in kept
    ]
    ways = Counter({-1: "exact", 0: "spelling"}.get(claim.match.skipped, "tail") for claim in kept)
    return Parsed(
        entries=tuple(sorted(entries, key=lambda entry: entry.line_number)),
        rejects=tuple(sorted(rejects, key=lambda reject: reject.line_number)),
        matches=dict(sorted(ways.items())),
    )


def split_line(line: str, known: Names) -> tuple[str, str, Match | None]:
    """Return path, text and match of a line, split where the archive explains it best.

    Best is the very path of a picture, then the fewest segments that the archive lacks, then the
    longest path: so spaces work within a path, and a text may mention another picture.
    """
    best = None
    for written, text in splits(line, known):
        match = known.find(written)
        if match is not None and (best is None or (match.skipped, -len(written)) < best[0]):
            best = ((match.skipped, -len(written)), written, text, match)
    return best[1:] if best else (*guess_split(line), None)


def splits(line: str, known: Names) -> Iterator[tuple[str, str]]:
    """Yield the ways to divide the line into path and text that can name a known picture."""
    if quoted := split_quoted(line):
        yield quoted
    basename_at = 0
    for token in re.finditer(r"[/\\]|\s+|\Z", line):
        if token.start() > PATH_CHARS:
            return
        if token.group() in ("/", "\\"):
            basename_at = token.end()
        elif known.may_end(line[basename_at : token.start()]):
            yield line[: token.start()], line[token.end() :]


def split_quoted(line: str) -> tuple[str, str] | None:
    """Return path and text of a line that begins with a path in quotes, else None."""
    closing = line.find(QUOTES.get(line[0], "\n"), 1, PATH_CHARS)
    return (line[1:closing], line[closing + 1 :].strip()) if closing > 0 else None


def guess_split(line: str) -> tuple[str, str]:
    """Return path and text of a line whose picture is unknown, for the sake of a good reason."""
    if (quoted := split_quoted(line)) and is_picture_name(quoted[0]):
        return quoted
    for space in re.finditer(r"\s+|\Z", line[:PATH_CHARS]):
        if is_picture_name(line[max(0, space.start() - 5) : space.start()]):
            return line[: space.start()], line[space.end() :]
    path, _, text = line.partition(" ")
    return path, text.strip()


def fault(written: str, text: str, match: Match | None) -> Remark | None:
    """Return why the line cannot be used, or None."""
    if match is None and not is_picture_name(written):
        return remark("no_path")
    if match is None:
        return remark("no_picture", path=clip(written))
    if len(match.names) > 1:
        shown = [f"`{name}`" for name in match.names[:3]] + ["…"] * (len(match.names) > 3)
        count = len(match.names)
        return remark("several_pictures", path=clip(written), count=count, names=shown)
    if not text:
        return remark("no_text")
    if "\ufffd" in text:
        return remark("unreadable")
    return None


def settle(name: str, claims: list[Claim]) -> tuple[list[Claim], list[Reject]]:
    """Return the claim that gets the picture (at most one) and the rejects of the others.

    The better match wins, then the first line: which of two texts is right only a person knows,
    so one is kept, and the report names the other. Different paths that fit only by their end
    are a guess that proves itself wrong: none of them is kept.
    """
    closest = min(claim.match.skipped for claim in claims)
    rivals = [claim for claim in claims if claim.match.skipped == closest]
    first = rivals[0]
    one_text = all(claim.text == first.text for claim in rivals)
    one_path = len({clean(claim.written) for claim in rivals}) == 1
    if closest > 0 and not one_text and not one_path:
        numbers = [str(claim.line_number) for claim in rivals[:3]]
        reason = remark("different_paths", lines=numbers, name=name)
        return [], [claim.reject(reason) for claim in claims]
    rejects = []
    for claim in claims:
        if claim.match.skipped > closest:
            path = clip(claim.written)
            reason = remark("taken", path=path, name=name, line=str(first.line_number))
        elif claim.text == first.text:
            reason = remark("repeated", line=str(first.line_number))
        else:
            reason = remark("contradicted", line=str(first.line_number))
        if claim is not first:
            rejects.append(claim.reject(reason))
    return [first], rejects
