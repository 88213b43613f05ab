"""What ocrtune knows about each kind of model; plain data, so that the page can read it."""

import importlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ocrtune.config import Preset
from ocrtune.errors import ConfigError, ModelError, did_you_mean

HUB_MODULE = "ocrtune.hub"  # is slow to import, so it is only where the Hub has to be asked

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
    prompt: str  # holds `<image>` once, where the picture goes; an instruction if `chat`
    layouts: tuple[str, ...]  # names of the layout presets
    layout: str  # the preset to use when nobody chooses
    max_new_tokens: int
    no_repeat_ngram: int  # tokens; the block stops loops, 0 switches it off
    ngram_window: int  # tokens looked back at for the block
    learning_rate: float
    lora_text: str  # regular expression over full module names: the text model's layers
    lora_vision: str  # the same for the vision towers and the projector
    lora_experts: tuple[str, ...]  # parameters of the mixture of experts, by the end of their names
    vision_by_default: bool  # whether `lora_vision` takes part unless a config says otherwise
    known_as: tuple[str, ...]  # what `architectures` or `model_type` of a config.json may say
    native: bool = False  # the network is our own; all below is for those of transformers
    network: str = ""  # the class in transformers; empty: whatever it has for the model type
    processor: str = ""  # the same for what turns a picture and a prompt into numbers
    picture_processor: str = ""  # the same for pictures alone
    has_picture_settings: bool = True  # else the defaults of that class are the model's
    chat: bool = False  # the model's own chat template goes around the prompt
    end: str = ""  # the token that ends an answer; empty: what the tokenizer says
    stops: tuple[str, ...] = ()  # other tokens that end it, beside those of generation_config.json
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
    r"(self_attn\.[qkvo]_proj|mlp\.(shared_experts\.)?(gate|up|gate_up|down)_proj)"
)
LORA_VISION = (
    r"model\.sam_model\.layers\.\d+\.(attn\.(qkv|proj)|mlp\.lin[12])"
    r"|model\.vision_model\.transformer\.layers\.\d+\."
    r"(self_attn\.([qkv]_proj|out_proj)|mlp\.fc[12])"
    r"|model\.projector\.layers"
)
# The same for networks of transformers, whatever they call their parts.
LORA_TEXT_ANY = LORA_TEXT.replace("language_model", "(language|text)_model")
LORA_VISION_ANY = (
    r"model\.(?!(language|text)_model\.)(\w+\.)+(layers?|blocks)\.\d+\.(\w+\.)*"
    r"(qkv|proj|[qkvo]_proj|out_proj|lin[12]|(linear_)?fc[12]|(gate|up|down)_proj)"
    r"|model\.(visual\.)?(merger|projector|vision_projection|multi_modal_projector)\.(\w+\.)*"
    r"(linear_(fc)?[12]|(gate|up|down)_proj|multimodal_projector)"
)
EXPERTS = ("mlp.experts.gate_up_proj", "mlp.experts.down_proj")

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
    known_as=(),  # a DeepSeek-OCR whose config.json gives a `view_size`
    native=True,
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
    base_model="deepseek-ai/DeepSeek-OCR",
    revision="9f30c71f441d010e5429c532364a86705536c53a",  # the last one, which others pin as well
    prompt=DEEPSEEK_PROMPTS["free"],
    layouts=("tiny", "small", "base", "large", "gundam"),
    layout="base",
    max_new_tokens=2048,
    no_repeat_ngram=30,
    ngram_window=90,
    learning_rate=2e-4,
    lora_text=LORA_TEXT,
    lora_vision=LORA_VISION,
    lora_experts=EXPERTS,
    vision_by_default=False,
    known_as=("DeepseekOCRForCausalLM", "deepseek_vl_v2", "deepseekocr"),
    native=True,
    prompts=DEEPSEEK_PROMPTS,
)

DEEPSEEK_OCR_2 = ModelFamily(
    name="deepseek-ocr-2",
    base_model="deepseek-ai/DeepSeek-OCR-2",
    revision="aaa02f3811945a91062062994c5c4a3f4c0af2b0",
    prompt="<｜begin▁of▁sentence｜><image>\nFree OCR.",
    layouts=("gundam", "base"),
    layout="gundam",
    max_new_tokens=2048,
    no_repeat_ngram=30,
    ngram_window=90,
    learning_rate=2e-4,
    lora_text=LORA_TEXT,
    lora_vision=LORA_VISION_ANY + r"|model\.multi_modal_projector",
    lora_experts=EXPERTS,
    vision_by_default=False,
    prompts=DEEPSEEK_PROMPTS,
    known_as=("DeepseekOCR2ForCausalLM", "DeepseekOcr2ForConditionalGeneration", "deepseek_ocr2"),
    network="DeepseekOcr2ForConditionalGeneration",
    processor="DeepseekOcr2Processor",
    picture_processor="DeepseekOcr2ImageProcessorPil",
    has_picture_settings=False,
    end="<｜end▁of▁sentence｜>",
)

# Any image-text-to-text model of transformers; its files say how it wants to be spoken to.
IMAGE_TEXT = ModelFamily(
    name="image-text",
    base_model="",  # there is none to begin with
    revision="main",
    prompt="Read the text in the picture. Answer with the text only.",
    layouts=("page", "full"),
    layout="page",
    max_new_tokens=2048,
    no_repeat_ngram=30,
    ngram_window=90,
    learning_rate=2e-4,
    lora_text=LORA_TEXT_ANY,
    lora_vision=LORA_VISION_ANY,
    lora_experts=(),
    vision_by_default=False,
    known_as=(),
    chat=True,
)

