"""One measurement of the 3 B model's speed, in a process of its own.

python -m ocrtune.bench.gpu SETTINGS.json RESULT.json
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from ocrtune.bench.stand_in import stand_in_samples
from ocrtune.config import TrainConfig
from ocrtune.events import Event, Note, silent
from ocrtune.examples import make_examples
from ocrtune.families.grouped import best_way
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import add_lora, load_base
from ocrtune.learner import Learner
from ocrtune.reading import read_samples

T4_BYTES = int(14.7 * 2**30)  # what of a T4's 16 GB an allocator gets


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is measured, and how."""

    name: str
    task: str  # `train` or `read`
    base: str  # folder of the stand-in
    samples: int
    batch_size: int = 8
    experts: bool = True  # LoRA on them too
    record: bool = True  # CUDA graphs
    capability: str = ""  # to imitate, such as `7.5`
    cap_bytes: int = T4_BYTES
    layout: str = "base"
    new_tokens: int = 50  # that reading writes for each line


def measure_training(case: Case) -> dict:
    """Return the figures of two epochs."""
    begun = time.perf_counter()
    loaded = load_base(case.base, case.layout)
    load_seconds = time.perf_counter() - begun
    steps = 2 * -(-case.samples // case.batch_size)
    config = TrainConfig(
        data="",
        output="",
        base=case.base,
        steps=steps,
        batch_size=case.batch_size,
        lora_experts=case.experts,
    )
    examples = make_examples(loaded, stand_in_samples(case.samples), silent)
    add_lora(loaded, config)
    begun = time.perf_counter()
    notes = Notes()
    learner = Learner(loaded, config, examples, notes)
    synchronise()
    features_seconds = time.perf_counter() - begun
    learner.recorder.record &= case.record
    stamps = [time.perf_counter()]
    for _ in range(steps):
        learner.step()
        synchronise()
        stamps.append(time.perf_counter())
    took = [end - start for start, end in zip(stamps, stamps[1:], strict=False)]
    first, second = sum(took[: steps // 2]), sum(took[steps // 2 :])
    return {
        "load_seconds": load_seconds,
        "features_seconds": features_seconds,
        "features_ms_per_picture": 1000 * features_seconds / case.samples,
        "first_step_seconds": took[0],
        "first_epoch_samples_per_second": case.samples / (features_seconds + first),
        "second_epoch_samples_per_second": case.samples / second,
        "step_ms": [round(1000 * seconds, 1) for seconds in took],
        "losses": [round(loss, 4) for loss in learner.losses],
        "experts": best_way(loaded.device, learner.dtype),
        "dtype": str(learner.dtype),
        "optimizer": type(learner.optimizer).__module__,
        "micro_batch": learner.micro_batch,
        "notes": notes.texts,
        **memory(loaded),
    }


def measure_reading(case: Case) -> dict:
    """Return the figures of reading lines together and one by one."""
    loaded = load_base(case.base, case.layout)
    loaded.contract = replace(loaded.contract, max_new_tokens=case.new_tokens)
    pictures = [(s.picture_id, s.picture) for s in stand_in_samples(case.samples)]
    read_samples(loaded, pictures[: case.batch_size], batch_size=case.batch_size)
    texts, figures = {}, {}
    for batch, some in ((case.batch_size, pictures), (1, pictures[: case.batch_size])):
        synchronise()
        begun = time.perf_counter()
        predictions = read_samples(loaded, some, batch_size=batch)
        synchronise()
        figures[f"lines_per_second_{batch}"] = len(some) / (time.perf_counter() - begun)
        texts[batch] = [prediction.text for prediction in predictions]
    equal = sum(a == b for a, b in zip(texts[case.batch_size], texts[1], strict=False))
    return {**figures, "equal_texts": equal, "compared": len(texts[1]), **memory(loaded)}


class Notes:
    """What a learner says."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, Note):
            self.texts.append(event.text)


def memory(loaded: LoadedModel) -> dict:
    """Return the most memory the device and this process have given."""
    status = Path("/proc/self/status").read_text("utf-8").splitlines()
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
    own = next(line.split()[1] for line in status if line.startswith("RssAnon"))
    on_gpu = torch.cuda.max_memory_reserved(loaded.device) if loaded.device.type == "cuda" else 0
    return {
        "peak_reserved_gib": on_gpu / 2**30,
        "host_peak_gib": int(peak) / 2**20,
        "host_own_gib": int(own) / 2**20,
    }


def synchronise() -> None:
    """Return once the GPU is done."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def imitate(case: Case) -> None:
    """Give this process the memory and, where asked, the path of a smaller card."""
    if case.capability:
        os.environ["OCRTUNE_CAPABILITY"] = case.capability
        torch.backends.cuda.enable_flash_sdp(False)  # it needs 8.0
        torch.backends.cuda.enable_cudnn_sdp(False)
    if torch.cuda.is_available() and case.cap_bytes:
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, case.cap_bytes / total))


TASKS: dict[str, Callable[[Case], dict]] = {"train": measure_training, "read": measure_reading}


def main() -> None:
    settings, result = map(Path, sys.argv[1:])
    case = Case(**json.loads(settings.read_text("utf-8")))
    imitate(case)
    with tempfile.TemporaryDirectory() as home:
        os.environ["OCRTUNE_HOME"] = home  # or the features of an earlier case would be found
        figures = {"case": asdict(case), **TASKS[case.task](case)}
    result.write_text(json.dumps(figures), "utf-8")


if __name__ == "__main__":
    main()
