"""Figures as people read them, and the plain pieces of HTML that the report's tables are."""

from collections.abc import Mapping, Sequence
from html import escape


def percent(fraction: float | None) -> str:
    """Return a fraction as people read it: `31.2 %`, two decimals below one per cent."""
    if fraction is None:
        return "–"
    return f"{100 * fraction:.{1 if fraction == 0 or fraction >= 0.01 else 2}f} %"


def points(fraction: float | None) -> str:
    """Return a difference of fractions in percentage points, always with its sign."""
    if fraction is None:
        return "–"
    told = f"{100 * fraction:+.{1 if abs(fraction) >= 0.01 else 2}f}"
    return told if float(told) else "+0.00"  # no minus before nothing


def span(difference: Mapping, name: str = "cer") -> str:
    """Return a difference with its 95 % interval, in percentage points; a dash without one."""
    if difference[name] is None:
        return "–"
    low, high = points(difference["low"]), points(difference["high"])
    return f"{points(difference[name])} ({low} … {high})"


def rate_span(values: Mapping) -> str:
    """Return the 95 % interval of a rate itself, `low` and `high` of the values."""
    low, high = values.get("low"), values.get("high")
    return "–" if low is None or high is None else f"{percent(low)} … {percent(high)}"


def path_name(name: str) -> str:
    """Return a path as HTML whose folders stay in order, in whatever script each is written."""
    return "/".join(f'<bdi dir="ltr">{escape(part)}</bdi>' for part in name.split("/"))


def section(name: str, html: str, words: Mapping[str, str]) -> str:
    """Return HTML under a heading; what is too wide scrolls by itself, not with the page."""
    return f'<h2>{escape(words[name])}</h2><div class="wide">{html}</div>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an HTML table; the cells are HTML already, all but the first of a row numbers."""
    titles = "".join(f"<th>{title}</th>" for title in head)
    cells = [
        [f"<th>{row[0]}</th>", *(f'<td class="number">{c}</td>' for c in row[1:])] for row in rows
    ]
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in cells)
    return f"<table><tr>{titles}</tr>{body}</table>"
