"""What can be said of a dataset without looking at it again: counts, scripts, and its digest."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ocrtune.dataset_files import read_build_report, stream_samples
from ocrtune.edits import load_edits
from ocrtune.errors import DatasetError, ModelError
from ocrtune.events import Emit, Progress, silent
from ocrtune.records import SPLITS, OcrContract, Sample
from ocrtune.text import COMMON, script_of

FORM = "ocrtune dataset 1"  # of what is digested; another one makes every dataset look changed
STEP = 256  # samples between two words of progress
LEAST_SHARE = 0.02  # of the letters, from which on a script tells of a language
TELLING_SCRIPTS = {  # that one language is written in, nearly always
    "hangul": "ko",
    "hiragana": "ja",
    "katakana": "ja",
    "thai": "th",
    "lao": "lo",
    "khmer": "km",
    "myanmar": "my",
    "tibetan": "bo",
    "greek": "el",
    "hebrew": "he",
    "armenian": "hy",
    "georgian": "ka",
    "gujarati": "gu",
    "gurmukhi": "pa",
    "oriya": "or",
    "tamil": "ta",
    "telugu": "te",
    "kannada": "kn",
    "malayalam": "ml",
    "sinhala": "si",
}


@dataclass(frozen=True, kw_only=True)
class SplitFacts:
    """What one split holds."""

    samples: int
    characters: int
    picture_bytes: int


@dataclass(frozen=True, kw_only=True)
class DatasetFacts:
    """What a dataset holds as people left it."""

    splits: Mapping[str, SplitFacts]  # those with samples, in the order of SPLITS
    scripts: Mapping[str, int]  # characters of each script, the most frequent first
    shortest: int  # characters of a text, as the next one
    longest: int
    digest: str  # 64 hexadecimal digits: of every picture, id and text, and their splits
    source: str = ""  # a file's name, or the address of a dataset of the Hub
    shape: str = ""  # of the ground truth, one of SHAPES
    edits: int = 0  # samples that people changed, added or left out since the build

    @property
    def samples(self) -> int:
        return sum(one.samples for one in self.splits.values())

    @property
    def picture_bytes(self) -> int:
        return sum(one.picture_bytes for one in self.splits.values())

    def languages(self) -> list[str]:
        """Return the codes of the languages that the scripts tell; most scripts tell none."""
        letters = {name: count for name, count in self.scripts.items() if name != COMMON}
        least = LEAST_SHARE * sum(letters.values())
        usual = [name for name, count in letters.items() if count >= least]
        told = [TELLING_SCRIPTS[name] for name in usual if name in TELLING_SCRIPTS]
        if "han" in usual and "ja" not in told:
            told.append("zh")
        return sorted(set(told))


@dataclass
class Counts:
    """What is counted while the samples of a dataset pass by."""

    characters: Counter[str] = field(default_factory=Counter)
    lengths: list[int] = field(default_factory=list)  # of the texts
    digest: "hashlib._Hash" = field(default_factory=lambda: hashlib.sha256(FORM.encode()))

    def take(self, split: str, sample: Sample) -> None:
        """Count one sample."""
        self.characters.update(sample.text)
        self.lengths.append(len(sample.text))
        for part in (split.encode(), sample.picture_id.encode(), sample.text.encode()):
            self.digest.update(len(part).to_bytes(8) + part)
        self.digest.update(hashlib.sha256(sample.picture).digest())


def measure_dataset(prefix: str, emit: Emit = silent) -> DatasetFacts:
    """Return what a dataset holds; a DatasetError if it holds nothing to learn from."""
    report = read_build_report(prefix)
    total = sum(report["splits"].values())
    counts, splits = Counts(), {}
    for split in SPLITS:
        before, size = sum(counts.lengths), 0
        start = len(counts.lengths)
        for sample in told_of(stream_samples(prefix, split), emit, start, total):
            counts.take(split, sample)
            size += len(sample.picture)
        if samples := len(counts.lengths) - start:
            characters = sum(counts.lengths) - before
            splits[split] = SplitFacts(samples=samples, characters=characters, picture_bytes=size)
    if "train" not in splits:
        raise DatasetError(
            f"The dataset `{prefix}` has no sample in its train split.", "Build it again."
        )
    edits = load_edits(prefix)
    scripts: Counter[str] = Counter()
    for character, count in counts.characters.items():
        scripts[script_of(character)] += count
    return DatasetFacts(
        splits=splits,
        scripts=dict(sorted(scripts.items(), key=lambda pair: (-pair[1], pair[0]))),
        shortest=min(counts.lengths),
        longest=max(counts.lengths),
        digest=counts.digest.hexdigest(),
        source=source_of(report),
        shape=str(report.get("shape") or ""),
        edits=len(edits.additions)
        + sum(one.changes_text or one.excluded for one in edits.edits.values()),
    )


def told_of(
    samples: Iterator[Sample], emit: Emit, start: int, total: int, stage: str = "measure"
) -> Iterator[Sample]:
    """Yield the samples, telling every now and then how far this is."""
    for number, sample in enumerate(samples, start=start):
        if number % STEP == 0:
            emit(Progress(stage, min(number, total), total))
        yield sample


def source_of(report: Mapping) -> str:
    """Return where a dataset is from, without folders of this machine, which are nobody's matter.

    Of a dataset of the Hub it is `USER/NAME/tree/COMMIT`.
    """
    for one in report.get("remarks") or ():
        if one.get("key") == "hub_source":
            return str((one.get("values") or {}).get("address") or "")
    return Path(str(report.get("source") or "")).name


def read_contract(run: str) -> OcrContract:
    """Return the contract of a run or an adapter, by its folder."""
    for path in (Path(run) / "contract.json", Path(run) / "adapter" / "contract.json"):
        if path.is_file():
            try:
                return OcrContract.from_dict(json.loads(path.read_text("utf-8")))
            except (OSError, ValueError, TypeError) as error:
                raise ModelError(f"`{path}` cannot be read: {error}.", "Train again.") from error
    raise ModelError(f"`{run}` is no run, and no adapter.", "Name the folder that `train` wrote.")
