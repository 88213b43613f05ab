"""What another engine read: a folder of texts or a table, matched to the pictures of a dataset."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ocrtune.archive import Archive, cause, open_archive
from ocrtune.encoding import decode
from ocrtune.errors import ArchiveError, DatasetError, MetricsError
from ocrtune.names import Match, Names, is_picture_name, nowhere
from ocrtune.records import Prediction
from ocrtune.shapes.table_rows import SUFFIXES, TableRow, read_rows

TEXT, GROUND_TRUTH = ".txt", ".gt.txt"  # of one picture; tesstrain and others keep both together
ID_COLUMNS = ("picture_id", "id", "path", "file", "file_name", "filename", "image", "image_path")
ID_COLUMNS += ("img", "img_path", "picture", "image_name", "name", "图片", "路径", "文件名")
TEXT_COLUMNS = ("hypothesis", "prediction", "predicted", "pred", "ocr", "recognized", "recognised")
TEXT_COLUMNS += ("result", "output", "transcription", "text", "识别结果", "文字", "文本")
ZIP = ".zip"
ENDINGS = (ZIP, *SUFFIXES)  # of a file with texts
TABLE_HELP = "Name the columns `picture_id` and `text` in the first line."
FOLDER_HELP = "Name each file after its picture, such as `page_1.txt` for `page_1.png`."


@dataclass
class Found:
    """What was found of the pictures of a dataset."""

    texts: dict[str, tuple[int, str, str]] = field(default_factory=dict)  # rank, written, text
    foreign: list[str] = field(default_factory=list)  # names that belong to no picture asked for
    failed: dict[str, str] = field(default_factory=dict)  # why the engine has no text


@dataclass(frozen=True)
class OtherTexts:
    """The readings of another engine, one for each picture that was asked for."""

    name: str
    predictions: tuple[Prediction, ...]
    missing: int  # pictures without a text, which count as failed
    foreign: int  # texts that belong to no picture that was asked for
    digest: str  # of all texts


def read_other_texts(
    name: str, path: Path, picture_ids: Sequence[str], others: Iterable[str] = ()
) -> OtherTexts:
    """Return what an engine called `name` read of these pictures; what it lacks is failed.

    path: a folder of `picture-name.txt`, or a CSV, TSV, JSON or JSON lines with picture id and
    text; or a zip of either, which nobody has to trust. Names are matched by the longest common
    tail, with or without the picture's suffix.
    others: pictures of which there may be texts too, such as those of the other splits.
    """
    is_table = not path.is_dir() and path.suffix.lower() != ZIP
    read_rows_of = table_rows if is_table else folder_rows if path.is_dir() else zip_rows
    rows = read_rows_of(path)
    every = {**dict.fromkeys(picture_ids), **dict.fromkeys(others)}
    known = Names(every, "", nowhere)
    bare = {bare_name(one): one for one in reversed(every)}
    asked, found = set(picture_ids), Found()
    for written, text, failed in rows:
        match = find_picture(known, bare, written)
        if match is None or len(match.names) > 1 or match.names[0] not in asked:
            found.foreign.append(written)
        else:
            add(found, match, written, text, failed, path)
    if not found.texts and not found.failed:
        shown = f", such as `{found.foreign[0]}`" if found.foreign else ""
        raise MetricsError(
            f"None of the {len(found.foreign)} texts in `{path.name}`{shown} belongs to one of the "
            f"{len(picture_ids)} pictures, such as `{picture_ids[0]}`.",
            "Write the pictures' ids in the column `picture_id`." if is_table else FOLDER_HELP,
        )
    texts = {one: text for one, (_, _, text) in found.texts.items()}
    predictions = tuple(predict(one, texts, found.failed, name) for one in picture_ids)
    digest = hashlib.sha256()
    for one in predictions:
        digest.update(f"{len(one.text)} {one.picture_id}\n{one.text}\n".encode(errors="replace"))
    missing = sum(one not in texts for one in picture_ids)
    return OtherTexts(name, predictions, missing, len(found.foreign), digest.hexdigest()[:16])


def predict(
    picture_id: str, texts: dict[str, str], failed: dict[str, str], name: str
) -> Prediction:
    """Return the prediction of one picture, failed where the engine has no text for it."""
    reason = "" if picture_id in texts else failed.get(picture_id, f"`{name}` has no text for it.")
    text = texts.get(picture_id, "")
    return Prediction(picture_id=picture_id, text=text, seconds=0.0, model=name, failed=reason)


def add(found: Found, match: Match, written: str, text: str, failed: str, path: Path) -> None:
    """Give a text to its picture; of two the better match wins, equal ones must say the same."""
    [picture_id] = match.names
    if failed:
        found.failed[picture_id] = failed
        return
    rank, other, before = found.texts.get(picture_id, (match.skipped + 1, "", text))
    if rank == match.skipped and before != text:
        raise MetricsError(
            f"`{path.name}` has two texts for `{picture_id}`: `{other}` and `{written}`.",
            "Leave one of them out.",
        )
    if match.skipped < rank:
        found.texts[picture_id] = (match.skipped, written, text)


def find_picture(known: Names, bare: dict[str, str], written: str) -> Match | None:
    """Return the picture that a text's name means, even without suffix or with one more.

    `a.png`, `a` and `a.pred` all mean `a.png`.
    """
    name = written.replace("\\", "/").strip()
    while name:
        match = known.find(name) or known.find_bare(name)
        if match is None and name in bare:
            match = Match((bare[name],), 0)
        if match:
            return match
        head, dot, tail = name.rpartition(".")
        if not dot or not tail.isalpha() or not head or is_picture_name(name):
            return None
        name = head
    return None


def bare_name(picture_id: str) -> str:
    """Return an id as a file name can hold it, for ids that are no paths of pictures."""
    return picture_id.replace("#", "_").replace(" ", "_")


def folder_rows(folder: Path) -> list[tuple[str, str, str]]:
    """Return the texts of a folder and of those in it: (name without `.txt`, text, no reason)."""
    paths = sorted(one for one in folder.rglob(f"*{TEXT}") if one.is_file())
    texts = [one for one in paths if not one.name.endswith(GROUND_TRUTH)]
    if not texts:
        only = f"only ground truth (`*{GROUND_TRUTH}`)" if paths else f"no `*{TEXT}`"
        raise MetricsError(f"The folder `{folder}` holds {only}.", FOLDER_HELP)
    return [
        (one.relative_to(folder).as_posix().removesuffix(TEXT), read_text(one), "") for one in texts
    ]


def read_text(path: Path) -> str:
    """Return a file's text, whatever its encoding, without white space around it."""
    try:
        return decode(path.read_bytes())[0].strip()
    except OSError as error:
        raise MetricsError(
            f"`{path.name}` cannot be read: {cause(error)}.", "Check the path."
        ) from error
    except ArchiveError as error:
        raise MetricsError(
            f"`{path.name}` is no text.", "Save it as plain text in UTF-8."
        ) from error


