"""From files to a LoadedModel and back: base models, LoRA adapters, merged models."""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from torch import Tensor

from ocrtune import hub
from ocrtune.config import TrainConfig
from ocrtune.engines import Unsloth
from ocrtune.errors import ConfigError, ModelError
from ocrtune.families import ModelFamily, get_family, tiny
from ocrtune.families.adapter_files import (
    ADAPTER_WEIGHTS,
    CONTRACT,
    fit_lora,
    has_contract,
    read_adapter,
    read_contract,
    usual_contract,
)
from ocrtune.families.digests import DIGEST, safe_shards, weights_digest
from ocrtune.families.experts import quicken_experts, restore_wrappers
from ocrtune.families.image_text_files import embed_prompt, load_transformers
from ocrtune.families.loaded import IMAGE_TOKEN, LoadedModel, refuse_unknown_layout
from ocrtune.families.lora import quicken
from ocrtune.families.page_layouts import AUTO
from ocrtune.families.prompts import CONTROL, resolve_prompt
from ocrtune.families.weights import load_network, load_tokenizer, quiet, refuse_differences
from ocrtune.records import OcrContract

DEFAULT = "default"  # what peft calls the only adapter
DETAILS = "details.json"
EXPERTS_BYTES = 15e9  # memory of a GPU on which their adapters fit; a T4 has 15.6e9
TEXT_MODELS = ("model.language_model.", "model.text_model.")  # their layers, in every family
VISION_TOWERS = ("model.sam_model.", "model.vision_model.", "model.projector.")
TEXT_FILES = tuple(name for name in hub.BASE_FILES if "safetensors" not in name)


def load_base(
    base: str,
    layout: str = "",
    device: str = "",
    prompt: str = "",
    dtype: torch.dtype | None = None,
    engine: Unsloth | None = None,
) -> LoadedModel:
    """Return a base model ready to read.

    base: a family's name, a folder or a Hub repo id; layout: a preset of its family, empty
    for the default, which `auto` begins with too: whoever knows the pictures changes it; device: as
    torch spells it, empty for the GPU if there is one; prompt: see `choose_prompt`, empty for the
    family's; dtype: None for what suits the device; engine: what loads and computes DeepSeek-OCR in
    place of our own kernels.
    """
    family = get_family(base)
    layout = "" if layout == AUTO else layout
    if layout:
        refuse_unknown_layout(family, layout)
    folder, name, revision = locate(family)
    place = torch.device(device or best_device())
    contract = OcrContract(
        family=family.name,
        base_model=name,
        revision=revision,
        prompt=family.prompt,
        layout=layout or family.layout,
        max_new_tokens=family.max_new_tokens,
        no_repeat_ngram=family.no_repeat_ngram,
        ngram_window=family.ngram_window,
    )
    if family.native:
        loaded = load_native(family, contract, folder, place, dtype, engine)
    else:
        loaded = load_transformers(family, contract, folder, place, dtype)
    if prompt:
        choose_prompt(loaded, prompt)
    return loaded


def load_native(
    family: ModelFamily,
    contract: OcrContract,
    folder: Path,
    device: torch.device,
    dtype: torch.dtype | None = None,
    engine: Unsloth | None = None,
) -> LoadedModel:
    """Return a base model whose network is our own; for the arguments see `load_base`."""
    tokenizer = load_tokenizer(folder)
    image_token_id = tokenizer.convert_tokens_to_ids(IMAGE_TOKEN)
    network = load_network(folder, image_token_id, device, dtype, engine)
    loaded = LoadedModel(
        model=network,
        engine=engine,
        tokenizer=tokenizer,
        family=family,
        contract=contract,
        device=device,
        folder=folder,
    )
    take_short_ways(loaded)
    return loaded


def take_short_ways(loaded: LoadedModel) -> None:
    """Let our own kernels compute what the model's engine leaves to them."""
    if loaded.engine is None:
        quicken(loaded.model)
    elif loaded.network.lm_head.weight.dtype == torch.float16:
        quicken_experts(loaded.model)  # Unsloth's products of experts are quick in bf16 only


def choose_prompt(loaded: LoadedModel, asked: str) -> None:
    """Ask the model something else from now on: a prompt's name or a text, see `resolve_prompt`."""
    prompt = resolve_prompt(loaded.family, asked)
    loaded.require_tokens(CONTROL.findall(prompt))
    if not loaded.family.native:
        prompt = embed_prompt(loaded, prompt)
    loaded.contract = replace(loaded.contract, prompt=prompt)


