"""Which software computes a run: transformers with our own kernels, or Unsloth.

Unsloth changes transformers when it is imported, so that has to come first, in the process that
trains and in no other. Nothing heavy is imported here before somebody asks for it.
"""

import importlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ocrtune.config import TrainConfig
from ocrtune.errors import ConfigError

if TYPE_CHECKING:
    import torch
    from peft import LoraConfig, PeftModel
    from transformers import PreTrainedConfig, PreTrainedModel

UNSLOTH, TRANSFORMERS = "unsloth", "transformers"
# Compiling Unsloth's modules took 46 s more before the first step on an H200, and made each of the
# later ones 53 ms shorter.
COMPILING_PAYS_FROM = 900  # steps
WHY_TRANSFORMERS = (
    "Engine: transformers with ocrtune's kernels, which was faster than Unsloth on every path "
    "measured (`python -m ocrtune bench train`)."
)


def choose_engine(config: TrainConfig) -> tuple[str, str]:
    """Return the engine a run shall use, and a sentence that says why."""
    if config.engine != UNSLOTH:
        if config.compile == "yes":
            raise ConfigError(
                "Only the engine `unsloth` compiles; ours records its kernels instead.",
                "Add `--engine unsloth`, or leave `--compile` out.",
            )
        asked = config.engine == TRANSFORMERS
        return TRANSFORMERS, "Engine: transformers, as asked." if asked else WHY_TRANSFORMERS
    compiles = is_compiled(config)
    why = f"{config.steps} steps repay it" if compiles else f"{config.steps} steps do not repay it"
    asked = "as asked" if config.compile != "auto" else why
    return UNSLOTH, f"Engine: Unsloth, as asked; {'' if compiles else 'not '}compiled, {asked}."


def is_compiled(config: TrainConfig) -> bool:
    """Return whether Unsloth compiles for this run."""
    return config.compile == "yes" or (
        config.compile == "auto" and config.steps >= COMPILING_PAYS_FROM
    )


def start_unsloth(config: TrainConfig) -> ModuleType:
    """Import Unsloth, before anything else imports transformers, and return it."""
    os.environ["UNSLOTH_COMPILE_DISABLE"] = "0" if is_compiled(config) else "1"
    os.environ["UNSLOTH_DISABLE_STATISTICS"] = "1"  # it would tell the Hub of every start
    # It writes the code it compiles to the working directory otherwise.
    os.environ.setdefault(
        "UNSLOTH_COMPILE_LOCATION", str(Path(tempfile.gettempdir(), "ocrtune_unsloth"))
    )
    with silence():
        try:
            return importlib.import_module("unsloth")
        except ImportError as error:
            problem = f"Unsloth cannot be imported: {error}."
        except NotImplementedError as error:  # how it says that there is no GPU
            problem = f"Unsloth cannot run here: {error}."
    raise ConfigError(
        problem, "Install requirements.txt on a machine with a GPU, or leave `--engine` out."
    )


@contextmanager
def silence() -> Iterator[None]:
    """Keep Unsloth's banners away from what a command prints."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield


class Unsloth:
    """Loads a base model and puts LoRA on it, both by Unsloth."""

    def __init__(self) -> None:
        self.models = importlib.import_module("unsloth").FastVisionModel

    def load(
        self, folder: Path, config: "PreTrainedConfig", auto_class: type, dtype: "torch.dtype"
    ) -> "PreTrainedModel":
        """Return the network in `folder`, straight on the GPU, with Unsloth's kernels.

        config: our own description of the network, registered with `auto_class`.
        """
        with tempfile.TemporaryDirectory() as shadow, silence():
            mirror(folder, Path(shadow), config, dtype)
            network, _ = self.models.from_pretrained(
                shadow,
                dtype=dtype,
                load_in_4bit=False,
                load_in_16bit=True,
                auto_model=auto_class,
                use_gradient_checkpointing=False,
                use_exact_model_name=True,
                local_files_only=True,
                trust_remote_code=False,
            )
        return network

    def wrap(self, network: "PreTrainedModel", lora: "LoraConfig") -> "PeftModel":
        """Return the network under the LoRA layers that `lora` describes."""
        with silence():
            return self.models.get_peft_model(
                network,
                r=lora.r,
                lora_alpha=lora.lora_alpha,
                lora_dropout=lora.lora_dropout,
                bias="none",
                target_modules=lora.target_modules,
                target_parameters=lora.target_parameters,
                use_gradient_checkpointing=False,
            )


def mirror(folder: Path, shadow: Path, config: "PreTrainedConfig", dtype: "torch.dtype") -> None:
    """Fill `shadow` with links to the weights, our own config.json and a plain tokenizer.

    The authors' config.json names code to be fetched, which nobody runs here.
    """
    config.architectures = ["DeepseekOcrForConditionalGeneration"]
    config.dtype = dtype
    config.save_pretrained(shadow)
    for shard in folder.glob("*.safetensors*"):
        (shadow / shard.name).symlink_to(shard.resolve())
    shutil.copyfile(folder / "tokenizer.json", shadow / "tokenizer.json")
    tokens = json.loads((folder / "tokenizer.json").read_text("utf-8"))["added_tokens"]
    named = {token["id"]: token["content"] for token in tokens}
    special = {"bos": config.bos_token_id, "eos": config.eos_token_id, "pad": config.pad_token_id}
    values = {f"{name}_token": named[index] for name, index in special.items() if index in named}
    values["tokenizer_class"] = "PreTrainedTokenizerFast"
    (shadow / "tokenizer_config.json").write_text(json.dumps(values), "utf-8")
