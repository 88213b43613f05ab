"""Where everything lies that outlives a process: one folder, easy to find and to delete."""

import os
from pathlib import Path


def home_folder() -> Path:
    """Return that folder: `OCRTUNE_HOME`, or `~/.cache/ocrtune`."""
    return Path(os.environ.get("OCRTUNE_HOME") or "~/.cache/ocrtune").expanduser().resolve()
