"""The files of a model that transformers knows: its network, processor and prompt; never code."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
import transformers
from transformers import (
    BaseImageProcessor,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    ProcessorMixin,
)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING_NAMES
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

from ocrtune.errors import ConfigError, ModelError
from ocrtune.families import ModelFamily
from ocrtune.families.deepseek_ocr2 import sizes_of
from ocrtune.families.image_text import ImageTextModel
from ocrtune.families.loaded import IMAGE_TOKEN
from ocrtune.families.weights import quiet, read_network, refuse_differences
from ocrtune.records import OcrContract

COPY_AGAIN = "Copy the model again, with all its .json and .jinja files."


def load_transformers(
    family: ModelFamily,
    contract: OcrContract,
    folder: Path,
    device: torch.device,
    dtype: torch.dtype | None = None,
) -> ImageTextModel:
    """Return a base model whose network transformers knows, ready to read.

    dtype: None for the suitable one.
    """
    sizes = load_sizes(folder, family)
    tokenizer = load_exact_tokenizer(folder)
    processor = load_processor(folder, family, sizes, tokenizer)
    ends = find_ends(folder, family, tokenizer)
    return ImageTextModel(
        model=load_image_text(folder, family, sizes, device, dtype),
        tokenizer=tokenizer,
        family=family,
        contract=replace(contract, prompt=write_prompt(folder, family, processor, tokenizer)),
        device=device,
        folder=folder,
        processor=processor,
        stops=ends,
        padding=ends[0] if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
    )


def read_json(path: Path) -> dict:
    """Return what a JSON file of a model holds; an empty dictionary if there is no such file."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(f"`{path}` cannot be read: {error}.", COPY_AGAIN) from error


def load_sizes(folder: Path, family: ModelFamily) -> PreTrainedConfig:
    """Return the sizes of the network in `folder`, of the family's class if it names one."""
    values = read_json(folder / "config.json")
    try:
        if family.name == "deepseek-ocr-2":
            values = sizes_of(values)
        if family.network:
            kind = getattr(transformers, family.network).config_class
        else:
            kind = CONFIG_MAPPING[values["model_type"]]
        # A model type that is not the class's own only tells which one trained it.
        return kind.from_dict(values | {"model_type": kind.model_type})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"`{folder / 'config.json'}` describes no model that transformers "
            f"{transformers.__version__} knows: {error}.",
            "Use a model of another kind.",
        ) from error


def load_image_text(
    folder: Path,
    family: ModelFamily,
    sizes: PreTrainedConfig,
    device: torch.device,
    dtype: torch.dtype | None = None,
) -> PreTrainedModel:
    """Return the network in `folder`, straight on `device`; dtype: None for the suitable one."""
    known = MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING
    if family.network:
        kind = getattr(transformers, family.network)
    elif type(sizes) in known:
        kind = known[type(sizes)]
    else:
        raise ModelError(
            f"A model of the type `{sizes.model_type}` does not turn pictures into text.",
            "Use one that transformers lists under image-text-to-text.",
        )
    network, found = read_network(kind, sizes, folder, device, dtype)
    # Some files hold layers more than the network uses; one less would be filled with noise.
    refuse_differences(f"the weights in `{folder}`", found["missing_keys"], set())
    return network


