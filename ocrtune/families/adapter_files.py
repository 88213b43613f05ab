"""What the files of an adapter may say, and what of it is believed: they may be a stranger's.

peft would follow its config.json wherever it leads: to other kinds of layers, to patterns that take
hours to match, to modules that are imported by name, to sizes that fill the memory. Here the LoRA
layers are made anew from a few checked values and from the weights themselves.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import torch
from peft import LoraConfig
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ocrtune.errors import ModelError
from ocrtune.families import FAMILIES, ModelFamily
from ocrtune.records import OcrContract
from ocrtune.text import PROFILES

ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
CONTRACT = "contract.json"
PREFIX = "base_model.model."  # of peft's file keys
KEY = re.compile(r"base_model\.model\.(?P<layer>[\w.]+)\.lora_(?P<part>[AB])\.weight")
LARGEST_RANK = 512
LONGEST_PROMPT = 4000  # characters
MOST_TOKENS = 16_384  # of an answer
CHOOSE_OTHER = "Choose another adapter, or train one with ocrtune."
# What peft can do beside plain LoRA, and ocrtune cannot; off is off in any of these ways.
OTHER_KINDS = (
    *("use_dora", "use_qalora", "use_bdlora", "lora_bias", "modules_to_save", "rank_pattern"),
    *("alpha_pattern", "layer_replication", "trainable_token_indices", "arrow_config"),
    *("alora_invocation_tokens", "megatron_config", "kasa_config", "monteclora_config"),
    *("velora_config", "fan_in_fan_out"),
)


def read_adapter(folder: Path) -> tuple[LoraConfig, dict[str, Tensor]]:
    """Return what an adapter folder holds, weights on the CPU."""
    for name in (ADAPTER_CONFIG, ADAPTER_WEIGHTS):
        if not (folder / name).is_file():
            raise ModelError(
                f"The adapter `{folder}` has no {name}.", "The run did not finish: train it again."
            )
    try:
        values = json.loads((folder / ADAPTER_CONFIG).read_text("utf-8"))
        lora = make_lora(values)
        weights = load_file(folder / ADAPTER_WEIGHTS)
    except (OSError, ValueError, TypeError, KeyError, RecursionError, SafetensorError) as error:
        raise ModelError(
            f"The adapter `{folder}` cannot be read: {error}.", "Copy it again, or train it again."
        ) from error
    refuse_odd_numbers(weights)
    return lora, weights


def make_lora(values: object) -> LoraConfig:
    """Return the LoRA layers that an adapter_config.json describes.

    A ModelError if they are of a kind that ocrtune does not know, a ValueError if it is damaged.
    """
    if not isinstance(values, dict):
        raise ValueError("its settings are no table")
    if values.get("peft_type") != "LORA":
        raise ModelError(
            f"The adapter is of the kind {str(values.get('peft_type'))[:40]!r}, not LoRA.",
            CHOOSE_OTHER,
        )
    odd = [name for name in OTHER_KINDS if values.get(name)]
    if values.get("bias", "none") != "none":
        odd.append("bias")
    if odd:
        raise ModelError(f"The adapter uses `{odd[0]}`, which ocrtune does not know.", CHOOSE_OTHER)
    rank, alpha = values.get("r"), values.get("lora_alpha")
    if not is_number(rank) or not isinstance(rank, int) or not 1 <= rank <= LARGEST_RANK:
        raise ValueError(f"its rank is {str(rank)[:40]}")
    if not is_number(alpha) or not 0 < alpha <= 1e6:
        raise ValueError(f"its `lora_alpha` is {str(alpha)[:40]}")
    parameters = values.get("target_parameters")
    if parameters is not None and not is_list_of_words(parameters):
        raise ValueError("its `target_parameters` are no list of names")
    modules = values.get("target_modules")
    if not isinstance(modules, str) and not is_list_of_words(modules or []):
        raise ValueError("its `target_modules` are no list of names")
    dropout = values.get("lora_dropout", 0.0)
    return LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout if is_number(dropout) and 0 <= dropout < 1 else 0.0,
        target_modules=modules,
        target_parameters=parameters or None,
        use_rslora=values.get("use_rslora") is True,
        inference_mode=True,
    )


def is_number(value: object) -> bool:
    """Return whether a value from JSON is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_list_of_words(value: object) -> bool:
    """Return whether a value from JSON is a list of texts."""
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def refuse_odd_numbers(weights: Mapping[str, Tensor]) -> None:
    """Raise a ModelError if a weight is no fraction, or not finite."""
    for name, tensor in weights.items():
        if not tensor.is_floating_point():
            raise ModelError(
                f"The adapter's `{name[:100]}` holds {str(tensor.dtype).removeprefix('torch.')}, "
                "not fractions.",
                CHOOSE_OTHER,
            )
        if not torch.isfinite(tensor).all():
            raise ModelError(
                f"The adapter's `{name[:100]}` holds values that are no numbers (NaN or infinite).",
                "It is damaged: copy it again, or choose another adapter.",
            )


