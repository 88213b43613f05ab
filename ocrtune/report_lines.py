"""The lines of report.html: picture, reference and both readings with their differences marked."""

from collections.abc import Mapping
from html import escape

from ocrtune.metrics import marked_difference
from ocrtune.report_figures import path_name, percent
from ocrtune.report_filter import line_kinds
from ocrtune.sentences import translate
from ocrtune.text import name_character

TAGS = {"missing": "del", "extra": "ins", "wrong": "mark"}


def legend(shown: int, lines: int, words: Mapping[str, str]) -> str:
    """Return what the marks mean, and how many of all lines the page shows."""
    marks = " ".join(f"<{tag}>{words[kind]}</{tag}>" for kind, tag in TAGS.items())
    if lines <= shown:
        return f'<p class="soft">{marks}</p>'
    told = words["shown"].format(shown=f"{shown:,}", lines=f"{lines:,}")
    return f'<p class="soft">{marks} · {escape(told)}</p>'


def line_card(line: Mapping, source: str, words: Mapping[str, str]) -> str:
    """Return one line as HTML; source: its picture as a data URI, empty if it has none."""
    picture = (
        f'<img src="{source}" alt="">' if source else f'<p class="soft">{words["no_picture"]}</p>'
    )
    direction = "rtl" if line["right_to_left"] else "ltr"
    nothing = f'<span class="soft">{escape(words["nothing"])}</span>'
    rows = [_text(words["reference"], direction, escape(line["reference"]) or nothing)]
    for model in ("base", "tuned"):
        marked = _marked(line["reference"], line[model]) or nothing
        rows.append(_text(words[model], direction, marked, _flags(line, model, words)))
    rates = f"CER {percent(line['base_cer'])} → {percent(line['tuned_cer'])}"
    return (
        f'<article data-kinds="{line_kinds(line)}"><header>'
        f"<span>{path_name(line['picture_id'])}</span>"
        f'<span class="soft">{rates}</span></header>{picture}{"".join(rows)}</article>'
    )


def _text(name: str, direction: str, html: str, flags: str = "") -> str:
    return (
        f'<div class="text"><span class="soft">{name}{flags}</span><p dir="{direction}">{html}</p>'
        "</div>"
    )


def _flags(line: Mapping, model: str, words: Mapping[str, str]) -> str:
    flags = ""
    if line[f"{model}_looped"]:
        flags += f' <span class="flag">{words["loop"]}</span>'
    if line.get(f"{model}_cut"):
        flags += f' <span class="flag">{words["cut_short"]}</span>'
    if line[f"{model}_failed"]:
        why = escape(translate(words["code"], line[f"{model}_failed"]))
        flags += f' <span class="flag">{words["failure"]}</span>: {why}'
    return flags


def _marked(reference: str, hypothesis: str) -> str:
    """Return the hypothesis as HTML with its differences from the reference marked."""
    html = ""
    for text, kind in marked_difference(reference, hypothesis):
        if kind == "equal":
            html += escape(text)
        else:
            html += f"<{TAGS[kind]}>{_visible(text)}</{TAGS[kind]}>"
    return html


def _visible(text: str) -> str:
    """Return marked text as HTML in which a space, a joiner or a control can be seen."""
    return "".join("␣" if unit == " " else _named(unit) for unit in text)


def _named(unit: str) -> str:
    """Return a character as HTML, code points small: they are no part of the text."""
    told = name_character(unit)
    if told == unit:
        return escape(unit)
    shown, codes = told[: told.find("U+")], told[told.find("U+") :]
    return f"{escape(shown.rstrip())}<small>{escape(codes)}</small>"
