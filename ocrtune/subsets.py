"""Shares of a train split, of which the smaller is always within the larger."""

import math
import posixpath
import random
from collections.abc import Sequence

from ocrtune.dataset_files import read_build_report, report_path
from ocrtune.errors import ConfigError
from ocrtune.ground_truth import Entry
from ocrtune.grouping import by_pattern, page_of
from ocrtune.picture_store import digest_of
from ocrtune.records import Sample
from ocrtune.splits import clusters


def share_of(
    samples: Sequence[Sample], fraction: float, seed: int, groups: Sequence[str] = ()
) -> list[Sample]:
    """Return about this share of the samples, in their order, and at least one.

    Identical pictures come together, so that a larger share really shows more of them, and so do
    groups: a quarter of the lines of all pages is no quarter of the pages.
    """
    if fraction >= 1:
        return list(samples)
    digests = [digest_of(sample.picture) for sample in samples]
    return [samples[row] for row in share_rows(digests, fraction, seed, groups)]


def groups_of(prefix: str, picture_ids: Sequence[str]) -> list[str]:
    """Return the group of each picture by which the dataset was split, none where it was not.

    Writers stand in the ground truth alone, which a dataset does not keep: they are no groups here.
    """
    return known_groups(prefix, picture_ids)[1]


def known_groups(prefix: str, picture_ids: Sequence[str]) -> tuple[str, list[str]]:
    """Return `page`, `folder` or `document` and the groups, see `groups_of`; nothing without any.

    What a pattern finds is called a document.
    """
    asked = split_by(prefix)
    if asked == "page":
        return asked, [page_named(name) for name in picture_ids]
    if asked == "folder":
        return asked, [posixpath.dirname(name.partition("#")[0]) for name in picture_ids]
    if asked in ("", "writer"):
        return "", []
    try:
        return "document", by_pattern(picture_ids, asked)
    except ConfigError:  # it may match the pictures of another split only
        return "", []


def split_by(prefix: str) -> str:
    """Return `group_by` of the build that made a dataset; empty where it had none."""
    if not report_path(prefix).is_file():
        return ""
    remarks = read_build_report(prefix).get("remarks", ())
    return next((one["values"]["by"] for one in remarks if one.get("key") == "split_groups"), "")


def page_named(picture_id: str) -> str:
    """Return the page that a picture is from, by its name."""
    page, sign, _ = picture_id.partition("#")
    return page if sign else page_of(Entry(line_number=0, name=page, text=""), page)


def share_rows(
    digests: Sequence[bytes], fraction: float, seed: int, groups: Sequence[str] = ()
) -> list[int]:
    """Return the rows of a share, ascending; rows of one digest or group come together.

    They are drawn once for all shares, so that a smaller one is within a larger one of this seed.
    A share may exceed its fraction by the rest of its last group.
    """
    together = clusters(digests, groups)
    random.Random(seed).shuffle(together)
    wanted = max(1, math.ceil(fraction * len(digests) - 1e-9))
    rows: list[int] = []
    for members in together:
        if len(rows) >= wanted:
            break
        rows += members
    return sorted(rows)
