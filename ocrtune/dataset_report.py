"""What a dataset's report says: figures, warnings, near-duplicates, advice; terminal words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ocrtune.advice import Facts, advise
from ocrtune.config import BuildConfig
from ocrtune.ground_truth import Reject, clip
from ocrtune.near_duplicates import near_duplicates
from ocrtune.pair_checks import contradictions, unfitting_texts
from ocrtune.picture_store import Stored
from ocrtune.records import SPLITS
from ocrtune.remarks import say_remark
from ocrtune.text_checks import Inventory, suspicious_texts
from ocrtune.text_figures import (
    describe_texts,
    histograms,
    known_texts,
    split_numbers,
    unseen_characters,
)

if TYPE_CHECKING:
    from ocrtune.dataset import BuildReport

STORED_WARNINGS = 2_000
STORED_PAIRS = 200  # near-duplicates
STORED_REJECTS = 1_000  # all of them stand in the CSV file
STORED_GROUPS = 1_000  # of identical pictures, and names without a line
SHOWN_REASONS = 6
SHOWN_REJECTS = 3  # of a reason
SHOWN_WARNINGS = 8  # kinds


def inspect_samples(
    picture_ids: Sequence[str],
    stored: Sequence[Stored],
    splits: Mapping[str, Sequence[int]],
    config: BuildConfig,
) -> dict[str, Any]:
    """Return what the report says of the samples, by the names of BuildReport's fields."""
    texts = [sample.entry.text for sample in stored]
    sizes = [sample.pixels for sample in stored]
    split_of = split_numbers(len(stored), splits)
    inventory = Inventory.of(texts)
    duplicates = find_duplicates(picture_ids, stored)
    warnings = find_warnings(picture_ids, texts, sizes, split_of, inventory, duplicates)
    counts = Counter(one["key"] for one in warnings)
    pairs = near_duplicates([sample.signature for sample in stored], sizes, texts, split_of)
    near = [
        {
            "pictures": [picture_ids[row] for row in pair.rows],
            "splits": [SPLITS[split_of[row]] for row in pair.rows],
            "distance": pair.distance,
        }
        for pair in pairs[:STORED_PAIRS]
    ]
    described = describe_texts(texts, inventory)
    unseen = unseen_characters(texts, splits)
    facts = Facts(
        picture_ids=picture_ids,
        entries=[sample.entry for sample in stored],
        sizes=sizes,
        split_of=split_of,
        splits={split: len(rows) for split, rows in splits.items()},
        inventory=inventory,
        unseen=unseen,
        warning_counts=counts,
        near=near,
        near_count=len(pairs),
        known_texts=known_texts(texts, splits),
        right_to_left=described["right_to_left"],
    )
    return {
        **described,
        "histograms": histograms(texts, sizes),
        "unseen": unseen,
        "duplicates": duplicates[:STORED_GROUPS],
        "duplicate_count": len(duplicates),
        "near_duplicates": near,
        "near_duplicate_count": len(pairs),
        "warnings": keep_warnings(warnings, counts),
        "warning_counts": dict(counts.most_common()),
        "advice": [one.as_values() for one in advise(facts, config)],
    }


def find_warnings(
    picture_ids: Sequence[str],
    texts: Sequence[str],
    sizes: Sequence[tuple[int, int]],
    split_of: Sequence[int],
    inventory: Inventory,
    duplicates: Sequence[dict[str, Any]],
) -> list[dict[str, Any]]:
    """Return every warning, in the order of the samples."""
    repeated = {one for group in duplicates for one in group["pictures"]}
    rows = {one: row for row, one in enumerate(picture_ids) if one in repeated}
    found = [*suspicious_texts(texts, inventory), *unfitting_texts(texts, sizes)]
    found += [
        (rows[one], key, values)
        for one, key, values in contradictions(
            {one: texts[row] for one, row in rows.items()}, duplicates
        )
    ]
    found.sort(key=lambda finding: finding[0])
    return [
        {
            "picture": picture_ids[row],
            "split": SPLITS[split_of[row]],
            "key": key,
            "values": values,
        }
        for row, key, values in found
    ]


