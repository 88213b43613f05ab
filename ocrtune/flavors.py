"""Machines of the Hub that a run can be sent to: what they are, what they cost, how long it takes.

Prices come from the Hub when it is asked; those below are shown until then. How long a run takes is
an estimate: what was measured on one GPU, slowed down by what the makers say of the others.
"""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ocrtune.config import TrainConfig
from ocrtune.errors import HubError, did_you_mean
from ocrtune.events import Preflight
from ocrtune.whole_files import put_in_place


@dataclass(frozen=True, kw_only=True)
class Flavor:
    """A kind of machine that can be had by the minute."""

    name: str
    title: str
    cards: int  # GPUs
    card: str  # what kind; empty without one
    card_memory: str  # of one of them, for people
    dollars_an_hour: float


def known(name: str, title: str, card: str, memory: str, dollars: float) -> Flavor:
    """Return a machine with one GPU, or none."""
    return Flavor(
        name=name,
        title=title,
        cards=1 if card else 0,
        card=card,
        card_memory=memory,
        dollars_an_hour=dollars,
    )


PRICES_DATE = "2026-11"
KNOWN = (  # with the prices published then; nothing is started at a higher one
    known("cpu-upgrade", "CPU Upgrade", "", "", 0.03),
    known("t4-small", "Nvidia T4 - small", "T4", "16 GB", 0.40),
    known("t4-medium", "Nvidia T4 - medium", "T4", "16 GB", 0.60),
    known("l4x1", "1x Nvidia L4", "L4", "24 GB", 0.80),
    known("a10g-small", "Nvidia A10G - small", "A10G", "24 GB", 1.00),
    known("a10g-large", "Nvidia A10G - large", "A10G", "24 GB", 1.50),
    known("l40sx1", "1x Nvidia L40S", "L40S", "48 GB", 1.80),
    known("a100-large", "Nvidia A100 - large", "A100", "80 GB", 2.50),
    known("h200", "Nvidia H200", "H200", "141 GB", 5.00),
)
PRICES_FILE = "flavors.json"  # what the Hub said last, in the home
PRICES_DAYS = 7  # for which that is shown

# Times faster than an H200, the slower one of memory bandwidth and 16-bit products as published.
SPEEDS = {"T4": 0.066, "L4": 0.062, "A10G": 0.071, "L40S": 0.18, "A100": 0.31, "H200": 1.0}
SPEEDS |= {"H100": 0.7, "RTX PRO 6000": 0.37}
OTHER_SPEED = 0.06  # of a card that is not listed: better too slow than too cheap
H200_SAMPLES, H200_LINES, H200_FEATURES = 201, 77, 0.0074  # a second, a second, seconds a picture
TINY_SAMPLES, TINY_LINES = {"": 12, "gpu": 80}, {"": 6, "gpu": 40}  # a second, with and without
LARGE_ON_CPU = 0.02  # samples a second of a model of 3 B parameters: not for use
INSTALLING = {"": 180.0, "gpu": 300.0}  # seconds until ocrtune runs there
FETCHING = 150.0  # seconds for 7 GB of a base model
MEASUREMENTS = 5  # of the CER, where the settings do not say

MARGIN = 2.0  # times the estimate, before the Hub ends a run
SPARE_MINUTES = 20  # more than that
LEAST_MINUTES, MOST_MINUTES = 30, 24 * 60


def find_flavor(name: str, flavors: Sequence[Flavor]) -> Flavor:
    """Return the machine of that name; a HubError says which there are, or which one is meant."""
    for one in flavors:
        if one.name == name:
            if one.cards > 1:
                raise HubError(
                    f"`{name}` has {one.cards} GPUs, and a run there uses one.",
                    "Choose a machine with one GPU: you would pay for all of them.",
                )
            return one
    names = [one.name for one in flavors if one.cards <= 1]
    listed = f"There are: {', '.join(names)}."
    raise HubError(f"There is no machine `{name}` on the Hub.", did_you_mean(name, names) or listed)


def remember_flavors(home: Path, flavors: Sequence[Flavor]) -> None:
    """Keep what the Hub said, so that the page shows these prices; a full disk changes nothing."""
    values = {"told": time.time(), "flavors": [asdict(one) for one in flavors]}
    try:
        home.mkdir(parents=True, exist_ok=True)
        put_in_place(home / PRICES_FILE, json.dumps(values).encode())
    except OSError:
        return


def load_flavors(home: Path) -> list[Flavor]:
    """Return the machines with one GPU or none, as the Hub listed them lately, else as known."""
    try:
        values = json.loads((home / PRICES_FILE).read_text("utf-8"))
        if time.time() - values["told"] > PRICES_DAYS * 86_400:
            return list(KNOWN)
        found = [Flavor(**one) for one in values["flavors"]]
        return [one for one in found if one.cards <= 1 and one.dollars_an_hour >= 0] or list(KNOWN)
    except (OSError, ValueError, KeyError, TypeError):
        return list(KNOWN)


@dataclass(frozen=True)
class Estimate:
    """How long a run will take on a machine, roughly, and what that costs."""

    seconds: float  # preparing the machine included
    limit_minutes: int  # after which the Hub ends it
    dollars_an_hour: float

    @property
    def dollars(self) -> float:
        return self.seconds / 3600 * self.dollars_an_hour

    @property
    def most_dollars(self) -> float:
        """What it can cost at most."""
        return self.limit_minutes / 60 * self.dollars_an_hour


def estimate_run(
    config: TrainConfig,
    samples: int,
    flavor: Flavor,
    told: Preflight | None = None,
    limit_minutes: int = 0,
) -> Estimate:
    """Return what a run on a train split of `samples` will take there.

    told: what a check on another machine found out; its seconds count more than ours.
    limit_minutes: where somebody has set it.
    """
    kind = "gpu" if flavor.card else ""
    setup = INSTALLING[kind] + (FETCHING if config.base != "tiny" else 0)
    work = from_check(told, flavor) if told else 0.0
    work = work or computing_seconds(config, samples, flavor, kind)
    seconds = setup + work
    limit = 5 * math.ceil((MARGIN * seconds / 60 + SPARE_MINUTES) / 5)
    limit = limit_minutes or min(max(limit, LEAST_MINUTES), MOST_MINUTES)
    return Estimate(seconds, limit, flavor.dollars_an_hour)


def from_check(told: Preflight, flavor: Flavor) -> float:
    """Return the seconds of a run that was checked on a GPU we know; 0 where it was on none."""
    names = sorted(SPEEDS, key=len, reverse=True)
    card = next((name for name in names if name in told.hardware.split()), "")
    if not card or not flavor.card:
        return 0.0
    return told.seconds * SPEEDS[card] / SPEEDS.get(flavor.card, OTHER_SPEED)


def computing_seconds(config: TrainConfig, samples: int, flavor: Flavor, kind: str) -> float:
    """Return how long steps, features and measurements take, by what was measured elsewhere."""
    steps = config.with_steps(max(1, samples)).steps
    learned = steps * config.batch_size
    times = math.ceil(steps / config.evaluate_every) if config.evaluate_every else MEASUREMENTS
    read = times * config.validation_samples
    if config.base == "tiny":
        return learned / TINY_SAMPLES[kind] + read / TINY_LINES[kind]
    if not kind:
        return (learned + read) / LARGE_ON_CPU
    speed = SPEEDS.get(flavor.card, OTHER_SPEED)
    seconds = learned / H200_SAMPLES + read / H200_LINES + samples * H200_FEATURES
    return seconds / speed