GLM_OCR = replace(
    IMAGE_TEXT,
    name="glm-ocr",
    base_model="zai-org/GLM-OCR",
    revision="2e85a62840ccac27daa451df36c736c4636b8628",
    prompt="Text Recognition:",
    known_as=("GlmOcrForConditionalGeneration", "glm_ocr"),
    network="GlmOcrForConditionalGeneration",
    processor="Glm46VProcessor",
    picture_processor="Glm46VImageProcessorPil",
    end="<|user|>",  # after an answer it is the user's turn
    stops=("<|endoftext|>",),
)

LIGHTON_OCR = replace(
    IMAGE_TEXT,
    name="lighton-ocr",
    base_model="lightonai/LightOnOCR-2-1B",
    prompt="",  # it was taught to read without being asked
    # The files of some say `mistral3`, the class they were trained with.
    known_as=(
        "LightOnOcrForConditionalGeneration",
        "LightOnOCRForConditionalGeneration",
        "lighton_ocr",
    ),
    network="LightOnOcrForConditionalGeneration",
    processor="LightOnOcrProcessor",
    end="<|im_end|>",
)

PADDLEOCR_VL = replace(
    IMAGE_TEXT,
    name="paddleocr-vl",
    base_model="PaddlePaddle/PaddleOCR-VL-1.5",
    prompt="OCR:",
    known_as=("PaddleOCRVLForConditionalGeneration", "paddleocr_vl"),
    network="PaddleOCRVLForConditionalGeneration",
    processor="PaddleOCRVLProcessor",
    end="</s>",
)

GOT_OCR_2 = replace(
    IMAGE_TEXT,
    name="got-ocr-2",
    base_model="stepfun-ai/GOT-OCR-2.0-hf",
    revision="d3017ef2c2c1395888c8d635c5e0508bcb0ac78d",
    prompt=(
        "<|im_start|>system\nYou should follow the instructions carefully and explain your "
        "answers in detail.<|im_end|><|im_start|>user\n<img><image></img>\nOCR: <|im_end|>"
        "<|im_start|>assistant\n"
    ),
    chat=False,  # its files hold no template
    known_as=("GotOcr2ForConditionalGeneration", "got_ocr2"),
    network="GotOcr2ForConditionalGeneration",
    processor="GotOcr2Processor",
    end="<|im_end|>",
)

QWEN_VL = replace(
    IMAGE_TEXT,
    name="qwen-vl",
    base_model="Qwen/Qwen3-VL-2B-Instruct",
    revision="89644892e4d85e24eaac8bacfd4f463576704203",
    known_as=("qwen3_vl", "qwen3_vl_moe", "qwen2_5_vl", "qwen2_vl"),
    end="<|im_end|>",
    stops=("<|endoftext|>",),
)

# Those that can be chosen by name.
FAMILIES: dict[str, ModelFamily] = {
    family.name: family
    for family in (
        TINY,
        DEEPSEEK_OCR,
        DEEPSEEK_OCR_2,
        GLM_OCR,
        LIGHTON_OCR,
        PADDLEOCR_VL,
        GOT_OCR_2,
        QWEN_VL,
    )
}


def get_family(base: str) -> ModelFamily:
    """Return what is known about `base`: a family's name, a folder, or a Hub repo id.

    Of a folder, and of a repo id that no family names as its base model, `config.json` tells the
    family; for the latter this asks the Hub, and the revision becomes the commit found there.
    """
    if base in FAMILIES:
        return FAMILIES[base]
    folder = Path(base).expanduser()
    if folder.is_dir():
        return replace(recognise(folder), base_model=str(folder), revision="")
    for family in FAMILIES.values():
        if base.casefold() == family.base_model.casefold():
            return family
    if re.fullmatch(r"[\w.-]+/[\w.-]+", base):
        folder = importlib.import_module(HUB_MODULE).fetch_config(base, "main")
        return replace(recognise(folder), base_model=base, revision=folder.name)
    hint = did_you_mean(base, list(FAMILIES))
    known = ", ".join(sorted(FAMILIES))
    raise ConfigError(
        f"There is no base model `{base}`.",
        hint or f"Use one of {known}, a folder that exists, or a Hub repo id like `name/model`.",
    )


def recognise(folder: Path) -> ModelFamily:
    """Return the family of the model in a folder, by its `config.json`."""
    path = folder / "config.json"
    try:
        values = json.loads(path.read_text("utf-8"))
        names = *(values.get("architectures") or ()), values.get("model_type")
        marks = [str(name) for name in names if name]
        reads_pictures = "vision_config" in values
        reads_lines = reads_pictures and bool(values["vision_config"].get("view_size"))
    except OSError as error:
        raise ConfigError(
            f"`{folder}` holds no readable `config.json`.",
            "Name a folder with a whole model: config.json, tokenizer.json and *.safetensors.",
        ) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"`{path}` does not describe a model.", "Copy it from the base model."
        ) from error
    if not marks:
        raise ConfigError(f"`{path}` does not describe a model.", "Copy it from the base model.")
    if reads_lines:
        return TINY
    for mark in marks:  # architectures first: different ones may share a model type
        for family in FAMILIES.values():
            if mark in family.known_as:
                return family
    if reads_pictures and any(mark.endswith("ForConditionalGeneration") for mark in marks):
        return IMAGE_TEXT
    supported = ", ".join(name for name in FAMILIES if name != "tiny")
    raise ModelError(
        f"`{path}` describes a model of the kind `{marks[0]}`, which ocrtune cannot use.",
        f"Use a model of one of these kinds: {supported}, or another one that transformers lists "
        "under image-text-to-text.",
    )
