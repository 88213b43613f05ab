"""Settings of each use case: one frozen dataclass, built by the page and the command line alike."""

import json
import math
import re
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Self

from ocrtune.errors import ConfigError, did_you_mean
from ocrtune.licenses import require_license

BASES = ("tiny", "deepseek-ocr", "deepseek-ocr-2", "glm-ocr", "lighton-ocr", "paddleocr-vl")
BASES += ("got-ocr-2", "qwen-vl")
PRESETS = ("quick", "standard", "thorough")  # the families say what each of them means
USUAL_PRESET = "standard"  # the same as what a TrainConfig holds when nobody chooses
SHAPES = ("auto", "lines", "pairs", "table", "paddle", "page", "alto", "pages")  # of ground truth
SHAPES += ("parquet",)
HUB_ROWS = 1_000  # of a Hub dataset that are taken when nobody says how many
REPO_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")  # of the Hub
LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]{1,40}")
CHECKPOINT = "checkpoint/state.safetensors"  # of an unfinished run, in its folder
CHOICES = {  # settings of a run that take one of a few words; the first word is the default
    "lora_experts": ("auto", "yes", "no"),
    "lora_vision": ("auto", "yes", "no"),
    "checkpointing": ("auto", "yes", "no"),
    "optimizer": ("auto", "adamw", "adamw-8bit"),
    "schedule": ("linear", "cosine", "constant"),
    "engine": ("auto", "unsloth", "transformers"),
    "compile": ("auto", "yes", "no"),
}
NOT_NEGATIVE = (
    "epochs",
    "micro_batch",
    "learning_rate",
    "warmup_steps",
    "weight_decay",
    "evaluate_every",
    "validation_samples",
    "checkpoint_every",
    "early_stop",
)


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

    source: str  # zip, folder, content file, table, PDF, or a Hub dataset's repo id
    output: str  # prefix of the files to write
    content: str = ""  # a content file given apart from the archive, or the name of one within
    shape: str = "auto"  # of the ground truth, one of SHAPES; `auto`: as recognised
    encoding: str = ""  # of the ground truth's files, in Python's words; empty: as detected
    image_column: str = ""  # of a table; empty: as recognised, like the next one
    text_column: str = ""
    subset: str = ""  # of a Hub dataset: its config; empty: the only one
    revision: str = ""  # of a Hub dataset: a branch, tag or commit; empty: `main`
    from_split: str = ""  # of a Hub dataset: take only this one; empty: all of them as they are
    rows: int = 0  # take at most so many rows of a table; 0: all, of a Hub dataset HUB_ROWS
    random_rows: bool = False  # take them at random instead of the first
    group_by: str = ""  # keep whole: `folder`, `page`, `writer` or a pattern on the picture's name
    extend: str = ""  # prefix of a dataset that keeps its samples and splits and gets these too
    edits: str = ""  # prefix of a dataset whose edits are made again; empty: of `output`
    # Read no file that only a path within the source leads to: the source is a stranger's.
    confined: bool = False
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
        require(
            self.shape in SHAPES,
            f"There is no shape of ground truth `{self.shape}`.",
            f"Use one of: {', '.join(SHAPES)}.",
        )
        require(self.rows >= 0, f"`rows` is {self.rows}.", "Use 0 or more; 0 takes all.")


