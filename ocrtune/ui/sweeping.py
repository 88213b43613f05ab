"""The page's own housekeeping: at its start and every hour, in a thread that never stops it."""

import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from ocrtune.keeping import sweep
from ocrtune.ui.uploads import sweep_uploads

HOUR = 3600.0  # seconds
LOG = logging.getLogger(__name__)


@dataclass
class Sweeper:
    """Deletes what has been kept long enough."""

    home: Path
    keep_days: int
    ended: threading.Event = field(default_factory=threading.Event)
    offset: float | None = None  # between the machine's clock and the one that nobody can set

    def start(self) -> None:
        """Sweep now and every hour, in a thread that ends with the process."""
        threading.Thread(target=self.run, name="sweeper", daemon=True).start()

    def run(self) -> None:
        """Sweep until told to end; a sweep that fails is tried again an hour later."""
        while True:
            try:
                self.sweep()
            except OSError as error:
                LOG.warning("Sweeping `%s` failed: %s", self.home, error)
            if self.ended.wait(HOUR):
                return

    def sweep(self) -> list[str]:
        """Delete what is old, unless the clock has just been moved; return the ids of the jobs."""
        offset = time.time() - time.monotonic()
        moved = self.offset is not None and abs(offset - self.offset) > HOUR
        self.offset = offset
        if moved:  # a wrong date for an hour must not cost anybody a run
            LOG.warning("The clock was moved: nothing is deleted before the next sweep.")
            return []
        sweep_uploads()
        return sweep(self.home, self.keep_days)
