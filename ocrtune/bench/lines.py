"""The lines a bench reads: evaluation sets, real scans, and the test split of a fine-tune."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ocrtune.config import BuildConfig
from ocrtune.dataset_files import load_samples
from ocrtune.errors import DatasetError, ModelError
from ocrtune.events import silent
from ocrtune.pictures import PictureError, check_picture
from ocrtune.shapes import read_ground_truth
from ocrtune.sources import open_source

SETS = ("printed", "long", "degraded", "nothing", "digits")  # each a folder of this name
LANGUAGES = ("zh", "en", "de", "none", "digits")  # how a picture's name begins
SCANS, TUNED = "fraktur", "fraktur, test split"


@dataclass(frozen=True, kw_only=True)
class BenchLine:
    """One picture of a line with its ground truth, which is empty if there is nothing to read."""

    name: str
    language: str  # `zh`, `en`, `de`, `none`, `digits` or `fraktur`
    kind: str  # the flaw of a degraded picture, the sort of nothing; empty for the others
    picture: bytes  # an encoded image file
    text: str


def load_sets(folder: Path, limit: int = 0) -> dict[str, list[BenchLine]]:
    """Return the lines of each evaluation set in `folder`, at most about `limit` of each if set."""
    return {name: load_set(folder / name, limit) for name in SETS}


def load_set(folder: Path, limit: int = 0) -> list[BenchLine]:
    """Return the lines of one evaluation set; see `pretrain.pictures` on their names."""
    try:
        rows = (folder / "content.md").read_text("utf-8").splitlines()
        lines = []
        for row in rows:
            name, _, text = row.partition(" ")
            language, *kind = Path(name).stem.split("-")
            if language not in LANGUAGES:
                raise DatasetError(
                    f"The name of `{folder / name}` does not begin with a language of the sets.",
                    "Name pictures as `python -m ocrtune.pretrain.pictures` does: `zh-0001.png`.",
                )
            lines.append((name, language, "-".join(kind[:-1]), text))
        return [
            BenchLine(
                name=name,
                language=language,
                kind=kind,
                picture=(folder / name).read_bytes(),
                text=text,
            )
            for name, language, kind, text in take(lines, limit)
        ]
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"The evaluation set `{folder}` cannot be read: {error}.",
            "Delete the folder of sets, and the bench draws them again.",
        ) from error


def take(lines: list[tuple], limit: int) -> list[tuple]:
    """Return about `limit` of the lines, as many of each language and kind as there is room for."""
    if not limit or limit >= len(lines):
        return lines
    groups: dict[tuple, list[tuple]] = defaultdict(list)
    for line in lines:
        groups[line[1:3]].append(line)
    each = max(1, limit // len(groups))
    return [line for members in groups.values() for line in members[:each]]


def load_scans(source: Path) -> list[BenchLine]:
    """Return the lines of an archive of real scans with a content file."""
    config = BuildConfig(source=str(source), output="")
    with open_source(config, silent) as archive:
        lines = []
        for entry in read_ground_truth(archive, config).entries:
            try:
                picture = check_picture(archive.read(entry.name)).data
            except PictureError as error:
                raise DatasetError(f"`{entry.name}`: {error.problem}", error.fix) from error
            lines.append(scan(entry.name, picture, entry.text))
    if not lines:
        raise DatasetError(f"`{source}` holds no line.", "Name a zip of scans with a content.md.")
    return lines


def scan(name: str, picture: bytes, text: str) -> BenchLine:
    """Return a line of the scans."""
    return BenchLine(name=name, language=SCANS, kind="", picture=picture, text=text)


def load_test_split(adapter: Path, scans: Sequence[BenchLine]) -> list[BenchLine]:
    """Return the scans that the run behind an adapter kept for its test, as it stored them.

    Everything else it may have learnt from, so it does not count.
    """
    settings = adapter.parent / "config.json"
    try:
        data = json.loads(settings.read_text("utf-8"))["data"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"`{settings}` does not say what the adapter learnt from.",
            "Name the `adapter` folder where `ocrtune train` wrote it, in its run.",
        ) from error
    known = {line.name for line in scans}
    samples = load_samples(data, "test")
    lines = [scan(s.picture_id, s.picture, s.text) for s in samples if s.picture_id in known]
    if not lines:
        raise ModelError(
            f"The test split of `{data}`, which `{adapter}` belongs to, has none of the scans.",
            "Give the archive that the dataset was built from.",
        )
    return lines
