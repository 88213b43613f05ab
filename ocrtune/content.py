"""The content file: each piece of it leads to a picture, or to a reason why not.

Nothing here opens a file: the names of the archive come in as strings, and `locate` may answer
for paths that lie outside of them.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from ocrtune.config import BuildConfig
from ocrtune.encoding import decode, split_lines
from ocrtune.ground_truth import Entry, Reject, clip, reject
from ocrtune.markdown import cover, is_rule, read_pages
from ocrtune.markdown_tables import read_tables
from ocrtune.names import (
    PDF_PAGE,
    PICTURE_NAME,
    Match,
    Names,
    clean,
    fold,
    is_picture_name,
    nowhere,
    stem,
)
from ocrtune.path_lines import read_path_lines
from ocrtune.pieces import Piece, Reading
from ocrtune.remarks import Remark, remark

__all__ = [
    "PDF_PAGE",
    "PICTURE_NAME",
    "Match",
    "Names",
    "Parsed",
    "clean",
    "decode",
    "fold",
    "is_picture_name",
    "nowhere",
    "parse",
    "split_lines",
    "stem",
]

NEAREST_LIMIT = 200  # rejects that get a nearest name: each costs a look at every picture
PLAIN_SHARE = 0.9  # of the lines that are `path text`, from which on no other way is tried
BREAK = re.compile(r"\\(\\?n)")
COMMAND = re.compile(
    r"\\(?:n(?:u|e|eq|eg|abla|otin|ewline|ot|i|mid|leq|geq|less|earrow)(?![A-Za-z])|[A-Za-mo-z])"
    r"|\b[A-Za-z]:\\"
)
USUAL = BuildConfig(source="", output="")


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """What a content file says about the pictures of an archive; all tuples are in line order."""

    entries: tuple[Entry, ...]
    rejects: tuple[Reject, ...]
    matches: dict[str, int]  # how the kept paths were found: `exact`, `spelling`, `tail`
    remarks: tuple[Remark, ...] = ()  # how the file was understood
    spans: dict[int, int]  # lines of each entry that takes more than one, by its first


def parse(
    text: str,
    names: Collection[str],
    folder: str = "",
    locate: Callable[[str], str | None] = nowhere,
    config: BuildConfig = USUAL,
    file: str = "",
) -> Parsed:
    """Return the entries and rejects of a content file that lies in `folder` of the archive.

    `locate` returns the archive's name of a path that `names` does not list, or None. `file` is
    what entries and rejects are to give as their file.
    """
    known = names if isinstance(names, Names) else Names(names, folder, locate)
    lines = split_lines(text)
    reading = understand(cover(lines), known, config)
    remarks = [*reading.remarks, *break_lines(reading.pieces)]
    claims: dict[str, list[Piece]] = defaultdict(list)
    rejects: list[Reject] = []
    searched = 0
    for piece in reading.pieces:
        if reason := fault(piece):
            near = piece.match.names[0] if piece.reason and piece.match else ""
            if piece.match is None:
                searched += 1
                near = known.nearest(piece.written) if searched <= NEAREST_LIMIT else ""
            original = cut(lines, piece.line_number, piece.lines)
            rejects.append(reject(piece.line_number, original, reason, near, file))
        else:
            claims[piece.match.names[0]].append(piece)
    kept: list[Piece] = []
    for name, rivals in claims.items():
        winner, losers = settle(name, rivals)
        kept += winner
        for piece, reason in losers:
            original = cut(lines, piece.line_number, piece.lines)
            rejects.append(reject(piece.line_number, original, reason, name, file))
    kept.sort(key=lambda piece: piece.line_number)
    ways = Counter({-1: "exact", 0: "spelling"}.get(piece.match.skipped, "tail") for piece in kept)
    return Parsed(
        entries=tuple(
            Entry(
                line_number=piece.line_number,
                name=piece.match.names[0],
                text=piece.text,
                file=file,
            )
            for piece in kept
        ),
        rejects=tuple(sorted(rejects, key=lambda one: one.line_number)),
        matches=dict(sorted(ways.items())),
        remarks=tuple(remarks),
        spans={piece.line_number: piece.lines for piece in kept if piece.lines > 1},
    )


def cut(lines: Sequence[str], line_number: int, count: int) -> str:
    """Return these lines of the file as one text."""
    return "\n".join(lines[line_number - 1 : line_number - 1 + count]).strip()


def understand(lines: Sequence[str], known: Names, config: BuildConfig) -> Reading:
    """Return the file read in the way that finds most pictures; `path text` goes first.

    A table needs rows of cells and pages need lines that name nothing but a picture, so a file of
    `path text` is neither, even if some of its lines look like it.
    """
    ruled = ["" if is_rule(line) else line for line in lines]
    if any("|" in line for line in lines) and (table := read_tables(ruled, known, config)):
        return table
    plain = read_path_lines(ruled, known)
    found = plain.count_found()
    if found >= PLAIN_SHARE * len(plain.pieces) and found:
        return plain
    return read_pages(lines, known, plain) or plain


def break_lines(pieces: Sequence[Piece]) -> list[Remark]:
    """Turn each written `\\n` in the texts into a line break; return a remark on it.

    A text in which other letters follow backslashes too, or a drive, is TeX or a path and is left
    as it is.
    """
    written = [piece for piece in pieces if "\\n" in piece.text]
    broken = [piece for piece in written if not COMMAND.search(piece.text)]
    kept = len(written) - len(broken)
    told = [remark("breaks_kept", count=kept)] if kept else []
    if not broken:
        return told
    count = 0
    for piece in broken:
        count += sum(one[1] == "n" for one in BREAK.finditer(piece.text))
        piece.text = BREAK.sub(lambda one: "\n" if one[1] == "n" else r"\n", piece.text)
        piece.text = "\n".join(line.strip() for line in piece.text.strip().split("\n"))
    return [remark("breaks_made", count=count, lines=len(broken)), *told]


def fault(piece: Piece) -> Remark | None:
    """Return why the piece cannot be used, or None."""
    match = piece.match
    if piece.reason:
        return piece.reason
    if match is None and not is_picture_name(piece.written):
        return remark("no_path")
    if match is None:
        return remark("no_picture", path=clip(piece.written))
    if len(match.names) > 1:
        shown = [f"`{name}`" for name in match.names[:3]] + ["…"] * (len(match.names) > 3)
        count = len(match.names)
        return remark("several_pictures", path=clip(piece.written), count=count, names=shown)
    if not piece.text:
        return remark("no_text" if piece.lines == 1 else "no_page_text")
    if "\ufffd" in piece.text:
        return remark("unreadable")
    return None


def settle(name: str, claims: list[Piece]) -> tuple[list[Piece], list[tuple[Piece, Remark]]]:
    """Return the claim that gets the picture (at most one) and the others with their reasons.

    The better match wins, then the first line: which of two texts is right only a person knows,
    so one is kept, and the report names the other. Different paths that fit only by their end
    are a guess that proves itself wrong: none of them is kept.
    """
    if len(claims) == 1:
        return claims, []
    closest = min(claim.match.skipped for claim in claims)
    rivals = [claim for claim in claims if claim.match.skipped == closest]
    first = rivals[0]
    one_text = all(claim.text == first.text for claim in rivals)
    one_path = len({clean(claim.written) for claim in rivals}) == 1
    if closest > 0 and not one_text and not one_path:
        numbers = [str(claim.line_number) for claim in rivals[:3]]
        reason = remark("different_paths", lines=numbers, name=name)
        return [], [(claim, reason) for claim in claims]
    line = str(first.line_number)
    losers = []
    for claim in claims:
        if claim is first:
            continue
        if claim.match.skipped > closest:
            reason = remark("taken", path=clip(claim.written), name=name, line=line)
        elif claim.text == first.text:
            reason = remark("repeated", line=line)
        else:
            kept, other = clip(first.text, 80), clip(claim.text, 80)
            reason = remark("contradicted", line=line, kept=kept, other=other)
        losers.append((claim, reason))
    return [first], losers
