"""Several pictures read in one go: the table of them, and the card of the one that is opened."""

import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

import gradio as gr

from ocrtune.config import ReadConfig
from ocrtune.events import Brought, Event, Read
from ocrtune.kept_pictures import kept_picture, large_picture, small_picture
from ocrtune.metrics import marked_difference
from ocrtune.reading_tables import Row, rows_of
from ocrtune.remarks import say_remark
from ocrtune.ui.gallery import View
from ocrtune.ui.looks import Look, Looks, trouble, waiting
from ocrtune.ui.try_views import column, failed_words, single
from ocrtune.ui.views import (
    bar,
    duration,
    escape,
    legend,
    marked,
    notice,
    picture,
    sentence,
    text,
    user_text,
)
from ocrtune.ui.words import say

MOST = 50  # pictures in one go
SHOWN = ("all", "differ", "flagged", "failed")
PREVIEW = 400  # characters of a text in the table; all of it stands on the card
UPLOADS = re.compile(r"upload/(?:\d+/)?")
LARGE_BYTES = 4_000_000  # of a picture on the card
LEAST_DONE = 3  # pictures after which the time left is worth telling


@dataclass(frozen=True)
class Batch:
    """The pictures of one go, and what was read off them so far."""

    reading: Look
    rows: tuple[Row, ...]  # one for each picture, in their order
    models: int  # that read each of them
    left_out: int  # pictures beyond the most
    kept: Path  # the folder of the pictures

    def is_done(self, row: Row) -> bool:
        """Return whether all models have read a picture."""
        return len(row.readings) >= self.models

    @property
    def done(self) -> list[Row]:
        return [row for row in self.rows if self.is_done(row)]

    def row(self, number: int) -> Row | None:
        """Return the row of that number, from 1, if it is there and done."""
        row = self.rows[number - 1] if 1 <= number <= len(self.rows) else None
        return row if row and self.is_done(row) else None


def batch_of(reading: Look) -> Batch | None:
    """Return the pictures of a reading that was given files; None for a single picture."""
    if reading.job is None:
        return None
    events = reading.job.events()
    brought = next((event for event in events if isinstance(event, Brought)), None)
    if brought is None:
        return None
    config = ReadConfig.load(reading.job.folder / "config.json")
    found = rows_of([one for one in events if isinstance(one, Read)], brought.pictures)
    rows = tuple(replace(row, name=shown_name(row.name, reading.job.folder)) for row in found)
    models = int(config.both) + max(1, len(config.all_adapters))
    return Batch(reading, rows, models, brought.left_out, Path(config.kept))


def shown_name(picture_id: str, folder: Path) -> str:
    """Return what a visitor called a picture: without where it lies on this machine."""
    name = picture_id.removeprefix(f"{folder}/")
    return UPLOADS.sub("", name, count=1) if name != picture_id else Path(name).name


def is_shown(row: Row, show: str) -> bool:
    """Return whether a row is one of those that the visitor wants to see."""
    if show == "differ":
        return row.differs
    if show == "flagged":
        return row.is_flagged
    return bool(row.failed) if show == "failed" else True


def progress(batch: Batch, language: str) -> str:
    """Return how far the go is, or what came of it."""
    done, total, reading = len(batch.done), len(batch.rows), batch.reading
    if reading.state == "queued":
        return waiting(reading, language, "")
    if reading.active:
        words = say(language, "readings_busy", done=done, total=total)
        if done >= LEAST_DONE and done < total and (began := reading.job.status().began):
            seconds = (time.time() - began) / done * (total - done)
            words += f" {say(language, 'readings_left', time=duration(seconds, language))}"
        return notice(f"{escape(words)}{bar(done, total)}", "busy") + left_out(batch, language)
    told = trouble(reading, language)
    failed = sum(bool(row.failed) for row in batch.done)
    words = say(language, "readings_done", done=done - failed, total=total)
    if reading.state == "stopped":
        words = f"{say(language, 'stopped')} {words}"
    more = [
        say(language, f"readings_{name}_count", count=count)
        for name, count in (
            ("failed", failed),
            ("differ", sum(row.differs for row in batch.done)),
            ("flagged", sum(row.is_flagged for row in batch.done)),
        )
        if count
    ]
    kind = "good" if done and not failed and reading.state == "done" else "quiet"
    return told + notice(escape(" ".join([words, *more])), kind) + left_out(batch, language)


def result(reading: Look, events: list[Event], reference: str, language: str) -> str:
    """Return what the tab says of a reading: all of it for one picture, how far it is for many."""
    batch = batch_of(reading)
    if batch is None:
        return single(reading, events, reference, language)
    if len(batch.rows) != 1:
        return progress(batch, language)
    image = large_picture(batch.kept, 1)
    shown = f'<div class="ot-large">{picture(image, batch.rows[0].name, LARGE_BYTES)}</div>'
    name = f"<h4><bdi>{escape(batch.rows[0].name)}</bdi></h4>"
    told = single(reading, events, reference, language)
    return f"{name}{shown if image else ''}{told}"


def left_out(batch: Batch, language: str) -> str:
    """Return that more was given than is read in one go."""
    if not batch.left_out:
        return ""
    words = say_remark(language, "read_left_out", {"most": MOST, "count": batch.left_out})
    return notice(sentence(words))