@dataclass(frozen=True, kw_only=True)
class Preset:
    """How long and how thoroughly a run learns; a family has one of each name in PRESETS."""

    name: str
    steps: int
    lora_rank: int = 16
    lora_experts: str = "auto"

    def settings(self) -> dict[str, int | float | str]:
        """Return what it says of a TrainConfig."""
        return {
            "steps": self.steps,
            "epochs": 0.0,
            "lora_rank": self.lora_rank,
            "lora_alpha": self.lora_rank,
            "lora_experts": self.lora_experts,
        }


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Config):
    """Everything one fine-tuning run depends on."""

    data: str  # prefix of a built dataset
    output: str  # folder of the run; `adapter/` appears in it
    base: str = "tiny"  # one of BASES, a folder or a repo id
    layout: str = "auto"  # a preset of the base model's family, or `auto`: what suits the pictures
    prompt: str = ""  # name of a prompt of the family, or a text; empty takes its default
    steps: int = 60  # optimizer steps
    epochs: float = 0.0  # passes over the train split; above 0 they take the place of `steps`
    batch_size: int = 8  # samples a step
    micro_batch: int = 0  # of these, so many go through the model together; 0: as memory allows
    checkpointing: str = "auto"  # compute twice to save memory: `yes`, `no`, `auto`: where needed
    learning_rate: float = 0.0  # 0 takes the family's default
    schedule: str = "linear"  # how the rate falls: see `learner.rate_factor`
    optimizer: str = "auto"  # `auto`: AdamW with 8-bit state on a GPU, if that is installed
    lora_rank: int = 16
    lora_alpha: int = 16
    lora_dropout: float = 0.0
    lora_experts: str = "auto"  # adapt the mixture of experts: `auto` where memory surely allows
    lora_vision: str = "auto"  # adapt vision: `auto` does what the family does best
    augment: bool = True  # vary the pictures a little, where they are looked at anew each time
    warmup_steps: int = 5
    weight_decay: float = 0.001
    evaluate_every: int = 0  # steps between two CER measurements; 0 measures four times a run
    validation_samples: int = 32  # at most this many are read at each measurement
    checkpoint_every: int = 0  # steps between two checkpoints; 0 saves one every two minutes
    # So many measurements in a row without a better CER end the run; 0: none do. No preset asks for
    # it: the rate falls to the last step planned, and ending before gives its best steps away.
    early_stop: int = 0
    fraction: float = 1.0  # of the train split to learn from; a smaller one is within a larger one
    # Folder or Hub address of an adapter whose weights, layers and contract the run begins with.
    start_from: str = ""
    engine: str = "auto"
    compile: str = "auto"  # `auto` compiles when the run is long enough to repay it
    seed: int = 3407

    def __post_init__(self) -> None:
        if isinstance(self.lora_experts, bool):  # as runs of older versions have it
            object.__setattr__(self, "lora_experts", "yes" if self.lora_experts else "no")
        require(self.steps >= 1, f"`steps` is {self.steps}.", "Use 1 or more; 60 is a good start.")
        require(self.batch_size >= 1, f"`batch_size` is {self.batch_size}.", "Use 1 or more.")
        require(self.lora_rank >= 1, f"`lora_rank` is {self.lora_rank}.", "Use 8, 16 or 32.")
        require(self.lora_alpha >= 1, f"`lora_alpha` is {self.lora_alpha}.", "Use the rank.")
        require(
            0 <= self.lora_dropout < 1,
            f"`lora_dropout` is {self.lora_dropout}.",
            "Use a share below 1, such as 0.05.",
        )
        require(
            0 < self.fraction <= 1,
            f"`fraction` is {self.fraction}.",
            "Use a share of the train split, such as 0.5; 1 takes all of it.",
        )
        for name in NOT_NEGATIVE:
            value = getattr(self, name)
            require(0 <= value < math.inf, f"`{name}` is {value}.", "Use 0 or more.")
        for name, words in CHOICES.items():
            value = getattr(self, name)
            listed = f"{', '.join(words[:-1])} or {words[-1]}"
            require(value in words, f"`{name}` is {value!r}.", f"Use {listed}.")

    def with_steps(self, samples: int) -> "TrainConfig":
        """Return these settings with steps in place of epochs, for a train split of `samples`."""
        if not self.epochs:
            return self
        steps = max(1, math.ceil(self.epochs * samples / self.batch_size))
        return replace(self, steps=steps, epochs=0.0)


@dataclass(frozen=True, kw_only=True)
class LearnConfig(TrainConfig):
    """A run on each of several shares of one train split; `output` holds them all.

    `fraction` is each one's own. Steps are the same for all unless epochs are given: so only the
    samples differ, not how long was learned, and the weights kept are the best of each run.
    """

    fractions: tuple[float, ...] = (0.25, 0.5, 1.0)
    split: str = "test"  # that every point is measured on
    draws: int = 2_000  # of the bootstrap over its lines
    language: str = "en"  # of the page: `en` or `zh`

    def __post_init__(self) -> None:
        super().__post_init__()
        shares = tuple(sorted({float(one) for one in self.fractions}))
        object.__setattr__(self, "fractions", shares)
        require(
            bool(shares) and shares[0] > 0 and shares[-1] <= 1,
            f"The shares {', '.join(f'{one:g}' for one in shares) or '(none)'} are impossible.",
            "Use numbers above 0 and up to 1, such as 0.25 0.5 1.",
        )
        require(
            self.split in ("validation", "test"),
            f"There is no curve on the split `{self.split}`.",
            "Use test or validation.",
        )
        require(self.draws >= 100, f"`draws` is {self.draws}.", "Use 100 or more.")
        require(
            self.language in ("en", "zh"),
            f"There is no page in the language `{self.language}`.",
            "Use en or zh.",
        )

    def run(self, fraction: float) -> TrainConfig:
        """Return the settings of the run on one share, in a folder of its own."""
        values = {field.name: getattr(self, field.name) for field in fields(TrainConfig)}
        folder = str(Path(self.output) / f"{fraction:g}")
        return TrainConfig(**values | {"fraction": fraction, "output": folder})


