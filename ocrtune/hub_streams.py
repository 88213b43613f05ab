"""Datasets of the Hub that are no tables in parquet, streamed row by row by `datasets`."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import datasets
from datasets.utils.file_utils import xopen

from ocrtune.archive import MIB, cause
from ocrtune.columns import Column
from ocrtune.errors import DatasetError, HubError, OcrtuneError, QuestionError, did_you_mean
from ocrtune.ground_truth import clip
from ocrtune.hub import HubDataset, hub_errors
from ocrtune.remarks import Remark, remark
from ocrtune.table_types import describe

PACKED = "zip|tar|gzip|bz2|xz|zstd|lz4"  # archives that are looked into
EXAMPLES = 8
LEARNING_WEIGHT = 8  # of the split to learn from, where nobody says how large the splits are
SHUFFLED_ROWS = 1_000  # that are drawn from at a time


@dataclass(frozen=True)
class Stream:
    """The splits of a dataset, none of their rows read yet."""

    dataset: HubDataset
    parts: Mapping[str, datasets.IterableDataset]

    def splits(self) -> list[str]:
        """Return the names of the splits."""
        return list(self.parts)

    def columns(self, split: str) -> list[Column]:
        """Return what the columns hold."""
        with streaming(self.dataset):
            part = self.parts[split]
            examples = list(islice(part, EXAMPLES))
            features = part.features or datasets.Dataset.from_list(examples).features
            return describe(features.arrow_schema, examples)

    def weights(self, splits: list[str]) -> dict[str, int]:
        """Return how many rows the splits have, or a guess of their proportion."""
        known = {
            split: about.num_examples
            for split in splits
            if (about := (self.parts[split].info.splits or {}).get(split)) and about.num_examples
        }
        if len(known) == len(splits):
            return known
        return {split: LEARNING_WEIGHT if split == "train" else 1 for split in splits}

    def rows(self, split: str, count: int, seed: int | None) -> Iterator[dict[str, Any]]:
        """Yield so many rows: the first ones, or with a seed random ones."""
        part = self.parts[split]
        if seed is not None:
            part = part.shuffle(seed=seed, buffer_size=max(SHUFFLED_ROWS, count))
        with streaming(self.dataset):
            yield from part.take(count)

    def read(self, path: str, most_bytes: int) -> bytes | Remark:
        """Return the file at an address within the dataset."""
        if not is_within(path, self.dataset):
            return remark("no_picture", path=clip(path))
        settings = datasets.DownloadConfig(token=self.dataset.token)
        with streaming(self.dataset), xopen(path, "rb", download_config=settings) as stream:
            data = stream.read(most_bytes + 1)
        return data if len(data) <= most_bytes else remark("hub_large", most=most_bytes // MIB)


def open_stream(dataset: HubDataset, subset: str) -> Stream:
    """Return the splits of a dataset; a QuestionError where it has several subsets."""
    settings = {"revision": dataset.commit, "token": dataset.token}
    with streaming(dataset):
        subsets = datasets.get_dataset_config_names(dataset.repo_id, **settings)
    if subset and subset not in subsets:
        raise DatasetError(
            f"`{dataset.repo_id}` has no subset `{subset}`.",
            did_you_mean(subset, subsets) or f"There are: {', '.join(subsets[:30])}.",
        )
    if not subset and len(subsets) > 1 and "default" not in subsets:
        raise QuestionError(
            f"`{dataset.repo_id}` has {len(subsets)} subsets: {', '.join(subsets[:12])}.",
            "subset",
            subsets,
        )
    name = subset or ("default" if "default" in subsets else subsets[0])
    with streaming(dataset):
        builder = datasets.load_dataset_builder(dataset.repo_id, name, **settings)
    require_own_files(builder, dataset)
    with streaming(dataset):
        found = builder.as_streaming_dataset()
        # pictures as they are stored; nothing else that a row names is opened either
        return Stream(dataset, {str(split): part.decode(False) for split, part in found.items()})


def require_own_files(builder: datasets.DatasetBuilder, dataset: HubDataset) -> None:
    """Raise a HubError unless everything that would be read lies in the dataset itself.

    A card may name any file: also one of the machine that reads, or of its network.
    """
    for files in (builder.config.data_files or {}).values():
        for file in files:
            if not is_within(str(file), dataset):
                raise HubError(
                    f"`{dataset.repo_id}` names files that are not its own, such as "
                    f"`{clip(str(file))}`.",
                    "Choose another dataset.",
                )


def is_within(path: str, dataset: HubDataset) -> bool:
    """Whether an address leads to a file of the dataset, or into an archive among them."""
    own = rf"(?:(?:{PACKED})://[^:]*::)*hf://datasets/{re.escape(dataset.repo_id)}@[^:]*"
    return re.fullmatch(own, path) is not None


@contextmanager
def streaming(dataset: HubDataset) -> Iterator[None]:
    """Turn what `datasets` raises on a dataset that it cannot stream into a HubError."""
    try:
        with hub_errors(dataset.repo_id, "dataset", dataset.commit):
            yield
    except OcrtuneError:
        raise
    except Exception as error:  # it passes on whatever the format's own reader raises
        if "script" in str(error).lower():
            raise HubError(
                f"`{dataset.repo_id}` needs a program of its own to be read, which is not run.",
                "Choose a dataset with parquet files or pictures.",
            ) from error
        raise HubError(
            f"`{dataset.repo_id}` cannot be streamed: {cause(error)}.",
            "Choose another dataset, or download it and build from its files.",
        ) from error
