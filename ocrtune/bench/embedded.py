"""The embedded model against Tesseract: the same lines, the same scoring, in one run."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ocrtune.bench.goals import PEER, TINY, TINY_TUNED
from ocrtune.bench.lines import SCANS, TUNED, BenchLine, load_scans, load_sets, load_test_split
from ocrtune.bench.report import write_bench
from ocrtune.bench.speed import STEPS, busy, machine, measure_speed
from ocrtune.bench.tesseract import MARGINS, MODELS, Tesseract, find_tesseract, read_lines
from ocrtune.errors import ConfigError, ModelError
from ocrtune.events import Emit, Note, Saved, silent
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import DETAILS, load_base
from ocrtune.metrics import compare_scores, score_pairs, summarise
from ocrtune.reading import follow_adapter, read_samples, use_cores
from ocrtune.text import find_loop, normalise

SHORT = 30  # characters that a short line has less than
TALKATIVE = 3  # characters; whoever writes more about nothing has invented a text
WORST = 40  # lines kept of each set
LIMITED_STEPS = 6  # of training, where few lines are read too


@dataclass(frozen=True, kw_only=True)
class BenchSettings:
    """What is measured, on what."""

    sets: Path  # folder of evaluation sets
    output: Path
    scans: Path | None = None  # an archive of real scans with their text
    adapter: Path | None = None  # fine-tuned on a dataset of these scans
    limit: int = 0  # lines of each set; 0 reads all
    speed: bool = True

    def __post_init__(self) -> None:
        if self.adapter and not self.scans:
            raise ConfigError("An adapter is measured on scans.", "Name them with `--scans ZIP`.")


@dataclass(frozen=True)
class Reading:
    """What one reader made of the lines of a set."""

    texts: list[str]
    looped: list[bool]
    seconds: float


@dataclass
class SetResult:
    """A set of lines and its readings by the name of the reader."""

    lines: list[BenchLine]
    readings: dict[str, Reading] = field(default_factory=dict)


def run_bench(settings: BenchSettings, emit: Emit = silent) -> dict:
    """Read every set with everybody, write report.md and report.json, return the figures."""
    use_cores()
    lines = gather_lines(settings, emit)
    tesseract = find_tesseract()
    if tesseract is None:
        emit(Note("Tesseract is not on the PATH, so tiny is measured alone."))
    else:
        require_models(tesseract, lines)
    load, speed = busy(), None
    if settings.speed:  # first, while the machine is cool and this process idle
        steps = LIMITED_STEPS if settings.limit else STEPS
        speed = measure_speed(settings.sets / "printed", steps, emit)
    loaded = load_base(TINY)
    contract = asdict(loaded.contract)  # the adapter's own takes its place
    results = read_everything(settings, loaded, tesseract, lines, emit)
    figures = {
        "machine": machine(),
        "load": load,
        "limit": settings.limit,
        "contract": contract,
        "weights": weights(loaded.folder),
        "tesseract": tesseract.version if tesseract else None,
        "sets": {name: set_figures(result) for name, result in results.items()},
        "speed": [asdict(part) for part in speed] if speed else None,
        "adapter": adapter_details(settings.adapter) if settings.adapter else None,
    }
    write_bench(figures, settings.output)
    emit(Saved("report", str(settings.output)))
    return figures


def gather_lines(settings: BenchSettings, emit: Emit) -> dict[str, list[BenchLine]]:
    """Return the lines of every set; the test split of a fine-tune is a set of its own."""
    lines = load_sets(settings.sets, settings.limit)
    if not settings.scans:
        emit(Note("Real scans are left out: no `--scans` were given."))
        return lines
    scans = load_scans(settings.scans)
    lines[SCANS] = scans[:: max(1, len(scans) // settings.limit)] if settings.limit else scans
    if settings.adapter:
        lines[TUNED] = load_test_split(settings.adapter, scans)
    return lines


def require_models(tesseract: Tesseract, lines: dict[str, list[BenchLine]]) -> None:
    """Refuse to begin without a model of Tesseract that will be needed."""
    for language in {line.language for members in lines.values() for line in members}:
        for name in MODELS[language]:
            tesseract.model(name)


def read_everything(
    settings: BenchSettings,
    loaded: LoadedModel,
    tesseract: Tesseract | None,
    lines: dict[str, list[BenchLine]],
    emit: Emit,
) -> dict[str, SetResult]:
    """Return what everybody reads; in the end `loaded` carries the adapter, if there is one."""
    results = {name: SetResult(members) for name, members in lines.items()}
    for name, result in results.items():
        emit(Note(f"{name}: {len(result.lines)} lines"))
        result.readings[TINY] = read_with_tiny(loaded, result.lines, emit)
        if tesseract:
            result.readings |= read_with_tesseract(tesseract, result.lines, emit)
    if TUNED in results:
        follow_adapter(loaded, str(settings.adapter), emit)
        tuned = read_with_tiny(loaded, results[TUNED].lines, emit)
        results[TUNED].readings[TINY_TUNED] = tuned
    return results


def read_with_tiny(loaded: LoadedModel, lines: Sequence[BenchLine], emit: Emit) -> Reading:
    """Return what the model reads, with the adapter that it carries."""
    started = time.perf_counter()
    found = read_samples(loaded, [(line.name, line.picture) for line in lines], emit=emit)
    seconds = time.perf_counter() - started
    texts = [prediction.text for prediction in found]
    looped = [p.looped or find_loop(p.text) for p in found]
    return Reading(texts, looped, seconds)


def read_with_tesseract(
    tesseract: Tesseract, lines: Sequence[BenchLine], emit: Emit
) -> dict[str, Reading]:
    """Return what Tesseract reads when it is told each line's language; scans have two models."""
    names = max((MODELS[line.language] for line in lines), key=len)
    readings = {}
    for number, name in enumerate(names):
        started = time.perf_counter()
        texts = [""] * len(lines)
        for language in dict.fromkeys(line.language for line in lines):
            chosen = [i for i, line in enumerate(lines) if line.language == language]
            pictures = [lines[i].picture for i in chosen]
            model, margin = MODELS[language][number], MARGINS.get(language, 0)
            found = read_lines(tesseract, model, pictures, margin, emit)
            for index, text in zip(chosen, found, strict=True):
                texts[index] = text
        seconds = time.perf_counter() - started
        reader = PEER if len(names) == 1 else f"{PEER} {name}"
        readings[reader] = Reading(texts, [find_loop(text) for text in texts], seconds)
    return readings


