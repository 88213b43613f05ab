"""One measurement of DeepSeek-OCR's speed, in a process of its own (or one for each GPU).

python -m ocrtune.bench.gpu SETTINGS.json RESULT.json
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from ocrtune.bench.stand_in import stand_in_samples
from ocrtune.config import TrainConfig
from ocrtune.engines import UNSLOTH, Unsloth
from ocrtune.events import Event, Note, silent
from ocrtune.examples import make_examples
from ocrtune.families.grouped import best_way
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import add_lora, load_base
from ocrtune.features import encode_samples
from ocrtune.hardware import describe_hardware
from ocrtune.learner import Learner
from ocrtune.ranks import Ranks, join_ranks, leave_ranks
from ocrtune.reading import read_samples

T4_GIB = 14.7  # of a T4's 16 GB an allocator gets so much


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is measured, and how."""

    name: str
    task: str  # `train` or `read`
    base: str  # folder of the stand-in
    samples: int
    batch_size: int = 8
    engine: str = "transformers"
    experts: bool = True  # LoRA on them too
    capability: str = ""  # to imitate, such as `7.5`
    cap_gib: float = T4_GIB  # of memory; 0 takes all
    layout: str = "base"
    new_tokens: int = 50  # that reading writes for each line
    ranks: int = 1  # GPUs


def measure_training(case: Case, ranks: Ranks) -> dict:
    """Return the figures of two epochs."""
    begun = time.perf_counter()
    engine = Unsloth() if case.engine == UNSLOTH else None
    loaded = load_base(case.base, case.layout, engine=engine)
    load_seconds = time.perf_counter() - begun
    steps = 2 * -(-case.samples // case.batch_size)
    config = TrainConfig(
        data="",
        output="",
        base=case.base,
        steps=steps,
        batch_size=case.batch_size,
        lora_experts="yes" if case.experts else "no",
    )
    examples = make_examples(loaded, stand_in_samples(case.samples), silent)
    add_lora(loaded, config)
    begun = time.perf_counter()
    notes = Notes()
    learner = Learner(loaded, config, examples, notes, ranks)
    synchronise()
    preparing = time.perf_counter() - begun
    features_seconds = learner.features_seconds
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
        "first_step_seconds": preparing - features_seconds + took[0],
        "first_epoch_samples_per_second": case.samples / (preparing + first),
        "second_epoch_samples_per_second": case.samples / second,
        "step_ms": [round(1000 * seconds, 1) for seconds in took],
        "losses": [round(loss, 4) for loss in learner.losses],
        "experts": best_way(loaded.device, learner.dtype),
        "dtype": str(learner.dtype).removeprefix("torch."),
        "optimizer": f"{type(learner.optimizer).__module__}.{type(learner.optimizer).__name__}",
        "micro_batch": learner.micro_batch,
        "notes": notes.texts,
        **memory(loaded, ranks),
    }


def measure_reading(case: Case, ranks: Ranks) -> dict:
    """Return the figures of reading lines together and one by one, with the towers and without."""
    loaded = load_base(case.base, case.layout)
    loaded.contract = replace(loaded.contract, max_new_tokens=case.new_tokens)
    pictures = [(s.picture_id, s.picture) for s in stand_in_samples(case.samples)]
    read_samples(loaded, pictures[: case.batch_size], batch_size=case.batch_size)
    features = encode_samples(loaded, pictures)
    texts, figures = {}, {}
    for batch, count in ((case.batch_size, len(pictures)), (1, min(len(pictures), 16))):
        for name, given in (("", None), ("_given_features", features[:count])):
            synchronise()
            begun = time.perf_counter()
            predictions = read_samples(loaded, pictures[:count], given, batch_size=batch)
            synchronise()
            seconds = time.perf_counter() - begun
            figures[f"lines_per_second_{batch}{name}"] = count / seconds
            texts[batch] = [prediction.text for prediction in predictions]
    equal = sum(a == b for a, b in zip(texts[case.batch_size], texts[1], strict=False))
    return {**figures, "equal_texts": equal, "compared": len(texts[1]), **memory(loaded, ranks)}


class Notes:
    """What a learner says."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, Note):
            self.texts.append(event.text)


def memory(loaded: LoadedModel, ranks: Ranks) -> dict:
    """Return the machine, and the most memory that the device and this process have given."""
    status = Path("/proc/self/status")
    lines = status.read_text("utf-8").splitlines() if status.exists() else []
    sizes = {
        line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("Vm", "Rss"))
    }
    on_gpu = torch.cuda.max_memory_reserved(loaded.device) if loaded.device.type == "cuda" else 0
    return {
        "hardware": describe_hardware(loaded.device, ranks.count),
        "torch": torch.__version__,
        "peak_reserved_gib": on_gpu / 2**30,
        "host_peak_gib": int(sizes.get("VmHWM", 0)) / 2**20,  # the mapped checkpoint included
        "host_own_gib": int(sizes.get("RssAnon", 0)) / 2**20,
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
    if torch.cuda.is_available() and case.cap_gib:
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, case.cap_gib * 2**30 / total))


TASKS: dict[str, Callable[[Case, Ranks], dict]] = {
    "train": measure_training,
    "read": measure_reading,
}


def main() -> None:
    settings, result = map(Path, sys.argv[1:])
    case = Case(**json.loads(settings.read_text("utf-8")))
    ranks = join_ranks()
    imitate(case)
    try:
        figures = {"case": asdict(case), **TASKS[case.task](case, ranks)}
    finally:
        leave_ranks()
    if ranks.is_first:
        result.write_text(json.dumps(figures), "utf-8")


if __name__ == "__main__":
    main()
