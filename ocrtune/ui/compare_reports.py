"""The report of a comparison, read once for several looks at it."""

from functools import lru_cache
from pathlib import Path

from ocrtune.report import read_report
from ocrtune.sample_index import Identity, identify
from ocrtune.ui.looks import Look

KEPT = 2  # reports in memory; one of 1,000 lines takes 5 MB
LARGEST_KEPT = 8_000_000  # bytes of report.json; a larger one is read at every look


def report_of(comparison: Look) -> dict:
    """Return the values of a comparison's report; a MetricsError says what is wrong with it."""
    path = comparison.report / "report.json"
    identity = identify([path])
    if identity[0][2] > LARGEST_KEPT:
        return read_report(path)
    return kept_report(path, identity)


@lru_cache(maxsize=KEPT)
def kept_report(path: Path, identity: Identity) -> dict:
    """Return the values of a report whose file has this identity."""
    return read_report(path)
