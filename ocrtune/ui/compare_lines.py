"""The lines of a comparison to look through: which are shown, page by page, the worst first."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from ocrtune.metrics import marked_difference
from ocrtune.report_figures import percent
from ocrtune.report_filter import KINDS, line_kinds
from ocrtune.sample_index import IndexedSample
from ocrtune.ui.gallery import LINES, View, states
from ocrtune.ui.views import escape, legend, marks, notice, picture, text, user_text
from ocrtune.ui.words import say

LONGEST_SHOWN = 8_000  # characters of a text; a model in a loop writes more
LOOPS = "loops"


def matching_lines(report: Mapping, view: View) -> list[int]:
    """Return the numbers of the lines that a visitor wants to see, in the report's order."""
    words = view.line_search.casefold()
    return [
        number
        for number, line in enumerate(report["worst"])
        if (view.lines == KINDS[0] or view.lines in line_kinds(line).split())
        and (not words or any(words in one.casefold() for one in texts_of(line)))
    ]


def settled(report: Mapping, view: View) -> View:
    """Return the view of a visitor on lines that this report has: it may be another one by now."""
    there = {kind for line in report["worst"] for kind in line_kinds(line).split()}
    if view.lines not in there:
        view = replace(view, lines=KINDS[0])
    last = max(0, len(matching_lines(report, view)) - 1) // LINES
    return replace(view, line_page=min(view.line_page, last))


def texts_of(line: Mapping) -> tuple[str, ...]:
    """Return what a search looks through: the picture's name, the right text, both readings."""
    return line["picture_id"], line["reference"], line["base"], line["tuned"]


def page_lines(report: Mapping, numbers: Sequence[int], view: View) -> list[Mapping]:
    """Return the lines of the page that is looked at."""
    first = view.line_page * LINES
    return [report["worst"][number] for number in numbers[first : first + LINES]]


def next_loop(report: Mapping, view: View) -> int | None:
    """Return the place of the next line with a loop, after the last one comes the first one.

    A place is one among the lines shown; None if no line of them has a loop.
    """
    numbers = matching_lines(report, view)
    loops = [
        place
        for place, number in enumerate(numbers)
        if LOOPS in line_kinds(report["worst"][number]).split()
    ]
    later = [place for place in loops if place > view.line_at]
    return next(iter(later or loops), None)


def kinds(report: Mapping, language: str) -> list[tuple[str, str]]:
    """Return the kinds of lines that there are, with their words and counts."""
    counts = dict.fromkeys(KINDS, 0)
    for line in report["worst"]:
        for kind in (KINDS[0], *line_kinds(line).split()):
            counts[kind] += 1
    return [
        (f"{say(language, f'lines_{kind}')} ({counts[kind]:,})", kind)
        for kind in KINDS
        if counts[kind] or kind == KINDS[0]
    ]


def lines_html(
    report: Mapping,
    numbers: Sequence[int],
    view: View,
    pictures: Mapping[str, bytes],
    ours: Mapping[str, IndexedSample],
    language: str,
) -> str:
    """Return one page of lines.

    ours: the samples of the visitor's dataset with the same pictures, where they can be corrected.
    """
    if not numbers:
        return notice(text(language, "lines_no_match"))
    first = view.line_page * LINES
    lines = page_lines(report, numbers, view)
    here = numbers[view.line_at] if 0 <= view.line_at < len(numbers) else -1
    cards = "".join(
        line_card(line, pictures.get(line["picture_id"]), ours, number == here, language)
        for number, line in zip(numbers[first:], lines, strict=False)
    )
    words = text(
        language, "lines_page", first=first + 1, last=first + len(lines), all=f"{len(numbers):,}"
    )
    shown = f'<p class="ot-hint" role="status">{words}</p>{legend(language)}'
    return f'{shown}<div class="ot-worst">{cards}</div>'


def line_card(
    line: Mapping,
    data: bytes | None,
    ours: Mapping[str, IndexedSample],
    is_here: bool,
    language: str,
) -> str:
    """Return one line: picture, right text, both readings with their errors marked."""
    name = line["picture_id"]
    image = picture(data, name) if data else f"<em>{text(language, 'sample_gone')}</em>"
    rows = "".join(
        f"<tr><th>{text(language, f'{model}_reads')}</th>"
        f"<td>{reading_words(line, model, language)}</td></tr>"
        for model in ("base", "tuned")
    )
    right = directed(line, escape(line["reference"][:LONGEST_SHOWN]))
    here = ' id="ot-line-here"' if is_here else ""
    return (
        f'<figure{here}>{image}<table><tr class="ot-right">'
        f"<th>{text(language, 'ground_truth')}</th><td>{right}</td></tr>{rows}</table>"
        f"<figcaption><bdi>{escape(name)}</bdi>{to_dataset(name, ours, language)}</figcaption>"
        "</figure>"
    )


def to_dataset(name: str, ours: Mapping[str, IndexedSample], language: str) -> str:
    """Return the button that opens a line in the Dataset tab; empty if it is not there."""
    sample = ours.get(name)
    if sample is None:
        return ""
    done = "".join(f" <small>{words}</small>" for words in states(sample, language))
    return (
        f'{done} <button type="button" class="ot-small" data-ot-into="ot-line-open" '
        f'data-ot-open="{escape(name)}">{text(language, "line_correct")}</button>'
    )


def directed(line: Mapping, inner: str) -> str:
    """Return a text of a line, as HTML, in the direction of its ground truth."""
    return user_text(line["reference"], inner or " ")


def reading_words(line: Mapping, model: str, language: str) -> str:
    """Return a model's text with its errors marked and its errors counted, as HTML."""
    if line[f"{model}_failed"]:
        return f"<em>{text(language, 'read_failed')}</em>"
    if not line[model].strip():
        return f"<em>{text(language, 'read_nothing')}</em>"
    read = line[model]
    parts = marked_difference(line["reference"][:LONGEST_SHOWN], read[:LONGEST_SHOWN])
    words = directed(line, marks(parts)) + ("…" if len(read) > LONGEST_SHOWN else "")
    flags = [
        text(language, key)
        for key, holds in (
            ("read_looped", line[f"{model}_looped"]),
            ("read_cut", line.get(f"{model}_cut") and not line[f"{model}_looped"]),
        )
        if holds
    ]
    told = " · ".join([percent(line[f"{model}_cer"]), *flags])
    return f"{words} <small>{told}</small>"


def fixable(
    lines: Sequence[Mapping],
    pictures: Mapping[str, bytes],
    theirs: Mapping[str, bytes],
    samples: Collection[IndexedSample],
) -> dict[str, IndexedSample]:
    """Return the samples of a dataset that are these lines, by their ids.

    pictures: of the lines; theirs: of the samples. The name alone says nothing: another dataset
    has an `1.png` too.
    """
    named = {one.picture_id: one for one in samples}
    return {
        line["picture_id"]: named[line["picture_id"]]
        for line in lines
        if line["picture_id"] in named
        and theirs.get(line["picture_id"])
        and theirs[line["picture_id"]] == pictures.get(line["picture_id"])
    }
