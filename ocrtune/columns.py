"""Which column of a table holds the pictures and which one their texts: proposed, or asked about.

Nothing here opens a file: columns come in described, with the first of their values.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ocrtune.config import BuildConfig
from ocrtune.content import is_picture_name
from ocrtune.errors import DatasetError, QuestionError, did_you_mean
from ocrtune.ground_truth import clip

# What a column holds. The first four are pictures, the best first.
PICTURE, PICTURES, BASE64, PATH = "picture", "pictures", "base64", "path"
TEXT, TEXTS, RECORD, LABEL, NUMBER = "text", "list of texts", "record", "label", "number"
OTHER = "other"
PICTURE_KINDS = (PICTURE, PICTURES, BASE64, PATH)
TEXT_KINDS = (TEXT, TEXTS, RECORD)
PICTURE_NAMES = ("image", "img", "picture", "pictures", "images", "image_path", "img_path", "pic")
PICTURE_NAMES += ("photo", "scan", "image_bytes", "png", "jpg", "jpeg", "webp", "tif", "tiff")
PICTURE_NAMES += ("file_name", "filename", "file", "path", "filepath", "图片", "图像", "影像")
TEXT_NAMES = ("text", "texts", "label", "labels", "transcription", "transcriptions", "transcript")
TEXT_NAMES += ("caption", "ground_truth", "groundtruth", "gt", "ocr", "ocr_text", "sentence", "txt")
TEXT_NAMES += ("content", "target", "answer", "answers", "conversations", "messages", "latex")
TEXT_NAMES += ("markdown", "words", "line", "文本", "文字", "标签", "内容", "转录", "標籤")
GROUP_NAMES = ("writer", "writer_id", "author", "author_id", "group", "group_id", "document")
GROUP_NAMES += ("document_id", "doc", "doc_id", "book", "book_id", "page", "page_id")
SPLIT_NAMES = ("split", "subset", "partition")
SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "eval": "validation",
    "test": "test",
    "testing": "test",
}
SPLIT_IN_NAME = re.compile(rf"(?<![a-z])({'|'.join(SPLIT_WORDS)})(?![a-z])", re.I)
EXAMPLE_CHARS = 80
BASE64_START = re.compile(r"(data:image/[\w.+-]+;base64,)?[A-Za-z0-9+/_\-\s]{24,}")
SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*")


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table, as far as its type and first values tell."""

    name: str
    type: str  # as its file calls it
    kind: str  # one of the words above
    example: str = ""  # of a value, for people
    labels: tuple[str, ...] = ()  # the texts that its numbers stand for


@dataclass(frozen=True, kw_only=True)
class ColumnMap:
    """What the columns of a table are used for."""

    image: Column
    text: Column
    split: str = ""  # names of columns; empty: there is none
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class TableFacts:
    """What is known about a table before anything of it is used."""

    source: str
    columns: tuple[Column, ...]
    image: str = ""  # the proposed columns; empty: there is none, or somebody has to choose
    text: str = ""
    split: str = ""
    group: str = ""
    question: str = ""  # why nothing is proposed
    rows: dict[str, int | None] = field(default_factory=dict)  # of each split; None: not known
    subsets: tuple[str, ...] = ()


def map_columns(columns: Sequence[Column], config: BuildConfig, label: str) -> ColumnMap:
    """Return the use of each column; a QuestionError where several may be meant."""
    taken = {config.image_column, config.text_column} - {""}
    image = chosen(columns, config.image_column, "image_column", label) or propose(
        [one for one in columns if one.name not in taken],
        PICTURE_KINDS,
        PICTURE_NAMES,
        "image_column",
        label,
    )
    text = chosen(columns, config.text_column, "text_column", label) or propose_text(
        [one for one in columns if one.name not in {image.name} | taken], label
    )
    used = {image.name, text.name}
    return ColumnMap(
        image=image,
        text=text,
        split=first_named(columns, SPLIT_NAMES, used),
        group=first_named(columns, GROUP_NAMES, used),
    )


def facts(
    source: str,
    columns: Sequence[Column],
    config: BuildConfig,
    rows: dict[str, int | None],
    subsets: Sequence[str] = (),
) -> TableFacts:
    """Return what is known about a table, with the question where there is one."""
    known = TableFacts(source=source, columns=tuple(columns), rows=rows, subsets=tuple(subsets))
    try:
        used = map_columns(columns, config, source)
    except DatasetError as error:
        return replace(known, question=str(error))
    return replace(
        known, image=used.image.name, text=used.text.name, split=used.split, group=used.group
    )


