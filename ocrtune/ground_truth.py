"""What every shape of ground truth is read into: entries, and rejects with their reasons."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ocrtune.remarks import Remark

ORIGINAL_CHARS = 2_000  # of a rejected line that are kept


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One usable piece of ground truth: a picture, or a part of one, with its text."""

    line_number: int  # 1-based in its file; 0 where the whole file is the text
    name: str  # the picture, as the archive calls it
    text: str
    file: str = ""  # where it stands, as the archive calls it; empty: the content file
    part: str = ""  # id of the line within its picture, where `outline` cuts it out
    # The polygon to cut out, as PAGE XML writes it: `x,y x,y …`. A string takes a tenth of the
    # memory of its numbers, and a book has 100,000 lines.
    outline: str = ""
    frame: tuple[int, int] = ()  # width and height in which `outline` counts; (): the picture's
    split: str = ""  # the split that its own files put it in
    group: str = ""  # what belongs together (a writer, a document), if the ground truth says so

    @property
    def sample_name(self) -> str:
        """The name of the sample made from it: the picture's, with the part's where it is one."""
        return f"{self.name}#{self.part}" if self.part else self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Reject:
    """One piece of ground truth that does not become a sample."""

    line_number: int
    original: str
    reason: Remark
    nearest: str = ""  # the picture that may have been meant
    file: str = ""  # where it stands; empty: the content file

    def as_values(self) -> dict[str, Any]:
        """Return it for JSON: the reason in English, and its key and values for translation."""
        return {
            "file": self.file,
            "line_number": self.line_number,
            "original": self.original,
            "reason": str(self.reason),
            "key": self.reason.key,
            "values": dict(self.reason.values),
            "nearest": self.nearest,
        }


def as_line(entry: Entry) -> str:
    """Return an entry as it would stand in a content file."""
    return f"{entry.sample_name} {entry.text}"


@dataclass(frozen=True, kw_only=True)
class GroundTruth:
    """What an archive says about its pictures."""

    shape: str  # a name in SHAPES
    files: tuple[str, ...]  # that it was read from; the first one gives the report its `content`
    entries: Sequence[Entry]  # in the order of the files and lines
    rejects: Sequence[Reject]
    encoding: str = "utf-8"
    matches: Mapping[str, int] = field(default_factory=dict)  # of paths: see `content.Parsed`
    original: Callable[[Entry], str] = as_line  # how an entry was written, for its reject
    remarks: tuple[Remark, ...] = ()  # what was understood in which way, and what was left out


def reject(
    line_number: int, line: str, reason: Remark, nearest: str = "", file: str = ""
) -> Reject:
    """Return the Reject of a line, its text cut to a bearable length."""
    return Reject(
        line_number=line_number,
        original=clip(line, ORIGINAL_CHARS),
        reason=reason,
        nearest=nearest,
        file=file,
    )


def clip(text: str, chars: int = 200) -> str:
    """Return the text, or the beginning of a very long one."""
    return text if len(text) <= chars else text[:chars] + "…"
