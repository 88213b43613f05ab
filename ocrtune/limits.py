"""What one visitor may take of a machine that many share; on one's own machine there is no limit.

A duplicate of a Space gets the variables of the original but another `SPACE_ID`: the limits hold
only where `OCRTUNE_SHARED_SPACE` names this very Space, or where it says `yes`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from ocrtune.errors import ConfigError, TrainingError

SHARED = "OCRTUNE_SHARED_SPACE"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of a shared machine; 0 stands for none. Each is set by `OCRTUNE_` and its name."""

    max_steps: int = 0  # of one training
    max_minutes: int = 0  # of one training, or of any other use of the accelerator
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

    @property
    def of_training(self) -> tuple[int, int, int]:
        """Steps, minutes and samples of one training."""
        return self.max_steps, self.max_minutes, self.max_samples

    def refuse_long(self, steps: int) -> None:
        """Raise a TrainingError for a run of more steps than are allowed here."""
        if self.max_steps and steps > self.max_steps:
            raise TrainingError(
                f"The run would take {steps} steps; on this shared machine it may take "
                f"{self.max_steps}.",
                "Choose fewer steps or epochs, or duplicate the Space: your own has no limit.",
            )

    def cut_words(self, samples: int) -> str:
        """Return a sentence on the samples that are not learned from; empty if all of them are."""
        if not self.max_samples or samples <= self.max_samples:
            return ""
        return (
            f"On this shared machine a training learns from {self.max_samples:,} samples at most: "
            f"that many were drawn at random from the {samples:,} of the train split, the same "
            "ones each time. Duplicate the Space to learn from all."
        )

    def over_words(self, keeps: bool) -> str:
        """Return a sentence on a job that took longer than is allowed here."""
        kept = "What was learned is kept" if keeps else "Nothing of it is kept"
        return (
            f"The limit of this shared machine, {self.max_minutes} minutes a job, is reached. "
            f"{kept}. Duplicate the Space for no limit."
        )


NO_LIMITS = Limits()
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
