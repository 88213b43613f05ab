"""The content file: `path text` on each line, or whatever else `content` understands.

Several files are read together where each speaks of pictures of its own, as with one in each
folder; files that contradict each other are asked about.
"""

import posixpath
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ocrtune.archive import CONTENT_HELP, SIDE_TEXTS, Archive, UnsafeArchiveError, content_names
from ocrtune.config import BuildConfig
from ocrtune.content import Parsed, cut, parse
from ocrtune.encoding import decode, is_guessed, split_lines
from ocrtune.errors import ArchiveError, QuestionError
from ocrtune.ground_truth import Entry, GroundTruth, Reject, reject
from ocrtune.names import Names, fold, is_picture_name, stem
from ocrtune.remarks import Remark, remark
from ocrtune.shapes.shape import Shape

USUAL_NAME = "content.md"


@dataclass(frozen=True, kw_only=True)
class ContentFile:
    """A content file that was read; its text is read again when a line of it is asked for."""

    name: str
    encoding: str
    guessed: bool
    parsed: Parsed


def find_content(archive: Archive) -> Sequence[str]:
    """Return the content file that was given, or those of the archive that may be one.

    Texts beside a picture of the same name are that picture's: another shape.
    """
    if archive.content_name:
        return (archive.content_name,)
    names = archive.names()
    texts = content_names(names)
    if any(name.lower().endswith(".txt") for name in texts):
        own = {fold(posixpath.splitext(name)[0]) for name in names if is_picture_name(name)}
        texts = [name for name in texts if not is_pair(name, own)]
    return [name for name in texts if stem(name) not in SIDE_TEXTS] or texts


def is_pair(name: str, own: set[str]) -> bool:
    """Whether a text belongs to the picture of its own name."""
    path = fold(name)
    if not path.endswith(".txt"):
        return False
    return path.endswith(".gt.txt") or path.removesuffix(".txt") in own


def read_content_files(archive: Archive, files: Sequence[str], config: BuildConfig) -> GroundTruth:
    """Return the entries and rejects of the content file, or of all of them."""
    if not files:
        raise ArchiveError(f"`{archive.label}` holds no content file.", CONTENT_HELP)
    usual = [name for name in files if is_usual(name)]
    chosen = usual or list(files)
    known = Names(archive.names(), "", archive.locate)
    if len(chosen) == 1:
        used = [read_file(archive, chosen[0], known, config)]
    else:
        useful = read_useful(archive, chosen, known, config)
        used = settle_files(archive, useful)
    left = [name for name in files if name not in {one.name for one in used}]
    return join_files(archive, used, left)


def is_usual(name: str) -> bool:
    """Whether a file has the content file's own name."""
    return fold(posixpath.basename(name)) == USUAL_NAME


def read_file(
    archive: Archive, name: str, known: Names, config: BuildConfig, file: str = ""
) -> ContentFile:
    """Return a content file as read; its entries say that they stand in `file`."""
    given, data = name == archive.content_name, read_bytes(archive, name)
    folder = archive.content_folder if given else posixpath.dirname(name)
    text, encoding = decode(data, config.encoding)
    return ContentFile(
        name=name,
        encoding=encoding,
        guessed=not config.encoding and is_guessed(data, encoding),
        parsed=parse(text, known.within(folder), config=config, file=file),
    )


def read_bytes(archive: Archive, name: str) -> bytes:
    """Return a content file, which may lie beside the archive."""
    return archive.content_data if name == archive.content_name else archive.read(name)


def read_lines(archive: Archive, one: ContentFile) -> list[str]:
    """Return the lines of a content file once more."""
    return split_lines(decode(read_bytes(archive, one.name), one.encoding)[0])


def read_useful(
    archive: Archive, names: Sequence[str], known: Names, config: BuildConfig
) -> list[ContentFile]:
    """Return those of several files that name a picture; a QuestionError if there is none.

    What is called `content.md` counts even if its pictures are missing: its lines say so.
    """
    useful = []
    for name in names:
        try:
            one = read_file(archive, name, known, config, file=name)
        except UnsafeArchiveError:
            raise
        except ArchiveError:  # not even a text
            continue
        if one.parsed.entries or (is_usual(name) and one.parsed.rejects):
            useful.append(one)
    if not useful:
        raise which_file(archive, names, "")
    return useful


