"""The text of one answer while it is written: whole characters, a few times a second."""

import time
from collections.abc import Callable

from ocrtune.decoding import Row
from ocrtune.events import Emit, Written
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.prompts import is_grounding
from ocrtune.grounding import labels_are_kinds, parse_places, whole_places

PAUSE_SECONDS = 0.3  # at least so long between two events
TORN = "\ufffd"  # stands for the bytes of a character that is not whole yet


class Stream:
    """Tells of one picture's answer as it grows."""

    def __init__(
        self,
        loaded: LoadedModel,
        picture_id: str,
        model: str,
        emit: Emit,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.loaded = loaded
        self.picture_id = picture_id
        self.model = model
        self.emit = emit
        self.clock = clock
        self.told_at = clock()
        self.told = ""

    def grow(self, row: Row) -> None:
        """Tell the answer so far, unless that has just been done or nothing can be seen of it."""
        now = self.clock()
        if now - self.told_at < PAUSE_SECONDS:
            return
        self.told_at = now
        text = growing_text(self.loaded, row.ids)
        if text != self.told:
            self.told = text
            self.emit(Written(self.picture_id, text, self.model))


def growing_text(loaded: LoadedModel, ids: list[int]) -> str:
    """Return the text of an unfinished answer without a torn character or place at its end."""
    prompt = loaded.contract.prompt
    if not is_grounding(prompt):
        return loaded.text_of(ids).rstrip(TORN)
    raw = whole_places(loaded.text_of(ids, marks=True).rstrip(TORN))
    return parse_places(raw, 1, 1, labels_are_kinds(prompt)).text
