"""Which files of a Hub dataset hold which split: what its card says, else what their names tell."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ocrtune.columns import SPLIT_WORDS, split_in_name, usable_splits
from ocrtune.config import BuildConfig
from ocrtune.errors import DatasetError, QuestionError, did_you_mean
from ocrtune.records import SPLITS

HUB_ADDRESS = re.compile(r"(https?://[^/]+/datasets/|hf://datasets/|datasets/)(?=[^/\s])")
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
OLD_HUB_ID = re.compile(r"[A-Za-z0-9][\w-]{1,95}")  # of the years before names had owners
ADDRESS = re.compile(
    r"(?:https?://[^/]+/datasets/|hf://datasets/|datasets/)?"
    r"(?P<id>[\w.-]+(?:/(?!(?:viewer|tree|blob|resolve)(?:/|\Z))[\w.-]+)?)"
    r"(?:@(?P<at>[\w.-]+))?(?P<rest>/.*|\?.*|#.*)?"
)
SHARD = re.compile(r"(?:\A|/)(?:partial-)?([\w.]+?)-\d{5}-of-\d{5}\b")
CONVERTED = re.compile(r"\A([^/]+)/(?:partial-)?([^/]+)/[^/]+\.parquet\Z")


@dataclass(frozen=True)
class Place:
    """What a source says about a dataset of the Hub; empty strings where it says nothing."""

    repo_id: str
    revision: str
    subset: str
    split: str


Layout = dict[str, dict[str, list[str]]]  # of each subset, the files of each split


def is_hub_id(name: str) -> bool:
    """Whether a name has the form of a dataset's id; such a path may exist on this machine too."""
    return bool(HUB_ID.fullmatch(name) or OLD_HUB_ID.fullmatch(name))


def find_place(config: BuildConfig) -> Place:
    """Return where the source leads; settings win over what an address says."""
    match = ADDRESS.fullmatch(config.source.strip().rstrip("/"))
    if match is None:
        raise DatasetError(
            f"`{config.source}` is no dataset of the Hub.",
            "Use the form `name/dataset`, or the address of its page.",
        )
    path = (match["rest"] or "").partition("?")[0].partition("#")[0].strip("/").split("/")
    shown = path[1:3] if path[0] == "viewer" else []
    revision = "/".join(path[1:2]) if path[0] in ("tree", "blob", "resolve") else ""
    return Place(
        repo_id=match["id"],
        revision=config.revision or match["at"] or revision,
        subset=config.subset or "".join(shown[:1]),
        split=config.from_split or "".join(shown[1:2]),
    )


def read_layout(names: Sequence[str], card: Mapping) -> Layout:
    """Return the parquet files of each subset and split; no subsets: there are none."""
    tables = sorted(name for name in names if name.lower().endswith(".parquet"))
    layout: Layout = {}
    for config in card.get("configs") or ():
        if isinstance(config, Mapping) and config.get("data_files"):
            splits = files_of(config["data_files"], str(config.get("data_dir") or ""), tables)
            layout[str(config.get("config_name", "default"))] = splits
    if not layout and tables:
        layout = {"default": by_split(tables)}
    return {name: splits for name, splits in layout.items() if splits}


def read_converted(names: Sequence[str]) -> Layout:
    """Return the same for the branch in which the Hub keeps its own parquet copies."""
    layout: Layout = {}
    for name in sorted(names):
        if match := CONVERTED.match(name):
            layout.setdefault(match[1], {}).setdefault(match[2], []).append(name)
    return layout


def files_of(data_files: object, folder: str, tables: Sequence[str]) -> dict[str, list[str]]:
    """Return the files of each split by the patterns on a card."""
    if isinstance(data_files, Mapping):
        listed = [{"split": split, "path": path} for split, path in data_files.items()]
    else:
        listed = data_files if isinstance(data_files, list) else [data_files]
    splits: dict[str, list[str]] = {}
    for one in listed:
        entry = one if isinstance(one, Mapping) else {"path": one}
        paths = entry.get("path", ())
        for pattern in [paths] if isinstance(paths, str) else paths:
            whole = f"{folder}/{pattern}".strip("/") if folder else str(pattern).removeprefix("./")
            found = [name for name in tables if pattern_of(whole).fullmatch(name)]
            if found:
                splits.setdefault(str(entry.get("split", "train")), []).extend(found)
    return {split: list(dict.fromkeys(files)) for split, files in splits.items()}


def by_split(tables: Sequence[str]) -> dict[str, list[str]]:
    """Return the files of each split by their names; one without any is to learn from."""
    splits: dict[str, list[str]] = {}
    for name in tables:
        shard = SHARD.search(name)
        split = SPLIT_WORDS.get(shard[1], shard[1]) if shard else split_in_name(name)
        splits.setdefault(split or "train", []).append(name)
    return splits


def pattern_of(glob: str) -> re.Pattern:
    """Return what matches the paths that a pattern with `*`, `**`, `?` and `[…]` means."""
    out = ""
    for token in re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|.", glob, re.S):
        known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
        out += known.get(token) or (token if len(token) > 1 else re.escape(token))
    try:
        return re.compile(out)
    except re.error:
        return re.compile(re.escape(glob))


def choose_subset(
    subsets: Sequence[str], wanted: str, card: Mapping, label: str
) -> tuple[str, bool]:
    """Return the subset to use, and whether the card chose it; a QuestionError if nobody did."""
    if wanted:
        if wanted not in subsets:
            listed = f"There are: {', '.join(subsets[:30])}."
            raise DatasetError(
                f"`{label}` has no subset `{wanted}`.", did_you_mean(wanted, subsets) or listed
            )
        return wanted, False
    if len(subsets) == 1:
        return subsets[0], False
    marked = [
        str(config.get("config_name"))
        for config in card.get("configs") or ()
        if isinstance(config, Mapping) and config.get("default") is True
    ]
    usual = [name for name in [*marked, "default"] if name in subsets]
    if usual:
        return usual[0], True
    raise QuestionError(
        f"`{label}` has {len(subsets)} subsets: {', '.join(subsets[:12])}"
        f"{', …' if len(subsets) > 12 else ''}.",
        "subset",
        subsets,
    )


def choose_splits(splits: Sequence[str], wanted: str, label: str) -> dict[str, str]:
    """Return the splits to take, each with the split of ours that it is, or an empty string.

    Splits of other names than ours are left out where there are some of ours to keep.
    """
    if wanted:
        fitting = [one for one in splits if wanted in (one, SPLIT_WORDS.get(one.lower(), one))]
        if not fitting:
            raise DatasetError(
                f"`{label}` has no split `{wanted}`.",
                did_you_mean(wanted, splits) or f"There are: {', '.join(splits[:30])}.",
            )
        return {fitting[0]: ""}
    ours = {one: SPLIT_WORDS.get(one.lower(), "") for one in splits}
    if not usable_splits(list(ours.values())):
        return dict.fromkeys(splits, "")
    kept = [one for one in splits if ours[one]]
    return {one: ours[one] for one in sorted(kept, key=lambda one: SPLITS.index(ours[one]))}
