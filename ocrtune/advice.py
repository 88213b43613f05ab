"""What to do about a dataset, in plain words: which model suits, what to repair, what to add."""

import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from ocrtune.alphabet import INDEX
from ocrtune.config import BuildConfig
from ocrtune.ground_truth import Entry
from ocrtune.grouping import DOCUMENT, group_samples
from ocrtune.pair_checks import LINE_SHAPE
from ocrtune.remarks import Remark, remark
from ocrtune.splits import in_several
from ocrtune.text_checks import Inventory, call

GOOD_START = 300  # samples
FEW = 30  # samples, below which a set is only a try and a test split no proof
LOW_LINE = 20  # pixels
LOW_SHARE = 0.05  # of the lines; fewer low ones are not worth a word
MOSTLY = 0.9  # share of the pictures that makes a dataset one of lines, or of pages
FOREIGN = 0.2  # share of characters beyond `tiny` from which it does not suit
ALPHABET_SHARE = 0.001  # of the characters beyond `tiny` that is worth a word
KNOWN_SHARE = 0.1  # of the test texts that are in train, too
NAMED = 8  # characters that advice names
FEWEST_GROUPS = 3


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What advice is given on."""

    picture_ids: Sequence[str]
    entries: Sequence[Entry]
    sizes: Sequence[tuple[int, int]]  # width and height in pixels
    split_of: Sequence[int]  # number of each sample's split
    splits: Mapping[str, int]  # samples of each split
    inventory: Inventory
    unseen: Mapping[str, int]  # characters of test that train lacks
    warning_counts: Mapping[str, int]
    near: Sequence[Mapping[str, Any]]  # near-duplicates as in the report
    near_count: int
    known_texts: int  # of test that train has, too
    right_to_left: float  # share of the texts


def advise(facts: Facts, config: BuildConfig) -> list[Remark]:
    """Return what to do about a dataset, what is most urgent first."""
    return [
        *on_honesty(facts),
        *on_groups(facts, config),
        *on_amounts(facts),
        *on_pictures(facts),
        *on_texts(facts),
    ]


def on_honesty(facts: Facts) -> Iterator[Remark]:
    """Say what makes a measured CER better than it is."""
    if facts.near:
        first, second = facts.near[0]["pictures"]
        yield remark("advice_near_duplicates", count=facts.near_count, first=first, second=second)
    if count := facts.warning_counts.get("picture_two_texts", 0):
        yield remark("advice_two_texts", count=count)
    total = facts.splits["test"]
    if facts.known_texts > KNOWN_SHARE * total:
        yield remark("advice_known_texts", count=facts.known_texts, total=total)


def on_amounts(facts: Facts) -> Iterator[Remark]:
    """Say whether there is enough to learn from and to test on."""
    count, test = sum(facts.splits.values()), facts.splits["test"]
    if count < GOOD_START:
        yield remark("advice_very_few" if count < FEW else "advice_few", count=count)
    if 0 < test < FEW <= count:
        yield remark("advice_weak_test", count=test)


def on_pictures(facts: Facts) -> Iterator[Remark]:
    """Say what kind of pictures these are and which model reads them."""
    lines = [
        height
        for (width, height), entry in zip(facts.sizes, facts.entries, strict=True)
        if width >= LINE_SHAPE * height and "\n" not in entry.text
    ]
    one_word = [entry for entry in facts.entries if "\n" not in entry.text and len(entry.text) < 8]
    count = len(facts.sizes)
    if not lines and len(one_word) > MOSTLY * count:
        return  # single characters and short words: neither lines nor pages
    if len(lines) >= MOSTLY * count:
        yield from on_lines(facts, lines)
    elif len(lines) <= (1 - MOSTLY) * count:
        width, height = (round(median(sides)) for sides in zip(*facts.sizes, strict=True))
        yield remark("advice_pages", width=width, height=height)
    else:
        yield remark("advice_lines_and_pages", lines=len(lines), pages=count - len(lines))
    low = sum(height < LOW_LINE for height in lines)
    if low > LOW_SHARE * count:
        height = round(median(lines))
        yield remark("advice_low_resolution", count=low, least=LOW_LINE, height=height)


def on_lines(facts: Facts, heights: Sequence[int]) -> Iterator[Remark]:
    """Say whether the embedded model suits lines of such characters."""
    height = round(median(heights))
    counts = facts.inventory.counts
    beyond = [one for one in counts if is_beyond(one)]
    beyond.sort(key=lambda one: (-counts[one], one))
    share = sum(counts[one] for one in beyond) / max(1, sum(counts.values()))
    named = [shown(one) for one in beyond[:NAMED]]
    if share > FOREIGN:
        percent = round(100 * share)
        yield remark("advice_lines_foreign", height=height, share=percent, characters=named)
        return
    yield remark("advice_lines", height=height)
    if share > ALPHABET_SHARE:
        pattern = re.compile("[" + "".join(map(re.escape, beyond)) + "]")
        samples = sum(bool(pattern.search(entry.text)) for entry in facts.entries)
        yield remark("advice_alphabet", count=len(beyond), samples=samples, characters=named)


def is_beyond(character: str) -> bool:
    """Return whether the embedded model cannot write a character."""
    return not character.isspace() and character not in INDEX


def shown(character: str) -> str:
    """Return a character if it can be seen by itself, else its name."""
    alone = unicodedata.category(character)[0] in "LNPS"
    return character if alone else call(character)


def on_texts(facts: Facts) -> Iterator[Remark]:
    """Say what to repair in the texts."""
    counts = facts.warning_counts
    if facts.unseen:
        named = [shown(one) for one in list(facts.unseen)[:NAMED]]
        times = sum(facts.unseen.values())
        yield remark("advice_unseen", count=len(facts.unseen), times=times, characters=named)
    for key, kinds in (
        ("advice_normal_forms", ("text_decomposed", "text_composed")),
        ("advice_widths", ("text_full_width", "text_half_width")),
    ):
        if count := sum(counts.get(kind, 0) for kind in kinds):
            yield remark(key, count=count)
    if facts.right_to_left:
        share = max(1, round(100 * facts.right_to_left))
        yield remark("advice_right_to_left", share=share)


def on_groups(facts: Facts, config: BuildConfig) -> Iterator[Remark]:
    """Say what the samples could be grouped by, where documents cross the splits."""
    if config.group_by:
        return
    for kind, groups in possible_groups(facts, config):
        sizes = Counter(groups)
        del sizes[""]
        members = sum(sizes.values())
        crossing = len(in_several(zip(groups, facts.split_of, strict=True)) - {""})
        if (
            crossing
            and FEWEST_GROUPS <= len(sizes) <= members / 2  # two samples each, on average
            and max(sizes.values()) <= len(groups) / 2
        ):
            values = {"groups": len(sizes), "crossing": crossing}
            if kind != "writer":
                values["example"] = max(sizes, key=lambda name: (sizes[name], name))
            if kind == "document":
                values["pattern"] = DOCUMENT
            yield remark(f"advice_group_{kind}", **values)
            return


def possible_groups(facts: Facts, config: BuildConfig) -> Iterator[tuple[str, list[str]]]:
    """Yield what names and ground truth say belongs together, from the surest on."""
    names = facts.picture_ids
    if any(entry.group for entry in facts.entries):
        yield "writer", [entry.group for entry in facts.entries]
    folders = [posixpath.dirname(name.partition("#")[0]) for name in names]
    if len(set(folders)) > 1:
        yield "folder", folders
    yield "page", pages_of(facts, config)
    found = [re.match(DOCUMENT, name) for name in names]
    yield "document", [match[1] if match else "" for match in found]


def pages_of(facts: Facts, config: BuildConfig) -> list[str]:
    """Return the page of each sample as `--group-by page` would take it."""
    return group_samples(facts.entries, facts.picture_ids, replace(config, group_by="page"))
