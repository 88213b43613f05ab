"""The only door to the Hugging Face Hub."""

import bisect
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from huggingface_hub import (
    HfApi,
    hf_hub_url,
    snapshot_download,
)
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import (
    build_hf_headers,
    hf_raise_for_status,
    http_backoff,
)

from ocrtune.errors import HubError
from ocrtune.hub_pages import hub_page
from ocrtune.hub_words import hub_error

# Weights, sizes and words; never code, never pickles.
BASE_FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
    "preprocessor_config.json",
    "processor_config.json",
    "*.safetensors",
    "*.safetensors.index.json",
)


DATASET = "dataset"
USER_TOKEN = "OCRTUNE_USER_TOKEN"
FIRST_BYTES, MOST_BYTES = 64 * 1024, 4 * 1024 * 1024  # asked for at once; grows as reading goes on
KEPT_BYTES = 16 * 1024 * 1024  # of a file, fetched last: columns are read side by side
RETRIES = 2
PATIENCE_SECONDS = 30.0  # for one answer
REFUSALS = {401: "expired", 403: "no_reading"}


def fetch_base(
    repo_id: str, revision: str, files: Sequence[str] = BASE_FILES, token: str | None = None
) -> Path:
    """Return the folder of a base model's files, downloaded unless they are there already.

    The folder's name is the commit that `revision` (a branch, tag or commit) stands for.
    """
    with hub_errors(repo_id, "model", revision):
        return Path(
            snapshot_download(
                repo_id, revision=revision, allow_patterns=list(files), token=usable_token(token)
            )
        )


def fetch_config(repo_id: str, revision: str) -> Path:
    """Return the folder of a model of which only `config.json` is sure to be there."""
    return fetch_base(repo_id, revision, ("config.json",))


def use_token(token: str) -> None:
    """Let this whole process sign in with a user's token: a worker works for one user.

    It is kept where `redact` looks for what must not be shown, and where no child gets it from.
    """
    os.environ[USER_TOKEN] = token


def usable_token(token: str | None) -> str | bool | None:
    """Return what the clients shall sign in with; None stands for this machine's own token.

    On a Space that one is its owner's, who did not lend it to visitors: nobody is signed in.
    """
    if token := token or os.environ.get(USER_TOKEN):
        return token
    return False if os.environ.get("SYSTEM") == "spaces" else None


@dataclass(frozen=True, kw_only=True)
class HubDataset:
    """The files of a dataset at one commit."""

    repo_id: str
    commit: str
    sizes: dict[str, int]  # bytes of each file
    card: dict  # what its README says to machines
    token: str | bool | None

    def open(self, name: str) -> "HubFile":
        """Return the file, of which only what is read is fetched."""
        return HubFile(self, name)

    def read(self, name: str, most_bytes: int) -> bytes:
        """Return a whole file; a HubError if it is larger than `most_bytes`."""
        if self.sizes[name] > most_bytes:
            raise HubError(
                f"`{name}` of `{self.repo_id}` is larger than {most_bytes:,} bytes.",
                "Choose another dataset.",
            )
        with self.open(name) as stream:
            return stream.read()


def find_dataset(repo_id: str, revision: str, token: str | None) -> HubDataset:
    """Return the files of a dataset of the Hub; `revision` may be empty."""
    known = usable_token(token)
    with hub_errors(repo_id, DATASET, revision):
        about = HfApi(token=known).dataset_info(
            repo_id, revision=revision or None, files_metadata=True, timeout=PATIENCE_SECONDS
        )
    sizes = {file.rfilename: file.size or 0 for file in about.siblings or ()}
    return HubDataset(
        repo_id=about.id,
        commit=about.sha or revision or "main",
        sizes=sizes,
        card=about.card_data.to_dict() if about.card_data else {},
        token=known,
    )


