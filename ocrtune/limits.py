"""What one visitor may take of a machine that many share; on one's own machine there is no limit.

A duplicate of a Space gets the variables of the original but another `SPACE_ID`: the limits hold
only where `OCRTUNE_SHARED_SPACE` names this very Space, or where it says `yes`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from ocrtune.errors import ConfigError

SHARED = "OCRTUNE_SHARED_SPACE"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of a shared machine; 0 stands for none. Each is set by `OCRTUNE_` and its name."""

    max_steps: int = 0  # of one training
    max_minutes: int = 0  # of one training; what was learned by then is kept
    max_samples: int = 0  # of the train split that a training learns from
    max_jobs_each: int = 0  # of one visitor that are under way or wait
    max_jobs: int = 0  # of all visitors together
    keep_days: int = 0  # after its end until a job is deleted

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Limits":
        """Return the limits of this machine; a ConfigError names a setting that is no number."""
        shared = environment.get(SHARED, "")
        if shared != "yes" and (not shared or shared != environment.get("SPACE_ID")):
            return cls()
        return cls(**{field.name: number(field.name, environment) for field in fields(cls)})


# What holds on a shared machine where nothing else is said.
USUAL = Limits(
    max_steps=200, max_minutes=30, max_samples=2_000, max_jobs_each=3, max_jobs=40, keep_days=7
)


def number(name: str, environment: Mapping[str, str]) -> int:
    """Return one limit of a shared machine."""
    variable = f"OCRTUNE_{name.upper()}"
    text = environment.get(variable, "").strip()
    if not text:
        return getattr(USUAL, name)
    if not text.isdecimal():
        raise ConfigError(
            f"`{variable}` is `{text}`.", "Give a whole number; 0 stands for no limit."
        )
    return int(text)
