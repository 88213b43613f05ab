"""What the ways to read a content file have in common: pieces of it, and a whole reading."""

from dataclasses import dataclass, field

from ocrtune.names import Match
from ocrtune.remarks import Remark


@dataclass(slots=True)
class Piece:
    """A part of a content file that speaks of one picture."""

    line_number: int  # 1-based: its first line
    written: str  # the path
    text: str
    match: Match | None  # the pictures that the path may mean
    reason: Remark | None = None  # why it cannot be used, beside what the path and text tell
    lines: int = 1  # that it takes in the file

    @property
    def is_found(self) -> bool:
        """Whether it has a picture and a text."""
        return self.match is not None and self.reason is None and bool(self.text)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A content file as understood in one way; `pieces` are in line order."""

    pieces: list[Piece]
    remarks: list[Remark] = field(default_factory=list)
    lead: int = 1  # it must find more than so many times what `path text` finds, to be believed

    def count_found(self) -> int:
        """Return the number of pieces that have a picture and a text."""
        return sum(piece.is_found for piece in self.pieces)