class HubFile(io.RawIOBase):
    """A file of the Hub, fetched in ranges: small ones first, larger ones as reading goes on."""

    def __init__(self, dataset: HubDataset, name: str) -> None:
        self.repo_id, self.commit = dataset.repo_id, dataset.commit
        self.size = dataset.sizes[name]
        self.url = hf_hub_url(dataset.repo_id, name, repo_type=DATASET, revision=dataset.commit)
        self.headers = build_hf_headers(token=dataset.token)
        self.position = 0
        self.blocks: list[tuple[int, bytes]] = []  # the latest one last
        self.edges: list[int] = []  # rising; nothing is fetched ahead across one of them

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a place; nothing is fetched."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.size}[whence]
        self.position = max(0, base + offset)
        return self.position

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes, or all that are left."""
        left = self.size - self.position
        wanted = left if size is None or size < 0 else min(size, left)
        parts = []
        while wanted > 0:
            start, block = self.block_at(self.position, wanted)
            part = block[self.position - start : self.position - start + wanted]
            parts.append(part)
            self.position += len(part)
            wanted -= len(part)
        return b"".join(parts)

    def block_at(self, position: int, wanted: int) -> tuple[int, bytes]:
        """Return a block of the file that holds a position, and where it begins."""
        size = FIRST_BYTES
        for start, block in self.blocks:
            if start <= position < start + len(block):
                return start, block
            if start + len(block) == position:
                size = min(MOST_BYTES, 2 * len(block))
        wanted = min(wanted, MOST_BYTES)
        following = bisect.bisect_right(self.edges, position)
        edge = self.edges[following] if following < len(self.edges) else self.size
        end = min(max(position + wanted, min(position + size, edge)), self.size)
        found = position, self.fetch(position, end)
        self.blocks.append(found)
        while sum(len(block) for _, block in self.blocks) > KEPT_BYTES:
            self.blocks.pop(0)
        return found

    def fetch(self, start: int, end: int) -> bytes:
        """Return these bytes of the file."""
        headers = {**self.headers, "Range": f"bytes={start}-{end - 1}"}
        with hub_errors(self.repo_id, DATASET, self.commit):
            answer = http_backoff(
                "GET",
                self.url,
                headers=headers,
                max_retries=RETRIES,
                retry_on_status_codes=(500, 502, 503, 504),
                follow_redirects=True,
                timeout=PATIENCE_SECONDS,
            )
            hf_raise_for_status(answer)
            data = answer.content
        if answer.status_code == 200:  # ranges are not known there: it sent everything
            data = data[start:end]
        if len(data) != end - start:
            raise HubError(
                f"The Hub sent {len(data):,} bytes of `{self.repo_id}` in place of "
                f"{end - start:,}.",
                "Try again in a few minutes.",
            )
        return data


@contextmanager
def hub_errors(repo_id: str, kind: str, revision: str = "") -> Iterator[None]:
    """Turn what the Hub's clients raise about a repo into a HubError; kind: model or dataset."""
    try:
        yield
    except GatedRepoError as error:  # a RepositoryNotFoundError too, so it comes first
        raise hub_error("gated", repo=repo_id, page=hub_page(repo_id, kind)) from error
    except RepositoryNotFoundError as error:
        key = "missing_dataset" if kind == DATASET else "missing"
        raise hub_error(key, repo=repo_id, kind=kind) from error
    except RevisionNotFoundError as error:
        raise hub_error("no_revision", repo=repo_id, kind=kind, revision=revision) from error
    except HFValidationError as error:
        raise hub_error("bad_id", repo=repo_id, kind=kind) from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise hub_error(f"unreachable_{kind}", repo=repo_id) from error
    except HfHubHTTPError as error:
        raise answered(repo_id, error) from error
    except (httpx.TransportError, ConnectionError) as error:
        raise hub_error(f"unreachable_{kind}", repo=repo_id) from error
    except OSError as error:
        raise hub_error("no_storing", repo=repo_id, why=str(error.strerror or error)) from error


def answered(repo_id: str, error: HfHubHTTPError) -> HubError:
    """Return the error for an answer of the Hub that is no success."""
    answer = error.response
    if answer is None:
        return hub_error("unsound", repo=repo_id)
    status = answer.status_code
    if status in REFUSALS:
        return hub_error(REFUSALS[status], repo=repo_id)
    if status == 429:
        wait = answer.headers.get("Retry-After", "")
        return hub_error(
            "too_often_wait" if wait.isdigit() else "too_often", repo=repo_id, seconds=wait
        )
    return hub_error("answered", repo=repo_id, status=str(status))
