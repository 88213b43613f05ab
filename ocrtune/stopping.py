"""How a command hears that it shall end: from a terminal, from the system, from its job."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ocrtune.events import Emit

PATIENCE_SECONDS = 5.0  # with a command that looks for a wish to stop, but does not end
BUILD_STOPPING = "\nStopping; nothing of this dataset is kept. Ctrl-C again ends at once.\n"
STOPPING = "\nStopping after this step; what was learned is kept. Ctrl-C again ends at once.\n"


@dataclass
class Watcher:
    """Who hears of a command's events, and who may ask it to end early."""

    emit: Emit
    asked: Callable[[], bool] = lambda: False
    interrupted: bool = False  # by a signal
    stopped: bool = False  # the command has heard of it
    looks: bool = False  # the command looks for a wish to stop by itself
    is_worker: bool = False  # of a job

    def stop_requested(self) -> bool:
        """Return whether the command shall end now."""
        self.looks = True
        self.stopped = self.stopped or self.interrupted or self.asked()
        return self.stopped


@contextmanager
def stopping_gently(watcher: Watcher, words: str = STOPPING) -> Iterator[None]:
    """Make the first Ctrl-C or SIGTERM a wish to stop; the second one ends the process.

    While a command does not yet look for a wish to stop, there is nothing to keep: it ends at once.
    A worker hears of signals in its own way.
    """
    if watcher.is_worker:
        yield
        return

    def ask(number: int, frame: object) -> None:
        if not watcher.looks:
            raise KeyboardInterrupt
        watcher.interrupted = True
        sys.stderr.write(words)
        signal.signal(number, before[number])

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def stopping_at_once(watcher: Watcher, keeps: bool) -> Iterator[None]:
    """Make a wish to stop, or SIGTERM, end a worker's command by a KeyboardInterrupt.

    keeps: the command has something to save; from its first look on, it ends by itself. Any other
    one that looks is given a few seconds to do so. SIGUSR1 comes from the thread that beats.
    """
    watcher.is_worker = True
    first = last = 0.0

    def ask(number: int, frame: object) -> None:
        nonlocal first, last
        now = time.monotonic()
        first = first or now
        watcher.interrupted = watcher.interrupted or number != signal.SIGUSR1
        if watcher.looks and (keeps or now - first < PATIENCE_SECONDS):
            return
        if not last or now - last > PATIENCE_SECONDS:  # what ends has time to tidy up
            last = now
            raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    for number in numbers:
        signal.signal(number, ask)
    try:
        yield
    finally:
        for number in numbers:  # whatever comes from now on is too late
            signal.signal(number, signal.SIG_IGN)
