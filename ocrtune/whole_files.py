"""Small files that are there whole or not at all, whenever the process or its machine ends."""

import os
from pathlib import Path


def put_in_place(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Put a file with these bytes in the place of the one at `path`, at once.

    An OSError leaves the one before as it was. mode: who may read it, as `os.open` takes it.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    try:
        with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "wb") as stream:
            stream.write(data)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