@dataclass(frozen=True, kw_only=True)
class ReadConfig(Config):
    """Which pictures are read, with what."""

    pictures: tuple[str, ...]  # files; folders, zips and PDFs stand for what they hold
    pages: str = ""  # of the PDFs and TIFFs among them, such as `1-3, 7`; empty: all
    most: int = 0  # pictures that are read at most; 0: all
    # Folder for the pictures as they are read, and for small ones; somebody looks on then, so the
    # first readings come soon. Empty keeps none.
    kept: str = ""
    base: str = "tiny"
    # A preset of the base model's family, `auto` for what suits these pictures, empty for its usual
    # one; an adapter brings its own.
    layout: str = ""
    prompt: str = ""  # name of a prompt of the family, or a text; empty: the model's own
    adapter: str = ""  # folder of an adapter; empty reads with the base model
    adapters: tuple[str, ...] = ()  # more of them, read with in turn
    both: bool = False  # read with the base model too
    boxes: str = ""  # folder for pictures with boxes drawn; empty draws none

    def __post_init__(self) -> None:
        object.__setattr__(self, "pictures", tuple(self.pictures))  # JSON has lists only
        object.__setattr__(self, "adapters", tuple(self.adapters))
        require(bool(self.pictures), "No picture was given.", "Name at least one picture.")
        require(self.most >= 0, f"`most` is {self.most}.", "Use 0 or more; 0 reads all.")
        require(
            not self.both or bool(self.all_adapters),
            "Reading with both models needs an adapter.",
            "Name one with `--adapter RUN/adapter`.",
        )

    @property
    def all_adapters(self) -> tuple[str, ...]:
        """The folders of every adapter to read with, each once."""
        return tuple(dict.fromkeys(filter(None, (self.adapter, *self.adapters))))


LEAVE_OUT_SEEN = ("no", "pictures", "all")  # `pictures`: not those of which only the text is known


@dataclass(frozen=True, kw_only=True)
class CompareConfig(Config):
    """Base model against adapter, on one split of one dataset."""

    data: str
    adapter: str
    output: str
    base: str = "tiny"
    adapters: tuple[str, ...] = ()  # more of them, ranked beside the first
    checkpoints: tuple[str, ...] = ()  # folders of unfinished runs, ranked too
    names: tuple[str, ...] = ()  # of adapters, then checkpoints, in the report; else their folders
    texts: tuple[str, ...] = ()  # what other engines read: `NAME=` and a folder, table or zip
    leave_out_seen: str = "no"  # samples that train holds too: one of LEAVE_OUT_SEEN
    split: str = "test"
    draws: int = 10_000  # of the paired bootstrap
    seed: int = 0
    language: str = "en"  # of the report's page: `en` or `zh`
    suspects: int = 200  # training lines read at most to find wrong ground truth; 0: none

    def __post_init__(self) -> None:
        for name in ("adapters", "checkpoints", "names", "texts"):  # JSON has lists only
            object.__setattr__(self, name, tuple(getattr(self, name)))
        count = len(self.all_adapters) + len(self.all_checkpoints)
        require(
            not self.names or len(self.names) == count,
            f"{len(self.names)} `names` were given for {count} adapters and checkpoints.",
            "Give each of them one, or none any.",
        )
        for one in self.texts:
            require(
                all(one.partition("=")),
                f"`{one}` does not say whose texts they are.",
                "Give a name and a folder or table: `--texts tesseract=out/`.",
            )
        require(
            self.leave_out_seen in LEAVE_OUT_SEEN,
            f"`leave_out_seen` is {self.leave_out_seen!r}.",
            "Use no, pictures or all.",
        )
        require(self.suspects >= 0, f"`suspects` is {self.suspects}.", "Use 0 or more.")
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

    @property
    def all_adapters(self) -> tuple[str, ...]:
        """The folders of every adapter, each once; the first one is compared with the base."""
        return tuple(dict.fromkeys((self.adapter, *self.adapters)))

    @property
    def all_checkpoints(self) -> tuple[str, ...]:
        """The folders of every unfinished run, each once."""
        return tuple(dict.fromkeys(self.checkpoints))

    @property
    def other_texts(self) -> dict[str, str]:
        """The folder, table or zip of each other engine, by its name."""
        return {name: path for name, _, path in (one.partition("=") for one in self.texts)}


