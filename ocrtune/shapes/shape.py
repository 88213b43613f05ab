"""What a shape of ground truth is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ocrtune.archive import Archive
from ocrtune.config import BuildConfig
from ocrtune.ground_truth import GroundTruth


@dataclass(frozen=True)
class Shape:
    """One way to write down which text belongs to which picture."""

    name: str  # one of config.SHAPES
    # The files of the archive in this shape, without reading more of them than it takes to be
    # sure; none: the archive does not have this shape.
    find: Callable[[Archive], Sequence[str]]
    read: Callable[[Archive, Sequence[str], BuildConfig], GroundTruth]
