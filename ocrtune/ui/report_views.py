"""What the Dataset tab says of a build: advice, warnings, charts, characters, rejected lines.

Reports of older versions lack most of it; what is missing is left out.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ocrtune.remarks import outline_remark, say_remark
from ocrtune.sentences import translate
from ocrtune.ui.report_charts import histogram, percent, script_bar
from ocrtune.ui.views import escape, notice, sentence, text, tiles
from ocrtune.ui.words import LANGUAGES

EXAMPLES = 5  # of a kind of warning
PAIRS = 10  # near-duplicates
REASONS = 12  # kinds of rejects
ROWS = 30  # rejects of a reason
CHARACTERS = 600  # of the inventory
RARE = 200  # of the characters that occur once, and of the unseen ones
LINE_SHOWN = 200  # characters
NAME_SHOWN = 80  # characters
CHARTS = ("characters", "height", "width")


def report(values: Mapping[str, Any], language: str) -> str:
    """Return what a build report says, what is to be done first."""
    parts = (
        summary,
        advice,
        rejects,
        warnings,
        near_duplicates,
        unseen,
        charts,
        inventory,
        remarks,
    )
    return "".join(part(values, language) for part in parts)


def summary(values: Mapping[str, Any], language: str) -> str:
    """Return how many samples there are, and how long their texts."""
    ready = notice(
        f"<b>{text(language, 'dataset_ready', samples=values['samples'])}</b> "
        f"<small>{text(language, 'dataset_from', source=values['source'])}</small>",
        "good",
    )
    splits = [(str(count), split_words(name, language)) for name, count in values["splits"].items()]
    lengths = [
        (f"{values[name]:.0f}", text(language, name)) for name in ("shortest", "longest", "mean")
    ]
    return ready + tiles(splits + lengths)


def split_words(name: str, language: str) -> str:
    """Return what a split is for, as HTML."""
    key = f"split_{name}"
    return text(language, key) if key in LANGUAGES[language] else escape(name)


def said(one: Mapping[str, Any], language: str) -> str:
    """Return a remark of the report in the visitor's language, as HTML.

    Older reports hold only the English sentence.
    """
    key = one.get("key")
    if not key:
        return sentence(translate(language, one.get("reason") or one.get("text") or ""))
    return sentence(say_remark(language, key, one.get("values") or {}))


def advice(values: Mapping[str, Any], language: str) -> str:
    """Return what to do, as a list."""
    rows = "".join(f"<li>{said(one, language)}</li>" for one in values.get("advice") or ())
    if not rows:
        return ""
    return f'<h4>{text(language, "report_advice")}</h4><ul class="ot-advice">{rows}</ul>'


def remarks(values: Mapping[str, Any], language: str) -> str:
    """Return how the ground truth was understood."""
    rows = "".join(f"<li>{said(one, language)}</li>" for one in values.get("remarks") or ())
    return folded(text(language, "report_remarks"), f"<ul>{rows}</ul>") if rows else ""


def folded(title: str, inner: str, is_open: bool = False) -> str:
    """Return something that opens on a click; both are HTML already."""
    opened = " open" if is_open else ""
    return f'<details class="ot-fold"{opened}><summary>{title}</summary>{inner}</details>'


def counted(title: str, count: int) -> str:
    """Return a title with its count, as HTML."""
    return f"{title} <small>{count:,}</small>"


def warnings(values: Mapping[str, Any], language: str) -> str:
    """Return the suspicious texts by kind, with a few examples of each."""
    counts = values.get("warning_counts") or {}
    if not counts:
        return ""
    examples = defaultdict(list)
    for one in values.get("warnings") or ():
        examples[one["key"]].append(one)
    kinds = "".join(
        folded(
            counted(escape(say_remark(language, f"kind_{key}", {})), count),
            "<ul>"
            + "".join(warning_row(it, language) for it in examples[key][:EXAMPLES])
            + "</ul>",
        )
        for key, count in counts.items()
    )
    title = text(language, "report_warnings", count=f"{sum(counts.values()):,}")
    return f"<h4>{title}</h4>{kinds}"


def warning_row(one: Mapping[str, Any], language: str) -> str:
    """Return one suspicious text with its picture's name."""
    return f"<li><code>{name_of(one['picture'])}</code><br>{said(one, language)}</li>"


def name_of(picture_id: str) -> str:
    """Return a picture's name as HTML; of a very long one the end."""
    cut = len(picture_id) > NAME_SHOWN
    return escape("…" * cut + picture_id[-NAME_SHOWN:])


def near_duplicates(values: Mapping[str, Any], language: str) -> str:
    """Return pairs of nearly the same picture in different splits."""
    pairs = values.get("near_duplicates") or ()
    if not pairs:
        return ""
    count = values.get("near_duplicate_count", len(pairs))
    rows = "".join(
        "<li>"
        + " ↔ ".join(
            f"<code>{name_of(name)}</code> <small>{escape(split)}</small>"
            for name, split in zip(pair["pictures"], pair["splits"], strict=False)
        )
        + "</li>"
        for pair in pairs[:PAIRS]
    )
    title = counted(text(language, "report_near"), count)
    return folded(title, f"<ul>{rows}</ul>{rest(count - PAIRS, language)}", is_open=True)


