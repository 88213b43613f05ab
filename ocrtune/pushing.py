"""Sharing a dataset on the Hub: what goes where is told first, then all of it appears at once.

`plan_push` looks and changes nothing; `push_dataset` does what the plan says. Repeated after it
failed, it sends what is missing; repeated without a change, it finds that everything is there.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ocrtune.cards import (
    BEGIN,
    DatasetCard,
    Mark,
    files_digest,
    joined,
    read_mark,
    with_metadata,
    with_text,
)
from ocrtune.config import PushDatasetConfig
from ocrtune.dataset_facts import Counts, DatasetFacts, measure_dataset, read_contract, told_of
from ocrtune.dataset_files import FEATURES, as_columns, in_groups, staging, stream_samples
from ocrtune.errors import DatasetError, HubConflictError, HubError
from ocrtune.events import Emit, Progress, silent
from ocrtune.hub_datasets import DatasetRepo, Staged, Standing, is_public, parts_of, whole_card
from ocrtune.records import Sample

TRIES = 3  # of the last commit, when somebody else changes the repo at that moment
USUAL_FILES = re.compile(r"\.gitattributes|README\.md|\.gitignore|LICEN[CS]E.*", re.I)
MIB = 1024 * 1024
SHARED_FEATURES = FEATURES | {"picture_id": {"dtype": "string", "_type": "Value"}}
SHARED_SCHEMA = pa.schema(
    [
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("text", pa.string()),
        ("picture_id", pa.string()),
    ],
    metadata={"huggingface": json.dumps({"info": {"features": SHARED_FEATURES}})},
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a push would do."""

    config: PushDatasetConfig
    repo: DatasetRepo
    facts: DatasetFacts
    standing: Standing  # of the branch, as it was looked at
    card: DatasetCard

    @property
    def branch(self) -> str:
        return self.config.revision or "main"

    @property
    def private(self) -> bool:
        """Whether only its owners will see it: a repo that is there stays as visible as it is."""
        there = self.standing.private
        return self.config.private if there is None else there

    @property
    def is_there(self) -> bool:
        """Whether the branch holds this very dataset already."""
        mark = read_mark(self.standing.card)
        data = self.standing.data
        return bool(data) and mark == Mark(self.facts.digest, files_digest(data))

    def lines(self) -> list[str]:
        """Return the destination in words, for people to read before anything is sent."""
        there = self.standing.private is not None
        owner = self.repo.repo_id.partition("/")[0]
        few = "you" if owner == self.repo.account else f"members of {owner}"
        kind = f"only {few} (private)" if self.private else "everybody (public)"
        counts = ", ".join(f"{split} {one.samples:,}" for split, one in self.facts.splits.items())
        branch = "" if self.branch == "main" else f", branch {self.branch}"
        lines = [
            f"To: {self.repo.address}{branch} ({'as it is now' if there else 'new'})",
            f"As: {self.repo.account}",
            f"Seen by: {kind}",
            f"What: {counts}; {self.facts.picture_bytes / MIB:.1f} MiB of pictures",
        ]
        if there and self.private and not self.config.private:
            lines.append("It is private and stays so; make it public in its settings on the Hub.")
        return lines


@dataclass(frozen=True)
class PushedDataset:
    """What a push has led to."""

    address: str
    commit: str  # of the branch now
    changed: str  # `data`, `card`, or `nothing`: it was there already


def plan_push(config: PushDatasetConfig, token: str, emit: Emit = silent) -> Plan:
    """Return what a push would do; an error if it cannot be done. Nothing is changed yet."""
    contract = read_contract(config.run) if config.run else None
    repo = DatasetRepo(config.repo_id, token)
    branch = config.revision or "main"
    standing = repo.look(branch)
    if config.private and standing.private is False:
        raise is_public(repo.repo_id)
    refuse_foreign(repo.repo_id, standing)
    facts = measure_dataset(config.data, emit)
    known = parts_of(standing.card)[0].get("license")
    card = DatasetCard(
        repo_id=repo.repo_id,
        facts=facts,
        license=config.license or (known if isinstance(known, str) else ""),
        languages=config.languages,
        revision=config.revision,
        contract=contract,
    )
    return Plan(config=config, repo=repo, facts=facts, standing=standing, card=card)


