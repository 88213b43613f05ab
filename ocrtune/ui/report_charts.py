"""Small charts of a dataset's report: bars as inline SVG, shares as one bar. No scripts."""

from collections.abc import Mapping, Sequence

from ocrtune.ui.views import escape
from ocrtune.ui.words import LANGUAGES, say

WIDTH, HEIGHT = 240, 72  # of a chart, in its own units
GAP = 2
SHARES = 5  # scripts with a place of their own; the others share one


def histogram(values: Mapping[str, Sequence[int]], name: str) -> str:
    """Return a histogram of the report as a figure; `name` is what it counts, as HTML.

    Every bar tells its numbers under the pointer. Empty if the report holds something else.
    """
    edges, counts = values.get("edges") or [], values.get("counts") or []
    if not counts or len(edges) != len(counts) + 1 or not max(counts):
        return ""
    step, most = WIDTH / len(counts), max(counts)
    bars = "".join(
        f'<rect x="{place * step:.1f}" y="{HEIGHT - tall:.1f}" width="{step - GAP:.1f}" '
        f'height="{tall:.1f}" rx="1">'
        f"<title>{edges[place]}–{edges[place + 1]}: {count}</title></rect>"
        for place, count in enumerate(counts)
        for tall in [max(1.5, HEIGHT * count / most) if count else 0]
    )
    return (
        f'<figure class="ot-chart"><figcaption>{name}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{name}">{bars}</svg>'
        f"<div><span>{edges[0]}</span><span>{edges[-1]}</span></div></figure>"
    )


def script_bar(scripts: Mapping[str, int], language: str) -> str:
    """Return the shares of the scripts as one bar with its legend."""
    total = sum(scripts.values())
    if not total:
        return ""
    shares = [(script_name(name, language), count) for name, count in scripts.items()]
    named, others = shares[:SHARES], sum(count for _, count in shares[SHARES:])
    if others:
        named.append((say(language, "scripts_others"), others))
    parts = "".join(
        f'<i class="ot-share-{place}" style="width:{100 * count / total:.2f}%"></i>'
        for place, (_, count) in enumerate(named)
    )
    legend = "".join(
        f'<span><i class="ot-share-{place}"></i>{escape(name)} {percent(count / total)}</span>'
        for place, (name, count) in enumerate(named)
    )
    return f'<div class="ot-shares">{parts}</div><div class="ot-shares-legend">{legend}</div>'


def script_name(name: str, language: str) -> str:
    """Return what people call a script; what we have no word for keeps its Unicode name."""
    key = f"script_{name}"
    return say(language, key) if key in LANGUAGES[language] else name.capitalize()


def percent(share: float) -> str:
    """Return a share as people read it."""
    if share < 0.001:
        return "< 0.1 %"
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"
