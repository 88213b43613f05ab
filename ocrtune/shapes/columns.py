"""Which column of a table names the picture and which one holds its text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ocrtune.content import fold
from ocrtune.errors import DatasetError, QuestionError, did_you_mean

# Words that stand for a column, the surest first; a column's name may hold them among others.
PICTURE_WORDS = ("image_path", "img_path", "image_file", "file_name", "filename", "image_name")
PICTURE_WORDS += ("img_name", "picture", "image", "img", "path", "file", "filepath", "file_path")
PICTURE_WORDS += ("图片路径", "图片", "图像", "文件名", "文件", "路径", "image_id", "id")
TEXT_WORDS = ("ground_truth", "groundtruth", "transcription", "transcript", "text", "gt", "label")
TEXT_WORDS += ("labels", "sentence", "caption", "content", "words", "value", "target", "answer")
TEXT_WORDS += ("文字", "文本", "标注", "内容", "标签", "转写")
GROUP_WORDS = ("writer", "writer_id", "author", "group", "document", "doc_id", "document_id")
GROUP_WORDS += ("page", "书写者", "作者", "文档", "页")
SPLIT_WORDS = ("split", "subset", "fold", "partition", "usage", "划分")


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of a table that count; an empty name: there is none."""

    image: str
    text: str
    group: str = ""
    split: str = ""


def choose_columns(
    file: str,
    columns: Sequence[str],
    rows: Sequence[dict[str, str]],
    is_picture: Callable[[str], bool],
    image_column: str = "",
    text_column: str = "",
) -> Columns:
    """Return which column is which, by what was set, by the cells and by the names.

    A QuestionError where it stays unclear. rows: the first ones; is_picture: of a cell.
    """
    image = wanted(file, image_column, columns) or image_of(file, columns, rows, is_picture)
    rest = [column for column in columns if column != image]
    text = wanted(file, text_column, columns) or text_of(file, rest, rows)
    rest = [column for column in rest if column != text]
    return Columns(
        image=image,
        text=text,
        group=next(iter(named(rest, GROUP_WORDS)), ""),
        split=next(iter(named(rest, SPLIT_WORDS)), ""),
    )


def wanted(file: str, column: str, columns: Sequence[str]) -> str:
    """Return the column that was set, in the table's spelling; an error where it has none."""
    if not column or column in columns:
        return column
    for name in columns:
        if fold(name.strip()) == fold(column.strip()):
            return name
    raise DatasetError(
        f"`{file}` has no column `{column}`.",
        did_you_mean(column, columns) or f"It has: {', '.join(columns)}.",
    )


def image_of(
    file: str,
    columns: Sequence[str],
    rows: Sequence[dict[str, str]],
    is_picture: Callable[[str], bool],
) -> str:
    """Return the column whose cells are pictures of the archive, else the one named like it."""
    hits = {column: sum(is_picture(row.get(column, "")) for row in rows) for column in columns}
    most = max(hits.values(), default=0)
    best = [column for column in columns if hits[column] == most]
    by_name = named(best if most else columns, PICTURE_WORDS)
    if most and (len(best) == 1 or by_name):
        return by_name[0] if len(best) > 1 else best[0]
    if by_name:
        return by_name[0]
    if not columns:
        raise DatasetError(
            f"`{file}` has no column with plain texts or paths.",
            "Write a row for each picture with the columns `image_path` and `text`.",
        )
    raise QuestionError(
        f"Which column of `{file}` names the pictures is unclear.", "image_column", columns
    )


def text_of(file: str, columns: Sequence[str], rows: Sequence[dict[str, str]]) -> str:
    """Return the column named like a text, else the only one that is no number or extra."""
    filled = [column for column in columns if any(row.get(column, "").strip() for row in rows)]
    surest = [column for column in named(filled, TEXT_WORDS) if not is_numeric(column, rows)]
    if surest:
        return surest[0]
    extras = {*named(filled, GROUP_WORDS), *named(filled, SPLIT_WORDS)}
    plain = [column for column in filled if column not in extras and not is_numeric(column, rows)]
    plain = plain or [column for column in filled if column not in extras]
    if len(plain) == 1:
        return plain[0]
    raise QuestionError(
        f"Which column of `{file}` holds the text is unclear.", "text_column", columns
    )


def named(columns: Sequence[str], words: Sequence[str]) -> list[str]:
    """Return the columns called by one of the words, the surest word first."""
    spelled = {
        column: fold(column.strip()).replace(" ", "_").replace("-", "_") for column in columns
    }
    return [column for word in words for column in columns if spelled[column] == word]


def is_numeric(column: str, rows: Sequence[dict[str, str]]) -> bool:
    """Whether a column holds numbers only, as widths and scores are; with rows to tell it."""
    cells = [cell for row in rows if (cell := row.get(column, "").strip())]
    numeric = all(cell.replace(".", "", 1).lstrip("-").isdecimal() for cell in cells)
    return len(cells) > 3 and numeric and any("." in cell or len(cell) < 3 for cell in cells)
