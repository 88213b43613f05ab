"""Bringing a run back from its copy: fetched, checked file by file, and put in place as a whole."""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ocrtune import jobs
from ocrtune.config import CHECKPOINT, TrainConfig
from ocrtune.errors import HubBusyError, HubError, did_you_mean
from ocrtune.events import Emit, Progress, silent
from ocrtune.hub_writing import PrivateRepo
from ocrtune.offsite import CopyState, Place
from ocrtune.offsite_files import DATA, JOB, MANIFEST, RUN, Known, Manifest, digest

TRIES = 3  # of a copy that is replaced by a newer one while it is fetched
PAUSE_SECONDS = 3.0
FOLDERS = (RUN, DATA, JOB)


def fetch_run(place: Place, folder: Path, token: str, emit: Emit = silent) -> Path:
    """Put the copied run into a new folder, its dataset beside it, and return the folder.

    A HubError says what is missing or damaged; then there is no such folder.
    """
    refuse_occupied(folder)

    def arrange(draft: Path, manifest: Manifest) -> None:
        shutil.rmtree(draft / JOB, ignore_errors=True)
        for path in sorted((draft / RUN).iterdir()):
            path.rename(draft / path.name)
        (draft / RUN).rmdir()
        settle(draft, folder, folder / DATA / manifest.data)
        kept_place(place, manifest).save(draft)

    with_draft(place, folder, token, emit, arrange)
    return folder


def fetch_job(
    place: Place,
    home: Path,
    token: str,
    owner: str = "",
    emit: Emit = silent,
    begun: bool = True,
) -> jobs.Job:
    """Return a new job of the page that holds the copied run, to be resumed there.

    begun: whether it must have saved a checkpoint.
    """
    job = jobs.create(home)
    job.folder.rmdir()
    prefix = job.folder / DATA

    def arrange(draft: Path, manifest: Manifest) -> None:
        settle(draft / RUN, job.folder / RUN, prefix / manifest.data)
        shutil.copyfile(draft / RUN / "config.json", draft / "config.json")
        told = draft / JOB / "events.jsonl"
        if told.exists():
            told.rename(draft / "events.jsonl")
        shutil.rmtree(draft / JOB, ignore_errors=True)
        kept_place(place, manifest).save(draft)
        now = time.time()
        steps = {"step": manifest.step, "total": manifest.total}
        known = {"state": "lost", "command": "train", "created": now, "heartbeat": now}
        why = "It was fetched from its copy on the Hub."
        jobs.Status(**known, **steps, owner=owner, reason=why).save(draft)

    with_draft(place, job.folder, token, emit, arrange, begun)
    return job


