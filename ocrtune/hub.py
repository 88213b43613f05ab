"""The only door to the Hugging Face Hub."""

import bisect
import functools
import io
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    get_token,
    hf_hub_url,
    set_client_factory,
    snapshot_download,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
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
    disable_progress_bars,
    get_session,
    hf_raise_for_status,
    http_backoff,
)

from ocrtune.errors import HubBusyError, HubConflictError, HubError
from ocrtune.redaction import redact

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
FIRST_BYTES, MOST_BYTES = 64 * 1024, 4 * 1024 * 1024  # asked for at once; grows as reading goes on
KEPT_BYTES = 16 * 1024 * 1024  # of a file, fetched last: columns are read side by side
RETRIES = 2
PATIENCE_SECONDS = 30.0  # for one answer
PLACES = {"model": "", "dataset": "datasets/"}  # in addresses of the Hub
WRITING_SECONDS = 90.0  # without a byte of an answer; the Hub itself takes up to 60 for a commit
LONGEST_QUOTE = 200  # characters of the Hub's own words
PASSING = (408, 429, 500, 502, 503, 504)  # answers that another try may turn to the better
TOKENS = "https://huggingface.co/settings/tokens"
AT_HOME = {
    "model": "or use `--base tiny`, which needs none",
    "dataset": "or build from files of this machine",
}


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


def usable_token(token: str | None) -> str | bool | None:
    """Return what the clients shall sign in with; None stands for this machine's own token.

    On a Space that one is its owner's, who did not lend it to visitors: nobody is signed in.
    """
    if token:
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
        raise HubError(
            f"`{repo_id}` asks its users to accept conditions.",
            f"Accept them on https://huggingface.co/{PLACES[kind]}{repo_id} and sign in with "
            "`hf auth login`.",
        ) from error
    except RepositoryNotFoundError as error:
        raise HubError(
            f"There is no {kind} `{repo_id}` on the Hub, or this account may not see it.",
            "Check the spelling; sign in with `hf auth login` if it is private."
            + (" There is no such file or folder here either." if kind == DATASET else ""),
        ) from error
    except RevisionNotFoundError as error:
        raise HubError(
            f"`{repo_id}` has no revision `{revision}`.", f"Use `main` or a commit of that {kind}."
        ) from error
    except HFValidationError as error:
        raise HubError(
            f"`{repo_id}` is not a repo id.",
            f"Use the form `name/{kind}`, as in the page's address.",
        ) from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise unreachable(repo_id, kind) from error
    except HfHubHTTPError as error:
        raise answered(repo_id, error) from error
    except (httpx.TransportError, ConnectionError) as error:
        raise unreachable(repo_id, kind) from error
    except OSError as error:
        raise HubError(
            f"`{repo_id}` cannot be stored: {error.strerror or error}.",
            "Make room on the disk (a 3 B model takes 7 GB) or point HF_HOME to another one.",
        ) from error


def answered(repo_id: str, error: HfHubHTTPError) -> HubError:
    """Return the error for an answer of the Hub that is no success."""
    answer = error.response
    if answer is None:
        return HubError(
            f"The Hub gave no sound answer when asked for `{repo_id}`.",
            "Try again in a few minutes.",
        )
    status = answer.status_code
    if status == 401:
        return HubError(
            f"The Hub does not accept this account's token (401) for `{repo_id}`.",
            "Sign in again with `hf auth login`, or unset HF_TOKEN.",
        )
    if status == 403:
        return HubError(
            f"This account may not read `{repo_id}` (403).", "Ask its owner, or use another token."
        )
    if status == 429:
        wait = answer.headers.get("Retry-After", "")
        when = f"in {wait} seconds" if wait.isdigit() else "in a few minutes"
        return HubError(
            f"The Hub was asked too often (429) when reading `{repo_id}`.",
            f"Try again {when}; signed in, more is allowed.",
        )
    return HubError(
        f"The Hub answered {status} when asked for `{repo_id}`.", "Try again in a few minutes."
    )


