"""What the Dataset tab shows of single samples: pages of a gallery, and one sample as a card."""

from collections import defaultdict
from dataclasses import dataclass, replace

from ocrtune.edits import edits_path, load_edits
from ocrtune.records import SPLITS
from ocrtune.remarks import say_remark
from ocrtune.report_filter import KINDS
from ocrtune.sample_index import GONE, IndexedSample, SampleIndex, identify_edits
from ocrtune.suspects import Suspect, load_suspects
from ocrtune.ui.looks import Look
from ocrtune.ui.views import escape, notice, picture, sentence, text, user_text
from ocrtune.ui.words import say
from ocrtune.ui.words_en import ENGLISH

PAGE = 24  # samples
LINES = 10  # of a comparison on a page
LONGEST_SEARCH = 200  # characters
STATES = ("all", "unchecked", "checked", "edited", "excluded", "added", "suspect")
FILTERS = ("split", "show", "search", "lines", "line_search")  # what a view is narrowed by
WARNING = "warning "  # before the key of a warning that is filtered by
EVERYTHING = "*"  # what is deleted; no job is called that


@dataclass(frozen=True)
class View:
    """What a visitor is looking at."""

    split: str = ""  # empty: all
    show: str = STATES[0]  # one of STATES, or a warning's key after WARNING
    search: str = ""
    page: int = 0
    open: str = ""  # id of the sample on the card; empty: no card
    place: int = 0  # of that sample among those that are shown
    suspect: str = ""  # id of the training line on the card of the Compare tab
    lines: str = KINDS[0]  # kind of lines of the comparison, one of KINDS
    line_search: str = ""
    line_page: int = 0
    line_at: int = -1  # place of the line that was jumped to, among those shown
    readings: str = "all"  # which of several pictures read in one go are listed
    reading: int = 0  # number of the one that is open, from 1; 0: none
    more: bool = False  # whether the choice of what else is compared is open
    log: bool = False  # whether the log of the run is open
    mine: bool = False  # whether the list of the visitor's own jobs is open
    # A zip was chosen while this was the dataset's job (empty: none); None: nothing is chosen.
    brought: str | None = None
    doomed: str = ""  # what is asked about before it is deleted: a job's id, or EVERYTHING


def narrowed(view: View, split: object, show: object, search: object) -> View:
    """Return the view through other filters, whatever the browser sent."""
    wanted = show if isinstance(show, str) and (show in STATES or show.startswith(WARNING)) else ""
    return replace(
        view,
        split=split if isinstance(split, str) and split in SPLITS else "",
        show=wanted or STATES[0],
        search=search.strip()[:LONGEST_SEARCH] if isinstance(search, str) else "",
        page=0,
        open="",
        place=0,
    )


def suspects_of(comparison: Look) -> dict[str, Suspect]:
    """Return the training lines to check first, by their ids; none without a comparison."""
    if not comparison.usable:
        return {}
    return {one.picture_id: one for one in load_suspects(comparison.report).suspects}


def matching(
    index: SampleIndex, view: View, report: dict, suspects: dict[str, Suspect]
) -> list[int] | range:
    """Return the numbers of the samples that a visitor wants to see."""
    if view.show == STATES[0] and not view.search and not view.split:
        return range(len(index) - len(index.gone))
    named: set[str] = set()
    if view.show.startswith(WARNING):
        key = view.show.removeprefix(WARNING)
        named = {one["picture"] for one in report.get("warnings", ()) if one["key"] == key}
    words = view.search.casefold()
    return [
        number
        for number, one in enumerate(index)
        if (not view.split or one.split == view.split)
        and is_shown(one, view.show, named, suspects)
        and (not words or words in one.text.casefold() or words in one.picture_id.casefold())
    ]


def is_shown(one: IndexedSample, show: str, named: set[str], suspects: dict[str, Suspect]) -> bool:
    """Return whether a sample is of the kind that is shown."""
    if show == "excluded":
        return one.is_excluded
    if one.row == GONE:
        return False
    if show.startswith(WARNING):
        return one.picture_id in named
    kinds = {
        "all": True,
        "unchecked": not one.is_checked and not one.is_excluded,
        "checked": one.is_checked,
        "edited": one.is_edited,
        "added": one.picture_id.startswith("added/"),
        "suspect": one.picture_id in suspects,
    }
    return kinds[show]


def filters(report: dict, suspects: dict[str, Suspect], language: str) -> list[tuple[str, str]]:
    """Return the kinds of samples that can be chosen, with their words."""
    kinds = [(say(language, f"show_{name}"), name) for name in STATES]
    if not suspects:
        kinds = [kind for kind in kinds if kind[1] != "suspect"]
    counts = report.get("warning_counts") or {}
    return kinds + [
        (f"{warning_name(key, language)} ({count})", WARNING + key) for key, count in counts.items()
    ]


