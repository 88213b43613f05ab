"""From files to a LoadedModel and back: base models, LoRA adapters, merged models."""

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ocrtune import hub
from ocrtune.config import TrainConfig
from ocrtune.errors import ConfigError, ModelError, did_you_mean
from ocrtune.families import ModelFamily, get_family, tiny
from ocrtune.families.image_text_files import load_transformers
from ocrtune.families.loaded import IMAGE_TOKEN, LoadedModel
from ocrtune.families.weights import (
    DIGEST,
    load_network,
    load_tokenizer,
    quiet,
    refuse_differences,
    weights_digest,
)
from ocrtune.records import OcrContract

ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
CONTRACT, DETAILS = "contract.json", "details.json"
TEXT_MODELS = ("model.language_model.", "model.text_model.")  # their layers, in every family


def load_base(base: str, layout: str = "", device: str = "") -> LoadedModel:
    """Return a base model ready to read.

    base: a family's name, a folder or a Hub repo id; layout: a preset of its family, empty
    for the default; device: as torch spells it, empty for the GPU if there is one.
    """
    family = get_family(base)
    if layout and layout not in family.layouts:
        hint = did_you_mean(layout, family.layouts)
        raise ConfigError(
            f"`{family.base_model}` has no layout `{layout}`.",
            hint or f"Use one of: {', '.join(family.layouts)}.",
        )
    folder, name, revision = locate(family)
    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
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
    if not family.native:
        return load_transformers(family, contract, folder, place)
    tokenizer = load_tokenizer(folder)
    return LoadedModel(
        model=load_network(folder, tokenizer.convert_tokens_to_ids(IMAGE_TOKEN), place),
        tokenizer=tokenizer,
        family=family,
        contract=contract,
        device=place,
        folder=folder,
    )


def locate(family: ModelFamily) -> tuple[Path, str, str]:
    """Return (folder, name, revision) of a base model, downloading it if it lies on the Hub.

    The name says nothing about this machine: a folder goes by its last part.
    """
    if family.base_model == "tiny":
        folder = tiny.FOLDER
        return folder, "tiny", weights_digest(folder)
    if family.revision:
        folder = hub.fetch_base(family.base_model, family.revision)
        return folder, family.base_model, folder.name
    folder = Path(family.base_model)
    return folder, folder.resolve().name, weights_digest(folder)


def add_lora(loaded: LoadedModel, config: TrainConfig) -> None:
    """Put fresh LoRA weights on the model, in fp32, and freeze everything else."""
    family = loaded.family
    refuse_second_adapter(loaded)
    if config.lora_experts and not family.lora_experts:
        raise ConfigError(
            f"`{family.base_model}` has no mixture of experts.", "Leave `lora_experts` out."
        )
    if config.lora_experts and config.lora_dropout:
        raise ConfigError(
            "Adapters on the experts cannot have dropout.",
            "Set `lora_dropout` to 0 or leave `lora_experts` out.",
        )
    vision = config.lora_vision == "yes" or (
        config.lora_vision == "auto" and family.vision_by_default
    )
    targets = f"{family.lora_text}|{family.lora_vision}" if vision else family.lora_text
    lora = LoraConfig(
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules=targets,
        target_parameters=list(family.lora_experts) if config.lora_experts else None,
    )
    wrap(loaded, lora)


def wrap(loaded: LoadedModel, lora: LoraConfig) -> None:
    """Put the LoRA layers that `lora` describes on the model."""
    try:
        with quiet():
            loaded.model = get_peft_model(loaded.network, lora)
    except ValueError as error:  # no layer is called so, or it is of a kind without LoRA
        raise ModelError(
            f"The layers of `{loaded.contract.base_model}` cannot get adapters: {error}",
            "Use a model of another kind.",
        ) from error
    # get_peft_model writes the path of the weights on this machine there.
    loaded.model.peft_config["default"].base_model_name_or_path = loaded.contract.base_model


def refuse_second_adapter(loaded: LoadedModel) -> None:
    """Raise a ModelError if the model carries an adapter already."""
    if isinstance(loaded.model, PeftModel):
        raise ModelError("The model carries an adapter already.", "Load the base model again.")


def trains_vision(loaded: LoadedModel) -> bool:
    """Return whether the adapter changes the pictures' features."""
    return any(
        "lora_" in name and not name.startswith(TEXT_MODELS)
        for name, _ in loaded.network.named_parameters()
    )