def unreachable(repo_id: str, kind: str) -> HubError:
    """Return the error for a Hub that does not answer."""
    return HubError(
        f"The Hub cannot be reached, and `{repo_id}` is not on this machine yet.",
        f"Check the connection, {AT_HOME[kind]}.",
    )


def local_token() -> str:
    """Return the token that this machine is signed in with; empty if it is not.

    On a Space that one is its owner's, and nobody else's to use.
    """
    return "" if os.environ.get("SYSTEM") == "spaces" else get_token() or ""


def user_of(token: str) -> str:
    """Return the name of the account that a token belongs to."""
    be_patient()
    with writing_errors("your account"):
        return HfApi(token=token).whoami()["name"]


@functools.cache
def be_patient() -> None:
    """Give the clients of this process a limit of time, which they lack, and keep them quiet."""

    usual = get_session()

    def make_client() -> httpx.Client:
        hooks = usual.event_hooks  # keep to HF_HUB_OFFLINE, name each request
        return httpx.Client(event_hooks=hooks, timeout=WRITING_SECONDS, follow_redirects=True)

    set_client_factory(make_client)
    disable_progress_bars()


class PrivateRepo:
    """A private dataset repo, of which every branch is changed by one commit at a time.

    token: of the user whose repo it is; this machine's own one never takes its place.
    """

    def __init__(self, repo_id: str, token: str) -> None:
        if not token:
            raise HubError(
                f"Nobody is signed in who could use `{repo_id}`.",
                f"Sign in with `hf auth login`, with a token of {TOKENS} that may write.",
            )
        be_patient()
        self.repo_id = repo_id
        self.token = token
        self.api = HfApi(token=token)
        self.where = {"repo_id": repo_id, "repo_type": DATASET}

    def open(self, card: str) -> None:
        """Make the repo, with this README, unless it is there; refuse one that is not private."""
        with writing_errors(self.repo_id):
            try:
                about = self.api.repo_info(**self.where)
            except RepositoryNotFoundError as error:
                if error.response.status_code == 401:  # which the Hub says of every bad token
                    raise
                self.api.create_repo(**self.where, private=True, exist_ok=True)
                about = self.refuse_public(self.api.repo_info(**self.where))
                files = {"README.md": card.encode()}
                self.commit("main", files, (), about.sha, "What these branches are")
        self.refuse_public(about)

    def refuse_public(self, about: object) -> object:
        """Return what the Hub tells of the repo, or raise if not only its owner sees it."""
        if getattr(about, "private", None) is not True:
            raise HubError(
                f"`{self.repo_id}` is not private, so nothing is sent there.",
                "Make it private in its settings on the Hub, or name another repository.",
            )
        return about

    def head(self, branch: str) -> str:
        """Return the newest commit of a branch of a repo that is private; empty without one."""
        with writing_errors(self.repo_id):
            try:
                about = self.api.repo_info(**self.where, revision=branch)
            except RevisionNotFoundError:
                return ""
        return self.refuse_public(about).sha

    def begin(self, branch: str) -> str:
        """Return the first commit of a new branch."""
        with writing_errors(self.repo_id):
            self.api.create_branch(**self.where, branch=branch, exist_ok=True)
        return self.head(branch)

    def commit(
        self,
        branch: str,
        files: Mapping[str, Path | bytes],
        removed: Sequence[str],
        parent: str,
        message: str,
    ) -> str:
        """Put files in and take files out, all at once, and return the new commit.

        A HubConflictError says that `parent` is not the branch's newest commit.
        """
        changes = [CommitOperationAdd(name, source) for name, source in files.items()]
        changes += [CommitOperationDelete(name, is_folder=False) for name in removed]
        with writing_errors(self.repo_id):
            made = self.api.create_commit(
                **self.where,
                operations=changes,
                commit_message=message,
                revision=branch,
                parent_commit=parent,
            )
        return made.oid

    def squash(self, branch: str) -> str:
        """Leave one commit of a branch, so that the Hub drops what only older ones had."""
        with writing_errors(self.repo_id):
            self.api.super_squash_history(**self.where, branch=branch)
        return self.head(branch)

    def branches(self) -> list[str]:
        """Return the names of all branches but the main one."""
        with writing_errors(self.repo_id):
            refs = self.api.list_repo_refs(**self.where)
        return sorted(one.name for one in refs.branches if one.name != "main")

    def remove(self, branch: str) -> None:
        """Remove a branch."""
        with writing_errors(self.repo_id):
            self.api.delete_branch(**self.where, branch=branch)

    @contextmanager
    def borrowed(self, commit: str, name: str) -> Iterator[Path | None]:
        """Yield where a small file lies for a moment; None if it is not there."""
        with tempfile.TemporaryDirectory(prefix="ocrtune-") as folder:
            try:
                path = self.fetch(commit, name, Path(folder)) if commit else None
            except FileNotFoundError:
                path = None
            yield path

    def fetch(self, commit: str, name: str, folder: Path) -> Path:
        """Return where a file lies, fetched below the folder; FileNotFoundError if it is gone."""
        with writing_errors(self.repo_id):
            try:
                path = self.api.hf_hub_download(
                    **self.where, filename=name, revision=commit, local_dir=folder
                )
            except (RevisionNotFoundError, EntryNotFoundError) as error:
                if isinstance(error, LocalEntryNotFoundError):
                    raise
                raise FileNotFoundError(name) from error
        return Path(path)