def refuse_foreign(repo_id: str, standing: Standing) -> None:
    """Refuse a repo that holds anything that was not pushed by ocrtune."""
    others = [name for name in standing.files or () if not USUAL_FILES.fullmatch(name)]
    if others and BEGIN not in standing.card:
        raise HubError(
            f"`{repo_id}` holds files that ocrtune did not put there, such as `{others[0]}`.",
            "Choose another name: a push would take the place of them.",
        )


def push_dataset(plan: Plan, emit: Emit = silent) -> PushedDataset:
    """Do what the plan says; a HubError says why it cannot be, and then nobody sees a change."""
    if plan.is_there:
        return take_over(plan, None)
    plan.repo.make(plan.private)
    with staging(Path(plan.config.data)) as folder:
        splits = write_splits(plan, folder, emit)
        emit(Progress("send", 0, 0))
        staged = plan.repo.stage(splits, plan.facts.digest[:16])
    if plan.branch != "main":
        plan.repo.branch_off(plan.branch)
    pushed = take_over(plan, staged)
    plan.repo.sweep()
    return pushed


def take_over(plan: Plan, staged: Staged | None) -> PushedDataset:
    """Let readers see what was staged, with the card; without it, the card alone if it differs."""
    repo, told = plan.repo, plan.config.message or "Push the dataset with ocrtune"
    for tries_left in reversed(range(TRIES)):
        before = repo.look(plan.branch) if staged else plan.standing
        if before.private is False and plan.private:  # somebody has just made it so
            raise is_public(repo.repo_id)
        refuse_foreign(repo.repo_id, before)
        card = render(plan, before, staged)
        if not staged and card == before.card:
            return PushedDataset(repo.address, before.commit, "nothing")
        try:
            commit = repo.take_over(staged, card, before, plan.branch, told)
        except HubConflictError:
            if not tries_left or not staged:
                raise
            continue
        return PushedDataset(repo.address, commit, "data" if staged else "card")
    raise AssertionError("unreachable")


def render(plan: Plan, before: Standing, staged: Staged | None) -> str:
    """Return the whole card as it will be beside the files."""
    known, body = parts_of(before.card)
    files = staged.files if staged else before.data
    told = plan.card.metadata()
    if not plan.config.languages:  # what people wrote there is more than scripts can tell
        told["language"] = joined(known.get("language"), told.get("language"))
    if staged:
        told["dataset_info"] = staged.metadata.get("dataset_info")
    told["configs"] = [
        {
            "config_name": "default",
            "data_files": [
                {"split": split, "path": f"data/{split}-*"} for split in plan.facts.splits
            ],
        }
    ]
    return whole_card(
        with_metadata(known, told), with_text(body, plan.card.text(files_digest(files)))
    )


def write_splits(plan: Plan, folder: Path, emit: Emit) -> dict[str, Path]:
    """Write the splits as files of Arrow, which are read without being loaded; return them."""
    counts, paths = Counts(), {}
    total = plan.facts.samples
    for split in plan.facts.splits:
        paths[split] = folder / f"{split}.arrow"
        samples = stream_samples(plan.config.data, split)
        told = told_of(samples, emit, len(counts.lengths), total, "pack")
        write_split(paths[split], counted(told, split, counts))
    if counts.digest.hexdigest() != plan.facts.digest:
        raise DatasetError(
            "The dataset was changed while it was being pushed. Nothing was sent.", "Push it again."
        )
    return paths


def counted(samples: Iterator[Sample], split: str, counts: Counts) -> Iterator[Sample]:
    """Yield the samples as they are counted."""
    for sample in samples:
        counts.take(split, sample)
        yield sample


def write_split(path: Path, samples: Iterator[Sample]) -> None:
    """Write samples to a file of Arrow, a bounded batch at a time."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, SHARED_SCHEMA) as writer:
        for group in in_groups(samples):
            columns = list(as_columns(group))
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=SHARED_SCHEMA))