def chosen(columns: Sequence[Column], name: str, setting: str, label: str) -> Column | None:
    """Return the column that the settings name; None where they name none."""
    if not name:
        return None
    for column in columns:
        if column.name == name:
            return column
    names = [column.name for column in columns]
    listed = f"Its columns are: {', '.join(f'`{one}`' for one in names[:20])}."
    raise DatasetError(
        f"`{label}` has no column `{name}`.", f"{did_you_mean(name, names)} {listed}".strip()
    )


def propose_text(columns: Sequence[Column], label: str) -> Column:
    """Return the column that most likely holds the texts; names of classes are the last resort."""
    usable = [one for one in columns if plain(one.name) not in (*GROUP_NAMES, *SPLIT_NAMES)]
    if any(one.kind in TEXT_KINDS for one in usable):
        return propose(usable, TEXT_KINDS, TEXT_NAMES, "text_column", label)
    return propose(usable, (LABEL, NUMBER, BASE64), TEXT_NAMES, "text_column", label)


def propose(
    columns: Sequence[Column], kinds: Sequence[str], names: Sequence[str], setting: str, label: str
) -> Column:
    """Return the column of these kinds that its name tells, or the only one.

    A picture itself is better than a path to one; of several texts with telling names none is.
    """
    fitting = [one for one in columns if one.kind in kinds]
    if setting == "image_column":
        best = min((kinds.index(one.kind) for one in fitting), default=0)
        fitting = [one for one in fitting if kinds.index(one.kind) == best]
    told = [one for one in fitting if plain(one.name) in names]
    for candidates in (told, fitting):
        if len(candidates) == 1:
            return candidates[0]
    what = "the pictures" if setting == "image_column" else "the texts"
    flag = setting.replace("_", "-")
    if not fitting:
        listed = ", ".join(f"`{one.name}` ({one.type})" for one in columns[:20])
        raise DatasetError(
            f"No column of `{label}` seems to hold {what}.",
            f"Name one with `--{flag}`. There are: {listed}." if columns else "Add one.",
        )
    choices = told or fitting
    shown = ", ".join(f"`{one.name}` ({clip(one.example, 30) or one.type})" for one in choices[:8])
    raise QuestionError(
        f"Several columns of `{label}` may hold {what}: {shown}.",
        setting,
        [one.name for one in choices],
    )


def first_named(columns: Sequence[Column], names: Sequence[str], used: set[str]) -> str:
    """Return the column with the first of these names that there is, or an empty string."""
    by_name = {plain(one.name): one.name for one in reversed(columns) if one.name not in used}
    return next((by_name[name] for name in names if name in by_name), "")


def plain(name: str) -> str:
    """Return a column's name as it stands in the lists above."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return re.sub(r"[\s.\-]+", "_", snake).strip("_")


def split_of(word: object) -> str:
    """Return the split that a word means, or an empty string."""
    return SPLIT_WORDS.get(str(word).strip().lower(), "")


def split_in_name(name: str) -> str:
    """Return the split that a file's name tells, or that of its folder; else an empty string."""
    for segment in reversed(name.split("/")):
        if words := SPLIT_IN_NAME.findall(segment):
            return split_of(words[-1])
    return ""


def usable_splits(splits: Sequence[str]) -> bool:
    """Whether the splits of a source can be kept: one to learn from, and another one."""
    return "train" in splits and len({split for split in splits if split}) > 1


def kind_of_strings(values: Sequence[str]) -> str:
    """Return what a column of strings holds, judged by most of them."""
    told = [value for value in values if value]
    if not told:
        return TEXT
    if 2 * sum(is_picture_name(value) and len(value) < 1000 for value in told) > len(told):
        return PATH
    return BASE64 if 2 * sum(is_base64_picture(value) for value in told) > len(told) else TEXT


def is_base64_picture(value: str) -> bool:
    """Whether the string begins like a picture in base64."""
    if not BASE64_START.match(value[:200]):
        return False
    start = re.sub(r"\s", "", value[:400].partition("base64,")[2] or value[:400])
    try:
        head = base64.b64decode(
            start[: len(start) // 4 * 4][:32], altchars=b"-_" if "_" in start else None
        )
    except (ValueError, binascii.Error):
        return False
    return head.startswith(SIGNATURES)