def table(batch: Batch, view: View, language: str) -> str:
    """Return the pictures as a table, those that the visitor wants to see."""
    numbered = [(n, row) for n, row in enumerate(batch.rows, 1) if is_shown(row, view.readings)]
    if not numbered:
        return notice(text(language, "readings_no_match"))
    heads = ["picture", "base_reads", "tuned_reads"][: 1 + min(2, batch.models)]
    names = [text(language, key) for key in heads]
    columns = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = "".join(row_html(batch, n, row, view, names, language) for n, row in numbered)
    marks = legend(language) if batch.models > 1 else ""
    return (
        f'{marks}<table class="ot-readings"><thead><tr>{columns}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def row_html(
    batch: Batch, number: int, row: Row, view: View, names: list[str], language: str
) -> str:
    """Return one picture of the table: small, with its name, its texts, and what is odd."""
    small = small_picture(batch.kept, number)
    image = picture(small, "") if small else ""
    name = f"<bdi>{escape(row.name)}</bdi>"
    opened = ' class="ot-chosen" aria-current="true"' if number == view.reading else ""
    first = f"{image}<span>{name}</span>{flags(row, language)}"
    if batch.is_done(row):
        first = (
            f'<button type="button" data-ot-into="ot-reading-open" data-ot-open="{number}">'
            f"{first}</button>"
        )
    cells = f'<th scope="row">{first}</th>'
    if row.failed:
        read = next(one for one in row.readings if one.failed)
        cells += f'<td colspan="{len(names) - 1}">{sentence(failed_words(read, language))}</td>'
    else:
        for place, title in enumerate(names[1:]):
            cells += f'<td data-ot-name="{title}">{cell(row, place, language)}</td>'
    return f"<tr{opened}>{cells}</tr>"


def cell(row: Row, place: int, language: str) -> str:
    """Return what one model has read, cut short; against the base model's text where it is not."""
    if place >= len(row.readings):
        return f"<em>{text(language, 'readings_waiting')}</em>"
    words = row.readings[place].text
    if not words.strip():
        return f"<em>{text(language, 'read_nothing')}</em>"
    short = words[:PREVIEW]
    more = "…" if len(words) > PREVIEW else ""
    if not place:
        return user_text(short) + more
    return marked(short, marked_difference(row.readings[0].text[:PREVIEW], short)) + more


def flags(row: Row, language: str) -> str:
    """Return what is odd about the readings of a picture."""
    keys = [key for key in ("looped", "cut") if any(getattr(one, key) for one in row.readings)]
    told = "".join(f"<small>{text(language, f'flag_{key}')}</small>" for key in keys)
    return told + (f"<small>{text(language, 'flag_failed')}</small>" if row.failed else "")


def show_readings(looks: Looks, language: str, view: View | None = None) -> list:
    """Return the table with its filter, the button that stops, the downloads, and the card."""
    reading, view = looks["reading"], view or View()
    batch = batch_of(reading)
    several = batch is not None and len(batch.rows) > 1
    has_text = reading.job is not None and any(
        isinstance(event, Read) and not event.failed for event in reading.job.events()
    )
    card, words = None, ""
    if several and (row := batch.row(view.reading)):
        card, words = row, card_html(batch, view.reading, row, language)
    return [
        gr.Column(visible=several),
        table(batch, view, language) if several else "",
        gr.Button(visible=reading.active),
        gr.Row(visible=has_text),
        gr.Button(visible=several),
        gr.Column(visible=card is not None),
        words,
        gr.Button(visible=card is not None and bool(batch.row(view.reading + 1))),
    ]


def card_html(batch: Batch, number: int, row: Row, language: str) -> str:
    """Return one picture large enough to read, with everything that was read off it."""
    data = large_picture(batch.kept, number)
    image = f'<div class="ot-large">{picture(data, row.name, LARGE_BYTES)}</div>' if data else ""
    return f"<h4><bdi>{escape(row.name)}</bdi></h4>{image}{columns_html(row, language)}"


def columns_html(row: Row, language: str) -> str:
    """Return what the models have read off a picture, side by side, with what differs marked."""
    if row.failed:
        read = next(one for one in row.readings if one.failed)
        return notice(sentence(failed_words(read, language)), "bad")
    base = row.readings[0].text if len(row.readings) > 1 else ""
    shown = "".join(column(read, place, base, language) for place, read in enumerate(row.readings))
    return f'<div class="ot-columns">{shown}</div>{legend(language) if base else ""}'


def look_at_readings(looks: Looks, view: View) -> list:
    """Return what differs when other pictures of a go are looked at."""
    return [view.readings, view.reading]


def correctable(reading: Look, view: View) -> tuple[int, str] | None:
    """Return (the number of the picture, its text) that can be corrected now; None if none can."""
    batch = batch_of(reading)
    if batch is None or len(batch.rows) == 1:
        read = [one for one in reading.job.events() if isinstance(one, Read)] if reading.job else []
        return (1, read[-1].text if read else "") if reading.usable else None
    row = batch.row(view.reading)
    return (view.reading, row.text) if row and kept_picture(batch.kept, view.reading) else None
