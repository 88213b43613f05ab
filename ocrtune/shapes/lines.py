"""The content file: `path text` on each line."""

from collections.abc import Sequence

from ocrtune.archive import Archive, content_names
from ocrtune.config import BuildConfig
from ocrtune.content import parse, split_lines
from ocrtune.ground_truth import Entry, GroundTruth
from ocrtune.shapes.shape import Shape


def find_content(archive: Archive) -> Sequence[str]:
    """Return the content file that was given, or those of the archive that may be one."""
    if archive.content_name:
        return (archive.content_name,)
    return content_names(archive.names())


def read_content_file(archive: Archive, files: Sequence[str], config: BuildConfig) -> GroundTruth:
    """Return the entries and rejects of the content file."""
    archive.find_content()
    parsed = parse(archive.content_text, archive.names(), archive.content_folder, archive.locate)
    lines: list[str] = []

    def original(entry: Entry) -> str:
        lines.extend([] if lines else split_lines(archive.content_text))
        return lines[entry.line_number - 1]

    return GroundTruth(
        shape="lines",
        files=(archive.content_name,),
        entries=parsed.entries,
        rejects=parsed.rejects,
        encoding=archive.content_encoding,
        matches=parsed.matches,
        original=original,
    )


LINES = Shape("lines", find_content, read_content_file)
