"""Files that came from a browser: where they may lie, and how they reach a job's folder."""

import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from gradio.utils import get_upload_folder

from ocrtune.errors import JobError
from ocrtune.ui.words import Refused

ODD = re.compile(r"[^\w.\-]+")
LONGEST_NAME = 80  # characters
CACHE = "GRADIO_TEMP_DIR"
CACHE_SECONDS = 6 * 3600.0  # that an upload which nobody built from, or a download, is kept


def own_cache() -> Path:
    """Return the folder where gradio keeps uploads when nobody says another: no other app's."""
    user = os.getuid() if hasattr(os, "getuid") else "mine"
    return Path(tempfile.gettempdir()).resolve() / f"ocrtune-uploads-{user}"


def use_own_cache() -> None:
    """Let gradio keep uploads in a folder of our own that other users of the machine cannot read.

    Where `GRADIO_TEMP_DIR` is set, its folder is used, and swept by gradio only.
    """
    if os.environ.get(CACHE):
        return
    try:
        own_cache().mkdir(exist_ok=True)
        own_cache().chmod(0o700)  # refused where somebody else has made the folder before us
    except OSError as error:
        raise JobError(
            f"Uploads cannot be kept in `{own_cache()}`: {error.strerror}.",
            f"Set {CACHE} to a folder of your own.",
        ) from error
    os.environ[CACHE] = str(own_cache())


def sweep_uploads(now: float | None = None) -> None:
    """Remove old files from our own cache: those of a page that was killed are nobody else's."""
    if os.environ.get(CACHE) != str(own_cache()):
        return
    oldest = (time.time() if now is None else now) - CACHE_SECONDS
    for entry in own_cache().glob("*"):
        try:
            files = [entry, *entry.rglob("*")] if entry.is_dir() else [entry]
            if max(file.lstat().st_mtime for file in files) < oldest:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        except OSError:  # another page has removed it at the same moment
            continue


def uploaded(value: object) -> Path:
    """Return the path of an uploaded file; refuse every other path on this machine.

    value: a path, or a payload as gradio sends it when it has not looked into the file.
    """
    name = value.get("path") if isinstance(value, dict) else value
    if not isinstance(name, str):
        raise Refused("bad_upload")
    try:
        path = Path(name).resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise Refused("bad_upload") from error
    if not path.is_file() or not path.is_relative_to(Path(get_upload_folder()).resolve()):
        raise Refused("bad_upload")
    return path


def keep(value: object, folder: Path) -> Path:
    """Return a copy of an uploaded file in `folder`: gradio deletes its own after hours."""
    path = uploaded(value)
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(path, folder / plain_name(path.name)))


def require_kind(value: object, endings: Sequence[str]) -> None:
    """Refuse an uploaded file whose name has none of the endings."""
    if not uploaded(value).name.lower().endswith(tuple(endings)):
        raise Refused("bad_kind", endings=", ".join(endings))


def pass_on(path: str, before: Path, after: Path) -> str:
    """Return where a job finds a file of the job before it, which may be deleted any time.

    Everything that is no file below the folder of that job is returned as it is.
    """
    file = Path(path)
    if not path or not file.is_relative_to(before) or not file.is_file():
        return path
    kept = after / file.relative_to(before)
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, kept)
    except OSError:  # a disk without links
        shutil.copyfile(file, kept)
    return str(kept)


def plain_name(name: str) -> str:
    """Return a file name that is safe everywhere and still tells what it was."""
    stem, dot, ending = ODD.sub("_", name).lstrip(".").rpartition(".")
    return f"{stem[:LONGEST_NAME]}{dot}{ending[:10]}" or "upload"


def hand_out(data: bytes, name: str) -> Path:
    """Return a file under an unguessable name in gradio's cache, from where it may be fetched."""
    folder = Path(get_upload_folder()) / secrets.token_hex(20)
    folder.mkdir(parents=True)
    path = folder / plain_name(name)
    path.write_bytes(data)
    return path
