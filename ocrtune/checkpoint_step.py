"""After which step an unfinished run was saved, for who must not load a model library to say so."""

import json
from pathlib import Path

from ocrtune.config import CHECKPOINT

LONGEST_HEADER = 64_000_000  # bytes


def checkpoint_step(folder: Path) -> int:
    """Return after which step the run in a folder was saved last; 0 if that cannot be told.

    The header of a safetensors file is JSON behind its length; ours holds the run's state, in
    which every step has left its loss.
    """
    try:
        with (folder / CHECKPOINT).open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = stream.read(length) if 0 < length <= LONGEST_HEADER else b""
        state = json.loads(json.loads(header)["__metadata__"]["state"])
        learner = dict(dict(state["pairs"])["learner"]["pairs"])
        return len(learner["losses"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0