@contextmanager
def writing_errors(repo_id: str) -> Iterator[None]:
    """Turn what the clients raise about a repo of the user's own into a HubError."""
    try:
        yield
    except (HubError, FileNotFoundError):
        raise
    except Exception as error:
        raise explained(repo_id, error) from error


def explained(repo_id: str, error: Exception) -> Exception:
    """Return the HubError for a failure; the failure itself if it is none of the Hub's."""
    inner = error.__cause__
    if isinstance(error, RuntimeError) and isinstance(inner, Exception):  # of one file of many
        return explained(repo_id, inner)
    if isinstance(error, HFValidationError):
        return HubError(f"`{repo_id}` is not a repo id.", "Use the form `USER/NAME`.")
    if isinstance(error, HfHubHTTPError) and error.response is not None:
        return refused(repo_id, error)
    if isinstance(error, httpx.HTTPError | OSError | RuntimeError | ValueError):
        return HubBusyError(
            f"`{repo_id}` on the Hub cannot be reached now.", "Check the connection and try again."
        )
    return error


def refused(repo_id: str, error: HfHubHTTPError) -> HubError:
    """Return the error for an answer of the Hub to somebody who wanted to write."""
    status = error.response.status_code
    said = quoted(error.server_message or "")
    if status in PASSING:
        wait = error.response.headers.get("Retry-After", "")
        return HubBusyError(
            f"The Hub answers {status} when `{repo_id}` is used.",
            f"Try again in {wait} seconds." if wait.isdigit() else "Try again in a few minutes.",
            float(wait) if wait.isdigit() else 0.0,
        )
    if status == 401:
        return HubError(
            f"The Hub does not accept the token (401) for `{repo_id}`.",
            f"Sign in again, with a token of {TOKENS} that may write.",
        )
    if status == 402 or "storage" in said.lower():
        return HubError(
            f"This account has no room left for `{repo_id}` ({status}).{said}",
            "Delete what is no longer needed on the Hub (it counts for up to 36 hours more), or "
            "choose another account.",
        )
    if status == 403:
        return HubError(
            f"This token may not write to `{repo_id}` (403).{said}",
            f"Use one of {TOKENS} that may write there, or a repository of your own.",
        )
    if status in (409, 412):
        return HubConflictError(
            f"`{repo_id}` was changed by somebody else meanwhile ({status}).", "Try again."
        )
    if status == 404:
        return HubError(
            f"There is no `{repo_id}` on the Hub, or this account may not see it.",
            "Check the spelling and who is signed in.",
        )
    return HubError(f"The Hub answers {status} when `{repo_id}` is used.{said}", "Try again.")


def quoted(words: str) -> str:
    """Return the Hub's own words as a sentence to add, without anything secret."""
    short = " ".join(redact(words).split())[:LONGEST_QUOTE].rstrip(".")
    return f" The Hub says: {short}." if short else ""