def best_device() -> str:
    """Return the GPU of this process if there is one, as torch spells it."""
    return f"cuda:{torch.cuda.current_device()}" if torch.cuda.is_available() else "cpu"


def locate(family: ModelFamily) -> tuple[Path, str, str]:
    """Return (folder, name, revision) of a base model, downloading it if it lies on the Hub.

    The name says nothing about this machine: a folder goes by its last part.
    """
    if family.base_model == "tiny":
        folder = tiny.FOLDER
        return folder, "tiny", weights_digest(folder)
    if family.revision:
        folder = hub.fetch_base(family.base_model, family.revision)
        safe_shards(folder)
        return folder, family.base_model, folder.name
    folder = Path(family.base_model)
    return folder, folder.resolve().name, weights_digest(folder)


def add_lora(loaded: LoadedModel, config: TrainConfig) -> None:
    """Put fresh LoRA weights on the model, in fp32, and freeze everything else."""
    refuse_second_adapter(loaded)
    wrap(loaded, lora_of(loaded, config))


def lora_of(loaded: LoadedModel, config: TrainConfig) -> LoraConfig:
    """Return the LoRA layers that a run with these settings puts on the model."""
    family = loaded.family
    if config.lora_experts == "yes" and not family.lora_experts:
        raise ConfigError(
            f"`{family.base_model}` has no mixture of experts.", "Leave `lora_experts` out."
        )
    if config.lora_experts == "yes" and config.lora_dropout:
        raise ConfigError(
            "Adapters on the experts cannot have dropout.",
            "Set `lora_dropout` to 0 or leave `lora_experts` out.",
        )
    vision = config.lora_vision == "yes" or (
        config.lora_vision == "auto" and family.vision_by_default
    )
    targets = f"{family.lora_text}|{family.lora_vision}" if vision else family.lora_text
    return LoraConfig(
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules=targets,
        target_parameters=list(family.lora_experts) if adapts_experts(loaded, config) else None,
    )


def adapter_layers(loaded: LoadedModel, config: TrainConfig, folder: Path) -> LoraConfig:
    """Return the LoRA layers of a run: as its adapter has them, or else as its settings say."""
    if (folder / ADAPTER_WEIGHTS).is_file():  # which are written last
        return read_adapter(folder)[0]
    return lora_of(loaded, config)


def adapts_experts(loaded: LoadedModel, config: TrainConfig) -> bool:
    """Return whether the mixture of experts gets adapters: if nobody says so, where they fit.

    With them DeepSeek-OCR's weights, optimizer and activations take up to 14 GiB.
    """
    if config.lora_experts != "auto":
        return config.lora_experts == "yes"
    if not loaded.family.lora_experts or config.lora_dropout or loaded.device.type != "cuda":
        return False
    return torch.cuda.get_device_properties(loaded.device).total_memory >= EXPERTS_BYTES


def wrap(loaded: LoadedModel, lora: LoraConfig, name: str = DEFAULT) -> None:
    """Put the LoRA layers that `lora` describes on the model, beside those it has already."""
    try:
        with quiet():
            if isinstance(loaded.model, PeftModel):
                restore_wrappers(loaded.model)
                loaded.model.add_adapter(name, lora)
            elif loaded.engine:
                loaded.model = loaded.engine.wrap(loaded.network, lora)
            else:
                loaded.model = get_peft_model(loaded.network, lora, adapter_name=name)
    except ValueError as error:  # no layer is called so, or it is of a kind without LoRA
        raise ModelError(
            f"The layers of `{loaded.contract.base_model}` cannot get adapters: {error}",
            "Use a model of another kind.",
        ) from error
    take_short_ways(loaded)
    # peft writes the path of the weights on this machine there.
    loaded.model.peft_config[name].base_model_name_or_path = loaded.contract.base_model


def refuse_second_adapter(loaded: LoadedModel) -> None:
    """Raise a ModelError if the model carries an adapter already."""
    if isinstance(loaded.model, PeftModel):
        raise ModelError("The model carries an adapter already.", "Load the base model again.")


def trains_vision(loaded: LoadedModel) -> bool:
    """Return whether the adapter in use changes the pictures' features."""
    if not isinstance(loaded.model, PeftModel):
        return False
    return any(
        f".{loaded.model.active_adapter}." in name and not name.startswith(TEXT_MODELS)
        for name, _ in loaded.network.named_parameters()
        if "lora_" in name
    )


def has_fixed_features(loaded: LoadedModel) -> bool:
    """Return whether pictures need to be looked at only once, adapter or not."""
    return loaded.keeps_features and not trains_vision(loaded)


