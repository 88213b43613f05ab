"""One Space of the Hub: what it is made of now, and each thing about it that can be changed."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub import Volume as HubVolume
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile

from ocrtune.errors import HubError
from ocrtune.hub_words import BILLING
from ocrtune.hub_writing import TOKENS, be_patient, quoted, user_of, writing_errors
from ocrtune.space_manifest import REPO_NAME, Volume

SPACE = "space"
AN_HOUR = {"second": 3600, "minute": 60, "hour": 1}


@dataclass(frozen=True, kw_only=True)
class SpaceState:
    """What a Space is made of; a Space that is not there has nothing."""

    exists: bool = False
    private: bool = False
    head: str = ""  # its newest commit
    files: Mapping[str, str] = field(default_factory=dict)  # digest of each, as `FileDigest` has it
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()  # their names: nobody can read the values back
    volumes: tuple[Volume, ...] = ()
    hardware: str = "cpu-basic"  # that was asked for last
    sleep_time: int | None = None  # seconds
    stage: str = ""  # the Hub's word for how it is doing


class SpaceRepo:
    """A Space, seen with the token of who deploys it."""

    def __init__(self, repo_id: str, token: str) -> None:
        if not token:
            raise HubError(
                f"Nobody is signed in who could deploy `{repo_id}`.",
                f"Sign in with `hf auth login`, with a token of {TOKENS} that may write.",
            )
        be_patient()
        self.repo_id = repo_id
        self.api = HfApi(token=token)
        self.where = {"repo_id": repo_id, "repo_type": SPACE}

    @classmethod
    def find(cls, words: str, name: str, token: str) -> "SpaceRepo":
        """Return the Space that was named as `USER/NAME`, or by its name, or the user's `name`."""
        user, slash, last = words.removeprefix("spaces/").partition("/")
        if slash and not (REPO_NAME.fullmatch(user) and REPO_NAME.fullmatch(last)):
            raise HubError(f"`{words}` names no Space.", "Use the form `USER/NAME`.")
        if slash or not token:
            return cls(f"{user}/{last}" if slash else words or name, token)
        return cls(f"{user_of(token)}/{words or name}", token)

    @property
    def address(self) -> str:
        return f"{self.api.endpoint.rstrip('/')}/spaces/{self.repo_id}"

    def look(self) -> SpaceState:
        """Return what the Space is made of now."""
        with space_errors(self.repo_id, "reading it"):
            try:
                about = self.api.repo_info(**self.where)
            except RepositoryNotFoundError as error:
                if error.response.status_code == 401:  # which the Hub says of every bad token
                    raise
                return SpaceState()
            runtime = self.api.get_space_runtime(self.repo_id)
            tree = self.api.list_repo_tree(**self.where, recursive=True, revision=about.sha)
            variables = self.api.get_space_variables(self.repo_id)
            return SpaceState(
                exists=True,
                private=bool(about.private),
                head=about.sha or "",
                files={one.path: digest_of(one) for one in tree if isinstance(one, RepoFile)},
                variables={name: one.value for name, one in variables.items()},
                secrets=frozenset(self.api.get_space_secrets(self.repo_id)),
                volumes=tuple(map(our_volume, runtime.volumes or ())),
                hardware=runtime.requested_hardware or runtime.hardware or "cpu-basic",
                sleep_time=runtime.sleep_time,
                stage=runtime.stage,
            )

    def read(self, name: str, commit: str, folder: Path) -> bytes:
        """Return a file of the Space; empty if it has none of that name."""
        with writing_errors(self.repo_id):
            if not self.api.file_exists(self.repo_id, name, repo_type=SPACE, revision=commit):
                return b""
            path = self.api.hf_hub_download(
                **self.where, filename=name, revision=commit, local_dir=folder
            )
            return Path(path).read_bytes()

    def prices(self) -> dict[str, float]:
        """Return what can be had now, in dollars an hour; a HubError if the Hub does not say."""
        with space_errors(self.repo_id, "asking for prices"):
            found = self.api.list_spaces_hardware()
        return {one.name: one.unit_cost_usd * AN_HOUR.get(one.unit_label, 60) for one in found}

    def create(self, private: bool, sdk: str) -> None:
        """Make the Space, empty and on free hardware, unless it is there."""
        with space_errors(self.repo_id, "creating it"):
            self.api.create_repo(**self.where, private=private, exist_ok=True, space_sdk=sdk)

    def show_to(self, visibility: str) -> None:
        """Let everybody see the Space, or only its owner; visibility: public or private."""
        with space_errors(self.repo_id, f"making it {visibility}"):
            self.api.update_repo_settings(**self.where, visibility=visibility)

    def set_variable(self, name: str, value: str) -> None:
        """Set a variable, which everybody who sees the Space may see."""
        with space_errors(self.repo_id, f"setting `{name}`"):
            self.api.add_space_variable(self.repo_id, name, value)

    def remove_variable(self, name: str) -> None:
        """Remove a variable."""
        with space_errors(self.repo_id, f"removing `{name}`"):
            self.api.delete_space_variable(self.repo_id, name)

    def set_secret(self, name: str, value: str) -> None:
        """Set a secret, which nobody can read back."""
        with space_errors(self.repo_id, f"setting `{name}`"):
            self.api.add_space_secret(self.repo_id, name, value)

    def make_bucket(self, bucket_id: str) -> None:
        """Make a private bucket unless it is there."""
        with space_errors(bucket_id, "creating this bucket"):
            self.api.create_bucket(bucket_id, private=True, exist_ok=True)

    def set_volumes(self, volumes: Sequence[Volume]) -> None:
        """Mount these volumes and no others."""
        with space_errors(self.repo_id, "mounting its volumes"):
            self.api.set_space_volumes(self.repo_id, list(map(hub_volume, volumes)))

    def upload(
        self, files: Mapping[str, Path], removed: Sequence[str], parent: str, message: str
    ) -> None:
        """Send and remove files by one commit; a HubConflictError: `parent` is not the newest."""
        changes = [CommitOperationAdd(name, source) for name, source in files.items()]
        changes += [CommitOperationDelete(name, is_folder=False) for name in removed]
        with space_errors(self.repo_id, "sending its files"):
            self.api.create_commit(
                **self.where,
                operations=changes,
                commit_message=message,
                parent_commit=parent or None,
            )

    def set_hardware(self, hardware: str) -> None:
        """Ask for a machine; it is billed as long as the Space runs."""
        with space_errors(self.repo_id, f"the machine `{hardware}`"):
            self.api.request_space_hardware(self.repo_id, hardware)

    def set_sleep_time(self, seconds: int) -> None:
        """Let the Space go to sleep so long after its last visitor."""
        with space_errors(self.repo_id, "its sleep time"), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of free hardware, where it is fixed
            self.api.set_space_sleep_time(self.repo_id, seconds)


