"""How often pages ask what is new: the more of them are open, the longer each of them waits."""

import threading
import time
from dataclasses import dataclass, field

USUAL_SECONDS = 1.0  # between two questions of one page
LONGEST_SECONDS = 10.0
ANSWERS_A_SECOND = 10.0  # to all pages together: measured, some 25 ms of processor time each
REMEMBERED_SECONDS = 2 * LONGEST_SECONDS  # since a page's last question


@dataclass
class Pace:
    """Counts the pages that asked lately; of a page it knows a number only."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    asked: dict[int, float] = field(default_factory=dict)  # when, on a clock that nobody can set

    def seconds(self, page: int) -> float:
        """Return after how long this page shall ask again."""
        now = time.monotonic()
        with self.lock:
            self.asked[page] = now
            self.asked = {
                key: at for key, at in self.asked.items() if now - at < REMEMBERED_SECONDS
            }
            pages = len(self.asked)
        wanted = max(USUAL_SECONDS, pages / ANSWERS_A_SECOND)
        return min(LONGEST_SECONDS, round(2 * wanted) / 2)

    def leave(self, page: int) -> None:
        """Forget a page for which nothing is under way."""
        with self.lock:
            self.asked.pop(page, None)
