"""What a dataset's report says: figures on the texts, duplicates, and the words for a terminal."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ocrtune.ground_truth import clip
from ocrtune.picture_store import Stored

if TYPE_CHECKING:
    from ocrtune.dataset import BuildReport

SHOWN_REJECTS = 10


def describe_texts(texts: Sequence[str]) -> dict[str, Any]:
    """Return the report's figures on the texts."""
    lengths = [len(text) for text in texts]
    characters: Counter[str] = Counter()
    for text in texts:
        characters.update(text)
    scripts: Counter[str] = Counter()
    for character, count in characters.items():
        scripts[script(character)] += count
    return {
        "samples": len(texts),
        "shortest": min(lengths),
        "longest": max(lengths),
        "mean": round(sum(lengths) / len(lengths), 2),
        "characters": len(characters),
        "scripts": dict(scripts.most_common()),
    }


def script(character: str) -> str:
    """Return the script of a letter by its Unicode name; `digits` or `other` for the rest."""
    if character.isdecimal():
        return "digits"
    name = unicodedata.name(character, "") if character.isalpha() else ""
    return name.split()[0].removesuffix("-COMPATIBILITY").lower() if name else "other"


def find_duplicates(
    picture_ids: Sequence[str], stored: Sequence[Stored]
) -> tuple[dict[str, Any], ...]:
    """Return the groups of identical pictures, and whether each has one text."""
    groups = defaultdict(list)
    for row, sample in enumerate(stored):
        groups[sample.digest].append(row)
    return tuple(
        {
            "pictures": [picture_ids[row] for row in rows],
            "one_text": len({stored[row].entry.text for row in rows}) == 1,
        }
        for rows in groups.values()
        if len(rows) > 1
    )


def statistics_text(report: "BuildReport | dict[str, Any]") -> list[str]:
    """Return the report in lines for people; rejects beyond the first ten are only counted."""
    values = report if isinstance(report, dict) else asdict(report)
    counts = ", ".join(f"{split} {count}" for split, count in values["splits"].items())
    lines = [
        f"Samples: {values['samples']} ({counts})",
        f"Text length: {values['shortest']} to {values['longest']} characters, "
        f"{values['mean']:.1f} on average",
        f"Example: {values['example']['picture']}  {clip(values['example']['text'], 60)}",
    ]
    if values["encoding"] not in ("utf-8", "utf-8-sig"):
        lines.append(f"`{values['content']}` was read as {values['encoding']}")
    if values["conversions"]:
        kinds = ", ".join(f"{count} {kind}" for kind, count in values["conversions"].items())
        lines.append(f"Pictures converted: {kinds}")
    if values.get("edits"):
        kinds = ", ".join(f"{count} {origin}" for origin, count in values["edits"].items())
        lines.append(f"Edits made again: {kinds}")
    for name, sentence in (
        ("several_frames", "Files with several pictures, of which the first is used"),
        ("duplicates", "Groups of identical pictures, each kept in one split"),
        ("unnamed", "Pictures without a line"),
        ("rejects", "Lines rejected"),
    ):
        if values[name]:
            lines.append(f"{sentence}: {len(values[name])}")
    for one in values["rejects"][:SHOWN_REJECTS]:
        near = f" Nearest: `{one['nearest']}`." if one["nearest"] else ""
        lines.append(f"  line {one['line_number']}: {clip(one['reason'], 300)}{near}")
    if (more := len(values["rejects"]) - SHOWN_REJECTS) > 0:
        lines.append(f"  ... and {more} more, see the report")
    return lines
