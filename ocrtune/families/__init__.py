"""What ocrtune knows about each kind of model; plain data, so that the page can read it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ocrtune.config import Preset
from ocrtune.errors import ConfigError, did_you_mean

# Standard is the recipe of the published notebook. A first impression does without the experts,
# which are nine tenths of the weights that learn; 240 steps see as many samples as the article had.
RECIPES = (
    Preset(name="quick", steps=30, lora_rank=8, lora_experts="no"),
    Preset(name="standard", steps=60),
    Preset(name="thorough", steps=240),
)
LINE_RECIPES = (
    Preset(name="quick", steps=30),
    Preset(name="standard", steps=60),
    Preset(name="thorough", steps=150),
)


@dataclass(frozen=True, kw_only=True)
class ModelFamily:
    """How one kind of base model is fed, decoded and fine-tuned."""

    name: str
    base_model: str  # `tiny`, a Hub repo id or a folder
    revision: str  # of the repo id; the commit found there goes into the contract
    prompt: str  # holds `<image>` once, where the picture goes
    layouts: tuple[str, ...]  # names of the layout presets
    layout: str  # the preset to use when nobody chooses
    max_new_tokens: int
    no_repeat_ngram: int  # tokens; the block stops loops, 0 switches it off
    ngram_window: int  # tokens looked back at for the block
    learning_rate: float
    lora_text: str  # regular expression over full module names: the text model's layers
    lora_vision: str  # the same for SAM, CLIP and the projector
    lora_experts: tuple[str, ...]  # parameters of the mixture of experts, by the end of their names
    vision_by_default: bool  # whether `lora_vision` takes part unless a config says otherwise
    presets: tuple[Preset, ...] = RECIPES
    prompts: Mapping[str, str] = field(default_factory=dict)  # others by name; `{}` is a blank

    def preset(self, name: str) -> Preset:
        """Return the preset of that name; a ConfigError names those there are."""
        for preset in self.presets:
            if preset.name == name:
                return preset
        names = [preset.name for preset in self.presets]
        hint = did_you_mean(name, names) or f"Use one of: {', '.join(names)}."
        raise ConfigError(f"There is no preset `{name}`.", hint)


LORA_TEXT = (
    r"model\.language_model\.layers\.\d+\."
    r"(self_attn\.[qkvo]_proj|mlp\.(shared_experts\.)?(gate|up|down)_proj)"
)
LORA_VISION = (
    r"model\.sam_model\.layers\.\d+\.(attn\.(qkv|proj)|mlp\.lin[12])"
    r"|model\.vision_model\.transformer\.layers\.\d+\."
    r"(self_attn\.([qkv]_proj|out_proj)|mlp\.fc[12])"
    r"|model\.projector\.layers"
)

TINY = ModelFamily(
    name="tiny",
    base_model="tiny",
    revision="",  # ships with the package: its digest takes the place of a commit
    prompt="<image>\n",
    layouts=("line",),
    layout="line",
    max_new_tokens=160,
    no_repeat_ngram=12,
    ngram_window=60,
    learning_rate=2e-3,
    lora_text=LORA_TEXT,
    lora_vision=LORA_VISION,
    lora_experts=(),
    vision_by_default=True,
    presets=LINE_RECIPES,
)

# What the model card offers.
DEEPSEEK_PROMPTS = {
    "free": "<image>\nFree OCR.",
    "markdown": "<image>\n<|grounding|>Convert the document to markdown.",
    "ocr": "<image>\n<|grounding|>OCR this image.",
    "figure": "<image>\nParse the figure.",
    "extract": "<image>\nExtract the text in the image.",
    "locate": "<image>\nLocate <|ref|>{}<|/ref|> in the image.",
}

DEEPSEEK_OCR = ModelFamily(
    name="deepseek-ocr",
    base_model="unsloth/DeepSeek-OCR",
    revision="main",
    prompt=DEEPSEEK_PROMPTS["free"],
    layouts=("tiny", "small", "base", "large", "gundam"),
    layout="base",
    max_new_tokens=2048,
    no_repeat_ngram=30,
    ngram_window=90,
    learning_rate=2e-4,
    lora_text=LORA_TEXT,
    lora_vision=LORA_VISION,
    lora_experts=("mlp.experts.gate_up_proj", "mlp.experts.down_proj"),
    vision_by_default=False,
    prompts=DEEPSEEK_PROMPTS,
)

FAMILIES: dict[str, ModelFamily] = {family.name: family for family in (TINY, DEEPSEEK_OCR)}


def get_family(base: str) -> ModelFamily:
    """Return what is known about `base`: a family's name, a folder, or a Hub repo id.

    Folders and repo ids hold DeepSeek-OCR v1; a folder whose `config.json` gives a `view_size` is
    a copy of the embedded model, for example a merged one.
    """
    if base in FAMILIES:
        return FAMILIES[base]
    folder = Path(base).expanduser()
    if folder.is_dir():
        family = TINY if _reads_lines(folder / "config.json") else DEEPSEEK_OCR
        return replace(family, base_model=str(folder), revision="")
    if re.fullmatch(r"[\w.-]+/[\w.-]+", base):
        return replace(DEEPSEEK_OCR, base_model=base)
    hint = did_you_mean(base, list(FAMILIES))
    known = ", ".join(sorted(FAMILIES))
    raise ConfigError(
        f"There is no base model `{base}`.",
        hint or f"Use one of {known}, a folder that exists, or a Hub repo id like `name/model`.",
    )


def _reads_lines(config: Path) -> bool:
    try:
        values = json.loads(config.read_text("utf-8"))
        return bool(values["vision_config"].get("view_size"))
    except OSError as error:
        raise ConfigError(
            f"`{config.parent}` holds no readable `config.json`.",
            "Name a folder with a whole model: config.json, tokenizer.json and *.safetensors.",
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"`{config}` does not describe a DeepSeek-OCR model.",
            "Only models with DeepSeek-OCR's own config.json can be used.",
        ) from error
