"""All that were compared, the best first, and each pair of them with its interval."""

from collections.abc import Mapping, Sequence
from html import escape

from ocrtune.report_figures import percent, rate_span, section, span, table

SHOWN_DIGITS = 12  # of a revision; report.json has all


def ranking(values: Mapping, words: Mapping[str, str]) -> str:
    """Return both tables as HTML, if there are more than the two models of the comparison."""
    found = values.get("ranking")
    if not found or len(found["models"]) < 3:
        return ""
    decided = words["pairs_decided"].format(
        decided=sum(pair["decided"] for pair in found["pairs"]),
        pairs=len(found["pairs"]),
        chance=f"{found['decided_by_chance']:.1f}",
    )
    notes = "".join(
        f'<p class="soft"><bdi>{escape(model["name"])}</bdi>: {escape(note)}</p>'
        for model in found["models"]
        for note in model["notes"]
    )
    few = any(pair["difference"]["few_lines"] for pair in found["pairs"])
    hint = f'<p class="soft">{escape(words["few_lines"])}</p>' if few else ""
    return section("ranking", models(found["models"], words) + notes, words) + section(
        "all_pairs",
        f'<p class="soft">{escape(words["pair_explained"])} {escape(decided)}</p>{hint}'
        + pairs(found, words),
        words,
    )


def models(rows: Sequence[Mapping], words: Mapping[str, str]) -> str:
    """Return each model's place, CER with its own interval, and counts."""
    counted = ("errors", "exact_lines", "failed")
    cells = [
        [
            f"{place(one)}. <bdi>{escape(one['name'])}</bdi>",
            percent(one["summary"]["cer"]),
            rate_span(one),
            *(f"{one['summary'][name]:,}" for name in counted),
            escape(one["revision"][:SHOWN_DIGITS]) or "–",
        ]
        for one in rows
    ]
    head = ("model", "cer", "own_interval", *counted, "revision")
    return named(table([escape(words[name]) for name in head], cells))


def named(html: str) -> str:
    """Return a table whose rows begin with names, which may be long."""
    return f'<div class="names">{html}</div>'


def place(one: Mapping) -> str:
    """Return from which to which place a model may have."""
    return "–".join(map(str, sorted({one["best_place"], one["worst_place"]})))


def pairs(found: Mapping, words: Mapping[str, str]) -> str:
    """Return the difference of every two models; greyed where it is no more than a hint."""
    head = ("pair", "points_interval", "better_lines", "worse_lines", "tied_lines", "decided")
    cells = [pair(one, words) for one in found["pairs"]]
    return named(table([escape(words[name]) for name in head], cells))


def pair(one: Mapping, words: Mapping[str, str]) -> list[str]:
    """Return the cells of two models; of the lines, how many the first one reads better."""
    difference = one["difference"]
    kind = "" if one["decided"] and not difference["few_lines"] else ' class="soft"'
    names = " – ".join(f"<bdi>{escape(one[side])}</bdi>" for side in ("first", "second"))
    counts = (f"{difference[name]:,}" for name in ("better", "worse", "tied"))
    told = words["decided" if one["decided"] else "undecided"]
    return [names, f"<span{kind}>{span(difference)}</span>", *counts, f"<span{kind}>{told}</span>"]