def which_file(archive: Archive, names: Sequence[str], why: str) -> QuestionError:
    """Return the question which of several files is the content file."""
    shown = ", ".join(f"`{name}`" for name in names[:5])
    return QuestionError(
        f"`{archive.label}` holds {len(names)} text files that may be the content file: {shown}."
        + why,
        "content",
        names,
    )


def settle_files(archive: Archive, read: list[ContentFile]) -> list[ContentFile]:
    """Return the files without those that only repeat others; a QuestionError if two disagree."""
    texts: dict[str, tuple[str, str]] = {}
    kept = []
    for one in read:
        entries = one.parsed.entries
        for entry in entries:
            text, file = texts.setdefault(entry.name, (entry.text, one.name))
            if text != entry.text:
                why = f" For `{entry.name}`, `{file}` and `{one.name}` have different texts."
                raise which_file(archive, [other.name for other in read], why)
        repeats = [entry for entry in entries if texts[entry.name][1] != one.name]
        if not entries or len(repeats) < len(entries):
            kept.append(without(archive, one, repeats, texts))
    return kept


def without(
    archive: Archive,
    one: ContentFile,
    repeats: Sequence[Entry],
    texts: Mapping[str, tuple[str, str]],
) -> ContentFile:
    """Return a file with those entries rejected that an earlier file has too."""
    if not repeats:
        return one
    lines, names = read_lines(archive, one), {entry.name for entry in repeats}
    rejects = [
        reject(
            entry.line_number,
            original(lines, one.parsed, entry),
            remark("repeated_file", file=texts[entry.name][1]),
            entry.name,
            one.name,
        )
        for entry in repeats
    ]
    entries = tuple(entry for entry in one.parsed.entries if entry.name not in names)
    parsed = replace(one.parsed, entries=entries, rejects=(*one.parsed.rejects, *rejects))
    return replace(one, parsed=parsed)


def original(lines: Sequence[str], parsed: Parsed, entry: Entry) -> str:
    """Return the lines of the file that an entry was read from."""
    return cut(lines, entry.line_number, parsed.spans.get(entry.line_number, 1))


def join_files(archive: Archive, used: Sequence[ContentFile], left: Sequence[str]) -> GroundTruth:
    """Return the ground truth of all the files together."""
    matches: Counter[str] = Counter()
    rejects: list[Reject] = []
    for one in used:
        matches.update(one.parsed.matches)
        rejects += sorted(one.parsed.rejects, key=lambda reject: reject.line_number)
    odd = [one.encoding for one in used if one.encoding not in ("utf-8", "utf-8-sig")]
    return GroundTruth(
        shape="lines",
        files=tuple(one.name for one in used),
        entries=[entry for one in used for entry in one.parsed.entries],
        rejects=rejects,
        encoding=(odd or [used[0].encoding])[0],
        matches=dict(sorted(matches.items())),
        original=originals(archive, used),
        remarks=tuple(tell_files(used, left)),
    )


def originals(archive: Archive, used: Sequence[ContentFile]) -> Callable[[Entry], str]:
    """Return the function that gives an entry as it is written; lines are cut when asked for."""
    files = {one.name: one for one in used}
    lines: dict[str, list[str]] = {}

    def written(entry: Entry) -> str:
        one = files[entry.file] if entry.file else used[0]
        if one.name not in lines:
            lines[one.name] = read_lines(archive, one)
        return original(lines[one.name], one.parsed, entry)

    return written


def tell_files(used: Sequence[ContentFile], left: Sequence[str]) -> Iterator[Remark]:
    """Yield how the files were understood."""
    names = [f"`{one.name}`" for one in used]
    if len(used) > 1:
        yield remark("files_read", count=len(used), names=shorten(names))
    if left:
        shown = shorten([f"`{name}`" for name in left])
        yield remark("files_left", chosen=shorten(names), names=shown)
    for one in used:
        if one.guessed:
            yield remark("encoding_guessed", file=one.name, encoding=one.encoding)
        yield from one.parsed.remarks


def shorten(names: Sequence[str]) -> list[str]:
    """Return the first few names."""
    return [*names[:5], *(["…"] if len(names) > 5 else [])]


LINES = Shape("lines", find_content, read_content_files)
