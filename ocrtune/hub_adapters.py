"""Adapters on the Hub: looked for, looked at, and fetched file by file; nothing else of a repo."""

import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from huggingface_hub import HfApi, ModelInfo, constants, snapshot_download, try_to_load_from_cache
from huggingface_hub.errors import OfflineModeIsEnabled, RepositoryNotFoundError
from huggingface_hub.utils import (
    are_progress_bars_disabled,
    build_hf_headers,
    disable_progress_bars,
    enable_progress_bars,
    get_session,
    hf_raise_for_status,
)

from ocrtune.errors import HubError
from ocrtune.hub import PATIENCE_SECONDS, hub_errors, usable_token
from ocrtune.hub_words import hub_error
from ocrtune.hub_writing import be_patient, writing_errors

TAG = "ocrtune"  # on the card of every adapter that ocrtune pushes
SEARCH_SECONDS = 8.0  # for one search, which somebody waits for
BELIEVED_SECONDS = 300.0  # that the answer to a search is used again
MOST_ANSWERS = 64  # to searches that are kept
MOST_FOUND = 30


@dataclass(frozen=True, kw_only=True)
class HubModel:
    """A model repo at one commit."""

    repo_id: str
    commit: str
    private: bool
    sizes: dict[str, int]  # bytes of each file
    tags: tuple[str, ...]


def find_model(repo_id: str, revision: str = "", token: str | None = None) -> HubModel:
    """Return what is in a model repo; a HubError if there is none that this account may see."""
    with hub_errors(repo_id, "model", revision):
        about = HfApi(token=usable_token(token)).model_info(
            repo_id,
            revision=revision or None,
            files_metadata=True,
            timeout=PATIENCE_SECONDS,
        )
    return described(about)


def find_own_model(repo_id: str, token: str) -> HubModel | None:
    """Return what is in a repo that somebody wants to write to; None if there is none yet."""
    if not token:
        raise hub_error("nobody", repo=repo_id)
    be_patient()
    with writing_errors(repo_id):
        try:
            return described(HfApi(token=token).model_info(repo_id, files_metadata=True))
        except RepositoryNotFoundError as error:
            if error.response.status_code == 401:  # which the Hub says of every bad token
                raise
            return None


def described(about: ModelInfo) -> HubModel:
    """Return what the client tells of a repo."""
    return HubModel(
        repo_id=about.id,
        commit=about.sha or "",
        private=bool(about.private),
        sizes={file.rfilename: file.size or 0 for file in about.siblings or ()},
        tags=tuple(about.tags or ()),
    )


def is_unreachable(error: HubError) -> bool:
    """Return whether the Hub did not answer at all: a refusal is an answer."""
    return isinstance(
        error.__cause__, OfflineModeIsEnabled | httpx.TransportError | ConnectionError
    )


def fetch_files(
    found: HubModel, revision: str, names: Sequence[str], token: str | None = None
) -> Path:
    """Return the folder with these files of a model repo, fetched unless they are there.

    revision: as it was asked for, so that the same name is known without a network later.
    """
    quiet = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        with hub_errors(found.repo_id, "model", revision):
            folder = Path(
                snapshot_download(
                    found.repo_id,
                    revision=revision or "main",
                    allow_patterns=list(names),
                    token=usable_token(token),
                )
            )
    finally:
        if not quiet:
            enable_progress_bars()
    if folder.name != found.commit:
        raise HubError(f"`{found.repo_id}` was changed at this very moment.", "Try again.")
    return folder


def kept_folder(repo_id: str, revision: str, name: str) -> Path | None:
    """Return the folder with a file that was fetched before; None if it was not."""
    with hub_errors(repo_id, "model", revision):
        path = try_to_load_from_cache(repo_id, name, revision=revision or "main")
    return Path(path).parent if isinstance(path, str) else None


@dataclass(frozen=True)
class Found:
    """An adapter that a search has found."""

    repo_id: str
    downloads: int
    changed: str  # the day; empty if the Hub does not say
    private: bool


def base_tag(base_model: str) -> str:
    """Return the tag of adapters for a base model: the Hub's own, or ours for one without repo."""
    return f"base_model:{base_model}" if "/" in base_model else f"{TAG}-{base_model}"


def search_adapters(base_model: str, token: str | None = None) -> list[Found]:
    """Return the shared adapters for a base model, most used first; a HubError without an answer.

    base_model: a repo id or `tiny`; empty: for any. What is private is found by its owner only.
    """
    tags = [TAG, *([base_tag(base_model)] if base_model else [])]
    known = usable_token(token)
    with hub_errors("models", "model"):
        answer = get_session().get(
            f"{constants.ENDPOINT}/api/models",
            params={"filter": tags, "limit": MOST_FOUND, "sort": "downloads", "full": "true"},
            headers=build_hf_headers(token=known),
            timeout=SEARCH_SECONDS,
        )
        hf_raise_for_status(answer)
        listed = answer.json()
    found = [
        Found(
            str(one["id"]),
            int(one.get("downloads") or 0),
            str(one.get("lastModified") or "")[:10],
            bool(one.get("private")),
        )
        for one in listed
        if isinstance(one, dict) and one.get("id") and set(tags) <= set(one.get("tags") or ())
    ]
    return sorted(found, key=lambda one: -one.downloads)[:MOST_FOUND]


@dataclass
class Searches:
    """Searches whose answers are used again for a while, by whoever may see them."""

    answers: dict[tuple[str, str], tuple[float, list[Found]]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, base_model: str, token: str = "") -> list[Found]:
        """Return the same as `search_adapters`; an error is not kept."""
        key = (base_model, hashlib.sha256(token.encode()).hexdigest())
        with self.lock:
            told, found = self.answers.get(key, (0.0, []))
        if told and time.monotonic() - told < BELIEVED_SECONDS:
            return found
        found = search_adapters(base_model, token)
        with self.lock:
            while len(self.answers) >= MOST_ANSWERS:
                self.answers.pop(next(iter(self.answers)))
            self.answers[key] = (time.monotonic(), found)
        return found