def adapter_weights(loaded: LoadedModel, name: str = DEFAULT) -> dict[str, Tensor]:
    """Return an adapter's weights under peft's file keys; they share memory with the model."""
    # Left to itself, peft looks for the base model on the Hub to compare vocabularies.
    return get_peft_model_state_dict(loaded.model, adapter_name=name, save_embedding_layers=False)


def save_adapter(loaded: LoadedModel, folder: Path, details: dict) -> None:
    """Write the adapter in peft's form, with its contract and `details` (JSON-ready) beside it.

    The weights come last and in one move, so a folder that holds them is whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lora = loaded.model.peft_config[DEFAULT]
    for_training, lora.inference_mode = lora.inference_mode, True
    lora.save_pretrained(str(folder))
    lora.inference_mode = for_training
    write_json(folder / CONTRACT, asdict(loaded.contract))
    write_json(folder / DETAILS, details)
    weights = {key: tensor.cpu().contiguous() for key, tensor in adapter_weights(loaded).items()}
    part = folder / f"{ADAPTER_WEIGHTS}.part"
    save_file(weights, part, metadata={"format": "pt"})
    os.replace(part, folder / ADAPTER_WEIGHTS)


def write_json(path: Path, values: dict) -> None:
    """Write `values` as indented JSON."""
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", "utf-8")


def load_adapter(loaded: LoadedModel, folder: Path, name: str = DEFAULT) -> list[str]:
    """Put a saved adapter on the model, which then uses it and follows its contract.

    Adapters of other names may be there already: `use_adapter` changes between them. Returns one
    sentence for each entry in which the contract differs from the base model's own. Keys that are
    missing or left over are a ModelError, as are other base weights.
    """
    contract = contract_for(loaded, folder)
    return put_adapter(loaded, contract, lambda: read_adapter(folder), f"adapter `{folder}`", name)


def contract_for(loaded: LoadedModel, folder: Path) -> OcrContract:
    """Return what an adapter is read under: its own contract, or the base model's if it has none.

    A folder without a finished adapter has to have its own, and so has one that ocrtune wrote.
    """
    ours = (folder / DETAILS).is_file() or not (folder / ADAPTER_WEIGHTS).is_file()
    if has_contract(folder) or ours:
        return read_contract(folder)
    return usual_contract(folder, loaded.contracts.get("", loaded.contract))


def continue_lora(loaded: LoadedModel, folder: Path, dropout: float) -> LoraConfig:
    """Put a saved adapter on the model to train it further; returns its layers.

    It has to fit the base model as for reading. Its weights are in fp32, as fresh ones are.
    """
    refuse_second_adapter(loaded)
    refuse_other_base(loaded.contract, contract_for(loaded, folder))
    lora, weights = fit_lora(*read_adapter(folder), loaded.network, loaded.family)
    lora.inference_mode, lora.lora_dropout = False, dropout
    wrap(loaded, lora)
    try:
        fill(loaded, weights, f"the adapter `{folder}`")
    except ModelError:
        take_off(loaded, DEFAULT)
        raise
    return lora


def put_adapter(
    loaded: LoadedModel,
    contract: OcrContract,
    read: Callable[[], tuple[LoraConfig, Mapping[str, Tensor] | Tensor]],
    what: str,
    name: str,
) -> list[str]:
    """Put an adapter on the model as `load_adapter` does, from wherever `read` has it.

    read: returns what layers it has, and its weights by peft's file keys, or all of them in one
    flat tensor, in the order of the model's parameters; what: its name in errors.
    """
    if isinstance(loaded.model, PeftModel) and name in loaded.model.peft_config:
        raise ModelError("The model carries an adapter already.", "Load the base model again.")
    refuse_confusing_name(loaded, name)
    ours = loaded.contracts.get("", loaded.contract)
    refuse_other_base(ours, contract)
    if contract.layout not in loaded.family.layouts or contract.prompt.count(IMAGE_TOKEN) != 1:
        raise ModelError(
            f"The contract of the {what} has the layout `{contract.layout}` and the prompt "
            f"{contract.prompt!r}, which `{loaded.family.name}` cannot follow.",
            "It was written by another version of ocrtune: train the adapter again.",
        )
    lora, weights = read()
    if not isinstance(weights, Tensor):
        lora, weights = fit_lora(lora, weights, loaded.network, loaded.family)
    wrap(loaded, lora, name)
    try:
        keyed = by_keys(loaded, weights, name) if isinstance(weights, Tensor) else weights
        fill(loaded, keyed, f"the {what}", name)
    except ModelError:
        take_off(loaded, name)
        raise
    compute_alike(loaded)
    loaded.contracts = {"": ours, **loaded.contracts, name: contract}
    use_adapter(loaded, name)
    return ours.differences(contract)


def by_keys(loaded: LoadedModel, flat: Tensor, name: str) -> dict[str, Tensor]:
    """Return the weights of an adapter that lie one after the other, under peft's file keys."""
    part = f".{name}."
    own = [
        (key.replace(part, "."), parameter)
        for key, parameter in loaded.model.named_parameters()
        if "lora_" in key and part in key
    ]
    sizes = [parameter.numel() for _, parameter in own]
    if sum(sizes) != flat.numel():
        raise ModelError(
            f"The checkpoint holds {flat.numel():,} weights, the model's adapter {sum(sizes):,}.",
            "It was saved with other settings or by another version: compare `RUN/adapter`.",
        )
    values = zip(own, flat.split(sizes), strict=True)
    return {key: value.view_as(parameter) for (key, parameter), value in values}


