"""A text for each picture: `x.png` beside `x.gt.txt` or `x.txt`, or in folders of their own."""

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ocrtune.archive import Archive, UnsafeArchiveError
from ocrtune.config import BuildConfig
from ocrtune.content import PDF_PAGE, decode, fold, is_picture_name
from ocrtune.errors import ArchiveError
from ocrtune.ground_truth import Entry, GroundTruth, Reject, reject
from ocrtune.remarks import Remark, remark
from ocrtune.shapes.finding import (
    VARIANTS,
    Found,
    Pictures,
    head_text,
    is_side_file,
    picture_stem,
)
from ocrtune.shapes.shape import Shape

SURE, LIKELY = ".gt.txt", ".txt"
LOOKED_AT = 5  # texts, to tell a transcription from coordinates
NUMBERS = re.compile(r"(?:\d+ )?[\d.,\s\-]+\Z")  # YOLO's boxes, without a word


def text_stem(name: str) -> str:
    """Return what the picture of a text is called, without folder and suffix."""
    base = fold(posixpath.basename(name))
    return picture_stem(base.removesuffix(SURE).removesuffix(LIKELY) + ".")


def without_suffix(name: str) -> str:
    """Return the path of a text without what makes it one."""
    return name[: -len(SURE if name.lower().endswith(SURE) else LIKELY)]


def is_text(name: str) -> bool:
    """Whether the name ends like a text's."""
    return name[-4:].lower() == LIKELY


def find_pairs(archive: Archive) -> Sequence[str]:
    """Return the texts that have a picture, the `.gt.txt` alone where there are such."""
    names = archive.names()
    texts = [name for name in names if is_text(name) and not is_side_file(name)]
    if archive.content_name or not texts:
        return ()
    stems = {picture_stem(name) for name in names if is_picture_name(name)}
    sure = [name for name in texts if name.lower().endswith(SURE) and text_stem(name) in stems]
    if sure:
        return sure
    paired = [name for name in texts if text_stem(name) in stems]
    if not paired and any(map(PDF_PAGE.search, names)):
        pictures = Pictures(archive)
        paired = [name for name in texts if pictures.find_pdf_page(without_suffix(name))]
    samples = [head_text(archive, name) for name in paired[:LOOKED_AT]]
    return () if samples and all(map(is_numbers, samples)) else paired


def is_numbers(text: str) -> bool:
    """Whether a text holds nothing but several lines or columns of numbers."""
    return len(text.split()) > 4 and NUMBERS.match(text) is not None


def read_pairs(archive: Archive, files: Sequence[str], config: BuildConfig) -> GroundTruth:
    """Return an entry for each text that has a picture, and a reject for each that has none."""
    names = archive.names()
    sure = any(name.lower().endswith(SURE) for name in files)
    suffix = SURE if sure else LIKELY
    texts = [name for name in names if name.lower().endswith(suffix) and not is_side_file(name)]
    if not texts:
        raise ArchiveError(
            f"`{archive.label}` holds no texts beside pictures.",
            "Give each picture a text of its name: `1.png` and `1.gt.txt`.",
        )
    pictures = Pictures(archive)
    entries: list[Entry] = []
    rejects: list[Reject] = []
    encodings: Counter[str] = Counter()
    taken: dict[str, str] = {}
    named: set[str] = set()
    for name, text in decoded(archive, texts, config, rejects, encodings):
        found = find_picture(pictures, name)
        text = "\n".join(line.strip() for line in text.strip().splitlines())
        named.add(found.name)
        if not found.name:
            stem = text_stem(name)
            near = found.nearest or pictures.nearest(stem)
            reason = found.reason or remark("text_no_picture", stem=stem)
            rejects.append(reject(0, text, reason, near, file=name))
        elif found.name in taken:
            reason = remark("picture_taken", file=taken[found.name])
            rejects.append(reject(0, text, reason, found.name, file=name))
        elif not text:
            rejects.append(reject(0, "", remark("text_empty"), file=name))
        elif "\ufffd" in text:
            rejects.append(reject(0, text, remark("unreadable"), file=name))
        else:
            taken[found.name] = name
            entries.append(Entry(line_number=0, name=found.name, text=text, file=name))
    entries.sort(key=lambda entry: entry.file)  # those of another encoding came last
    other = [name for name in encodings if name not in ("utf-8", "utf-8-sig")]
    return GroundTruth(
        shape="pairs",
        files=tuple(texts[:1]),
        entries=entries,
        rejects=rejects,
        encoding=max(other, key=encodings.__getitem__) if other else "utf-8",
        remarks=tuple(pair_remarks(names, named, sure)),
    )


