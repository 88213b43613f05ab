"""Datasets on the Hub: written with `datasets`' own `push_to_hub`, seen by others whole or not.

`push_to_hub` writes its files in as many commits as it takes, to a branch of their own. A single
commit on the branch that people read then takes them over, with the card, and removes what is not
wanted any more. Until then a reader sees what was there before.
"""

import contextlib
import errno
import importlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    DatasetCardData,
    HfApi,
)
from huggingface_hub import DatasetCard as HubCard
from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.hf_api import DatasetInfo, RepoFile

from ocrtune.errors import DatasetError, HubConflictError, HubError, OcrtuneError
from ocrtune.hub import DATASET
from ocrtune.hub_pages import hub_page
from ocrtune.hub_words import hub_error
from ocrtune.hub_writing import (
    WRITING_SECONDS,
    be_patient,
    quoted,
    user_of,
    writing_errors,
)

README = "README.md"
DATA = "data/"  # where `push_to_hub` puts the files
STAGED = "ocrtune-push-"  # how branches of unfinished pushes begin
SPLITS_MODULE = "ocrtune.hub_splits"  # takes seconds to import, and only a change needs it
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a branch of a repo holds now."""

    commit: str = ""  # empty: there is no such branch, or no repo
    private: bool | None = None  # None: there is no repo
    files: Mapping[str, str] | None = None  # the digest of each file, by its name
    card: str = ""  # the whole README

    @property
    def data(self) -> dict[str, str]:
        """The files of the dataset itself."""
        return {name: one for name, one in (self.files or {}).items() if name.startswith(DATA)}


@dataclass(frozen=True)
class Staged:
    """What a push has put on a branch of its own."""

    branch: str
    commit: str
    files: Mapping[str, str]  # the digest of each file of the dataset, by its name
    metadata: Mapping  # what `datasets` says of them on a card


class DatasetRepo:
    """A dataset repo that a user may write to, or that is not there yet."""

    def __init__(self, repo_id: str, token: str) -> None:
        if not token:
            raise hub_error("nobody", repo=repo_id)
        be_patient()
        self.account = user_of(token)
        self.repo_id = repo_id if "/" in repo_id else f"{self.account}/{repo_id}"
        self.token = token
        self.api = HfApi(token=token)
        self.where = {"repo_id": self.repo_id, "repo_type": DATASET}

    @property
    def address(self) -> str:
        """The page of the dataset."""
        return hub_page(self.repo_id, DATASET)

    def look(self, branch: str) -> Standing:
        """Return what a branch holds now."""
        with self.errors():
            try:
                private = self.about().private
            except RepositoryNotFoundError as error:
                if error.response.status_code == 401:  # which the Hub says of every bad token
                    raise
                return Standing()
            try:
                commit = self.about(branch).sha
            except RevisionNotFoundError:
                return Standing(private=private)
            files = self.files(commit)
            card = self.read(README, commit) if README in files else ""
        return Standing(commit=commit, private=private, files=files, card=card)

    def about(self, revision: str | None = None) -> DatasetInfo:
        """Return what the Hub tells of the repo, which it is not waited for without an end."""
        return self.api.repo_info(**self.where, revision=revision, timeout=WRITING_SECONDS)

    def files(self, revision: str) -> dict[str, str]:
        """Return the digest of each file at a revision, by its name."""
        listed = self.api.list_repo_tree(**self.where, revision=revision, recursive=True)
        return {
            one.path: one.lfs.sha256 if one.lfs else one.blob_id
            for one in listed
            if isinstance(one, RepoFile)
        }

    def read(self, name: str, commit: str) -> str:
        """Return a small file of text; bytes that are none become marks of their own."""
        with tempfile.TemporaryDirectory(prefix="ocrtune-") as folder:
            path = self.api.hf_hub_download(
                **self.where, filename=name, revision=commit, local_dir=folder
            )
            return Path(path).read_text("utf-8", errors="replace")

    def make(self, private: bool) -> None:
        """Make the repo unless it is there; a HubError if others see what they shall not."""
        with self.errors():
            self.api.create_repo(**self.where, private=private, exist_ok=True)
            if private and not self.about().private:
                raise is_public(self.repo_id)

    def stage(self, splits: Mapping[str, Path], name: str) -> Staged:
        """Push these splits, a file of Arrow each, to a branch of their own.

        What reached the Hub in an earlier try is not sent again.
        """
        branch = f"{STAGED}{name}"
        splitting = importlib.import_module(SPLITS_MODULE)
        with self.errors():
            splitting.push_splits(self.repo_id, branch, splits, self.token)
        found = self.look(branch)
        return Staged(branch, found.commit, found.data, metadata(found.card))

    def take_over(
        self, staged: Staged | None, card: str, before: Standing, branch: str, message: str
    ) -> str:
        """Put a card, and the files that were staged, on a branch by one commit; return it.

        A HubConflictError says that the branch has changed since it was looked at.
        """
        changes: list = [CommitOperationAdd(README, card.encode())]
        if staged:
            changes += [
                CommitOperationCopy(name, name, src_revision=staged.commit)
                for name, digest in staged.files.items()
                if before.data.get(name) != digest
            ]
            gone = sorted(before.data.keys() - staged.files.keys())
            changes += [CommitOperationDelete(name, is_folder=False) for name in gone]
        with self.errors():
            made = self.api.create_commit(
                **self.where,
                operations=changes,
                commit_message=message,
                revision=branch,
                parent_commit=before.commit,
            )
        return made.oid

    def branch_off(self, branch: str) -> None:
        """Begin a branch where `main` stands, unless it is there."""
        with self.errors():
            self.api.create_branch(**self.where, branch=branch, exist_ok=True)

    def sweep(self) -> None:
        """Remove the branches of pushes; one that stays does no harm and goes the next time."""
        with contextlib.suppress(HubError), self.errors():
            for one in self.api.list_repo_refs(**self.where).branches:
                if one.name.startswith(STAGED):
                    self.api.delete_branch(**self.where, branch=one.name)

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what the clients raise into a HubError; a DatasetError if the disk is full."""
        try:
            with writing_errors(self.repo_id):
                yield
        except FileNotFoundError as error:  # what they say of a repo, too
            raise HubError(
                f"`{self.repo_id}` on the Hub was deleted or renamed meanwhile.", "Push again."
            ) from error
        except HubError as error:
            raise explained(self.repo_id, error) from error


