"""The files of a base model: weights, sizes and tokenizer, read from a folder or refused."""

import json
import warnings
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForImageTextToText,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging as transformers_logging

from ocrtune.engines import Unsloth
from ocrtune.errors import ModelError
from ocrtune.families.deepseek_ocr_model import (
    MODEL_TYPE,
    DeepseekOcrConfig,
    DeepseekOcrForConditionalGeneration,
)
from ocrtune.families.grouped import is_modern
from ocrtune.families.loaded import IMAGE_TOKEN


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Return the tokenizer of `tokenizer.json`, whatever class another file names."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelError(f"`{folder}` holds no tokenizer.json.", "Copy it from the base model.")
    try:
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(path))
    except Exception as error:  # the tokenizers library raises bare Exceptions
        raise ModelError(f"`{path}` is damaged: {error}.", "Copy it again.") from error
    vocabulary = tokenizer.get_vocab()
    if IMAGE_TOKEN not in vocabulary:
        raise ModelError(
            f"`{path}` knows no `{IMAGE_TOKEN}`.", "Take the tokenizer of a DeepSeek-OCR model."
        )
    return tokenizer


def load_network(
    folder: Path,
    image_token_id: int,
    device: torch.device,
    dtype: torch.dtype | None = None,
    engine: Unsloth | None = None,
) -> DeepseekOcrForConditionalGeneration:
    """Return the network in `folder`, straight on `device`; dtype: None for the suitable one."""
    try:
        values = json.loads((folder / "config.json").read_text("utf-8"))
        config = DeepseekOcrConfig.from_original(values, image_token_id=image_token_id)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"`{folder / 'config.json'}` does not describe a DeepSeek-OCR model.",
            "Only models with DeepSeek-OCR's own config.json can be used.",
        ) from error
    kind = DeepseekOcrForConditionalGeneration
    if engine:
        AutoConfig.register(MODEL_TYPE, DeepseekOcrConfig, exist_ok=True)
        AutoModelForImageTextToText.register(DeepseekOcrConfig, kind, exist_ok=True)
        return engine.load(folder, config, AutoModelForImageTextToText, suitable_dtype(device))
    network, found = read_network(kind, config, folder, device, dtype)
    refuse_differences(
        f"the weights in `{folder}`", found["missing_keys"], found["unexpected_keys"]
    )
    return network


def read_network(
    kind: type[PreTrainedModel],
    config: PreTrainedConfig,
    folder: Path,
    device: torch.device,
    dtype: torch.dtype | None = None,
) -> tuple[PreTrainedModel, dict[str, Set[str]]]:
    """Return a network of a transformers class with the weights in `folder`, and what they lack.

    dtype: None for the suitable one. The second holds sets of keys: `missing_keys` and
    `unexpected_keys`. Only *.safetensors are read, and no code.
    """
    try:
        with quiet():
            return kind.from_pretrained(
                folder,
                config=config,
                dtype=dtype or suitable_dtype(device),
                device_map={"": device},
                use_safetensors=True,
                local_files_only=True,
                output_loading_info=True,
            )
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"`{folder.name}` does not fit into the memory of {device}.",
            "Close other programs that use it, or choose a smaller model.",
        ) from error
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise ModelError(
            f"The weights in `{folder}` cannot be loaded: {error}.",
            "Compare its config.json with its *.safetensors, or copy the model again.",
        ) from error


def suitable_dtype(device: torch.device) -> torch.dtype:
    """Return bf16 where the hardware computes it, fp16 on older GPUs, fp32 elsewhere.

    `torch.cuda.is_bf16_supported` counts a T4's slow emulation, so the capability decides.
    """
    if device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if is_modern(device) else torch.float16


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers and peft from writing progress and warnings between our own lines."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def refuse_differences(what: str, missing: Set[str], unexpected: Set[str]) -> None:
    """Raise a ModelError unless both sets of keys are empty."""
    if not missing and not unexpected:
        return
    parts = [
        f"{len(keys)} {kind} (such as `{min(keys)}`)"
        for kind, keys in (("missing", missing), ("unexpected", unexpected))
        if keys
    ]
    raise ModelError(
        f"The keys of {what} do not fit the model: {' and '.join(parts)}.",
        "It is damaged or belongs to another model: copy it again, or train the adapter again.",
    )
