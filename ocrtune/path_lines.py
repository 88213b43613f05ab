"""Content files with a line for each picture: `path text`, however the two are parted.

What parts them, whether lines are items of a list, and whether paths lack their suffix is decided
over the whole file: one line alone says too little.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ocrtune.links import LINK_CHARS, Link, find_link, has_link
from ocrtune.names import ESCAPED, Match, Names, fold, is_picture_name
from ocrtune.pieces import Piece, Reading
from ocrtune.remarks import Remark, remark

QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "<": ">"}
PATH_CHARS = 4_096  # a longer path exists nowhere
SAMPLE = 400  # lines that decide how the others are read
SHARE = 0.9  # of the lines that found their picture, which agree
BOLD = re.compile(r"(\*\*|__)([^*]{1,4096}?)\s*[:：]?\s*\1\s*[:：]?\s*(.*)\Z")
WRAPPING = re.compile(r"</?(?:p|div|center|figure|figcaption|picture|a|span|br)\b[^<>]*>", re.I)
BULLET = re.compile(r"(?:(?:[-*+•·]|\d{1,6}[.)])\s+(?:\[[ xX]\]\s+)?|\d{1,6}[、．]\s*)")
SPACE = re.compile(r"[/\\]|\s+|\Z")
ANY = re.compile(r"[/\\]|\s*(->|=>|→|[,，;；|:：\t])\s*|\s+|\Z")  # where a path may end
QUOTED = re.compile(r'"(?:[^"]|"")*"\Z')
HEADERS = {"path", "file", "filename", "file_name", "image", "image_path", "img", "picture", "name"}
HEADERS |= {"text", "label", "transcription", "ground_truth", "gt", "content", "words"}
HEADERS |= {"图片", "路径", "图片路径", "文件", "文件名", "文字", "文本", "内容", "标签"}


@dataclass(frozen=True, slots=True)
class Style:
    """How the lines of a file are written."""

    separator: str = ""  # between path and text; empty: white space
    bullets: bool = False  # whether lines are items of a list

    @property
    def ends(self) -> re.Pattern[str]:
        """What may follow a path or one of its folders; group 1 is the separator."""
        if not self.separator:
            return SPACE
        return re.compile(rf"[/\\]|\s*({re.escape(self.separator)})\s*|\s+|\Z")


@dataclass(frozen=True, slots=True)
class Parted:
    """A line divided into path and text."""

    written: str
    text: str
    match: Match
    separator: str = ""  # what stood between them, if it is no white space
    reason: Remark | None = None

    @property
    def rank(self) -> tuple[int, int]:
        """The less the better: few segments that the archive lacks, then a long path."""
        return self.match.skipped, -len(self.written)


def read_path_lines(lines: Sequence[str], known: Names) -> Reading:
    """Return the file read line by line; blank lines and comments are no pieces."""
    style = vote(lines, known)
    ends = style.ends
    pieces = []
    for line_number, line in enumerate(lines, start=1):
        if not line:
            continue
        parted = part(line, known, style, ends)
        if line[0] == "#" and (parted is None or parted.match.skipped > 0):
            continue  # a comment, not the path of a picture whose name begins with #
        if parted is None:
            written, text = guess_split(line, ends)
            pieces.append(Piece(line_number, written, text, None))
        else:
            written, text, name = parted.written, parted.text, parted.match.names[0]
            written = name if name == written else written  # one string less for each line
            pieces.append(Piece(line_number, written, text, parted.match, parted.reason))
    remarks = [*drop_header(lines, pieces, style), *find_bare_paths(lines, pieces, known, style)]
    explain_separators(lines, pieces, known)
    remarks += unquote_texts(pieces, style)
    return Reading(pieces=pieces, remarks=[*tell_style(pieces, style), *remarks])


def vote(lines: Sequence[str], known: Names) -> Style:
    """Return how most lines are written that find their picture."""
    content = [line for line in lines if line and line[0] != "#"]
    found, bullets = 0, 0
    separators: Counter[str] = Counter()
    attached: set[str] = set()
    for line in content[:: max(1, len(content) // SAMPLE)]:
        plain = best_split(line, known, ANY)
        item = BULLET.match(line)
        inner = item and part(line[item.end() :], known, Style(), ANY)
        if inner and (plain is None or inner.match.skipped < plain.match.skipped):
            bullets += 1
            plain = inner
        if plain is None:
            continue
        found += 1
        if plain.separator:
            sign = plain.separator.strip(" \u3000") or "\t"
            separators[sign] += 1
            attached |= {sign} if sign == plain.separator[0] else set()
    [(sign, votes)] = separators.most_common(1) or [("", 0)]
    # a comma after a space may belong to the text: a few lines do not prove that it does not
    sure = sign in attached or votes >= 3 or sign not in (",", "，", ";", "；")
    agreed = votes >= max(1, SHARE * found) and sure
    return Style(separator=sign if agreed else "", bullets=2 * bullets > found)


def part(line: str, known: Names, style: Style, ends: re.Pattern[str]) -> Parted | None:
    """Return the line divided where the archive explains it best, or None."""
    if style.bullets and (item := BULLET.match(line)):
        inner = part(line[item.end() :], known, Style(style.separator), ends)
        if inner:
            return inner
    if line[:2] in ("**", "__") and (bold := BOLD.match(line)):
        match = known.find(bold[2].strip("` "))
        return Parted(bold[2], bold[3], match) if match else None
    if line[:1] == "<" and "<img" in line[:LINK_CHARS].lower():
        line = WRAPPING.sub("", line).strip()
    if line[:1] in ("!", "[", "<") and (link := find_link(line)):
        match = known.find(link.path)
        if match:
            return part_link(line, link, match, known, style)
    return best_split(line, known, ends)


def part_link(line: str, link: Link, match: Match, known: Names, style: Style) -> Parted:
    """Return the path of a link, and its text: what follows, else what the link itself says."""
    text = line[link.end :].strip()
    if style.separator:
        text = text.removeprefix(style.separator).strip()
    reason = None
    if has_link(text, known):
        reason = remark("several_links")
    elif text and not link.is_silent and link.label != text:
        reason = remark("label_and_text", label=link.label[:60], text=text[:60])
    elif not text and link.label and link.is_silent:
        reason = remark("label_is_name", label=link.label[:60])
    return Parted(link.path, text or link.label, match, reason=reason)


def best_split(line: str, known: Names, ends: re.Pattern[str]) -> Parted | None:
    """Return the line split where the archive explains it best, or None.

    Best is the very path of a picture, then the fewest segments that the archive lacks, then the
    longest path: so spaces work within a path, and a text may mention another picture.
    """
    best = None
    for written, text, separator in splits(line, known, ends):
        if match := known.find(written):
            parted = Parted(written, text, match, separator)
            if match.skipped < 0 and known.are_plain:
                return parted  # a longer path would need a name with a space
            if best is None or parted.rank < best.rank:
                best = parted
    return best


def splits(line: str, known: Names, ends: re.Pattern[str]) -> Iterator[tuple[str, str, str]]:
    """Yield the ways to divide the line into path, text and separator at a known file name."""
    if line[:1] in QUOTES and (quoted := split_quoted(line, ends)):
        yield quoted
    basename_at = 0
    for token in ends.finditer(line):
        start = token.start()
        if start > PATH_CHARS:
            return
        sign = token.group()
        if sign in ("/", "\\"):
            # a Markdown editor writes `\_` for an underline
            basename_at = basename_at if ESCAPED.match(line, start) else token.end()
        elif known.may_end(line[basename_at:start]):
            yield line[:start], line[token.end() :], sign if token.lastindex else ""


def split_quoted(line: str, ends: re.Pattern[str]) -> tuple[str, str, str] | None:
    """Return path, text and separator of a line that begins with a path in quotes, else None."""
    closing = line.find(QUOTES.get(line[:1], "\n"), 1, PATH_CHARS)
    if closing <= 0:
        return None
    rest = line[closing + 1 :]
    token = ends.match(rest)
    separator = token.group() if token and token.lastindex else ""
    return line[1:closing], rest[len(separator) :].strip(), separator


def guess_split(line: str, ends: re.Pattern[str] = SPACE) -> tuple[str, str]:
    """Return path and text of a line whose picture is unknown, for the sake of a good reason."""
    if (link := find_link(line)) and is_picture_name(link.path):
        return link.path, line[link.end :].strip() or link.label
    if (quoted := split_quoted(line, ends)) and is_picture_name(quoted[0]):
        return quoted[:2]
    for token in ends.finditer(line[:PATH_CHARS]):
        start = token.start()
        if is_picture_name(line[max(0, start - 17) : start]):
            return line[:start], line[token.end() :]
    path, _, text = line.partition(" ")
    return path, text.strip()


def drop_header(lines: Sequence[str], pieces: list[Piece], style: Style) -> list[Remark]:
    """Remove a first line that only names the columns; return the remark that says so."""
    if not style.separator or not pieces or pieces[0].match:
        return []
    header = lines[pieces[0].line_number - 1]
    cells = [fold(cell.strip().strip('"')) for cell in header.split(style.separator)]
    if len(cells) < 2 or not HEADERS.issuperset(cells):
        return []
    pieces.pop(0)
    return [remark("header_line", header=header[:60])]


def find_bare_paths(
    lines: Sequence[str], pieces: list[Piece], known: Names, style: Style
) -> list[Remark]:
    """Find the pictures of paths that were written without their suffix; return a remark on it.

    A word at the beginning of a line is a path only in a file that is mostly written so.
    """
    open_pieces = [piece for piece in pieces if piece.match is None]
    found = len(pieces) - len(open_pieces)
    bare = []
    for piece in open_pieces:
        line = lines[piece.line_number - 1]
        item = BULLET.match(line) if style.bullets else None
        line = line[item.end() :] if item else line
        parted = part_bare(line, known, style.ends)
        if parted or (parted := part_bare(line, known, ANY) if not style.separator else None):
            bare.append((piece, parted))
    if len(bare) <= found:
        bare = [
            (piece, parted)
            for piece, parted in bare
            if "/" in parted.written.replace("\\", "/") and parted.match.skipped <= 0
        ]
    for piece, parted in bare:
        piece.written, piece.text, piece.match = parted.written, parted.text, parted.match
    return [remark("bare_paths", count=len(bare), path=bare[0][1].written)] if bare else []


def part_bare(line: str, known: Names, ends: re.Pattern[str]) -> Parted | None:
    """Return the line split after a path that lacks its suffix, or None."""
    best, basename_at = None, 0
    for token in ends.finditer(line[:PATH_CHARS]):
        start = token.start()
        if token.group() in ("/", "\\"):
            basename_at = token.end()
        elif fold(line[basename_at:start]) in known.by_stem:
            written = line[:start]
            if match := known.find_bare(written):
                parted = Parted(written, line[token.end() :].strip(), match)
                if best is None or parted.rank < best.rank:
                    best = parted
    return best


def explain_separators(lines: Sequence[str], pieces: list[Piece], known: Names) -> None:
    """Say of lines whose path ends at another sign than in the other lines that they do."""
    for piece in pieces:
        if piece.match is None:
            parted = best_split(lines[piece.line_number - 1], known, ANY)
            if parted and parted.separator:
                piece.written, piece.match = parted.written, parted.match
                piece.reason = remark("odd_separator", sign=parted.separator.strip())


def unquote_texts(pieces: list[Piece], style: Style) -> list[Remark]:
    """Take texts out of their CSV quotes, where the file has such; return a remark on it.

    After a comma or semicolon each quoted text is; elsewhere only if nearly all texts are quoted,
    since quotation marks may well stand in the picture.
    """
    quoted = [piece for piece in pieces if piece.text[:1] == '"' and QUOTED.match(piece.text)]
    texts = sum(bool(piece.text) and piece.match is not None for piece in pieces)
    is_csv = style.separator in (",", ";")
    if not quoted or not (is_csv or len(quoted) >= max(3, SHARE * texts)):
        return []
    for piece in pieces:
        if is_csv and piece.text[:1] == '"' and not QUOTED.match(piece.text):
            piece.reason = piece.reason or remark("open_quote")
    for piece in quoted:
        piece.text = piece.text[1:-1].replace('""', '"').strip()
    return [remark("texts_unquoted", count=len(quoted))]


def tell_style(pieces: Sequence[Piece], style: Style) -> list[Remark]:
    """Return what the file's lines look like, unless they are plain `path text`."""
    count = sum(piece.is_found for piece in pieces)
    told = [remark("as_list", count=count)] if style.bullets else []
    if style.separator:
        sign = "Tab" if style.separator == "\t" else f"`{style.separator}`"
        told.append(remark("separated", sign=sign, count=count))
    return told