def keep_warnings(
    warnings: Sequence[dict[str, Any]], counts: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Return the warnings to store, in their order; a frequent kind leaves room for the others."""
    room, left = {}, STORED_WARNINGS
    for number, (key, count) in enumerate(sorted(counts.items(), key=lambda pair: pair[1])):
        room[key] = min(count, left // (len(counts) - number))
        left -= room[key]
    kept = []
    for one in warnings:
        if room[one["key"]] > 0:
            room[one["key"]] -= 1
            kept.append(one)
    return kept


def find_duplicates(
    picture_ids: Sequence[str], stored: Sequence[Stored]
) -> tuple[dict[str, Any], ...]:
    """Return the groups of identical pictures, and whether each has one text."""
    first: dict[bytes, int] = {}
    groups: dict[int, list[int]] = {}  # by their first row: most pictures are no duplicates
    for row, sample in enumerate(stored):
        start = first.setdefault(sample.digest, row)
        if start != row:
            groups.setdefault(start, [start]).append(row)
    return tuple(
        {
            "pictures": [picture_ids[row] for row in rows],
            "one_text": len({stored[row].entry.text for row in rows}) == 1,
        }
        for _, rows in sorted(groups.items())
    )


def reject_figures(rejects: Sequence[Reject]) -> dict[str, Any]:
    """Return what the report says of rejects: the first ones, and how many for each reason."""
    counts = Counter(one.reason.key for one in rejects)
    return {
        "rejects": tuple(one.as_values() for one in rejects[:STORED_REJECTS]),
        "reject_counts": dict(counts.most_common()),
    }


def name_figures(names: Sequence[str]) -> dict[str, Any]:
    """Return what the report says of pictures that nobody names."""
    return {"unnamed": tuple(names[:STORED_GROUPS]), "unnamed_count": len(names)}


def statistics_text(report: "BuildReport | dict[str, Any]") -> list[str]:
    """Return the report in lines for people; of everything frequent only the beginning.

    A report of an older version lacks what was not looked at then.
    """
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
    for name, count_name, sentence in (
        ("several_frames", "", "Files with several pictures, of which the first is used"),
        ("duplicates", "duplicate_count", "Groups of identical pictures"),
        ("near_duplicates", "near_duplicate_count", "Near-duplicates in different splits"),
        ("unnamed", "unnamed_count", "Pictures without a line"),
    ):
        if count := values.get(count_name, len(values.get(name, ()))):
            lines.append(f"{sentence}: {count}")
    lines += [f"Note: {one['text']}" for one in values.get("remarks", ())]
    return lines + warning_lines(values) + advice_lines(values) + reject_lines(values)


def warning_lines(values: Mapping[str, Any]) -> list[str]:
    """Return how many texts are suspicious, by kind."""
    counts = values.get("warning_counts") or {}
    kinds = [f"{count} {say_remark('en', f'kind_{key}', {})}" for key, count in counts.items()]
    if not kinds:
        return []
    more = f", {len(kinds) - SHOWN_WARNINGS} more kinds" if len(kinds) > SHOWN_WARNINGS else ""
    return [f"Suspicious texts: {', '.join(kinds[:SHOWN_WARNINGS])}{more}; see the report"]


def advice_lines(values: Mapping[str, Any]) -> list[str]:
    """Return the advice, a line each."""
    told = values.get("advice") or ()
    return ["Advice:"] * bool(told) + [f"  - {one['text']}" for one in told]


def reject_lines(values: Mapping[str, Any]) -> list[str]:
    """Return the rejects, grouped by reason."""
    rejects = values["rejects"]
    counts = reject_counts(values)
    if not rejects:
        return []
    lines = [f"Lines rejected: {sum(counts.values())}"]
    for key in list(counts)[:SHOWN_REASONS]:
        group = [one for one in rejects if one.get("key", "") == key]
        shown = group[:SHOWN_REJECTS]
        lines += [f"  {place_of(one)}{clip(one['reason'], 300)}{nearest(one)}" for one in shown]
        if (more := counts[key] - len(shown)) > 0:
            lines.append(f"  ... and {more} more of this kind")
    if (more := len(counts) - SHOWN_REASONS) > 0:
        lines.append(f"  ... and {more} more reasons, see the report")
    return lines


def reject_counts(values: Mapping[str, Any]) -> dict[str, int]:
    """Return how many lines were rejected for each reason, in a report of any version."""
    counts = Counter(one.get("key", "") for one in values["rejects"])
    return values.get("reject_counts") or dict(counts.most_common())


def place_of(one: Mapping[str, Any]) -> str:
    """Return where a reject stands; nothing if its whole file is meant and unnamed."""
    file = one.get("file") or ""
    line = f"line {one['line_number']}" if one["line_number"] else ""
    place = f"`{file}` {line}".strip() if file else line
    return f"{place}: " if place else ""


def nearest(one: Mapping[str, Any]) -> str:
    """Return the picture that was perhaps meant, as a sentence."""
    return f" Nearest: `{one['nearest']}`." if one["nearest"] else ""