def warning_name(key: str, language: str) -> str:
    """Return what a kind of warning is called."""
    name = f"warning_{key}"
    return say(language, name) if name in ENGLISH else key.replace("_", " ")


def page_of(index: SampleIndex, numbers: list[int] | range, view: View, language: str) -> str:
    """Return one page of the gallery; a click on a sample opens its card."""
    if not numbers:
        return notice(text(language, "gallery_no_match"))
    samples = [index[number] for number in numbers[view.page * PAGE : (view.page + 1) * PAGE]]
    pictures = index.pictures(samples)
    figures = "".join(figure(one, pictures[one.picture_id], view, language) for one in samples)
    first = view.page * PAGE + 1
    words = text(
        language, "gallery_page", first=first, last=first + len(samples) - 1, all=len(numbers)
    )
    return f'<p class="ot-hint" role="status">{words}</p><div class="ot-gallery">{figures}</div>'


def figure(one: IndexedSample, data: bytes, view: View, language: str) -> str:
    """Return one sample of the gallery as a button."""
    image = picture(data, one.picture_id) if data else f"<em>{text(language, 'sample_gone')}</em>"
    marks = "".join(f"<small>{words}</small>" for words in states(one, language))
    chosen = " ot-chosen" if one.picture_id == view.open else ""
    out = " ot-out" if one.is_excluded else ""
    return (
        f'<figure class="ot-sample{chosen}{out}"><button type="button" data-ot-into="ot-picked" '
        f'data-ot-open="{escape(one.picture_id)}">{image}<span class="ot-caption">'
        f"{user_text(one.text)}</span>{marks}</button></figure>"
    )


def states(one: IndexedSample, language: str) -> list[str]:
    """Return what has become of a sample, in words that are safe inside HTML."""
    names = [
        ("excluded", one.is_excluded),
        ("edited", one.is_edited),
        ("checked", one.is_checked),
        ("added", one.picture_id.startswith("added/")),
    ]
    return [text(language, f"is_{name}") for name, holds in names if holds]


def card_of(
    one: IndexedSample,
    data: bytes,
    report: dict,
    suspects: dict[str, Suspect],
    language: str,
) -> str:
    """Return the picture of a sample, where it belongs, its warnings and its history."""
    image = picture(data, one.picture_id) if data else notice(text(language, "sample_gone_why"))
    split = text(language, f"split_{one.split}") if one.split else ""
    facts = [f"<code>{escape(one.picture_id)}</code>", split, *states(one, language)]
    rows = [warning_words(row, language) for row in warnings_of(report, one.picture_id)]
    if suspect := suspects.get(one.picture_id):
        rows.append(f"{text(language, 'tuned_reads')}: {user_text(suspect.hypothesis)}")
    if one.is_edited:
        rows.append(f"{text(language, 'text_before')}: {user_text(one.edit.before)}")
    if one.edit:
        rows.append(origin_words(one, language))
    listed = "".join(f"<li>{row}</li>" for row in rows)
    history = f'<ul class="ot-facts">{listed}</ul>' if listed else ""
    return (
        f'<div class="ot-large">{image}</div><p class="ot-hint">'
        f"{' · '.join(filter(None, facts))}</p>{history}"
    )


def origin_words(one: IndexedSample, language: str) -> str:
    """Return where the last change of a sample was made."""
    note = f" ({escape(one.edit.note)})" if one.edit.note else ""
    return text(language, f"origin_{one.edit.origin}") + note


def warnings_of(report: dict, picture_id: str) -> list[dict]:
    """Return the warnings on one picture."""
    found = defaultdict(list)
    for row in report.get("warnings", ()):
        found[row["picture"]].append(row)
    return found[picture_id]


def warning_words(row: dict, language: str) -> str:
    """Return a warning as HTML."""
    return sentence(say_remark(language, row["key"], row.get("values") or {}))


def edits_words(prefix: object, language: str) -> str:
    """Return how much of a dataset was edited, and when that counts; empty if nothing was."""
    edits = load_edits(str(prefix))
    active = [edit for edit in edits.edits.values() if not edit.waiting]
    if not active and not edits.additions:
        return ""
    words = text(
        language,
        "edits_so_far",
        texts=sum(edit.changes_text for edit in active),
        excluded=sum(edit.excluded for edit in active),
        checked=sum(edit.checked for edit in active),
        added=len(edits.additions),
    )
    return notice(f"{words} <small>{text(language, 'edits_count_next')}</small>", "good")


def edits_moment(dataset: Look) -> list:
    """Return something that differs when somebody has edited the dataset."""
    return list(identify_edits(dataset.dataset)) if dataset.usable else []


def has_edits(dataset: Look) -> bool:
    """Return whether anything in a dataset was edited."""
    return dataset.usable and edits_path(dataset.dataset).exists()
