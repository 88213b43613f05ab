"""What the Try OCR tab shows of a reading."""

from pathlib import Path

from ocrtune.events import Event, Read, Written
from ocrtune.hub_words import in_language
from ocrtune.metrics import marked_difference
from ocrtune.remark_words import ENGLISH as REMARKS
from ocrtune.remarks import say_remark
from ocrtune.ui.looks import Look, remarks, trouble, waiting
from ocrtune.ui.views import escape, legend, marked, notice, picture, sentence, text, user_text


def single(reading: Look, events: list[Event], reference: str, language: str) -> str:
    """Return what the models read off one picture, side by side, with what differs marked."""
    if not reading.job:
        return notice(text(language, "try_none"))
    if reading.active:
        doing = waiting(reading, language, text(language, "try_working"))
        return doing + growing(events, language)
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


def growing(events: list[Event], language: str) -> str:
    """Return what is read already and what is being written now."""
    shown = [event for event in events if isinstance(event, Read)]
    later = events[events.index(shown[-1]) + 1 :] if shown else events
    shown += [event for event in later if isinstance(event, Written)][-1:]
    if not any(event.text for event in shown):
        return ""
    columns = "".join(
        f'<div class="ot-reading"><h4>{title(index, language)}</h4>'
        f"<p>{user_text(event.text)}</p></div>"
        for index, event in enumerate(shown)
    )
    return f'<div class="ot-columns">{columns}</div>'


def title(index: int, language: str) -> str:
    """Return whose reading it is: the first is the base model's."""
    return text(language, "tuned_reads" if index else "base_reads")


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
    if read.failed:
        words = f"<em>{text(language, 'read_failed')} {sentence(failed_words(read, language))}</em>"
    elif not read.text.strip():
        words = f"<em>{text(language, 'read_nothing')}</em>"
    elif against:
        words = marked(read.text, marked_difference(against, read.text))
    else:
        words = user_text(read.text)
    looped = f"<br>{text(language, 'read_looped')}" if read.looped else ""
    cut = f"<br>{text(language, 'read_cut')}" if read.cut and not read.looped else ""
    seconds = text(language, "read_seconds", seconds=f"{read.seconds:.1f}")
    return (
        f'<div class="ot-reading"><h4>{title(index, language)}</h4><p>{words}</p>'
        f"<small>{seconds}{looped}{cut}</small>{copy_button(read, language)}"
        f"{places(read, language)}</div>"
    )


def failed_words(read: Read, language: str) -> str:
    """Return why a picture was not read and what to do, in the visitor's language."""
    key, values = read.why.get("key"), read.why.get("values")
    if isinstance(key, str) and isinstance(values, dict):
        if key in REMARKS:
            return say_remark(language, key, values)
        if known := in_language(language, key, values):
            return " ".join(known)
    return read.failed


def copy_button(read: Read, language: str) -> str:
    """Return the button that copies a text as it was read, without the marks."""
    if not read.text.strip():
        return ""
    copied = text(language, "link_copied")
    return (
        f'<button type="button" class="ot-small ot-copy" data-ot-text="{escape(read.text)}" '
        f'data-ot-done="{copied}">{text(language, "copy_text")}</button>'
    )


def places(read: Read, language: str) -> str:
    """Return the picture with its boxes, if the model was asked for places and gave any."""
    found = []
    if read.boxes:
        found.append(text(language, "read_boxes", count=len(read.boxes)))
    if read.damaged_boxes:
        found.append(text(language, "read_damaged", count=read.damaged_boxes))
    drawn = Path(read.drawn) if read.drawn else None
    image = picture(drawn.read_bytes(), "") if drawn and drawn.is_file() else ""
    return "".join(f"<br><small>{words}</small>" for words in found) + image


def same_words(read: list[Read], language: str) -> str:
    """Return a sentence when both models agree."""
    if len(read) == 2 and read[0].text == read[1].text and read[0].text:
        return notice(text(language, "read_same"))
    return ""