@dataclass(frozen=True, kw_only=True)
class SuspectsConfig(Config):
    """Which training lines are read to find wrong ground truth."""

    data: str
    adapter: str
    output: str  # folder for suspects.json and suspects.csv
    base: str = "tiny"
    lines: int = 200  # read at most so many, drawn at random; 0: all
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.lines >= 0, f"`lines` is {self.lines}.", "Use 0 or more; 0 reads all.")


@dataclass(frozen=True, kw_only=True)
class ExportConfig(Config):
    """How an adapter and its base model become one model in the authors' format."""

    run: str  # folder of a run, or of its adapter
    merged: str  # folder to write, which must be empty
    base: str = ""  # the model the adapter was trained on; empty: the one the run names
    dtype: str = "bfloat16"

    def __post_init__(self) -> None:
        require(
            self.dtype in ("bfloat16", "float16"),
            f"There is no 16-bit type `{self.dtype}`.",
            "Use bfloat16 or float16.",
        )


@dataclass(frozen=True, kw_only=True)
class DoctorConfig(Config):
    """What is checked about this machine."""

    quick: bool = False  # leave out what takes more than a few seconds
    anonymous: bool = False  # do not ask the Hub as the owner of this machine


REPO_NAME = re.compile(r"(?:[A-Za-z0-9][\w.-]{0,95}/)?[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
LANGUAGE_TAG = re.compile(r"[a-z]{2,3}")  # ISO 639, as the Hub has them


@dataclass(frozen=True, kw_only=True)
class PushDatasetConfig(Config):
    """Where a dataset goes on the Hub, and what its card says that nobody can count."""

    data: str  # prefix of a built dataset
    repo_id: str  # `USER/NAME`; `NAME` alone: of the own account
    private: bool = True  # of a repository that is not there yet; a public one must be wanted
    license: str = ""  # one of LICENSES; empty: as the card there has it, or none
    languages: tuple[str, ...] = ()  # of the texts; empty: as their scripts tell, where they do
    message: str = ""  # of the commit
    revision: str = ""  # the branch, which need not exist; empty: `main`
    run: str = ""  # folder of a run or adapter trained on it, whose contract the card names

    def __post_init__(self) -> None:
        object.__setattr__(self, "languages", tuple(self.languages))  # JSON has lists only
        require(
            bool(REPO_NAME.fullmatch(self.repo_id)),
            f"`{self.repo_id}` is no name for a dataset on the Hub.",
            "Use the form `USER/NAME`, with letters, digits, `-`, `_` and `.`.",
        )
        for one in self.languages:
            require(
                bool(LANGUAGE_TAG.fullmatch(one)),
                f"`{one}` is no code of a language.",
                "Use two or three small letters, such as zh, en or lzh.",
            )
        require_license(self.license)


@dataclass(frozen=True, kw_only=True)
class PushAdapterConfig(Config):
    """What of a run is shared on the Hub, and who may see it."""

    run: str  # folder of a run, or of its adapter
    repo_id: str  # USER/NAME; the merged model goes to USER/NAME-merged
    public: bool = False  # a repo that is there already stays as it is
    report: str = ""  # folder of a comparison; empty: its CER is not told
    examples: bool = False  # show three readings, with their ground truth, on the card
    merged: bool = False  # push the merged model, too
    license: str = ""  # the Hub's name for it, such as `mit`; empty: the card says none
    dataset: str = ""  # repo id of the dataset it was trained on; empty: the card names none
    base: str = ""  # of the merged model: what the adapter was trained on, if it has been moved

    def __post_init__(self) -> None:
        for name, what in (("repo_id", "repository"), ("dataset", "dataset")):
            value = getattr(self, name)
            require(
                bool(REPO_ID.fullmatch(value)) or (name == "dataset" and not value),
                f"`{value}` does not name a {what} of the Hub.",
                "Use the form USER/NAME.",
            )
        require(
            not self.license or bool(LICENSE.fullmatch(self.license)),
            f"`{self.license}` is no licence as the Hub names them.",
            "Use for example mit, apache-2.0 or cc-by-4.0.",
        )
        require(
            not self.examples or bool(self.report),
            "Example readings come from a comparison.",
            "Name its folder with `--report`.",
        )
