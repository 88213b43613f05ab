"""The time that one job may take on a shared machine: when it is over, somebody asks it to stop."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class TimeLimit:
    """Asks once, after so many seconds of work; 0 never asks.

    Time spent in the queue does not count: the limit begins with the work.
    """

    seconds: float
    ask: Callable[[], None]  # called in a thread of its own
    reached: bool = False
    timer: threading.Timer | None = field(default=None, repr=False)

    def __enter__(self) -> "TimeLimit":
        if self.seconds:
            self.timer = threading.Timer(self.seconds, self.end)
            self.timer.daemon = True
            self.timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.timer:
            self.timer.cancel()

    def end(self) -> None:
        """Ask the work to end."""
        self.reached = True
        self.ask()
