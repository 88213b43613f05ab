"""An adapter on the Hub: what goes there, shown before it is sent, in one commit."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ocrtune.adapter_card import TAG, AdapterFacts, adapter_card, shared_report
from ocrtune.config import PushAdapterConfig
from ocrtune.errors import HubError, ModelError
from ocrtune.events import Emit, Note, Saved, silent
from ocrtune.families.digests import weights_digest
from ocrtune.hub_adapters import HubModel, find_own_model
from ocrtune.hub_writing import Published, publish
from ocrtune.report import read_report
from ocrtune.shared_adapters import (
    CONFIG_FILE,
    CONTRACT_FILE,
    DETAILS_FILE,
    WEIGHTS_FILE,
    read_values,
)

REPORT_FILE, CARD_FILE = "report.json", "README.md"
OURS = (WEIGHTS_FILE, CONFIG_FILE, CONTRACT_FILE, DETAILS_FILE, REPORT_FILE, CARD_FILE)
MERGED = "-merged"  # behind the name of the adapter's repo
USUAL_FILES = (".gitattributes", CARD_FILE)  # which the Hub makes itself


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where a push goes, and who sees it there."""

    repo_id: str
    private: bool
    is_new: bool
    stale: tuple[str, ...] = ()  # files of an earlier push that go, unless they are sent again

    @property
    def words(self) -> str:
        """A sentence that is shown before anything is sent."""
        who = "private: only you see it" if self.private else "public: everybody sees it"
        made = "a new repository" if self.is_new else "a repository that is there already"
        return f"Pushing to `{self.repo_id}` on the Hub, {made}, {who}."


def find_destination(config: PushAdapterConfig, repo_id: str, token: str) -> Destination:
    """Return where the push goes; a HubError if others would see what was not meant for them."""
    found = find_own_model(repo_id, token)
    if found is None:
        return Destination(repo_id=repo_id, private=not config.public, is_new=True)
    if not found.private and not config.public:
        raise HubError(
            f"`{repo_id}` is public, and this push was to be private: nothing was sent.",
            "Say `--public` (on the page: choose public), or name another repository.",
        )
    refuse_foreign(found)
    stale = tuple(name for name in OURS if name in found.sizes)
    return Destination(repo_id=repo_id, private=found.private, is_new=False, stale=stale)


def refuse_foreign(found: HubModel) -> None:
    """Raise a HubError if a repo holds something that ocrtune has not put there."""
    if TAG in found.tags or not set(found.sizes) - set(USUAL_FILES):
        return
    raise HubError(
        f"`{found.repo_id}` holds something else than an adapter of ocrtune: nothing was sent.",
        "Name another repository.",
    )


def adapter_folder(run: str) -> Path:
    """Return the folder of a run's adapter, whole; a ModelError if there is none."""
    folder = Path(run) / "adapter" if (Path(run) / "adapter").is_dir() else Path(run)
    for name in (WEIGHTS_FILE, CONFIG_FILE, CONTRACT_FILE):
        if not (folder / name).is_file():
            raise ModelError(
                f"`{run}` holds no adapter: {name} is missing.",
                "Name the folder of a finished run, or RUN/adapter.",
            )
    return folder


def gather_facts(config: PushAdapterConfig) -> AdapterFacts:
    """Return everything the card tells; nothing is sent."""
    folder = adapter_folder(config.run)
    details = folder / DETAILS_FILE
    report = read_report(Path(config.report) / REPORT_FILE) if config.report else None
    contract = read_values(folder / CONTRACT_FILE, f"`{CONTRACT_FILE}` of `{config.run}`")
    told = ((report or {}).get("conditions") or {}).get("adapter_revision")
    if told and told != weights_digest(folder):
        raise ModelError(
            f"The report in `{config.report}` is about other weights than these.",
            "Compare again, or name the report of this adapter.",
        )
    return AdapterFacts(
        repo_id=config.repo_id,
        contract=contract,
        details=read_values(details, f"`{DETAILS_FILE}`") if details.is_file() else {},
        report=report,
        examples=config.examples,
        license=config.license,
        dataset=config.dataset,
        merged=f"{config.repo_id}{MERGED}" if config.merged else "",
    )


def files_of(config: PushAdapterConfig, facts: AdapterFacts) -> dict[str, Path | bytes]:
    """Return the files that go to the Hub, by their names there."""
    folder = adapter_folder(config.run)
    files: dict[str, Path | bytes] = {
        name: folder / name
        for name in (WEIGHTS_FILE, CONFIG_FILE, CONTRACT_FILE, DETAILS_FILE)
        if (folder / name).is_file()
    }
    if facts.report:
        values = shared_report(facts.report, facts.repo_id, facts.examples)
        files[REPORT_FILE] = as_json(values)
    files[CARD_FILE] = adapter_card(facts).encode()
    return files


def as_json(values: Mapping) -> bytes:
    """Return values as the bytes of a JSON file."""
    return (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode()


def push_adapter(
    config: PushAdapterConfig, token: str, emit: Emit = silent, merged: Path | None = None
) -> Published:
    """Push a run's adapter in one commit, and return where it is.

    merged: the folder of the merged model, which goes to a repo of its own first. A push that
    failed can be repeated.
    """
    facts = gather_facts(config)
    goal = find_destination(config, config.repo_id, token)
    emit(Note(goal.words))
    if merged:
        push_merged(config, merged, token, emit)
    files = files_of(config, facts)
    removed = [name for name in goal.stale if name not in files]
    message = "An adapter of ocrtune" if goal.is_new else "The adapter anew"
    made = publish(config.repo_id, "model", files, message, token, not config.public, removed)
    emit(Saved("shared", made.address))
    return made


def push_merged(config: PushAdapterConfig, folder: Path, token: str, emit: Emit) -> Published:
    """Push the merged model in one commit, and return where it is."""
    repo_id = f"{config.repo_id}{MERGED}"
    goal = find_destination(config, repo_id, token)
    emit(Note(goal.words))
    files: dict[str, Path | bytes] = {
        path.name: path for path in sorted(folder.iterdir()) if path.is_file()
    }
    front = f'---\ntags: ["{TAG}", "ocr"]\npipeline_tag: image-to-text\n'
    if config.license:
        front += f'license: "{config.license}"\n'
    text = (folder / CARD_FILE).read_text("utf-8") if (folder / CARD_FILE).is_file() else ""
    linked = f"The adapter alone: [{config.repo_id}](https://huggingface.co/{config.repo_id}).\n\n"
    files[CARD_FILE] = f"{front}---\n\n{linked}{text}".encode()
    made = publish(repo_id, "model", files, "The merged model", token, not config.public)
    emit(Saved("shared", made.address))
    return made
