"""The shapes in which people keep ground truth: which one an archive has, and reading it.

A shape is data: how to find its files among those of an archive, and how to read them. What has
several shapes at once is not guessed: a QuestionError asks.
"""

from dataclasses import replace

from ocrtune.archive import CONTENT_HELP, Archive
from ocrtune.config import BuildConfig
from ocrtune.errors import ArchiveError, QuestionError
from ocrtune.ground_truth import GroundTruth, reject
from ocrtune.pdf_files import PdfFiles, pdf_problems
from ocrtune.remarks import remark
from ocrtune.shapes.layout_files import ALTO, PAGE, PAGES
from ocrtune.shapes.lines import LINES
from ocrtune.shapes.own_splits import with_own_splits
from ocrtune.shapes.paddle import PADDLE
from ocrtune.shapes.pairs import PAIRS
from ocrtune.shapes.parquet import PARQUET
from ocrtune.shapes.recognising import leading, recognise
from ocrtune.shapes.shape import Shape
from ocrtune.shapes.table_files import TABLE

# Files of office programs that people keep their texts in.
OFFICE = (".xlsx", ".xls", ".ods", ".docx", ".doc", ".odt", ".rtf", ".numbers", ".pages")

SHAPES: dict[str, Shape] = {
    shape.name: shape for shape in (LINES, PAIRS, TABLE, PADDLE, PAGE, ALTO, PAGES, PARQUET)
}


def read_ground_truth(archive: Archive, config: BuildConfig) -> GroundTruth:
    """Return what the archive says about its pictures, in the shape that it has.

    A source that brings its ground truth along (a table of the Hub) needs no recognising.
    """
    if archive.ground_truth:
        return without_halves(archive.ground_truth)
    if config.shape != "auto":
        shape = SHAPES[config.shape]
        files = shape.find(archive)
    else:
        shape, files = choose_shape(archive)
    truth = without_halves(with_own_splits(shape.read(archive, files, config)))
    return replace(truth, remarks=(*truth.remarks, *pdf_problems(archive), *archive.remarks))


def without_halves(truth: GroundTruth) -> GroundTruth:
    """Return the ground truth with entries rejected that no file in UTF-8 can hold.

    JSON can write half of a surrogate pair, which stands for no character.
    """
    if is_whole("".join(entry.text + entry.part for entry in truth.entries)):
        return truth
    kept, rejects = [], list(truth.rejects)
    for entry in truth.entries:
        if is_whole(entry.text + entry.part):
            kept.append(entry)
            continue
        line, reason = truth.original(entry), remark("half_character")
        rejects.append(reject(entry.line_number, line, reason, entry.name, entry.file))
    return replace(truth, entries=kept, rejects=tuple(rejects))


def is_whole(text: str) -> bool:
    """Whether a text consists of characters, without halves of surrogate pairs."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def choose_shape(archive: Archive) -> tuple[Shape, list[str]]:
    """Return the archive's shape and its files; a QuestionError when there are several."""
    found = recognise(archive, SHAPES)
    names = leading(archive, found)
    if not names:
        raise nothing_found(archive)
    if len(names) > 1:
        raise QuestionError(
            f"`{archive.label}` holds ground truth in several shapes: "
            + "; ".join(f"{name} (`{found[name][0]}`)" for name in names)
            + ".",
            "shape",
            names,
        )
    return SHAPES[names[0]], found[names[0]]


def nothing_found(archive: Archive) -> ArchiveError:
    """Return the error for an archive without ground truth; of a PDF it says what that has."""
    problem = f"`{archive.label}` holds no ground truth."
    office = [name for name in archive.names() if name.lower().endswith(OFFICE)]
    if office:
        return ArchiveError(
            f"{problem} `{office[0]}` may hold it, but only text files are read.",
            "Save a table as CSV with the columns `image_path` and `text`, a document as plain "
            "text with one line for each picture, and put that into the zip.",
        )
    if not isinstance(archive.files, PdfFiles):
        return ArchiveError(problem, CONTENT_HELP)
    if not archive.files.pages:
        return ArchiveError(" ".join(map(str, pdf_problems(archive))), CONTENT_HELP)
    first = next(iter(archive.files.pages))
    book = first.partition("#")[0]
    if archive.files.has_text():
        problem += (
            f" `{book}` has a text layer, which is not taken for the truth: it may be another "
            "program's reading."
        )
    else:
        problem += f" `{book}` has no text layer."
    stem = book.rpartition("/")[2][:-4]
    return ArchiveError(
        problem,
        f"Write the text of its pages into `{stem}/1.txt`, `{stem}/2.txt` …, or into a "
        f"`content.md` with lines like `{first} the text`.",
    )
