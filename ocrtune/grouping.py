"""What belongs together: the folder, page, writer or document of each sample."""

import posixpath
from collections.abc import Sequence

import regex

from ocrtune.config import BuildConfig
from ocrtune.content import clean
from ocrtune.errors import ConfigError, DatasetError
from ocrtune.ground_truth import Entry

PATTERN_CHARS = 500
PATTERN_SECONDS = 0.2  # for one name: a pattern that runs wild shall not stop a build
# What numbers a line within its page: `_012`, `-l3`, `.line_007`, ` 第3行`.
LINE_NUMBER = regex.compile(r"[\s_.\-]*(?:line|ln|l|zeile|第)?[\s_.\-]*\d+行?$", regex.IGNORECASE)
# What a name says before all its numbers.
DOCUMENT = r"^(.+?)(?:[\s_.-]+\d+)+\.\w+$"


def group_samples(entries: Sequence[Entry], names: Sequence[str], config: BuildConfig) -> list[str]:
    """Return the group of each sample under `config.group_by`, none without it.

    names: the picture ids. An empty group is nobody else's. A ConfigError for a pattern that
    cannot be used, a DatasetError where nothing has a group.
    """
    if not config.group_by:
        return []
    if config.group_by == "folder":
        return [posixpath.dirname(name.partition("#")[0]) for name in names]
    if config.group_by == "page":
        return [page_of(entry, name) for entry, name in zip(entries, names, strict=True)]
    if config.group_by == "writer":
        groups = [entry.group for entry in entries]
        if not any(groups):
            raise DatasetError(
                "The ground truth names no writers.",
                "Add a column `writer`, or use `--group-by folder` or a pattern.",
            )
        return groups
    return by_pattern(names, config.group_by)


def page_of(entry: Entry, name: str) -> str:
    """Return the page that a sample is from, by its ground truth or else by its name."""
    if entry.group or entry.part:
        return entry.group or entry.name
    return page_by_name(name)


def find_groups(names: Sequence[str]) -> tuple[str, list[str]]:
    """Return what samples belong together by their names alone, and the group of each of them.

    It is the first of folder, page and document of which there are several with two samples on
    average; if none is, it is nothing, and the groups are empty.
    """
    document = regex.compile(DOCUMENT)
    ways = {
        "folder": lambda name: posixpath.dirname(name.partition("#")[0]),
        "page": page_by_name,
        "document": lambda name: found[1] if (found := document.match(name)) else "",
    }
    for kind, group_of in ways.items():
        groups = [group_of(name) for name in names]
        known = [group for group in groups if group]
        if 1 < len(set(groups)) <= len(names) / 2 and len(known) > len(names) / 2:
            return kind, groups
    return "", [""] * len(names)


def page_by_name(name: str) -> str:
    """Return the page that a line is from: what it was cut out of, or its name without a number."""
    picture, _, part = name.partition("#")
    if part:
        return picture
    folder, base = posixpath.split(clean(name))
    stem = posixpath.splitext(base)[0]
    page = LINE_NUMBER.sub("", stem, count=1)
    return posixpath.join(folder, page) if page else folder or name


def by_pattern(names: Sequence[str], pattern: str) -> list[str]:
    """Return what a regular expression finds in each name: its first group, else all it matches."""
    if len(pattern) > PATTERN_CHARS:
        raise ConfigError(
            f"The pattern has {len(pattern)} characters.", f"{PATTERN_CHARS} are the most."
        )
    try:
        compiled = regex.compile(pattern)
        groups = [first_group(compiled, name) for name in names]
    except regex.error as error:
        raise ConfigError(
            f"`{pattern}` is neither folder, page or writer nor a regular expression: {error}.",
            r"Use for example `^(\w+?)_` for what stands before the first underscore.",
        ) from error
    except TimeoutError as error:
        raise ConfigError(
            f"The pattern `{pattern}` takes too long.", "Write it without nested repetitions."
        ) from error
    if not any(groups):
        raise ConfigError(
            f"The pattern `{pattern}` matches no picture's name, such as `{names[0]}`.",
            "Test it on one of the names; it may match anywhere in them.",
        )
    return groups


def first_group(pattern: regex.Pattern, name: str) -> str:
    """Return the first group that took part in a match, else the match, else nothing."""
    found = pattern.search(name, timeout=PATTERN_SECONDS)
    if not found:
        return ""
    return next((group for group in found.groups() if group), found.group())
