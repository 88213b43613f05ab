"""Writing to the Hugging Face Hub: whose token is used, repos, branches, commits, and refusals."""

import functools
import os
import re
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
    set_client_factory,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import disable_progress_bars, get_session

from ocrtune.errors import HubError
from ocrtune.hub import DATASET, USER_TOKEN
from ocrtune.hub_pages import hub_page
from ocrtune.hub_words import TOKENS as TOKENS
from ocrtune.hub_words import hub_error
from ocrtune.redaction import redact

WRITING_SECONDS = 90.0  # without a byte of an answer; the Hub itself takes up to 60 for a commit
LONGEST_QUOTE = 200  # characters of the Hub's own words
PASSING = (408, 429, 500, 502, 503, 504)  # answers that another try may turn to the better
FILES_SENT = re.compile(r"/(?:commit|preupload|objects/batch)")  # in addresses


def local_token() -> str:
    """Return the token that this process or machine is signed in with; empty if it is not.

    On a Space the machine's is its owner's, and nobody else's to use.
    """
    if token := os.environ.get(USER_TOKEN):
        return token
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


@dataclass(frozen=True)
class Published:
    """What a push left on the Hub."""

    address: str  # of the repo's page
    commit: str


def publish(
    repo_id: str,
    kind: str,
    files: Mapping[str, Path | bytes],
    message: str,
    token: str,
    private: bool = True,
    removed: Sequence[str] = (),
    space_sdk: str | None = None,
) -> Published:
    """Put files into a repo by one commit, all or nothing, and return where they are.

    kind: model, dataset or space. The repo is made if it is not there, private unless told
    otherwise; one that is there stays as visible as it is. removed: names that go in the same
    commit. A push that failed can be repeated: what reached the Hub is not sent again.
    """
    if not token:
        raise hub_error("nobody", repo=repo_id)
    be_patient()
    api = HfApi(token=token)
    where = {"repo_id": repo_id, "repo_type": kind}
    changes = [CommitOperationAdd(name, source) for name, source in files.items()]
    changes += [CommitOperationDelete(name, is_folder=False) for name in removed]
    with writing_errors(repo_id):
        api.create_repo(**where, private=private, exist_ok=True, space_sdk=space_sdk)
        made = api.create_commit(**where, operations=changes, commit_message=message)
    return Published(hub_page(repo_id, kind), made.oid)


class PrivateRepo:
    """A private dataset repo, of which every branch is changed by one commit at a time.

    token: of the user whose repo it is; this machine's own one never takes its place.
    """

    def __init__(self, repo_id: str, token: str) -> None:
        if not token:
            raise hub_error("nobody", repo=repo_id)
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
            raise hub_error("not_private", repo=self.repo_id)
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
        return hub_error("bad_repo", repo=repo_id)
    if isinstance(error, HfHubHTTPError) and error.response is not None:
        return refused(repo_id, error)
    if isinstance(error, httpx.HTTPError | OSError | RuntimeError | ValueError):
        return hub_error("away", repo=repo_id)
    return error


def refused(repo_id: str, error: HfHubHTTPError) -> HubError:
    """Return the error for an answer of the Hub to somebody who wanted to write."""
    status, said = error.response.status_code, own_words(error)
    told = {"repo": repo_id, "status": str(status)}
    if status in PASSING:
        wait = error.response.headers.get("Retry-After", "")
        return (
            hub_error("busy_wait", **told, seconds=wait)
            if wait.isdigit()
            else hub_error("busy", **told)
        )
    if status == 401:
        return hub_error("no_token", **told)
    if "storage" in said.lower() or (status == 402 and FILES_SENT.search(str(error.response.url))):
        return hub_error("no_room", **told, said=said)
    if status in (409, 412):
        return hub_error("conflict", **told)
    if status == 404:
        return hub_error("not_found", **told)
    return hub_error({402: "not_paid", 403: "no_writing"}.get(status, "refused"), **told, said=said)


def own_words(error: HfHubHTTPError) -> str:
    """Return what the Hub said itself, without anything secret; empty if it said nothing."""
    return plain(error.server_message or "")


def plain(words: str) -> str:
    """Return words of the Hub's on one line, shortened, without anything secret."""
    return " ".join(redact(words).split())[:LONGEST_QUOTE].rstrip(".")


def quoted(words: str) -> str:
    """Return the Hub's own words as a sentence to add, without anything secret."""
    short = plain(words)
    return f" The Hub says: {short}." if short else ""