def decoded(
    archive: Archive,
    texts: Sequence[str],
    config: BuildConfig,
    rejects: list[Reject],
    encodings: Counter[str],
) -> Iterator[tuple[str, str]]:
    """Yield each text's name and words; what is no text becomes a reject.

    Texts that are not UTF-8 are judged together: a few letters say too little about one alone.
    """
    later: list[tuple[str, bytes]] = []
    for name in texts:
        try:
            data = archive.read(name)
            text = decode(data, config.encoding)[0] if config.encoding else data.decode()
            encodings[config.encoding or "utf-8"] += 1
            yield name, text.removeprefix("\ufeff")
        except UnicodeDecodeError:
            later.append((name, data))
        except UnsafeArchiveError:
            raise
        except ArchiveError as error:
            rejects.append(reject(0, "", remark("said", text=str(error)), file=name))
    together = joint_encoding([data for _, data in later if not is_marked(data)])
    for name, data in later:
        try:
            text, encoding = decode(data, "" if is_marked(data) else together)
            encodings[encoding] += 1
            yield name, text
        except ArchiveError:
            rejects.append(reject(0, "", remark("not_text"), file=name))


def is_marked(data: bytes) -> bool:
    """Whether a text says itself that it is UTF-16."""
    return data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data


def joint_encoding(texts: Sequence[bytes]) -> str:
    """Return the encoding that several texts share, or an empty string."""
    try:
        return decode(b"\n".join(texts))[1] if texts else ""
    except ArchiveError:  # one of them is no text: each is judged for itself
        return ""


def find_picture(pictures: Pictures, text: str) -> Found:
    """Return the picture of a text: of its stem, nearest to it, the plain one of its variants."""
    stem = text_stem(text)
    names = pictures.stems.get(stem, [])
    folders = {posixpath.dirname(name) for name in names}
    plain = [min(pick(names, folder), key=variant_rank) for folder in sorted(folders)]
    if plain:
        return pictures.one_of(plain, text, stem)
    return Found(pictures.find_pdf_page(without_suffix(text)))


def pick(names: Sequence[str], folder: str) -> list[str]:
    """Return the names in a folder."""
    return [name for name in names if posixpath.dirname(name) == folder]


def variant_rank(name: str) -> tuple[int, str]:
    """Return how far a picture is from the plain one: black and white is farthest."""
    root = posixpath.splitext(fold(name))[0]
    ranks = (rank for rank, mark in enumerate(VARIANTS, start=1) if root.endswith(mark))
    return next(ranks, 0), name


def pair_remarks(names: Sequence[str], named: set[str], sure: bool) -> Iterator[Remark]:
    """Yield what was left out: pictures without a text and texts that are no ground truth."""
    folders = {posixpath.dirname(name) for name in named if name}
    used = {(posixpath.dirname(name), picture_stem(name)) for name in named}
    bare = [
        name
        for name in names
        if is_picture_name(name)
        and posixpath.dirname(name) in folders
        and name not in named
        and (posixpath.dirname(name), picture_stem(name)) not in used
    ]
    if bare:
        suffix = SURE if sure else LIKELY
        yield remark("pictures_no_text", count=len(bare), first=bare[0], suffix=suffix)
    others = [name for name in names if sure and is_text(name) and SURE not in name.lower()]
    others = [name for name in others if not is_side_file(name)]
    if others:
        yield remark("texts_left", count=len(others), first=others[0])


PAIRS = Shape("pairs", find_pairs, read_pairs)
