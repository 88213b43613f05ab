"""What the Try OCR tab shows of a reading."""

from ocrtune.events import Event, Read
from ocrtune.metrics import marked_difference
from ocrtune.ui.looks import Look, remarks, trouble, waiting
from ocrtune.ui.views import legend, marked, notice, text, user_text


def result(reading: Look, events: list[Event], reference: str, language: str) -> str:
    """Return what the models read, side by side, with what differs marked."""
    if not reading.job:
        return notice(text(language, "try_none"))
    if reading.active:
        return waiting(reading, language, text(language, "try_working"))
    read = [event for event in events if isinstance(event, Read)]
    if not reading.usable or not read:
        return trouble(reading, language) or notice(text(language, "stopped"))
    against = reference or (read[0].text if len(read) > 1 else "")
    columns = "".join(column(event, index, against, language) for index, event in enumerate(read))
    return (
        right_text(reference, language)
        + f'<div class="ot-columns">{columns}</div>'
        + same_words(read, language)
        + (legend(language) if against else "")
        + remarks(events, language)
    )


def right_text(reference: str, language: str) -> str:
    """Return the ground truth where it is known."""
    if not reference:
        return ""
    return (
        f'<div class="ot-reading ot-right"><h4>{text(language, "ground_truth")}</h4>'
        f"<p>{user_text(reference)}</p><small>{text(language, 'from_dataset')}</small></div>"
    )


def column(read: Read, index: int, against: str, language: str) -> str:
    """Return one model's reading; the first is the base model's."""
    title = text(language, "tuned_reads" if index else "base_reads")
    if read.failed:
        words = f"<em>{text(language, 'read_failed')}</em>"
    elif not read.text.strip():
        words = f"<em>{text(language, 'read_nothing')}</em>"
    elif against:
        words = marked(read.text, marked_difference(against, read.text))
    else:
        words = user_text(read.text)
    looped = f"<br>{text(language, 'read_looped')}" if read.looped else ""
    seconds = text(language, "read_seconds", seconds=f"{read.seconds:.1f}")
    return (
        f'<div class="ot-reading"><h4>{title}</h4><p>{words}</p>'
        f"<small>{seconds}{looped}</small></div>"
    )


def same_words(read: list[Read], language: str) -> str:
    """Return a sentence when both models agree."""
    if len(read) == 2 and read[0].text == read[1].text and read[0].text:
        return notice(text(language, "read_same"))
    return ""