def rest(count: int, language: str) -> str:
    """Return how many more there are; nothing if all are shown."""
    return f"<p>{text(language, 'rejected_more', count=f'{count:,}')}</p>" if count > 0 else ""


def charts(values: Mapping[str, Any], language: str) -> str:
    """Return the histograms and the shares of the scripts."""
    drawn = values.get("histograms") or {}
    bars = "".join(
        histogram(drawn[name], text(language, f"chart_{name}")) for name in CHARTS if name in drawn
    )
    shares = script_bar(values.get("scripts") or {}, language)
    right = values.get("right_to_left") or 0
    hint = text(language, "report_right_to_left", share=percent(right)) if right else ""
    note = f'<p class="ot-hint">{hint}</p>' if hint else ""
    if not bars:
        return shares + note
    title = text(language, "report_charts")
    return f'<h4>{title}</h4><div class="ot-charts">{bars}</div>{shares}{note}'


def unseen(values: Mapping[str, Any], language: str) -> str:
    """Return the characters of test that train never shows."""
    found = values.get("unseen") or {}
    if not found:
        return ""
    title = counted(text(language, "report_unseen"), len(found))
    return folded(title, characters(list(found.items())[:RARE], len(found), language))


def inventory(values: Mapping[str, Any], language: str) -> str:
    """Return the characters of the texts with their counts, and those that occur once."""
    found = values.get("inventory") or {}
    if not found:
        return ""
    total = values.get("characters", len(found))
    all_of_them = folded(
        counted(text(language, "report_inventory"), total),
        characters(list(found.items())[:CHARACTERS], total, language),
    )
    rare = values.get("rare") or ()
    if not rare:
        return all_of_them
    title = counted(text(language, "report_rare"), len(rare))
    shown = [(one, 0) for one in rare[:RARE]]
    return all_of_them + folded(title, characters(shown, len(rare), language))


def characters(found: Sequence[tuple[str, int]], total: int, language: str) -> str:
    """Return characters in small boxes, each with its count unless that is 0."""
    boxes = "".join(
        f'<span title="{escape(character_name(one))}"><bdi>{escape(visible(one))}</bdi>'
        + (f"<small>{count:,}</small>" if count else "")
        + "</span>"
        for one, count in found
    )
    return f'<div class="ot-characters">{boxes}</div>{rest(total - len(found), language)}'


def visible(character: str) -> str:
    """Return a character as one sees it: marks on a circle, and the code of what has no form."""
    kind = unicodedata.category(character[:1] or " ")
    if kind.startswith("M"):
        return f"◌{character}"
    return f"U+{ord(character[0]):04X}" if kind[0] in "CZ" and character else character


def character_name(character: str) -> str:
    """Return the code and the Unicode name of a character."""
    return f"U+{ord(character[:1] or ' '):04X} {unicodedata.name(character[:1], '')}".strip()


def rejects(values: Mapping[str, Any], language: str) -> str:
    """Return the lines that were left out by reason, and how many pictures have no line."""
    unnamed = values.get("unnamed_count", len(values.get("unnamed") or ()))
    spare = f'<p class="ot-hint">{text(language, "unnamed", count=unnamed)}</p>' if unnamed else ""
    lines = values["rejects"]
    if not lines:
        return f'<p class="ot-hint">{text(language, "rejected_none")}</p>{spare}'
    groups = defaultdict(list)
    for line in lines:
        groups[line.get("key", "")].append(line)
    counts = values.get("reject_counts") or dict(Counter(it.get("key", "") for it in lines))
    kinds = "".join(
        reason_group(key, groups[key], count, language, is_open=not place)
        for place, (key, count) in enumerate(list(counts.items())[:REASONS])
    )
    hidden = sum(list(counts.values())[REASONS:])
    title = text(language, "rejected", count=f"{sum(counts.values()):,}")
    return f"<h4>{title}</h4>{kinds}{rest(hidden, language)}{spare}"


def reason_group(
    key: str, lines: Sequence[Mapping[str, Any]], count: int, language: str, is_open: bool
) -> str:
    """Return the lines that were left out for one reason."""
    words = outline_remark(language, key) or text(language, "report_other_reason")
    rows = "".join(reject_row(line, language) for line in lines[:ROWS])
    more = rest(count - min(len(lines), ROWS), language)
    inner = f'<ul class="ot-rejects">{rows}</ul>{more}'
    return folded(counted(sentence(words), count), inner, is_open)


def reject_row(line: Mapping[str, Any], language: str) -> str:
    """Return one line that was left out."""
    near = line.get("nearest")
    hint = f"<br>{text(language, 'nearest', name=near)}" if near else ""
    number, file = line.get("line_number"), line.get("file")
    place = text(language, "rejected_line", line=number) if number else ""
    where = f"{name_of(file)} {place}" if file else place
    return (
        f"<li><b>{where}</b> {said(line, language)}{hint}"
        f"<br><code>{escape(line['original'][:LINE_SHOWN])}</code></li>"
    )
