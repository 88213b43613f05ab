"""Before a run: what it learns from, whether it fits, how long it takes, and what that costs."""

import math
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from statistics import fmean

import torch

from ocrtune.decoding import rows_at_once
from ocrtune.errors import TrainingError
from ocrtune.events import Preflight
from ocrtune.examples import Examined, Example
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import has_fixed_features
from ocrtune.families.page_layouts import PRESETS, LayoutChoice, image_tokens
from ocrtune.features import picture_size
from ocrtune.fitting import LEARNED_BYTES, ModelShape, choose_fit, needed_bytes
from ocrtune.hardware import (
    begin_peak,
    describe_hardware,
    memory,
    peak,
    space_hardware,
)
from ocrtune.home import home_folder
from ocrtune.learner import Batch, Learner
from ocrtune.reading import read_samples
from ocrtune.space_prices import PRICES
from ocrtune.validation import Validation

QUICK_SECONDS = 3.0  # a dry step so short is done again: the first one also warms up
CORRECTIONS = 2  # of an estimate by what was measured
LEAST_CORRECTION = 0.1  # less is no measurement: memory that was free already was used again
SHORT_READING, LONG_READING = 2, 10  # tokens of the readings that are timed
TIMED_PICTURES = 8  # on a CPU, where the time grows with them


@dataclass(frozen=True)
class SampleSizes:
    """What one example takes."""

    size: tuple[int, int]  # of its picture, in pixels
    image_tokens: int
    tokens: int  # of picture, prompt and text
    supervised: int


def measure_samples(loaded: LoadedModel, examples: Sequence[Example]) -> list[SampleSizes]:
    """Return what each example takes; a TrainingError if one has no sound picture."""
    prompt = len(loaded.prompt_ids(0))
    sizes = []
    for example in examples:
        size = picture_size(example.picture)
        if size is None:
            raise TrainingError(
                f"The picture `{example.picture_id}` of the train split cannot be used.",
                "Build the dataset again.",
            )
        seen, learned = loaded.expected_tokens(*size), len(example.completion)
        sizes.append(SampleSizes(size, seen, prompt + seen + learned, learned))
    return sizes


def features_bytes(loaded: LoadedModel, sizes: Sequence[SampleSizes]) -> int:
    """Return how much disk the features of some examples take; 0 where vision learns."""
    if not has_fixed_features(loaded):
        return 0
    weight = loaded.network.lm_head.weight
    tokens = sum(one.image_tokens for one in sizes)
    return tokens * weight.shape[1] * weight.element_size()


def refuse_full_disk(loaded: LoadedModel, sizes: Sequence[SampleSizes]) -> None:
    """Raise a TrainingError if the features of the examples would not fit on the disk."""
    folder = home_folder()
    folder.mkdir(parents=True, exist_ok=True)
    needed, free = features_bytes(loaded, sizes), shutil.disk_usage(folder).free
    if needed > free:
        raise TrainingError(
            f"The pictures' features need {gigabytes(needed)} on disk under the layout "
            f"`{loaded.contract.layout}`, and `{folder}` has room for {gigabytes(free)}.",
            "Choose a smaller `--layout`, or set OCRTUNE_HOME to a larger disk.",
        )


def settle_fit(learner: Learner, sizes: Sequence[SampleSizes]) -> tuple[float, int]:
    """Let batches go through the model as they fit; return the last dry step's seconds and peak.

    An estimate comes first. What the step takes corrects it; one that runs out of memory is
    divided by the learner itself.
    """
    config, device, shape = learner.config, learner.loaded.device, model_shape(learner)
    samples = [(one.tokens, one.supervised) for one in sizes]
    room, _ = memory(device)
    asked = (config.batch_size, config.micro_batch, config.checkpointing)
    fit = choose_fit(room, samples, shape, *asked)
    for _ in range(1 + CORRECTIONS):
        learner.fit(fit.micro_batch, fit.checkpointing)
        before = begin_peak(device)
        seconds, most = dry_step_that_fits(learner, sizes)
        if (learner.micro_batch, learner.recorder.recompute) != fit.way:
            break
        moments = LEARNED_BYTES * shape.learned
        found = (most - before - moments) / (needed_bytes(shape, samples, *fit.way) - moments)
        better = choose_fit(room, samples, shape, *asked, correction=max(found, LEAST_CORRECTION))
        if better.way == fit.way:
            break
        fit = better
    return seconds, most


