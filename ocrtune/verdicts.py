"""What a comparison says, in one plain sentence: better, worse, undecided, or nothing to say."""

from collections.abc import Mapping
from math import ceil, log10

from ocrtune.bootstrap import Difference
from ocrtune.comparisons import Comparison
from ocrtune.report_page import percent, points
from ocrtune.report_words import SENTENCES

MANY_TIMES = 10  # the errors there were: "900 % more" is harder to understand
MOST_TIMES = 100  # the lines that there are: asking for more is no advice


def verdict(comparison: Comparison, language: str = "en") -> str:
    """Return one plain sentence that says whether the tuned model reads better."""
    base, tuned, difference = comparison.base, comparison.tuned, comparison.difference
    sentences = SENTENCES[language]

    def lines(count: int) -> str:
        return sentences["line" if count == 1 else "lines"].format(count=count)

    if difference.cer is None:
        return sentences["nothing"]
    facts = {
        "all": lines(tuned.lines),
        "before": percent(base.cer),
        "after": percent(tuned.cer),
        "low": points(difference.low),
        "high": points(difference.high),
        "better": lines(difference.better),
        "worse": difference.worse,
        "tied": difference.tied,
        "few": sentences["few"].format(all=lines(tuned.lines)) if difference.few_lines else "",
        "change": _change(base.errors, tuned.errors, sentences),
    }
    sentence = sentences[outcome(comparison)].format(**facts)
    return sentence + _advice(comparison, facts["change"], sentences)


def outcome(comparison: Comparison) -> str:
    """Return what the numbers call for: `nothing`, `perfect`, `same`, `undecided` or `decided`."""
    difference = comparison.difference
    if difference.cer is None:
        return "nothing"
    if comparison.base.errors == comparison.tuned.errors == 0:
        return "perfect"
    if difference.better == difference.worse == 0:
        return "same"
    return "undecided" if difference.low <= 0 <= difference.high else "decided"


def _advice(comparison: Comparison, change: str, sentences: Mapping[str, str]) -> str:
    """Return what follows from a verdict that is not in favour of the tuned model."""
    difference = comparison.difference
    found = outcome(comparison)
    if found == "decided" and difference.cer > 0:
        return sentences["keep"]
    if found != "undecided":
        return ""
    if difference.cer == 0:
        return sentences["equal"]
    most = MOST_TIMES * comparison.tuned.lines
    needed = lines_to_decide(difference, comparison.tuned.lines)
    more = sentences["more_lines" if needed <= most else "too_many"]
    return sentences["chance"].format(change=change) + more.format(needed=f"{min(needed, most):,}")


def lines_to_decide(difference: Difference, lines: int) -> int:
    """Return on how many lines such a difference would show, roughly.

    An interval gets narrower with the square root of the lines.
    """
    half = (difference.high - difference.low) / 2
    needed = lines * max((half / abs(difference.cer)) ** 2, 1)
    step = 10 ** max(0, int(log10(needed)) - 1)  # two digits say it as well
    return ceil(needed / step) * step


def _change(before: int, after: int, sentences: Mapping[str, str]) -> str:
    if not before:
        return sentences["first"]
    if after >= MANY_TIMES * before:
        return sentences["times"].format(times=f"{after / before:,.0f}")
    share = 100 * abs(after - before) / before
    near_an_end = share < 10 or 99 < share < 100  # where whole numbers would round to 0 or 100
    relative = f"{share:.1f} %" if near_an_end else f"{share:.0f} %"
    return sentences["fewer" if after < before else "more"].format(relative=relative)
