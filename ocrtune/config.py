"""Settings of each use case: one frozen dataclass, built by the page and the command line alike."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from ocrtune.errors import ConfigError, did_you_mean

BASES = ("tiny", "deepseek-ocr", "deepseek-ocr-2", "glm-ocr", "lighton-ocr", "paddleocr-vl")
BASES += ("got-ocr-2", "qwen-vl")


@dataclass(frozen=True, kw_only=True)
class Config:
    """What all settings share: they are saved beside what they made and read back strictly."""

    def save(self, path: Path) -> None:
        """Write the settings to `path` as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", "utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the settings saved at `path`; unknown keys are refused."""
        try:
            values = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"`{path}` cannot be read: {error}.", "Write it again.") from error
        known = [field.name for field in fields(cls)]
        for name in values:
            if name not in known:
                hint = did_you_mean(name, known) or f"Known are: {', '.join(known)}."
                raise ConfigError(f"`{path.name}` holds an unknown setting `{name}`.", hint)
        return cls(**values)


def require(condition: bool, problem: str, fix: str) -> None:
    """Raise a ConfigError of these two sentences unless `condition` holds."""
    if not condition:
        raise ConfigError(problem, fix)


@dataclass(frozen=True, kw_only=True)
class BuildConfig(Config):
    """How a dataset is made from an archive."""

    source: str  # zip, folder or content file
    output: str  # prefix of the files to write
    content: str = ""  # a content file given apart from the archive
    seed: int = 42
    train_fraction: float = 0.8
    validation_fraction: float = 0.1  # the rest is the test split

    def __post_init__(self) -> None:
        rest = 1 - self.train_fraction - self.validation_fraction
        require(
            0 < self.train_fraction < 1 and 0 < self.validation_fraction < 1 and rest > 1e-9,
            f"Splits {self.train_fraction}/{self.validation_fraction}/{rest:.3g} are impossible.",
            "Use for example 0.8 and 0.1: the test split gets the remaining 0.1.",
        )


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Config):
    """Everything one fine-tuning run depends on."""

    data: str  # prefix of a built dataset
    output: str  # folder of the run; `adapter/` appears in it
    base: str = "tiny"  # one of BASES, a folder or a repo id
    layout: str = ""  # preset of the base model's family; empty takes its default
    steps: int = 60  # optimizer steps
    batch_size: int = 8  # samples a step
    learning_rate: float = 0.0  # 0 takes the family's default
    lora_rank: int = 16
    lora_alpha: int = 16
    lora_dropout: float = 0.0
    lora_experts: bool = False  # adapters on the mixture-of-experts matrices too
    lora_vision: str = "auto"  # `yes`, `no`, or `auto`: what the family does best
    augment: bool = True  # vary the pictures a little, where they are looked at anew each time
    warmup_steps: int = 5
    weight_decay: float = 0.001
    evaluate_every: int = 0  # steps between two CER measurements; 0 measures four times a run
    validation_samples: int = 32  # at most this many are read at each measurement
    seed: int = 3407

    def __post_init__(self) -> None:
        require(self.steps >= 1, f"`steps` is {self.steps}.", "Use 1 or more; 60 is a good start.")
        require(self.batch_size >= 1, f"`batch_size` is {self.batch_size}.", "Use 1 or more.")
        require(self.lora_rank >= 1, f"`lora_rank` is {self.lora_rank}.", "Use 8, 16 or 32.")
        require(
            self.learning_rate >= 0, f"`learning_rate` is {self.learning_rate}.", "Use 0 or more."
        )
        for name in ("warmup_steps", "evaluate_every", "validation_samples"):
            value = getattr(self, name)
            require(value >= 0, f"`{name}` is {value}.", "Use 0 or more.")
        require(
            self.lora_vision in ("auto", "yes", "no"),
            f"`lora_vision` is {self.lora_vision!r}.",
            "Use auto, yes or no.",
        )


@dataclass(frozen=True, kw_only=True)
class ReadConfig(Config):
    """Which pictures are read, with what."""

    pictures: tuple[str, ...]
    base: str = "tiny"
    layout: str = ""  # preset of the base model's family; an adapter brings its own
    adapter: str = ""  # folder of an adapter; empty reads with the base model
    both: bool = False  # read with the base model and with the adapter

    def __post_init__(self) -> None:
        object.__setattr__(self, "pictures", tuple(self.pictures))  # JSON has lists only
        require(bool(self.pictures), "No picture was given.", "Name at least one picture.")
        require(
            not self.both or bool(self.adapter),
            "Reading with both models needs an adapter.",
            "Name one with `--adapter RUN/adapter`.",
        )


@dataclass(frozen=True, kw_only=True)
class CompareConfig(Config):
    """Base model against adapter, on one split of one dataset."""

    data: str
    adapter: str
    output: str
    base: str = "tiny"
    split: str = "test"
    draws: int = 10_000  # of the paired bootstrap
    seed: int = 0
    language: str = "en"  # of the report's page: `en` or `zh`

    def __post_init__(self) -> None:
        require(
            self.split in ("train", "validation", "test"),
            f"There is no split `{self.split}`.",
            "Use train, validation or test.",
        )
        require(
            self.language in ("en", "zh"),
            f"There is no report in the language `{self.language}`.",
            "Use en or zh.",
        )
