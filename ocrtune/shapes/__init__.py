"""The shapes in which people keep ground truth: which one an archive has, and reading it.

A shape is data: how to find its files among those of an archive, and how to read them. What has
several shapes at once is not guessed: a QuestionError asks.
"""

from ocrtune.archive import CONTENT_HELP, Archive
from ocrtune.config import BuildConfig
from ocrtune.errors import ArchiveError, QuestionError
from ocrtune.ground_truth import GroundTruth
from ocrtune.shapes.lines import LINES
from ocrtune.shapes.parquet import PARQUET
from ocrtune.shapes.shape import Shape

SHAPES: dict[str, Shape] = {shape.name: shape for shape in (LINES, PARQUET)}


def read_ground_truth(archive: Archive, config: BuildConfig) -> GroundTruth:
    """Return what the archive says about its pictures, in the shape that it has.

    A source that brings its ground truth along (a table of the Hub) needs no recognising.
    """
    if archive.ground_truth:
        return archive.ground_truth
    if config.shape != "auto":
        shape = SHAPES[config.shape]
        return shape.read(archive, shape.find(archive), config)
    found = {shape.name: files for shape in SHAPES.values() if (files := shape.find(archive))}
    if not found:
        raise ArchiveError(f"`{archive.label}` holds no ground truth.", CONTENT_HELP)
    if len(found) > 1:
        raise QuestionError(
            f"`{archive.label}` holds ground truth in several shapes: "
            + "; ".join(f"{name} (`{files[0]}`)" for name, files in found.items())
            + ".",
            "shape",
            tuple(found),
        )
    [(name, files)] = found.items()
    return SHAPES[name].read(archive, files, config)
