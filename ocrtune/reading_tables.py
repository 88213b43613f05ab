"""Readings as files that people take along: a table for spreadsheets, and plain texts."""

import csv
import io
import posixpath
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from ocrtune.events import Read
from ocrtune.records import Prediction
from ocrtune.spreadsheet import harmless

NOTES = ("looped", "cut", "failed")
NO_DATE = (1980, 1, 1, 0, 0, 0)
ODD = str.maketrans(dict.fromkeys('<>:"|?*\\\0', "_"))


@dataclass(frozen=True)
class Row:
    """What the models read off one picture, the base model first where both were asked."""

    name: str  # as people are told of the picture
    readings: tuple[Prediction | Read, ...]

    @property
    def text(self) -> str:
        """What the last model has read: the tuned one, where there is one."""
        return self.readings[-1].text if self.readings else ""

    @property
    def failed(self) -> str:
        """Why nothing was read; empty when something was."""
        return next((one.failed for one in self.readings if one.failed), "")

    @property
    def differs(self) -> bool:
        """Whether the models read different texts."""
        return len({one.text for one in self.readings}) > 1

    @property
    def is_flagged(self) -> bool:
        """Whether a reading repeats itself or was cut."""
        return any(one.looped or one.cut for one in self.readings)


def rows_of(readings: Sequence[Prediction | Read], names: Sequence[str] = ()) -> list[Row]:
    """Return one row per picture, in the order of `names`, else of their first readings."""
    found: dict[str, list[Prediction | Read]] = {name: [] for name in names}
    for one in readings:
        found.setdefault(one.picture_id, []).append(one)
    return [Row(name, tuple(several)) for name, several in found.items()]


def table_bytes(rows: Sequence[Row], models: Sequence[str]) -> bytes:
    """Return CSV in UTF-8 with its byte order mark: a text for each model, and what is odd.

    models: what the columns of texts are called, in the order of the readings.
    """
    stream = io.StringIO(newline="")
    table = csv.writer(stream)
    odd = [f"{model}_{note}" for model in models for note in NOTES]
    table.writerow(["picture", *models, *(["differs"] if len(models) > 1 else []), *odd])
    for row in rows:
        texts = [one.text for one in row.readings] + [""] * (len(models) - len(row.readings))
        cells: list[object] = [row.name, *texts]
        if len(models) > 1:
            cells.append("yes" if row.differs else "")
        for one in row.readings:
            cells += ["yes" if one.looped else "", "yes" if one.cut else "", one.failed]
        table.writerow([harmless(cell) for cell in cells])
    return b"\xef\xbb\xbf" + stream.getvalue().encode("utf-8", "replace")


def text_bytes(rows: Sequence[Row]) -> bytes:
    """Return all texts in one file, each below its picture's name; of one picture the text alone.

    Of several models it is what the last one read. A picture that failed says so in brackets.
    """
    if len(rows) == 1:
        return (text_or_trouble(rows[0]) + "\n").encode("utf-8", "replace")
    blocks = [f"=== {row.name} ===\n{text_or_trouble(row)}\n" for row in rows]
    return "\n".join(blocks).encode("utf-8", "replace")


def text_or_trouble(row: Row) -> str:
    """Return the text of a picture, or why there is none."""
    return f"[{row.failed}]" if row.failed and not row.text else row.text


def text_files(rows: Sequence[Row]) -> dict[str, bytes]:
    """Return a text file for each picture that was read, by a name that is safe everywhere."""
    files: dict[str, bytes] = {}
    read = [row for row in rows if row.readings and not row.failed]
    home = common_folder([row.name for row in read])
    for row in read:
        name = safe_path(row.name.removeprefix(home))
        files[free_name(name, files)] = f"{row.text}\n".encode("utf-8", "replace")
    return files


def common_folder(names: Sequence[str]) -> str:
    """Return the beginning, up to a slash, that all names share."""
    folders = [name.rpartition("/")[0] for name in names]
    shared = posixpath.commonprefix([f"{folder}/" for folder in folders])
    return shared[: shared.rfind("/") + 1]


def safe_path(name: str) -> str:
    """Return where the text of a picture lies: below the place it is put, whatever its name."""
    parts = [part.translate(ODD).strip(" .") for part in name.replace("\\", "/").split("/")]
    path = "/".join(part[:120] for part in parts if part) or "picture"
    if "#page=" in path:  # of a PDF
        return path.replace("#page=", "-")
    stem, ending = posixpath.splitext(path)
    return stem if len(ending) <= 6 and not stem.endswith("/") else path


def free_name(path: str, taken: dict[str, bytes]) -> str:
    """Return the path with `.txt`, numbered if another picture has it: 1.png and 1.jpg."""
    folded = {name.casefold() for name in taken}
    name, number = f"{path}.txt", 2
    while name.casefold() in folded:
        name, number = f"{path}-{number}.txt", number + 1
    return name


def zip_bytes(rows: Sequence[Row]) -> bytes:
    """Return a zip with a text file for each picture that was read."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in text_files(rows).items():
            info = zipfile.ZipInfo(name, NO_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return buffer.getvalue()
