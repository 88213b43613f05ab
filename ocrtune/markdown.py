"""Content files in Markdown: what is no content in them, and pages under their pictures.

A page is several lines of text under a heading, or under a picture, that names it.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ocrtune.ground_truth import clip
from ocrtune.links import find_link
from ocrtune.names import Match, Names, is_picture_name
from ocrtune.path_lines import guess_split
from ocrtune.pieces import Piece, Reading
from ocrtune.remarks import Remark, remark

FENCE = re.compile(r"(```+|~~~+)\s*[\w+#.-]*\Z")
RULE = re.compile(r"(?:-[ -]+-|\*[ *]+\*|_[ _]+_|=[ =]+=)\Z")
HEADING = re.compile(r"(#{1,6})\s*(.+?)\s*#*\Z")
META = re.compile(r"(?:[\w .-]{1,60}:(?:\s.*)?|-\s.*|#.*|)\Z")  # a line of YAML
FRONT_LINES = 100  # of front matter, at most
MARK_CHARS = 4_096
PAGES_LEAD = 2  # times as many pages as lines of `path text` among them: else those are the truth


def cover(lines: Sequence[str]) -> list[str]:
    """Return the lines with front matter, HTML comments and code fences made blank."""
    lines = list(lines)
    if lines and lines[0] == "---":
        ends = [at for at, one in enumerate(lines[1:FRONT_LINES], 1) if one in ("---", "...")]
        if ends and all(map(META.match, lines[1 : ends[0]])):
            lines[: ends[0] + 1] = [""] * (ends[0] + 1)
    comment_from = None
    for at, line in enumerate(lines):
        first = line[:1]
        if comment_from is None and first == "<" and line.startswith("<!--"):
            comment_from = at
        if comment_from is not None:
            if line.endswith("-->"):
                lines[comment_from : at + 1] = [""] * (at + 1 - comment_from)
                comment_from = None
        elif first and first in "`~" and FENCE.match(line):
            lines[at] = ""
    return lines


def is_rule(line: str) -> bool:
    """Whether a line only separates: `---`, `***`, `===`."""
    return line[:1] in ("-", "*", "_", "=") and RULE.match(line) is not None


@dataclass(frozen=True, slots=True)
class Mark:
    """A line that may begin a page."""

    kind: str  # `heading`, `bare heading` without the picture's suffix, `picture`, `path`
    level: int  # of a heading
    written: str
    match: Match | None


def read_pages(lines: Sequence[str], known: Names, plain: Reading) -> Reading | None:
    """Return the file read as pages, each under a line that names its picture.

    None where it is none: where it makes more sense as `path text`, which `plain` has read. Lines
    of that form, of pictures without a page, count as such.
    """
    marks = {at: mark for at, line in enumerate(lines) if line and (mark := find_mark(line, known))}
    counts = Counter(mark.kind for mark in marks.values() if mark.match)
    order = ("heading", "picture", "bare heading", "path")
    kind = max(order, key=lambda one: (counts[one], -order.index(one)))
    if not counts[kind]:
        return None
    marks = choose_marks(marks, kind)
    starts = sorted(marks)
    own = {marks[at].match.names for at in starts if marks[at].match}
    paths = {piece.line_number - 1: piece for piece in plain.pieces if is_path_line(piece)}
    strays = {at: one for at, one in paths.items() if at > starts[0] and one.match.names not in own}
    captions = find_captions(lines, starts) if kind == "picture" else set()
    pieces, pages, doubts = [], 0, len(strays)
    for at, following in zip(starts, [*starts[1:], len(lines)], strict=True):
        mark = marks[at]
        end = next((line for line in range(at + 1, following) if line in strays), following)
        text = page_text(lines, at + 1, end, mark, known, captions)
        reason = None if mark.match else remark("no_picture", path=clip(mark.written))
        pieces.append(Piece(at + 1, mark.written, text, mark.match, reason, lines=end - at))
        pieces += outside(lines, range(end, following), strays, captions)
        said = (one for one in range(at + 1, end) if lines[one])
        first = next((one for one in said if not repeats(lines[one], mark, known)), end)
        doubts += first in paths and paths[first].match.names == (mark.match and mark.match.names)
        if text and mark.match and not is_picture_name(guess_split(lines[first])[0]):
            pages += 1
    if pages <= PAGES_LEAD * doubts:
        return None
    told = remark("as_pages", count=sum(piece.match is not None for piece in pieces))
    found = {at: piece for at, piece in paths.items() if at < starts[0]}
    pieces += outside(lines, range(starts[0]), found, captions)
    pieces.sort(key=lambda piece: piece.line_number)
    return Reading(pieces=pieces, remarks=[told])


def is_path_line(piece: Piece) -> bool:
    """Whether a line is surely `path text`: its picture lies where the path says."""
    return piece.is_found and piece.match.skipped <= 0


def find_mark(line: str, known: Names) -> Mark | None:
    """Return what kind of beginning a line may be, or None for text."""
    if len(line) > MARK_CHARS:
        return None
    heading = HEADING.match(line) if line[0] == "#" else None
    words = heading[2] if heading else line
    level = len(heading[1]) if heading else 0
    if (link := find_link(words)) and not words[link.end :].strip(" :："):
        if not heading and not link.is_silent:
            return None  # the text is in the link: a line of its own
        match = known.find(link.path)
        if match or is_picture_name(link.path):
            return Mark("heading" if heading else "picture", level, link.path, match)
        return None
    written = words.strip("*`\"' :：")
    if not heading:
        match = known.find(written) if is_picture_name(written) else None
        return Mark("path", 0, written, match) if match else None
    match = known.find(line) if level == 1 else None
    if match and match.skipped <= 0:
        return Mark("path", 0, line, match)  # a picture whose name begins with #
    match = known.find(written)
    whole = guess_split(written)[0] == written  # a path may hold spaces
    if match or (whole and is_picture_name(written)):
        return Mark("heading", level, written, match)
    return Mark("bare heading", level, written, known.find_bare(written))


def choose_marks(marks: dict[int, Mark], kind: str) -> dict[int, Mark]:
    """Return those marks that begin pages, by their line; the others are text.

    Headings without a suffix may be text as well: those of the usual level that name nothing
    still begin a page, one that is missing.
    """
    chosen = {at: mark for at, mark in marks.items() if mark.kind == kind}
    if kind == "bare heading":
        levels = Counter(mark.level for mark in chosen.values() if mark.match)
        level = levels.most_common(1)[0][0]
        return {at: mark for at, mark in chosen.items() if mark.level == level}
    return chosen


def find_captions(lines: Sequence[str], starts: Sequence[int]) -> set[int]:
    """Return the headings directly above pictures, if most pictures have one: they are no text."""
    above = set()
    for start in starts:
        at = start - 1
        while at >= 0 and not lines[at]:
            at -= 1
        if at >= 0 and HEADING.match(lines[at]):
            above.add(at)
    return above if 2 * len(above) > len(starts) else set()


def page_text(
    lines: Sequence[str], start: int, end: int, mark: Mark, known: Names, captions: set[int]
) -> str:
    """Return the text of a page: its lines, runs of blank ones as one, rules around it dropped."""
    kept: list[str] = []
    for at in range(start, end):
        line = lines[at]
        if at in captions or (not kept and repeats(line, mark, known)):
            continue
        if line or (kept and kept[-1]):
            kept.append(line)
    while kept and (not kept[-1] or is_rule(kept[-1]) or is_above(kept[-1], mark)):
        kept.pop()
    while kept and (not kept[0] or is_rule(kept[0])):
        kept.pop(0)
    return "\n".join(kept)


def is_above(line: str, mark: Mark) -> bool:
    """Whether a last line is the title of what follows: a heading above those of pages."""
    heading = HEADING.match(line) if line[0] == "#" else None
    return heading is not None and len(heading[1]) < mark.level


def repeats(line: str, mark: Mark, known: Names) -> bool:
    """Whether the line before any text shows the picture that the mark names already."""
    link = find_link(line) if mark.match else None
    match = known.find(link.path) if link and not line[link.end :].strip() else None
    return match is not None and match.names == mark.match.names


def outside(
    lines: Sequence[str], span: range, found: Mapping[int, Piece], captions: set[int]
) -> list[Piece]:
    """Return a piece for each line that belongs to no page, rejected unless it is `found`."""
    reason: Remark = remark("before_pages")
    return [
        found.get(at) or Piece(at + 1, *guess_split(lines[at]), None, reason)
        for at in span
        if at in found
        or (lines[at] and lines[at][0] != "#" and at not in captions and not is_rule(lines[at]))
    ]