def has_fixed_features(loaded: LoadedModel) -> bool:
    """Return whether pictures need to be looked at only once, adapter or not."""
    return loaded.keeps_features and not trains_vision(loaded)


def adapter_weights(loaded: LoadedModel) -> dict[str, Tensor]:
    """Return the adapter's weights under peft's file keys; they share memory with the model."""
    # Left to itself, peft looks for the base model on the Hub to compare vocabularies.
    return get_peft_model_state_dict(loaded.model, save_embedding_layers=False)


def save_adapter(loaded: LoadedModel, folder: Path, details: dict) -> None:
    """Write the adapter in peft's form, with its contract and `details` (JSON-ready) beside it.

    The weights come last and in one move, so a folder that holds them is whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lora = loaded.model.peft_config["default"]
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


def load_adapter(loaded: LoadedModel, folder: Path) -> list[str]:
    """Put a saved adapter on the model, which then follows the adapter's contract.

    Returns one sentence for each entry in which that contract differs from the model's own. Keys
    that are missing or left over are a ModelError, as are other base weights.
    """
    refuse_second_adapter(loaded)
    contract = read_contract(folder)
    refuse_other_base(loaded.contract, contract)
    if contract.layout not in loaded.family.layouts or contract.prompt.count(IMAGE_TOKEN) != 1:
        raise ModelError(
            f"The adapter's contract has the layout `{contract.layout}` and the prompt "
            f"{contract.prompt!r}, which `{loaded.family.name}` cannot follow.",
            "It was written by another version of ocrtune: train the adapter again.",
        )
    differences = loaded.contract.differences(contract)
    lora, weights = read_adapter(folder)
    wrap(loaded, lora)
    try:
        fill(loaded, weights, f"the adapter `{folder}`")
    except ModelError:
        loaded.model = loaded.model.unload()
        raise
    loaded.model.eval()
    loaded.contract = contract
    return differences


def fill(loaded: LoadedModel, weights: dict[str, Tensor], what: str) -> None:
    """Copy adapter weights into the LoRA layers; every key must find its place."""
    wanted = adapter_weights(loaded)
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


def read_contract(folder: Path) -> OcrContract:
    """Return the contract that an adapter was trained under."""
    try:
        return OcrContract.from_dict(json.loads((folder / CONTRACT).read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(
            f"`{folder}` holds no readable {CONTRACT}.",
            "Name the `adapter` folder that `ocrtune train` wrote.",
        ) from error


def refuse_other_base(ours: OcrContract, theirs: OcrContract) -> None:
    """Raise a ModelError if an adapter was certainly trained on other weights."""
    both_digests = ours.revision.startswith(DIGEST) and theirs.revision.startswith(DIGEST)
    if ours.family != theirs.family or (both_digests and ours.revision != theirs.revision):
        raise ModelError(
            f"The adapter was trained on `{theirs.base_model}` ({theirs.revision}), but the base "
            f"model is `{ours.base_model}` ({ours.revision}).",
            "Load the base model it was trained on, or train it again.",
        )


def read_adapter(folder: Path) -> tuple[LoraConfig, dict[str, Tensor]]:
    """Return what an adapter folder holds, weights on the CPU."""
    for name in (ADAPTER_CONFIG, ADAPTER_WEIGHTS):
        if not (folder / name).is_file():
            raise ModelError(
                f"The adapter `{folder}` has no {name}.", "The run did not finish: train it again."
            )
    try:
        lora = LoraConfig.from_pretrained(str(folder))
        weights = load_file(folder / ADAPTER_WEIGHTS)
    except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
        raise ModelError(
            f"The adapter `{folder}` cannot be read: {error}.", "Copy it again, or train it again."
        ) from error
    return lora, weights


def merge_adapter(loaded: LoadedModel, folder: Path) -> None:
    """Fold the adapter into the model and write it as the authors' format, tokenizer included.

    Afterwards `loaded` is the merged model.
    """
    if not isinstance(loaded.model, PeftModel):
        raise ModelError("There is no adapter to merge.", "Load one first.")
    with quiet():
        loaded.model = loaded.model.merge_and_unload(safe_merge=True)
        loaded.model.save_pretrained(folder)
    # save_pretrained wrote our own config.json; strict loaders want the authors'.
    (folder / "generation_config.json").unlink(missing_ok=True)
    for name in hub.BASE_FILES:
        if "*" not in name and (loaded.folder / name).is_file():
            shutil.copyfile(loaded.folder / name, folder / name)
