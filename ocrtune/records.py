"""Values that travel between the layers: frozen, plain, JSON-ready through `dataclasses.asdict`."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields

from ocrtune.errors import ModelError

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One picture of a dataset with its ground truth."""

    picture_id: str  # unique in its dataset: the picture's name in the archive
    picture: bytes  # an encoded image file (PNG, JPEG, …), exactly as stored
    text: str  # the ground truth


@dataclass(frozen=True, kw_only=True)
class Box:
    """Where on a picture something stands; pixels of the upright picture, x2 and y2 included."""

    label: str
    x1: int
    y1: int
    x2: int
    y2: int


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One reading of one picture."""

    picture_id: str
    text: str  # the hypothesis; empty when `failed`
    seconds: float  # wall time, a batch's time shared evenly by its pictures
    model: str  # what is shown to people: `tiny`, `tiny + RUN/adapter`
    looped: bool = False  # decoding was cut because the text repeated itself
    failed: str = ""  # why there is no text; empty when there is one
    cut: bool = False  # the text was not at its end when it reached the longest length allowed
    boxes: tuple[Box, ...] = ()  # where a grounding prompt asked for places
    damaged_boxes: int = 0  # places that were written wrongly; their words are in the text
    drawn: str = ""  # path of the picture with its boxes; empty when none was drawn
    # Of `failed`, `key` and `values` of the same in other languages; empty where there are none.
    why: dict[str, object] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, kw_only=True)
class OcrContract:
    """Everything a reading depends on beside the picture; adapters and reports carry it."""

    family: str
    base_model: str  # `tiny`, a repo id or a folder
    revision: str  # a commit of that repo id, or a digest of the weights
    prompt: str
    layout: str  # name of the layout preset
    max_new_tokens: int
    no_repeat_ngram: int  # tokens; 0 switches the block off
    ngram_window: int  # tokens looked back at for the block
    profile: str = "strict"  # normalisation profile of the headline CER

    def digest(self) -> str:
        """Return 16 hexadecimal digits that are equal exactly when the contracts are."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @classmethod
    def from_dict(cls, values: dict) -> "OcrContract":
        """Return the contract stored as `values`; unknown or missing keys are refused."""
        known = {field.name for field in fields(cls)}
        if set(values) - known or known - set(values) - {"profile"}:
            odd = sorted((set(values) ^ known) - {"profile"})
            raise ModelError(
                f"The contract has missing or unknown entries: {', '.join(odd)}.",
                "It was written by another version of ocrtune: train the adapter again.",
            )
        return cls(**values)

    def differences(self, other: "OcrContract") -> list[str]:
        """Return one sentence for each entry in which `other` differs from this contract."""
        mine, theirs = asdict(self), asdict(other)
        return [
            f"{name}: {mine[name]!r} here, {theirs[name]!r} there"
            for name in mine
            if mine[name] != theirs[name]
        ]