def dry_step_that_fits(learner: Learner, sizes: Sequence[SampleSizes]) -> tuple[float, int]:
    """Return a dry step's seconds and peak, with checkpointing if it does not fit without."""
    try:
        return dry_step(learner, longest_batch(learner, sizes))
    except torch.OutOfMemoryError:
        if learner.recorder.recompute or learner.config.checkpointing == "no":
            raise
    learner.fit(learner.config.micro_batch or learner.config.batch_size, True)
    return dry_step(learner, longest_batch(learner, sizes))


def longest_batch(learner: Learner, sizes: Sequence[SampleSizes]) -> list[int]:
    """Return the indices of the examples that are the most demanding share of a batch."""
    order = sorted(range(len(sizes)), key=lambda index: sizes[index].tokens, reverse=True)
    return order[: -(-learner.config.batch_size // learner.ranks.count)]


def dry_step(learner: Learner, indices: Sequence[int]) -> tuple[float, int]:
    """Return the seconds and the peak memory in bytes of a step that teaches nothing.

    Forward and backward are real. Weights, optimizer, random numbers and the order of the batches
    are afterwards as they were; there are no gradients.
    """
    device = learner.loaded.device
    with nothing_changed(learner):
        begin_peak(device)
        lessons = [learner.prepare(index) for index in indices]
        batch = Batch(lessons, sum(len(answer) for _, answer in lessons))
        seconds = timed_gradient(learner, batch)
        # On a GPU the second one records a graph, and only the third one tells the time.
        for _ in range(2 if learner.recorder.record else 1):
            if seconds < QUICK_SECONDS:
                seconds = timed_gradient(learner, batch)
        most = peak(device)
    return seconds, most + LEARNED_BYTES * learner.flat.master.numel()


def timed_gradient(learner: Learner, batch: Batch) -> float:
    """Return how many seconds the gradient of a batch takes, in as many portions as fit.

    Other processes of the run take no part.
    """
    wait_for(learner.loaded.device)
    started = time.perf_counter()
    with torch.cuda.stream(learner.stream) if learner.stream else nullcontext():
        learner.with_less_at_once(lambda: learner.gather(batch))
    wait_for(learner.loaded.device)
    return time.perf_counter() - started


@contextmanager
def nothing_changed(learner: Learner) -> Iterator[None]:
    """Give back random numbers and mode of the learner as they were, and no gradients."""
    model, device = learner.loaded.model, learner.loaded.device
    training = model.training
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            model.train()
            yield
    finally:
        learner.flat.forget()
        model.train(training)


def wait_for(device: torch.device) -> None:
    """Return once the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def model_shape(learner: Learner) -> ModelShape:
    """Return the sizes that decide how much memory a step takes."""
    text = learner.loaded.network.config.text_config
    active = text.intermediate_size
    if getattr(text, "n_routed_experts", 0):
        active = (text.num_experts_per_tok + text.n_shared_experts) * text.moe_intermediate_size
    return ModelShape(
        width=text.hidden_size,
        layers=text.num_hidden_layers,
        active=active,
        vocabulary=text.vocab_size,
        value_bytes=learner.dtype.itemsize,
        learned=sum(each.numel() for each in learner.parameters),
    )


def measuring_seconds(validation: Validation, tokens: int) -> float:
    """Return how long one measurement of the CER will take whose longest text has so many tokens.

    Two short readings of some of its pictures are timed; the model is as it was afterwards.
    """
    loaded, pictures = validation.loaded, validation.pictures[validation.mine]
    if not pictures:
        return 0.0
    at_once = rows_at_once(loaded) if loaded.device.type == "cuda" else TIMED_PICTURES
    some = slice(0, at_once)
    contract, training = loaded.contract, loaded.model.training
    seconds = []
    try:
        for limit in (SHORT_READING, SHORT_READING, LONG_READING):  # the first one warms up
            loaded.contract = replace(contract, max_new_tokens=limit)
            wait_for(loaded.device)
            started = time.perf_counter()
            read_samples(loaded, pictures[some], validation.features[some] or None)
            wait_for(loaded.device)
            seconds.append(time.perf_counter() - started)
    finally:
        loaded.contract = contract
        loaded.model.train(training)
    _, short, long = seconds
    each = max(0.0, long - short) / (LONG_READING - SHORT_READING)
    batches = len(pictures) / min(at_once, len(pictures))
    return batches * (short + each * max(0, tokens - SHORT_READING))


def inspect_run(
    learner: Learner,
    validation: Validation,
    examined: Examined,
    sizes: Sequence[SampleSizes],
    choice: LayoutChoice | None,
    measurements: int,
) -> Preflight:
    """Return what a run will take, after settling how its batches go through the model.

    sizes: of the learner's examples; choice: why the layout is what it is, None where it was asked
    for; measurements: of the CER, in the whole run.
    """
    config, loaded = learner.config, learner.loaded
    longest = max(range(len(sizes)), key=lambda index: sizes[index].tokens)
    seconds, most = settle_fit(learner, sizes)
    demanding = fmean(sizes[index].tokens for index in longest_batch(learner, sizes))
    share = fmean(one.tokens for one in sizes) / demanding
    samples_a_step = min(config.batch_size, len(sizes))
    measured = measuring_seconds(validation, max(one.supervised for one in sizes)) * measurements
    spent = learner.features_seconds + validation.features_seconds
    whole = spent + config.steps * seconds * share + measured
    space = space_hardware(loaded.device)
    price = PRICES.get(space)
    return Preflight(
        samples=len(sizes),
        left_out=len(examined.left_out),
        left_out_why=examined.left_out[0] if examined.left_out else "",
        unknown_characters=dict(examined.unknown.most_common()),
        supervised_tokens=sum(one.supervised for one in sizes),
        longest_sample=learner.examples[longest].picture_id,
        longest_tokens=sizes[longest].tokens,
        layout=loaded.contract.layout,
        layout_reason=choice.reason() if choice else "",
        image_tokens=fmean(one.image_tokens for one in sizes),
        layout_tokens=layout_tokens(loaded, sizes),
        steps=config.steps,
        batches=math.ceil(len(sizes) / config.batch_size),
        epochs=config.steps * samples_a_step / len(sizes),
        batch_size=config.batch_size,
        micro_batch=min(learner.micro_batch, config.batch_size),
        checkpointing=learner.recorder.recompute,
        step_seconds=seconds * share,
        peak_bytes=most,
        memory_bytes=memory(loaded.device)[1],
        features_seconds=spent,
        features_bytes=features_bytes(loaded, sizes),
        measuring_seconds=measured,
        seconds=whole,
        hardware=describe_hardware(loaded.device, learner.ranks.count),
        space=space,
        dollars_an_hour=price,
        dollars=None if price is None else price * whole / 3600,
    )


def layout_tokens(loaded: LoadedModel, sizes: Sequence[SampleSizes]) -> dict[str, float]:
    """Return the mean image tokens a picture takes under each page layout of the model."""
    layouts = [name for name in loaded.family.layouts if name in PRESETS and loaded.family.native]
    return {name: fmean(image_tokens(*one.size, name) for one in sizes) for name in layouts}


def gigabytes(count: int) -> str:
    """Return a number of bytes for people."""
    return f"{count / 1e9:.1f} GB"