def explained(repo_id: str, error: HubError) -> OcrtuneError:
    """Return what the error means for who pushes a dataset, or the error itself."""
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno in FULL:
        return DatasetError(
            f"The files to send cannot be written: {cause.strerror}.",
            "Make room on the disk, then push again.",
        )
    if isinstance(cause, RevisionNotFoundError):  # whoever pushed last has cleared up
        return HubConflictError(
            f"Somebody else has pushed to `{repo_id}` at the same time.", "Push again."
        )
    if isinstance(cause, ValueError) and str(cause).startswith("Invalid metadata"):
        told = " ".join(str(cause).split("\n")[1:])
        return HubError(
            f"The Hub refuses what the card (`README.md`) says to machines.{quoted(told)}",
            "Correct the first lines of the card on the Hub, then push again.",
        )
    return error


def is_public(repo_id: str) -> HubError:
    """Return the error for a repo that everybody sees, where a private one was meant."""
    return HubError(
        f"`{repo_id}` is public: everybody would see the pictures and texts. Nothing was sent.",
        "Push with `--public` (on the page: choose public), make it private in its settings on the "
        "Hub, or choose another name.",
    )


def parts_of(card: str) -> tuple[dict, str]:
    """Return what a card says to machines, and the rest of it."""
    if not card.strip():
        return {}, ""
    try:
        read = HubCard(card, ignore_metadata_errors=True)
        return read.data.to_dict(), read.text
    except Exception as error:  # of the YAML parser, which has a dozen of its own
        raise HubError(
            "The card (`README.md`) of that dataset begins with lines that are no YAML.",
            "Correct it on the Hub, or choose another name.",
        ) from error


def metadata(card: str) -> dict:
    """Return what a card says to machines."""
    return parts_of(card)[0]


def whole_card(told: Mapping, body: str) -> str:
    """Return a card of what it says to machines and to people."""
    return f"---\n{DatasetCardData(**told).to_yaml()}\n---\n\n{body.lstrip()}"
