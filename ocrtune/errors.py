"""Errors raised on purpose: every one says what happened and what to do about it."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType


class OcrtuneError(Exception):
    """What happened (`problem`), then what to do about it (`fix`).

    key, values: of the same words in other languages; empty where there are none.
    """

    key: str = ""
    values: Mapping[str, object] = MappingProxyType({})

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem} {fix}".strip())
        self.problem = problem
        self.fix = fix


class ConfigError(OcrtuneError):
    """A setting has a value that cannot work."""


class ArchiveError(OcrtuneError):
    """The uploaded zip, folder or content file cannot be read or is not safe to read."""


class DatasetError(OcrtuneError):
    """The ground truth cannot become a dataset, or a dataset cannot be opened."""


class QuestionError(DatasetError):
    """Ground truth can be understood in several ways: `setting` says which of `choices` is meant.

    setting: the name of a field of BuildConfig.
    """

    def __init__(self, problem: str, setting: str, choices: Sequence[str]) -> None:
        flag = setting.replace("_", "-")
        super().__init__(problem, f"Choose with `--{flag}`: {', '.join(choices)}.")
        self.setting = setting
        self.choices = tuple(choices)


class ModelError(OcrtuneError):
    """A base model or an adapter cannot be loaded or used."""


class HubError(OcrtuneError):
    """The Hugging Face Hub cannot be reached, or does not give what was asked for."""


class HubBusyError(HubError):
    """The Hub gave no answer, or one that is of no use now; it may be asked again.

    wait_seconds: how long the Hub asks to wait; 0 if it does not say.
    """

    def __init__(self, problem: str, fix: str, wait_seconds: float = 0.0) -> None:
        super().__init__(problem, fix)
        self.wait_seconds = wait_seconds


class HubConflictError(HubError):
    """Somebody else changed a repository in the meantime."""


class TrainingError(OcrtuneError):
    """A fine-tuning run cannot start or had to stop."""


class MetricsError(OcrtuneError):
    """Two sets of readings cannot be compared."""


class JobError(OcrtuneError):
    """A background job cannot be started, found or stopped."""


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return a sentence that offers the nearest of `known`, or an empty string."""
    near = get_close_matches(name, known, n=1)
    return f"Did you mean `{near[0]}`?" if near else ""
