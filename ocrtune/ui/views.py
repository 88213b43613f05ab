"""Small pieces of HTML that every tab shows; all text that is not ours is escaped here."""

import base64
import io
import re
from collections.abc import Iterable, Sequence
from html import escape

from PIL import Image

from ocrtune.text import is_right_to_left, name_character
from ocrtune.ui.words import say

SIGNATURES = (  # how a picture that browsers draw begins
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"RIFF", "webp"),
)
PLAIN_BYTES = 120_000  # a larger picture is shrunk before it is sent
THUMBNAIL = (1000, 700)  # pixels
CODE = re.compile(r"`([^`]*)`")


def text(language: str, key: str, **values: object) -> str:
    """Return the words of that key, safe inside HTML."""
    return escape(say(language, key, **values))


def sentence(words: str) -> str:
    """Return one of our own sentences as HTML; what stands in backticks is set as code."""
    return CODE.sub(r"<code>\1</code>", escape(words))


def duration(seconds: float, language: str) -> str:
    """Return a rough length of time."""
    if seconds < 90:
        return say(language, "seconds", count=max(5, 5 * round(seconds / 5)))
    return say(language, "minutes", count=round(seconds / 60))


def notice(words: str, kind: str = "quiet") -> str:
    """Return a sentence in a box; kind: quiet, good, busy or bad. `words` is HTML already."""
    role = "alert" if kind == "bad" else "status"
    return f'<div class="ot-notice ot-{kind}" role="{role}">{words}</div>'


def bar(done: int, total: int) -> str:
    """Return a progress bar; without a total it only says that something moves."""
    if not total:
        return '<div class="ot-bar ot-unknown" role="progressbar"><i></i></div>'
    share = min(100, round(100 * done / total))
    return (
        f'<div class="ot-bar" role="progressbar" aria-valuenow="{share}" aria-valuemin="0" '
        f'aria-valuemax="100"><i style="width:{share}%"></i></div>'
    )


def tiles(values: Iterable[tuple[str, str]]) -> str:
    """Return numbers with what they count, side by side; both are HTML already."""
    cells = [f"<div><b>{value}</b><span>{name}</span></div>" for value, name in values]
    columns = len(cells) if len(cells) < 6 else 3
    return f'<div class="ot-tiles" style="--ot-columns:{columns}">{"".join(cells)}</div>'


def user_text(words: str, inner: str = "") -> str:
    """Return a user's text in its own direction; `inner` is its marked form, as HTML."""
    direction = "rtl" if is_right_to_left(words) else "ltr"
    return f'<span class="ot-text" dir="{direction}">{inner or escape(words)}</span>'


def marked(words: str, parts: Sequence[tuple[str, str]]) -> str:
    """Return a text with its errors marked; parts: (text, equal|missing|extra|wrong)."""
    return user_text(words, marks(parts))


def marks(parts: Sequence[tuple[str, str]]) -> str:
    """Return the parts of a text as HTML; in errors a space, a joiner or a control can be seen."""
    return "".join(
        escape(part) if kind == "equal" else f'<mark class="ot-{kind}">{visible(part)}</mark>'
        for part, kind in parts
    )


def visible(part: str) -> str:
    """Return a text as HTML in which every character can be seen."""
    return "".join("␣" if one == " " else escape(name_character(one)) for one in part)


def legend(language: str) -> str:
    """Return what the marks mean."""
    marks = "".join(
        f'<mark class="ot-{kind}">{text(language, f"legend_{kind}")}</mark>'
        for kind in ("wrong", "missing", "extra")
    )
    return f'<p class="ot-legend">{marks}</p>'


def picture(data: bytes, alternative: str, most_bytes: int = PLAIN_BYTES) -> str:
    """Return an image element that holds the picture itself: no URL that others could open.

    It is not left for later: a picture that gets its height when it is scrolled to would push away
    the button that is about to be pressed.

    most_bytes: of one that is not shrunk.
    """
    kind = next((kind for start, kind in SIGNATURES if data.startswith(start)), "")
    if not kind or len(data) > most_bytes:
        kind, data = "jpeg", thumbnail(data)
    encoded = base64.b64encode(data).decode()
    return (
        f'<img class="ot-picture" alt="{escape(alternative)}" '
        f'src="data:image/{kind};base64,{encoded}">'
    )


def thumbnail(data: bytes) -> bytes:
    """Return a small JPEG of a picture; empty if it is none."""
    shrunk = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data)) as whole:
            whole.draft("RGB", THUMBNAIL)
            whole.thumbnail(THUMBNAIL)
            whole.convert("RGB").save(shrunk, "JPEG", quality=80)
    except (OSError, ValueError, Image.DecompressionBombError):
        return b""
    return shrunk.getvalue()