def compute_alike(loaded: LoadedModel) -> None:
    """Bring adapters that only read to the network's precision, as they had it in training."""
    dtype = loaded.network.lm_head.weight.dtype if loaded.keeps_features else torch.float32
    if dtype != torch.float32:
        for name, parameter in loaded.network.named_parameters():
            if "lora_" in name:
                parameter.data = parameter.data.to(dtype)


def refuse_confusing_name(loaded: LoadedModel, name: str) -> None:
    """Raise a ModelError for a name that peft would mistake for a part of a parameter's name."""
    parts = {part for path, _ in loaded.network.named_modules() for part in path.split(".")}
    if not re.fullmatch(r"[A-Za-z][\w-]*", name) or name in "lora_" or name in parts:
        raise ModelError(f"No adapter can be called {name!r}.", "Use a word, such as `first`.")


def use_adapter(loaded: LoadedModel, name: str | None) -> None:
    """Read with the adapter of that name from now on, or with the base model alone for None.

    The contract changes with it; nothing is loaded or copied.
    """
    if (name or "") not in loaded.contracts:
        known = ", ".join(sorted(filter(None, loaded.contracts))) or "none"
        raise ModelError(f"No adapter `{name}` is loaded.", f"Load it first; there is: {known}.")
    tuner = loaded.model.base_model
    with quiet():
        if name is None:
            tuner.disable_adapter_layers()
        else:
            tuner.enable_adapter_layers()
            loaded.model.set_adapter(name, inference_mode=True)
    loaded.model.eval()
    loaded.contract = loaded.contracts[name or ""]


def take_off(loaded: LoadedModel, name: str) -> None:
    """Remove an adapter that could not be filled."""
    if len(loaded.model.peft_config) == 1:
        loaded.model = loaded.model.unload()
        return
    before = loaded.model.active_adapter
    loaded.model.delete_adapter(name)
    if before != name:
        loaded.model.set_adapter(before, inference_mode=True)


def fill(
    loaded: LoadedModel, weights: Mapping[str, Tensor], what: str, name: str = DEFAULT
) -> None:
    """Copy adapter weights into the LoRA layers; every key must find its place."""
    wanted = adapter_weights(loaded, name)
    refuse_differences(what, wanted.keys() - weights.keys(), weights.keys() - wanted.keys())
    if any(tensor.shape != weights[key].shape for key, tensor in wanted.items()):
        raise ModelError(
            f"The weights of {what} have another shape than the model's.",
            "It belongs to another base model: load that one, or train the adapter again.",
        )
    # Not through peft's own function: it passes keys through transformers' renamings, which are so
    # loose for some families (DeepSeek-OCR-2) that every weight is lost, with only a warning.
    with torch.no_grad():
        for key, tensor in wanted.items():
            tensor.copy_(weights[key])


def refuse_other_base(ours: OcrContract, theirs: OcrContract) -> None:
    """Raise a ModelError if an adapter was certainly trained on other weights."""
    both_digests = ours.revision.startswith(DIGEST) and theirs.revision.startswith(DIGEST)
    if ours.family != theirs.family or (both_digests and ours.revision != theirs.revision):
        raise ModelError(
            f"The adapter was trained on `{theirs.base_model}` ({theirs.revision}), but the base "
            f"model is `{ours.base_model}` ({ours.revision}).",
            "Load the base model it was trained on, or train it again.",
        )