def fit_lora(
    lora: LoraConfig, weights: Mapping[str, Tensor], network: nn.Module, family: ModelFamily
) -> tuple[LoraConfig, Mapping[str, Tensor]]:
    """Return layers that are exactly those the weights are for, and the weights by our own keys.

    Every layer has to be in the network and have these sizes, before anything is made for it: a
    ModelError says which is not. Names as the authors' own code has them are understood.
    """
    experts = tuple(name.rpartition(".")[0] for name in family.lora_experts)  # `mlp.experts`
    if lora.target_parameters and not set(lora.target_parameters) <= set(family.lora_experts):
        raise ModelError(
            f"The adapter changes `{min(lora.target_parameters)[:100]}`, which this kind of model "
            "does not have.",
            CHOOSE_OTHER,
        )
    modules = dict(network.named_modules())
    ours, layers, expert_weights = {}, {}, {}
    for key, tensor in weights.items():
        found = KEY.fullmatch(key)
        if found is None:
            raise ModelError(
                f"The adapter has weights `{key[:100]}`, which are none of LoRA layers.",
                CHOOSE_OTHER,
            )
        layer = own_name(found["layer"], modules)
        ours[f"{PREFIX}{layer}.lora_{found['part']}.weight"] = tensor
        whole = layer.removesuffix(".base_layer")
        if whole.endswith(experts) and experts:
            expert_weights[whole] = expert_weights.get(whole, 0) + tensor.numel()
        else:
            layers.setdefault(layer, {})[found["part"]] = tuple(tensor.shape)
    for layer, shapes in layers.items():
        refuse_misfit(layer, shapes, modules.get(layer), lora.r)
    if lora.target_parameters:
        refuse_misfit_experts(expert_weights, modules, lora, experts)
    known = (family.lora_text, f"{family.lora_text}|{family.lora_vision}")
    if lora.target_modules not in known:  # which fill the same layers, as is checked when filled
        lora.target_modules = sorted(layers)
    return lora, ours


def own_name(layer: str, modules: Mapping[str, nn.Module]) -> str:
    """Return a layer's name as our networks have it."""
    if layer in modules or not layer.startswith("model.layers."):
        return layer
    renamed = layer.replace("model.layers.", "model.language_model.layers.", 1)
    return renamed if renamed in modules else layer


def refuse_misfit(
    layer: str, shapes: Mapping[str, tuple[int, ...]], module: nn.Module | None, rank: int
) -> None:
    """Raise a ModelError unless a layer of the network can take these weights."""
    if not isinstance(getattr(module, "weight", None), Tensor) or module.weight.dim() != 2:
        raise ModelError(
            f"The adapter changes `{layer[:100]}`, which this model does not have.",
            "It belongs to another base model, or another program has named the parts of this one "
            "otherwise: load the model it was trained on.",
        )
    rows, columns = module.weight.shape
    wanted = {"A": (rank, columns), "B": (rows, rank)}  # what is missing is said when it is filled
    if any(shapes[part] != wanted[part] for part in shapes):
        raise ModelError(
            f"The adapter's weights of `{layer[:100]}` have another shape than the model's.",
            "It belongs to another base model: load that one, or train the adapter again.",
        )


def refuse_misfit_experts(
    found: Mapping[str, int],
    modules: Mapping[str, nn.Module],
    lora: LoraConfig,
    experts: tuple[str, ...],
) -> None:
    """Raise a ModelError unless the weights of the mixtures of experts are as many as needed."""
    names = [name.rpartition(".")[2] for name in lora.target_parameters]
    for layer in {name for name in modules if name.endswith(experts)} | found.keys():
        parameters = [getattr(bare(modules.get(layer)), name, None) for name in names]
        wanted = sum(
            lora.r * one.shape[0] * (one.shape[1] + one.shape[2])
            for one in parameters
            if isinstance(one, Tensor) and one.dim() == 3
        )
        if wanted != found.get(layer, 0):
            raise ModelError(
                f"The adapter's weights of `{layer[:100]}` have another shape than the model's.",
                "It belongs to another base model: load that one, or train the adapter again.",
            )


def bare(module: nn.Module | None) -> nn.Module | None:
    """Return a module of the network without the layers that adapters have put around it."""
    while isinstance(getattr(module, "base_layer", None), nn.Module):
        module = module.base_layer
    return module


def read_contract(folder: Path) -> OcrContract:
    """Return the contract that an adapter was trained under."""
    try:
        contract = OcrContract.from_dict(json.loads((folder / CONTRACT).read_text("utf-8")))
        return checked_contract(contract)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"`{folder}` holds no readable {CONTRACT}.",
            "Name the `adapter` folder that `ocrtune train` wrote.",
        ) from error


def has_contract(folder: Path) -> bool:
    """Return whether an adapter brings the contract it was trained under."""
    return (folder / CONTRACT).is_file()


def checked_contract(contract: OcrContract) -> OcrContract:
    """Return a contract whose entries are what they claim; a ValueError otherwise."""
    for one in fields(contract):
        value = getattr(contract, one.name)
        if one.type in (int, "int"):
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ValueError(one.name)
        elif not isinstance(value, str) or len(value) > LONGEST_PROMPT:
            raise ValueError(one.name)
    if not 1 <= contract.max_new_tokens <= MOST_TOKENS or contract.profile not in PROFILES:
        raise ValueError("max_new_tokens or profile")
    return contract


def usual_contract(folder: Path, ours: OcrContract) -> OcrContract:
    """Return what an adapter without a contract is read under: the base model's own settings.

    A ModelError if it says that it belongs to another base model. Copies of a model under
    another owner's name count as the same.
    """
    try:
        values = json.loads((folder / ADAPTER_CONFIG).read_text("utf-8"))
        said = values.get("base_model_name_or_path") if isinstance(values, dict) else ""
    except (OSError, ValueError, RecursionError):
        said = ""  # `read_adapter` says what is wrong
    said = said if isinstance(said, str) else ""
    family = FAMILIES.get(ours.family)
    names = {ours.base_model, ours.family, family.base_model if family else ""}
    tails = {name.rpartition("/")[2].casefold() for name in names}
    if said and said.rpartition("/")[2].casefold() not in tails:
        raise ModelError(
            f"The adapter was trained on `{said[:100]}`, but the base model is "
            f"`{ours.base_model}`.",
            "Load the base model it was trained on, or train it again.",
        )
    return ours
