"""Which files of a run go to the Hub, held still while they are sent, and told by their digests."""

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from ocrtune.config import CHECKPOINT, TrainConfig
from ocrtune.dataset_files import rejects_path, report_path, split_path
from ocrtune.edits import additions_folder, edits_path
from ocrtune.errors import HubError
from ocrtune.records import SPLITS

MANIFEST = "copy.json"
VERSION = 1
RUN, DATA, JOB = "run", "data", "job"  # the folders of a copy
JOB_FILES = ("config.json", "status.json", "events.jsonl")
LIVELY = ("job/status.json",)  # differs at every look; alone it is no reason for a copy
REPLACED = (".safetensors", ".parquet")  # put in place whole by a move, never written to again
STILL_TRIES, STILL_SECONDS = 5, 0.5


@dataclass(frozen=True)
class Source:
    """A run on this machine, and the job that it is, if it is one."""

    run: Path
    job: Path | None = None

    def settings(self) -> TrainConfig:
        """Return what the run depends on; a ConfigError if it has not written that down yet."""
        written = self.run / "config.json"
        return TrainConfig.load(written if written.exists() else self.job_settings)

    @property
    def job_settings(self) -> Path:
        return (self.job or self.run) / "config.json"

    @property
    def is_ready(self) -> bool:
        """Whether it is settled what the run depends on."""
        return (self.run / "config.json").is_file() or self.job_settings.is_file()

    @property
    def has_checkpoint(self) -> bool:
        return (self.run / CHECKPOINT).is_file()

    def files(self) -> dict[str, Path]:
        """Return the files that another machine needs, by their names in the copy.

        The checkpoint comes first: what a log tells beyond it is dropped on resuming, what it
        lacks nobody could add.
        """
        run = self.run
        found = {f"{RUN}/{CHECKPOINT}": run / CHECKPOINT}
        found |= {f"{RUN}/adapter/{path.name}": path for path in sorted(run.glob("adapter/*"))}
        found |= {f"{RUN}/{name}": run / name for name in ("log.jsonl", "config.json")}
        if self.job:
            found |= {f"{JOB}/{name}": self.job / name for name in JOB_FILES}
        found |= {f"{DATA}/{name}": path for name, path in dataset(self.settings().data).items()}
        passing = (".part", ".draft")
        return {k: v for k, v in found.items() if v.is_file() and v.suffix not in passing}

    def is_saving(self) -> bool:
        """Return whether an adapter is being written at this moment."""
        return any(self.run.glob("adapter/*.part"))


def dataset(prefix: str) -> dict[str, Path]:
    """Return the files of a dataset, what people changed included, by names without a folder."""
    paths = [split_path(prefix, split) for split in SPLITS]
    paths += [report_path(prefix), rejects_path(prefix), edits_path(prefix)]
    additions = additions_folder(prefix)
    found = {path.name: path for path in paths}
    found |= {f"{additions.name}/{path.name}": path for path in sorted(additions.glob("*"))}
    return found


@dataclass(frozen=True)
class Known:
    """A file as it was sent."""

    sha256: str
    size: int  # bytes
    signature: tuple[int, ...] = ()  # of the file on this machine; empty if that is not known


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What `copy.json` says of one copy."""

    run: str  # tells this run from every other one
    mark: str  # tells this copy from every other one
    ocrtune: str
    copied: float  # seconds since 1970
    step: int  # of the run, so far
    total: int
    base: str
    data: str  # name of the dataset's prefix
    files: Mapping[str, Known]

    def to_bytes(self) -> bytes:
        """Return it as JSON."""
        files = {k: {"sha256": v.sha256, "bytes": v.size} for k, v in self.files.items()}
        values = {"version": VERSION} | asdict(self) | {"files": files}
        return (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Manifest":
        """Return what was written; a HubError if it is none of ours."""
        try:
            values = json.loads(data)
            if values.pop("version") != VERSION:
                raise ValueError("it is of another version")
            listed = values.pop("files").items()
            files = {
                str(name): Known(str(one["sha256"]), int(one["bytes"])) for name, one in listed
            }
            if bad := [name for name in files if not is_plain(name)]:
                raise ValueError(f"it names `{bad[0]}`")
            return cls(files=files, **values)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise HubError(
                f"`{MANIFEST}` is no list of a copy that this ocrtune wrote: {error}.",
                "Use the version of ocrtune that made the copy.",
            ) from error


def is_plain(name: str) -> bool:
    """Return whether a name leads to a file in one of the folders of a copy, and nowhere else."""
    parts = PurePosixPath(name).parts
    return (
        2 <= len(parts) <= 3
        and parts[0] in (RUN, DATA, JOB)
        and "/".join(parts) == name
        and not any(part in (".", "..") or "\\" in part for part in parts)
    )


@contextlib.contextmanager
def held_still(source: Source, known: Mapping[str, Known]) -> Iterator[dict[str, "Held"]]:
    """Yield the files of a run as they are at one moment; what was sent already is not read.

    Raises an OSError if there is no room, or if the files change all the time.
    """
    folder = (source.job or source.run) / ".sending"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        for _ in range(STILL_TRIES):
            held = hold(source, folder, known)
            if held is not None:
                yield held
                return
            time.sleep(STILL_SECONDS)
        raise OSError("its files do not stand still")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Held:
    """A file that stands still; `path` is None where it is the one that was sent before."""

    known: Known
    path: Path | None


def hold(source: Source, folder: Path, known: Mapping[str, Known]) -> dict[str, Held] | None:
    """Return the files, those that are new kept in `folder`; None if they changed meanwhile."""
    held = {}
    folder.mkdir(exist_ok=True)  # not above it: the run may just have been deleted
    before = {name: signature(path) for name, path in source.files().items()}
    if source.is_saving():
        return None
    for name, path in source.files().items():
        same = known.get(name)
        if same and same.signature and same.signature == before.get(name):
            held[name] = Held(same, None)
            continue
        try:
            kept = keep(path, folder / name)
        except FileNotFoundError:
            return None  # a finished run has removed its checkpoint
        told = Known(digest(kept), kept.stat().st_size, before.get(name, ()))
        unchanged = same is not None and same.sha256 == told.sha256
        held[name] = Held(told, None if unchanged else kept)
    now = {name: signature(path) for name, path in source.files().items()}
    moved = [
        name for name in before | now if is_replaced(name) and before.get(name) != now.get(name)
    ]
    return None if moved or source.is_saving() else held


def is_replaced(name: str) -> bool:
    """Return whether a file may not change while others are read: logs may, they only grow."""
    return not name.endswith((".jsonl", "status.json"))


def keep(path: Path, place: Path) -> Path:
    """Hold a file at another place, without copying it where that is possible."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    if path.suffix in REPLACED:
        with contextlib.suppress(OSError):  # not every disk has links
            os.link(path, place)
            return place
    shutil.copyfile(path, place)
    return place


def signature(path: Path) -> tuple[int, ...]:
    """Return what differs as soon as a file is another one; empty if it is gone."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
