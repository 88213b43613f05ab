"""Where everything lies that outlives a process: one folder, easy to find and to delete."""

import os
from pathlib import Path

USUAL = "~/.cache/ocrtune"


def home_folder() -> Path:
    """Return that folder: `OCRTUNE_HOME`, or `~/.cache/ocrtune`.

    A duplicate of a Space gets the variables of the original, but not its volumes: what cannot be
    written to there is left alone.
    """
    given = os.environ.get("OCRTUNE_HOME") or ""
    folder = Path(given or USUAL).expanduser().resolve()
    if given and os.environ.get("SYSTEM") == "spaces" and not is_writable(folder):
        return Path(USUAL).expanduser().resolve()
    return folder


def is_writable(folder: Path) -> bool:
    """Return whether a folder is there, or could be made, and takes files."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)
