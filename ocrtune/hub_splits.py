"""Splits on their way to the Hub: the one place where `push_to_hub` is called."""

from collections.abc import Mapping
from pathlib import Path

import datasets

SHARD_BYTES = "250MB"  # of a file, which lies on the disk while it is sent
MESSAGE = "Files of a push that is under way"


def push_splits(repo_id: str, branch: str, splits: Mapping[str, Path], token: str) -> None:
    """Put the splits, a file of Arrow each, on a branch of a repo in as many commits as it takes.

    The files are mapped where they lie: nothing goes through the cache of `datasets`.
    """
    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    found = {split: datasets.Dataset.from_file(str(path)) for split, path in splits.items()}
    datasets.DatasetDict(found).push_to_hub(
        repo_id,
        revision=branch,
        token=token,
        max_shard_size=SHARD_BYTES,
        embed_external_files=False,  # there are none: every picture lies within its row
        commit_message=MESSAGE,
    )
