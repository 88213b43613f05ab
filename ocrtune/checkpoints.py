"""An unfinished run on disk, whole or absent, from which the same run goes on exactly.

One file holds everything: tensors as safetensors, the rest as JSON in its header. Nothing in it is
ever executed, and one move puts it in the place of the last one.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ocrtune.config import CHECKPOINT, TrainConfig
from ocrtune.errors import TrainingError
from ocrtune.records import OcrContract, Sample

# Where things lie, how long the run is and how often it is saved make no step another one; what
# lies there, and the share of it that is learned, is compared by the digest of the data and by the
# contract.
FREE_SETTINGS = ("data", "output", "base", "steps", "epochs", "checkpoint_every")
FREE_SETTINGS += ("early_stop", "fraction", "start_from")
HEADER = ("identity", "state")  # the two JSON texts beside the tensors


def describe_identity(
    config: TrainConfig, contract: OcrContract, samples: Iterable[Sample]
) -> dict[str, Any]:
    """Return what must be equal for one run to go on where another one stopped."""
    settings = {k: v for k, v in asdict(config).items() if k not in FREE_SETTINGS}
    return {
        "settings": settings,
        "data": digest_samples(samples),
        "base model": asdict(contract),
    }


def digest_samples(samples: Iterable[Sample]) -> str:
    """Return a digest of pictures, texts and their order."""
    digest = hashlib.sha256()
    for sample in samples:
        for part in (sample.picture_id.encode(), sample.picture, sample.text.encode()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def save_checkpoint(folder: Path, identity: dict[str, Any], state: dict[str, Any]) -> None:
    """Put a checkpoint into the folder of a run; the one before stays until this one is whole."""
    path = folder / CHECKPOINT
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    header = {"identity": json.dumps(identity), "state": json.dumps(pack(state, tensors))}
    part = path.with_suffix(".part")
    try:
        save_file(tensors, part, metadata=header)
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())  # the machine may go down, not only the process
        part.replace(path)
    except (OSError, SafetensorError) as error:
        part.unlink(missing_ok=True)
        raise TrainingError(
            f"The checkpoint cannot be written to `{path.parent}`: {error}.",
            "Make room on the disk.",
        ) from error


def load_checkpoint(folder: Path, identity: dict[str, Any]) -> dict[str, Any]:
    """Return the state that was saved in the folder of a run, tensors on the CPU.

    A TrainingError says what differs if the checkpoint is not of this `identity`.
    """
    require_checkpoint(folder)
    path = folder / CHECKPOINT
    try:
        with safe_open(path, framework="pt") as file:
            texts = file.metadata() or {}
            found, packed = (json.loads(texts[name]) for name in HEADER)
            refuse_other_run(found, identity)
            return unpack(packed, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"The checkpoint `{path}` is damaged: {error}.", "Start the run again."
        ) from error


def require_checkpoint(folder: Path) -> None:
    """Raise a TrainingError unless the folder holds an unfinished run."""
    if not (folder / CHECKPOINT).is_file():
        raise TrainingError(
            f"`{folder}` holds no checkpoint: the run has finished, or it had not yet saved one.",
            "Start a new run, without `--resume`.",
        )


def refuse_other_run(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Raise a TrainingError that says in what a checkpoint's run differs from the wanted one."""
    fix = "Resume it with what it was started with, or start a new run in another folder."
    if found["data"] != wanted["data"]:
        raise TrainingError("The checkpoint was made with other pictures or texts.", fix)
    for part in ("base model", "settings"):
        theirs, ours = found[part], wanted[part]
        odd = [name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name)]
        if odd:
            listed = "; ".join(f"`{n}` was {theirs.get(n)!r}, is {ours.get(n)!r}" for n in odd)
            raise TrainingError(f"The checkpoint was made with another {part}: {listed}.", fix)


def remove_checkpoint(folder: Path) -> None:
    """Remove the checkpoint of a run, if there is one."""
    shutil.rmtree((folder / CHECKPOINT).parent, ignore_errors=True)


def pack(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Return a state as JSON can hold it; its tensors go into `tensors`, copied to the CPU.

    Tuples become lists. A value of any other kind is a TypeError.
    """
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().to("cpu", copy=True).contiguous()
        return {"tensor": name}
    if isinstance(value, dict):  # as pairs, since JSON would turn numbers into texts
        return {"pairs": [[key, pack(inner, tensors)] for key, inner in value.items()]}
    if isinstance(value, list | tuple):
        return [pack(inner, tensors) for inner in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"A checkpoint cannot hold a {type(value).__name__}.")


def unpack(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Return what was packed."""
    if isinstance(value, list):
        return [unpack(inner, tensors) for inner in value]
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        return tensors[value["tensor"]]
    return {key: unpack(inner, tensors) for key, inner in value["pairs"]}


@dataclass(frozen=True)
class Unfinished:
    """What a checkpoint holds of the adapter that its run is making."""

    contract: OcrContract  # of the base model in that run
    step: int
    weights: Tensor  # all of them, flat, in the order of the model's parameters


def read_unfinished(folder: Path) -> Unfinished:
    """Return the weights in the checkpoint of a run's folder, to read pictures with them."""
    require_checkpoint(folder)
    path = folder / CHECKPOINT
    try:
        with safe_open(path, framework="pt") as file:
            texts = file.metadata() or {}
            identity, packed = (json.loads(texts[name]) for name in HEADER)
            learner = dict(packed["pairs"])["learner"]
            parts = dict(learner["pairs"])
            return Unfinished(
                contract=OcrContract.from_dict(identity["base model"]),
                step=len(parts["losses"]),
                weights=file.get_tensor(parts["weights"]["tensor"]),
            )
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"The checkpoint `{path}` is damaged: {error}.", "Compare another one."
        ) from error
