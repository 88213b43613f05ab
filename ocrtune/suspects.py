"""Training lines whose ground truth is most likely wrong: a tuned model reads them otherwise."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ocrtune.archive import cause
from ocrtune.errors import MetricsError
from ocrtune.metrics import score_pairs
from ocrtune.records import Prediction
from ocrtune.spreadsheet import write_table

PROFILE = "strict"  # every wrong character counts


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A training line that the tuned model reads otherwise."""

    picture_id: str
    digest: str  # of the picture as stored, in hexadecimal digits
    reference: str
    hypothesis: str
    errors: int
    reference_characters: int
    cer: float


@dataclass(frozen=True)
class Found:
    """What reading training lines has brought to light."""

    read: int  # lines
    of: int  # lines that nobody has checked
    suspects: tuple[Suspect, ...]  # the worst first


def judge(
    lines: Sequence[tuple[str, str, str]], predictions: Sequence[Prediction]
) -> list[Suspect]:
    """Return the lines that were read with errors, worst first; one is (id, digest, reference).

    What could not be read, or in which the model lost itself, says nothing about its ground truth.
    """
    pairs = [(line[2], one.text) for line, one in zip(lines, predictions, strict=True)]
    suspects = [
        Suspect(
            picture_id=name,
            digest=digest,
            reference=reference,
            hypothesis=one.text,
            errors=score.errors,
            reference_characters=score.reference_length,
            cer=score.cer or 0.0,
        )
        for (name, digest, reference), one, score in zip(
            lines, predictions, score_pairs(pairs, PROFILE), strict=True
        )
        if score.errors and not (one.failed or one.looped or one.cut)
    ]
    return sorted(suspects, key=lambda one: (-one.cer, -one.errors, one.picture_id))


def suspects_path(folder: Path) -> Path:
    """Return the file of suspects in a report's folder."""
    return folder / "suspects.json"


def write_suspects(folder: Path, found: Found) -> None:
    """Write the suspects as JSON, and as CSV for a spreadsheet."""
    values = {
        "read": found.read,
        "of": found.of,
        "suspects": [asdict(one) for one in found.suspects],
    }
    text = json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    suspects_path(folder).write_text(text, "utf-8", errors="backslashreplace")
    names = [field.name for field in fields(Suspect)]
    write_table(folder / "suspects.csv", names, values["suspects"])


def load_suspects(folder: Path) -> Found:
    """Return the suspects beside a report; none where they were not looked for."""
    path = suspects_path(folder)
    if not path.exists():
        return Found(0, 0, ())
    try:
        values: dict[str, Any] = json.loads(path.read_text("utf-8"))
        suspects = tuple(Suspect(**one) for one in values["suspects"])
        return Found(int(values["read"]), int(values["of"]), suspects)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MetricsError(
            f"`{path}` cannot be read: {cause(error)}.", "Make it with `python -m ocrtune compare`."
        ) from error
