"""The protocol between a worker process and whoever watches it: one JSON line per fact."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args, get_origin

from ocrtune.errors import OcrtuneError
from ocrtune.whole_files import put_in_place


@dataclass(frozen=True)
class Note:
    """A sentence for people."""

    text: str


@dataclass(frozen=True)
class Progress:
    """So much of a stage is done."""

    stage: str  # `build`, `load`, `features`, `read`, `compare`
    done: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """What a run is about to do, and what it will take: counted, tried, and estimated."""

    samples: int  # that are learned from
    left_out: int  # of the train split
    left_out_why: str  # of the first of them
    unknown_characters: dict[str, int]  # that the model cannot write, with how often they occur
    supervised_tokens: int  # of all samples, once
    longest_sample: str  # its picture's id
    longest_tokens: int  # of picture, prompt and text
    layout: str
    layout_reason: str  # a sentence; empty where nobody had to choose
    image_tokens: float  # a picture, mean
    layout_tokens: dict[str, float]  # the same under each page layout of the model
    steps: int
    batches: int  # in one pass over the samples
    epochs: float  # passes
    batch_size: int
    micro_batch: int  # samples of a batch that go through the model together
    checkpointing: bool
    step_seconds: float  # of a mean batch, from a measured step on the longest one
    peak_bytes: int  # of memory in that step, with what the optimizer will add
    memory_bytes: int  # that the device has
    features_seconds: float  # spent on them already
    features_bytes: int  # on disk; 0 where vision learns
    measuring_seconds: float  # of all measurements of the CER together
    seconds: float  # of the whole run
    hardware: str  # what computes, for people
    space: str  # Space hardware of that kind; empty if there is none
    dollars_an_hour: float | None  # there; None if that is not known
    dollars: float | None  # for the whole run there


@dataclass(frozen=True)
class Step:
    """One optimizer step is finished."""

    step: int  # 1-based
    total: int
    loss: float  # mean per supervised token, in nats
    seconds: float  # since training began
    seconds_left: float  # estimate, evaluations included
    memory_bytes: int = 0  # of the accelerator, or of the process without one; 0 if not known


@dataclass(frozen=True)
class Evaluated:
    """The validation sample was read; step 0 is the base model."""

    step: int
    cer: float | None  # pooled strict CER, a fraction
    lines: int


@dataclass(frozen=True)
class SampleRead:
    """One validation sample as the model reads it now."""

    step: int
    picture_id: str
    reference: str
    hypothesis: str


@dataclass(frozen=True)
class Brought:
    """These pictures are going to be read, in this order."""

    pictures: Sequence[str]  # their ids
    left_out: int = 0  # pictures beyond the most that may be read


@dataclass(frozen=True)
class Written:
    """So much of a reading is written; told a few times a second, whole characters only."""

    picture_id: str
    text: str  # from the beginning
    model: str


@dataclass(frozen=True)
class Read:
    """One picture was read: a Prediction on the wire."""

    picture_id: str
    text: str
    seconds: float
    model: str
    looped: bool
    failed: str
    cut: bool = False
    boxes: Sequence[Mapping] = ()  # of each Box its fields
    damaged_boxes: int = 0
    drawn: str = ""
    why: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Saved:
    """Something lies on disk now."""

    kind: str  # `dataset`, `adapter`, `report`, `model`
    path: str


@dataclass(frozen=True)
class Resumed:
    """The run goes on from its checkpoint, which was saved after this step."""

    step: int
    total: int


@dataclass(frozen=True)
class Checked:
    """One thing about this machine was checked; `checkup_words` has the words for it."""

    check: str  # what was checked
    state: str  # ok, warning or problem
    words: str  # the key of what was found, and of what to do
    values: dict[str, str]  # that go into the words


@dataclass(frozen=True)
class Asked:
    """The job cannot go on until somebody chooses; a Failed follows."""

    problem: str
    setting: str  # of its config, which one of the choices will go into
    choices: Sequence[str]


@dataclass(frozen=True)
class Done:
    """The job reached its end; `stopped` when it was asked to end early."""

    text: str
    stopped: bool = False


@dataclass(frozen=True)
class Failed:
    """The job could not go on; `key` and `values` have the same in other languages, if they may."""

    problem: str
    fix: str
    key: str = ""
    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, error: OcrtuneError) -> "Failed":
        """Return what an error of ours tells."""
        return cls(error.problem, error.fix, error.key, dict(error.values))


Event = (
    Note
    | Progress
    | Preflight
    | Step
    | Evaluated
    | SampleRead
    | Brought
    | Written
    | Read
    | Saved
    | Resumed
    | Checked
    | Asked
    | Done
    | Failed
)
Emit = Callable[[Event], None]

JSON_TYPES = {  # of a field's type, what JSON may hold
    bool: bool,
    int: int,
    float: (int, float),
    str: str,
    float | None: (int, float, type(None)),
}
KINDS: dict[str, type] = {kind.__name__: kind for kind in get_args(Event)}


def silent(event: Event) -> None:
    """The default watcher: nobody."""


def to_line(event: Event) -> str:
    """Return the event as one line of JSON, without a line break."""
    return json.dumps({"event": type(event).__name__, **asdict(event)}, ensure_ascii=False)


def from_line(line: str) -> Event | None:
    """Return the event written on `line`; None for a torn or foreign line."""
    try:
        values: dict[str, Any] = json.loads(line)
        kind = KINDS[values.pop("event")]
        event = kind(**values)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    fits = all(is_value(values[one.name], one.type) for one in fields(kind) if one.name in values)
    return event if fits else None


def is_value(value: object, kind: object) -> bool:
    """Return whether a value from JSON is one of a field of that type."""
    for name, types in JSON_TYPES.items():
        if kind == name:
            return isinstance(value, types) and (kind is bool or not isinstance(value, bool))
    return isinstance(value, dict) if get_origin(kind) is dict else isinstance(value, list)


def append_event(path: Path, event: Event) -> None:
    """Append the event to the file at `path` in one write.

    A line that an earlier writer left torn is ended first: it would swallow this event.
    """
    with path.open("ab+") as stream:
        line = to_line(event).encode("utf-8", errors="replace") + b"\n"
        if stream.tell():
            stream.seek(-1, os.SEEK_END)
            line = line if stream.read(1) == b"\n" else b"\n" + line
        stream.write(line)


def read_events(path: Path) -> list[Event]:
    """Return the whole events in the file, oldest first; a file that cannot be read holds none."""
    try:
        lines = path.read_text("utf-8", errors="replace").split("\n")
    except OSError:
        return []
    return [event for event in map(from_line, lines) if event is not None]


def rewind_events(path: Path, step: int) -> None:
    """Drop what the file at `path` tells of the time after a step, so that nothing is told twice.

    Everything up to the last event of that step or an earlier one stays.
    """
    events = read_events(path)
    kept = 0
    for number, event in enumerate(events, start=1):
        if isinstance(event, Step | Evaluated | SampleRead) and event.step <= step:
            kept = number
    put_in_place(path, "".join(to_line(event) + "\n" for event in events[:kept]).encode())