def set_figures(result: SetResult) -> dict:
    """Return the figures of a set and of its groups of lines, JSON-ready."""
    return {
        "lines": len(result.lines),
        "seconds": {name: reading.seconds for name, reading in result.readings.items()},
        "groups": {
            name: group_figures(result, members) for name, members in groups(result.lines).items()
        },
        "worst": worst_lines(result),
    }


def groups(lines: Sequence[BenchLine]) -> dict[str, list[int]]:
    """Return the lines of each group by index: all, languages, kinds, and the short ones."""
    found: dict[str, list[int]] = {"all": list(range(len(lines)))}
    for names in ([line.language for line in lines], [line.kind for line in lines]):
        if len(set(names)) > 1:
            for name in dict.fromkeys(names):
                found[name] = [index for index, one in enumerate(names) if one == name]
    found["short"] = [i for i, line in enumerate(lines) if 0 < len(line.text) < SHORT]
    return {name: members for name, members in found.items() if members}


def group_figures(result: SetResult, members: Sequence[int]) -> dict:
    """Return what each reader did on some lines of a set."""
    references = [result.lines[index].text for index in members]
    scores, figures = {}, {}
    for name, reading in result.readings.items():
        texts = [reading.texts[index] for index in members]
        pairs = list(zip(references, texts, strict=True))
        scores[name] = score_pairs(pairs)
        looped = [reading.looped[index] for index in members]
        about_nothing = [len(normalise(found)) for wanted, found in pairs if not wanted]
        figures[name] = asdict(summarise(scores[name], looped=looped)) | {
            "cer_without_spaces": summarise(score_pairs(pairs, "no-space")).cer,
            "written": mean(about_nothing),
            "talkative": mean([count > TALKATIVE for count in about_nothing]),
        }
    ours = TINY_TUNED if TINY_TUNED in scores else TINY
    differences = {
        name: asdict(compare_scores(theirs, scores[ours]))
        for name, theirs in scores.items()
        if name != ours
    }
    return {"readers": figures, "differences": differences}


def mean(values: Sequence[float]) -> float | None:
    """Return the mean; None of nothing."""
    return sum(values) / len(values) if values else None


def worst_lines(result: SetResult) -> list[dict]:
    """Return the lines that tiny read worst, with what everybody read."""
    pairs = zip((line.text for line in result.lines), result.readings[TINY].texts, strict=True)
    scores = score_pairs(pairs)
    order = sorted(
        range(len(scores)),
        key=lambda i: (-scores[i].errors / max(1, scores[i].reference_length), -scores[i].errors),
    )
    return [
        {
            "name": result.lines[index].name,
            "reference": result.lines[index].text,
            "errors": scores[index].errors,
            **{name: reading.texts[index] for name, reading in result.readings.items()},
        }
        for index in order[:WORST]
        if scores[index].errors
    ]


def weights(folder: Path) -> dict:
    """Return the size of the model's files."""
    sizes = [path.stat().st_size for path in folder.glob("*.safetensors")]
    return {"bytes": sum(sizes), "largest_file": max(sizes, default=0)}


def adapter_details(adapter: Path) -> dict:
    """Return what the adapter's run wrote down about itself."""
    path = adapter / DETAILS
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"`{path}` cannot be read.", "Name an `adapter` folder that `ocrtune train` wrote."
        ) from error