def digest_of(file: RepoFile) -> str:
    """Return by what the Hub tells a file from another: SHA-256 of a large one, git's of others."""
    return file.lfs.sha256 if file.lfs else file.blob_id


def our_volume(volume: HubVolume) -> Volume:
    """Return a volume as a manifest has it."""
    return Volume(
        type=volume.type,
        source=volume.source,
        mount_path=volume.mount_path,
        read_only=bool(volume.read_only),
    )


def hub_volume(volume: Volume) -> HubVolume:
    """Return a volume as the Hub's client has it."""
    return HubVolume(
        type=volume.type,
        source=volume.source,
        mount_path=volume.mount_path,
        read_only=volume.read_only,
    )


@contextmanager
def space_errors(repo_id: str, step: str) -> Iterator[None]:
    """Turn what the client raises into a HubError that names the step."""
    try:
        with writing_errors(repo_id):
            yield
    except HubError as error:
        cause = error.__cause__
        answer = cause.response if isinstance(cause, HfHubHTTPError) else None
        if answer is None or answer.status_code not in (400, 402):
            raise
        said = quoted(cause.server_message or "")
        if answer.status_code == 400:
            raise HubError(
                f"The Hub refuses {step} for `{repo_id}` (400).{said}",
                "Correct it in `space.yaml`.",
            ) from cause
        raise HubError(
            f"The Hub wants a payment for {step}: `{repo_id}` (402).{said}",
            f"Add a way to pay, or a plan, at {BILLING}.",
        ) from cause
