"""Texts that do not fit their picture: far longer or shorter than the others of the dataset."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ocrtune.text_checks import Finding

FEWEST = 20  # pictures of one kind, from which an outlier can be told
LINE_SHAPE = 2.5  # a picture so many times wider than high holds one line
SPREADS = 6.0  # of the usual deviation, beyond which a text is an outlier
LEAST_FACTOR = 2.5  # times longer or shorter than usual, whatever the deviation
PAGE_FACTOR = 6.0  # the same for pages, which may well be half empty
MAD_TO_DEVIATION = 1.4826  # for a normal distribution


def unfitting_texts(texts: Sequence[str], sizes: Sequence[tuple[int, int]]) -> list[Finding]:
    """Return the texts that are outliers in length for the size of their picture.

    Lines are measured in letter widths for each height of the picture, pages in letter widths for
    each of their pixels; most samples decide what is usual.
    """
    if not texts:
        return []
    widths, heights = np.array(sizes, dtype=np.float64).T
    lengths = np.array([letter_widths(text) for text in texts])
    lines = (widths >= LINE_SHAPE * heights) & np.array(["\n" not in text for text in texts])
    density = np.log(np.maximum(lengths, 0.5) / np.where(lines, widths / heights, widths * heights))
    found: list[Finding] = []
    for kind, least in ((lines, LEAST_FACTOR), (~lines, PAGE_FACTOR)):
        rows = np.flatnonzero(kind)
        if rows.size < FEWEST:
            continue
        usual = np.median(density[rows])
        spread = MAD_TO_DEVIATION * np.median(np.abs(density[rows] - usual))
        limit = max(SPREADS * spread, np.log(least))
        for row in rows[np.abs(density[rows] - usual) > limit].tolist():
            key = "text_long" if density[row] > usual else "text_short"
            width, height = sizes[row]
            found.append((row, key, {"count": len(texts[row]), "width": width, "height": height}))
    return sorted(found, key=lambda finding: finding[0])


def letter_widths(text: str) -> float:
    """Return about how wide a text is in Latin letters; a Han character counts as two.

    The bytes of UTF-8 tell quickly: one for Latin, three for Han.
    """
    return (len(text) + len(text.encode("utf-8", "replace"))) / 2


def contradictions(
    texts: Mapping[str, str], groups: Sequence[dict[str, Any]]
) -> list[tuple[str, str, dict[str, Any]]]:
    """Return each identical picture that has another text elsewhere: its id, key and values.

    texts: by picture id; groups: as `dataset_report.find_duplicates` returns them.
    """
    return [
        (one, "picture_two_texts", {"other": other})
        for group in groups
        if not group["one_text"]
        for one in group["pictures"]
        for other in [next(it for it in group["pictures"] if texts[it] != texts[one])]
    ]