def bring_back(place: Place, run: Path, prefix: Path, token: str, emit: Emit = silent) -> Manifest:
    """Put what a run has become elsewhere in the place of what is here, and return what it is.

    run: its folder here; prefix: of its dataset here. The whole is fetched and checked before
    anything is replaced; a HubError leaves the folder as it was.
    """
    draft = run.with_name(f".{run.name}.{os.getpid()}.draft")
    try:
        run.mkdir(parents=True, exist_ok=True)
        manifest = fetch_newest(place, draft, token, emit, begun=False, folders=(RUN,))
        settle(draft / RUN, run, prefix)
        for old in (run / "adapter", (run / CHECKPOINT).parent):
            shutil.rmtree(old, ignore_errors=True)
        for path in sorted((draft / RUN).iterdir()):
            path.replace(run / path.name)
    except OSError as error:
        raise HubError(
            f"The run cannot be put into `{run}`: {error.strerror or error}.",
            f"Make room on the disk; it is kept at {place.address}.",
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


def with_draft(
    place: Place,
    folder: Path,
    token: str,
    emit: Emit,
    arrange: Callable[[Path, Manifest], None],
    begun: bool = True,
) -> None:
    """Fetch a copy beside a folder, arrange it, and move it there."""
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.draft")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        manifest = fetch_newest(place, draft, token, emit, begun)
        arrange(draft, manifest)
        if folder.exists():
            folder.rmdir()  # an empty one
        draft.rename(folder)
    except OSError as error:
        raise HubError(
            f"The run cannot be put into `{folder}`: {error.strerror or error}.",
            "Make room on the disk, or choose another folder.",
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def fetch_newest(
    place: Place,
    draft: Path,
    token: str,
    emit: Emit,
    begun: bool = True,
    folders: tuple[str, ...] = FOLDERS,
) -> Manifest:
    """Fetch the newest copy of a run; when it is replaced meanwhile, the one that replaced it.

    begun: whether it must have saved a checkpoint; folders: of the copy, that are wanted.
    """
    repo = PrivateRepo(place.repo_id, token)
    for _ in range(TRIES):
        shutil.rmtree(draft, ignore_errors=True)
        commit = repo.head(place.name)
        if not commit:
            raise no_such_copy(repo, place)
        try:
            return fetch_copy(repo, commit, draft, emit, begun, folders)
        except FileNotFoundError:
            time.sleep(PAUSE_SECONDS)
    raise HubBusyError(f"{place.address} changes all the time.", "Try again in a minute.")


def fetch_copy(
    repo: PrivateRepo,
    commit: str,
    draft: Path,
    emit: Emit,
    begun: bool,
    folders: tuple[str, ...],
) -> Manifest:
    """Fetch the files of one commit into a folder, and check each of them."""
    manifest = Manifest.from_bytes(repo.fetch(commit, MANIFEST, draft).read_bytes())
    if begun and not {f"{RUN}/config.json", f"{RUN}/{CHECKPOINT}"} <= set(manifest.files):
        raise HubError(
            f"The copy, made after step {manifest.step} of {manifest.total}, holds no checkpoint: "
            "the run had finished, or it had not yet saved one.",
            "Its files are on the Hub; start a new run with them.",
        )
    wanted = {name: one for name, one in manifest.files.items() if name.split("/")[0] in folders}
    whole = sum(one.size for one in wanted.values())
    done = 0
    for name, known in wanted.items():
        refuse_damaged(name, repo.fetch(commit, name, draft), known)
        done += known.size
        emit(Progress("pull", done, whole))
    (draft / MANIFEST).unlink()
    shutil.rmtree(draft / ".cache", ignore_errors=True)  # the client's own notes
    return manifest


def refuse_damaged(name: str, path: Path, known: Known) -> None:
    """Raise a HubError unless a file is the one that was copied."""
    if path.stat().st_size != known.size or digest(path) != known.sha256:
        raise HubError(
            f"`{name}` of the copy is damaged: its digest is another one.", "Fetch it again."
        )


def refuse_occupied(folder: Path) -> None:
    """Raise a HubError if a folder holds anything."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise HubError(
            f"`{folder}` is there already.",
            f"Go on with it by `--resume {folder}`, or name another folder.",
        )


def no_such_copy(repo: PrivateRepo, place: Place) -> HubError:
    """Return the error for a run that has no copy."""
    names = repo.branches()
    listed = f"There are: {', '.join(names)}." if names else "There are none."
    return HubError(
        f"`{place.repo_id}` holds no run `{place.name}`.", did_you_mean(place.name, names) or listed
    )


def settle(draft: Path, run: Path, prefix: Path) -> None:
    """Let the settings of a fetched run name where it lies now."""
    config = TrainConfig.load(draft / "config.json")
    replace(config, data=str(prefix.absolute()), output=str(run)).save(draft / "config.json")


def kept_place(place: Place, manifest: Manifest) -> CopyState:
    """Return where the run was copied to: if it is copied on, it will be to there."""
    made = {"state": "copied", "copied": manifest.copied, "step": manifest.step}
    return CopyState(repo_id=place.repo_id, name=place.name, run=manifest.run, **made)


def list_copies(repo_id: str, token: str) -> list[tuple[Place, Manifest]]:
    """Return the runs that a repo holds, the newest copy first."""
    repo = PrivateRepo(repo_id, token)
    found = []
    for name in repo.branches():
        with repo.borrowed(repo.head(name), MANIFEST) as path:
            if path:
                found.append((Place(repo_id, name), Manifest.from_bytes(path.read_bytes())))
    return sorted(found, key=lambda one: -one[1].copied)


def remove_copy(place: Place, token: str) -> None:
    """Remove the copies of one run; the Hub gives their room back within a day or two."""
    repo = PrivateRepo(place.repo_id, token)
    if place.name not in repo.branches():
        raise no_such_copy(repo, place)
    repo.remove(place.name)