def zip_rows(path: Path) -> Iterable[tuple[str, str, str]]:
    """Return the readings in a zip: its texts, else those of the one table that it holds."""
    try:
        with open_archive(path) as archive:
            names = archive.names()
            texts = [one for one in names if is_reading(one)]
            if texts:
                return [(one[: -len(TEXT)], read_within(archive, one), "") for one in texts]
            tables = [one for one in names if one.lower().endswith(SUFFIXES)]
            if len(tables) == 1:
                return choose_rows(Path(tables[0]), read_within(archive, tables[0]))
    except ArchiveError as error:
        raise MetricsError(error.problem, f"Zip the texts anew. {FOLDER_HELP}") from error
    held = f"{len(tables)} tables, of which one would do" if tables else "no text and no table"
    raise MetricsError(f"`{path.name}` holds {held}.", FOLDER_HELP)


def is_reading(name: str) -> bool:
    """Return whether a file's name is that of one picture's text as an engine read it."""
    return name.lower().endswith(TEXT) and not name.lower().endswith(GROUND_TRUTH)


def read_within(archive: Archive, name: str) -> str:
    """Return a text of a zip, whatever its encoding, without white space around it."""
    return decode(archive.read(name))[0].strip()


def table_rows(path: Path) -> Iterable[tuple[str, str, str]]:
    """Return the readings in a table as (picture's name, text, why there is no text)."""
    if not path.exists():
        raise MetricsError(f"There is no `{path}`.", "Name a folder of texts, or a CSV.")
    if not path.name.lower().endswith(SUFFIXES):
        listed = ", ".join(ENDINGS)
        raise MetricsError(
            f"`{path.name}` is neither a folder nor a table.",
            f"Give a folder of texts, or {listed}.",
        )
    return choose_rows(path, read_text(path))


def choose_rows(path: Path, text: str) -> list[tuple[str, str, str]]:
    """Return the readings in the text of a table, which is that of `path`."""
    try:
        columns, rows, rejects = read_rows(path.name, text.replace("\r\n", "\n"))
    except DatasetError as error:
        raise MetricsError(error.problem, error.fix) from error
    if rejects:
        first = rejects[0]
        raise MetricsError(
            f"Line {first.line_number} of `{path.name}` is no row: {first.reason}", TABLE_HELP
        )
    return choose_cells(path, columns, rows)


def choose_cells(
    path: Path, columns: Sequence[str], rows: Sequence[TableRow]
) -> list[tuple[str, str, str]]:
    """Return the cells of the two columns that count, chosen by their names."""
    by_word = {column.strip().lower().replace(" ", "_"): column for column in reversed(columns)}
    name = next((by_word[word] for word in ID_COLUMNS if word in by_word), None)
    text = next((by_word[word] for word in TEXT_COLUMNS if word in by_word), None)
    if name is None and text is None and len(columns) == 2:  # without a header
        cells = [row.cells.get(columns[1], "") for row in rows]
        is_second = all(map(is_picture_name, cells))
        name, text = reversed(columns) if is_second else columns
    if name is None or text is None:
        listed = ", ".join(f"`{column}`" for column in columns)
        raise MetricsError(f"`{path.name}` has the columns {listed or 'of no table'}.", TABLE_HELP)
    found = []
    for row in rows:
        failed = row.cells.get("failed", "") if text == "text" else ""  # of `read --json`
        found.append((row.cells.get(name, ""), row.cells.get(text, "").strip(), failed))
    return found