def load_exact_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Return the tokenizer of tokenizer.json, whatever class its settings name."""
    if not (folder / "tokenizer.json").is_file():
        raise ModelError(f"`{folder}` holds no tokenizer.json.", "Copy it from the base model.")
    try:
        with quiet():
            return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # the tokenizers library raises bare Exceptions
        raise ModelError(f"The tokenizer in `{folder}` is damaged: {error}.", COPY_AGAIN) from error


def load_processor(
    folder: Path, family: ModelFamily, sizes: PreTrainedConfig, tokenizer: PreTrainedTokenizerFast
) -> ProcessorMixin:
    """Return what turns a picture and a prompt into numbers; Pillow does the pictures everywhere.

    torchvision, which a GPU machine has, would scale them a little differently.
    """
    settings = read_json(folder / "processor_config.json")
    names = family.processor, PROCESSOR_MAPPING_NAMES.get(sizes.model_type)
    kind = find_class((*names, settings.get("processor_class")), ProcessorMixin, folder)
    try:
        with quiet():
            pictures = load_picture_processor(folder, family, sizes)
            parts = {"image_processor": pictures, "tokenizer": tokenizer}
            arguments = [parts.get(part) for part in kind.get_attributes()]
            return pictures_only(kind).from_args_and_dict(arguments, settings)
    except (OSError, ImportError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(
            f"The processor of `{folder.name}` cannot be made: {error}.", COPY_AGAIN
        ) from error


def load_picture_processor(
    folder: Path, family: ModelFamily, sizes: PreTrainedConfig
) -> BaseImageProcessor:
    """Return what scales, cuts and normalises pictures, by Pillow where transformers can."""
    known = IMAGE_PROCESSOR_MAPPING_NAMES.get(sizes.model_type, {})
    names = family.picture_processor, known.get("pil"), known.get("torchvision")
    kind = find_class(names, BaseImageProcessor, folder)
    if not family.has_picture_settings:
        return kind()
    return kind.from_pretrained(folder, local_files_only=True)


def find_class(names: Sequence[str | None], parent: type, folder: Path) -> type:
    """Return the first of the named classes that transformers has, below `parent`."""
    for name in filter(None, names):
        kind = getattr(transformers, name, None)
        if isinstance(kind, type) and issubclass(kind, parent):
            return kind
    raise ModelError(
        f"transformers {transformers.__version__} cannot prepare pictures for `{folder.name}`.",
        "Some kinds need torchvision: install it, or use a model of another kind.",
    )


def pictures_only(kind: type[ProcessorMixin]) -> type[ProcessorMixin]:
    """Return a processor class that does without parts for films and sound.

    Those need packages that pictures do not.
    """

    class PicturesOnly(kind):
        def check_argument_for_proper_class(self, argument_name: str, argument: object) -> None:
            """Take None for a part that is never used."""

    return PicturesOnly


def write_prompt(
    folder: Path,
    family: ModelFamily,
    processor: ProcessorMixin,
    tokenizer: PreTrainedTokenizerFast,
) -> str:
    """Return the whole prompt, `<image>` in the picture's place, control tokens included."""
    if not family.chat:
        return family.prompt
    asked = [{"type": "image"}]
    if family.prompt:
        asked.append({"type": "text", "text": family.prompt})
    try:
        written = tokenizer.apply_chat_template(
            [{"role": "user", "content": asked}],
            chat_template=read_template(folder) or tokenizer.chat_template,
            tokenize=False,
            add_generation_prompt=True,
        )
    except Exception as error:  # a template may raise nearly anything
        raise ModelError(
            f"The chat template of `{folder.name}` cannot be used: {error}.", COPY_AGAIN
        ) from error
    if written.count(processor.image_token) != 1:
        raise ModelError(
            f"The chat template of `{folder.name}` gives the picture no place of its own.",
            "Use a model of another kind.",
        )
    return written.replace(processor.image_token, IMAGE_TOKEN)


def embed_prompt(loaded: ImageTextModel, asked: str) -> str:
    """Return the whole prompt that asks the model something else than usual.

    asked: a prompt with `<image>` in it; a chat template puts the picture where it belongs.
    """
    family = loaded.family
    if family.chat:
        changed = replace(family, prompt=asked.replace(IMAGE_TOKEN, "").strip())
        return write_prompt(loaded.folder, changed, loaded.processor, loaded.tokenizer)
    if family.prompts:
        return family.prompt.split(IMAGE_TOKEN)[0] + asked
    raise ConfigError(f"`{family.name}` knows one prompt only.", "Leave the prompt out.")


def read_template(folder: Path) -> str:
    """Return the chat template that has a file of its own; empty if there is none."""
    path = folder / "chat_template.jinja"
    if path.is_file():
        return path.read_text("utf-8")
    return read_json(folder / "chat_template.json").get("chat_template", "")


def find_ends(
    folder: Path, family: ModelFamily, tokenizer: PreTrainedTokenizerFast
) -> tuple[int, ...]:
    """Return the ids of tokens that end an answer, the one to learn first."""
    vocabulary = tokenizer.get_vocab()
    names = (family.end, tokenizer.eos_token, *family.stops)
    ids = [vocabulary[name] for name in names if name in vocabulary]
    more = read_json(folder / "generation_config.json").get("eos_token_id", [])
    ids += more if isinstance(more, list) else [more]
    if not ids:
        raise ModelError(f"The tokenizer in `{folder}` names no end of a text.", COPY_AGAIN)
    return tuple(dict.fromkeys(ids))
