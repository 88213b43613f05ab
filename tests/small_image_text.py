"""Small random models of the kinds that transformers knows, whole folders with all their files.

python tests/small_image_text.py OUT.json BASE ADAPTER [BASE ADAPTER]…     (losses, by base)
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from line_samples import draw_line
from small_models import BOS, EOS, PAD, fill_with_noise
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from ocrtune.families.deepseek_ocr2 import sizes_of
from ocrtune.families.image_text import ImageTextModel
from ocrtune.families.loading import load_adapter, load_base
from ocrtune.features import open_picture

LETTERS = sorted(pre_tokenizers.ByteLevel.alphabet())
QWEN_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>")
QWEN_TOKENS += ("<|image_pad|>", "<|video_pad|>")
GLM_TOKENS = ("<|endoftext|>", "[gMASK]", "<sop>", "<|user|>", "<|assistant|>", "<|image|>")
GLM_TOKENS += ("<|begin_of_image|>", "<|end_of_image|>", "<|video|>", "<|begin_of_video|>")
GLM_TOKENS += ("<|end_of_video|>",)
PADDLE_TOKENS = ("<|begin_of_sentence|>", "</s>", "<unk>", "<|IMAGE_START|>", "<|IMAGE_END|>")
PADDLE_TOKENS += ("<|IMAGE_PLACEHOLDER|>",)
GOT_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<img>", "</img>", "<imgpad>")
LIGHTON_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|image_pad|>")
LIGHTON_TOKENS += ("<|vision_pad|>", "<|vision_end|>")
INTERN_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<img>", "</img>", "<IMG_CONTEXT>")
INTERN_TOKENS += ("<video>",)

# Templates in the manner of the published ones: turns, and a place for the picture.
TURNS = (
    "{{% for message in messages %}}{{{{ '{before}' }}}}"
    "{{% for part in message.content %}}{{% if part.type == 'image' %}}{{{{ '{image}' }}}}"
    "{{% else %}}{{{{ part.text }}}}{{% endif %}}{{% endfor %}}"
    "{{{{ '{after}' }}}}{{% endfor %}}{{{{ '{answer}' }}}}"
)
QWEN_TEMPLATE = TURNS.format(
    before="<|im_start|>user\\n",
    image="<|vision_start|><|image_pad|><|vision_end|>",
    after="<|im_end|>\\n",
    answer="<|im_start|>assistant\\n",
)
LIGHTON_TEMPLATE = QWEN_TEMPLATE.replace("<|vision_start|>", "").replace("<|vision_end|>", "")
GLM_TEMPLATE = TURNS.format(
    before="[gMASK]<sop><|user|>\\n",
    image="<|begin_of_image|><|image|><|end_of_image|>",
    after="",
    answer="<|assistant|>\\n",
)
PADDLE_TEMPLATE = TURNS.format(
    before="<|begin_of_sentence|>User: ",
    image="<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>",
    after="\\n",
    answer="Assistant:\\n",
)
INTERN_TEMPLATE = LIGHTON_TEMPLATE.replace("<|image_pad|>", "<IMG_CONTEXT>\\n")
TEXT = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 4096,
}
ROPE = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 3, 3]}
PIXELS = {"shortest_edge": 28 * 28, "longest_edge": 28 * 28 * 64}


@dataclass(frozen=True, kw_only=True)
class SmallModel:
    """What there is to know to write one."""

    network: str  # the class in transformers
    tokens: tuple[str, ...]  # control tokens, behind one for each byte
    image: str  # the one that stands for the picture
    sizes: Callable[[dict[str, int]], dict]  # of the network, from token ids
    files: dict[str, dict]  # JSON files beside those of the network and the tokenizer
    template: str = ""
    extra: tuple[tuple[str, str], ...] = ()  # names the processor asks the tokenizer for
    end: str = "<|im_end|>"
    seed: int = 0  # of weights for which it matters what is in a picture


def qwen3_sizes(ids: dict[str, int]) -> dict:
    return {
        "text_config": {**TEXT, "rope_parameters": ROPE},
        "vision_config": {
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 2,
            "out_hidden_size": 64,
            "patch_size": 8,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
        },
        "image_token_id": ids["<|image_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
    }


def qwen25_sizes(ids: dict[str, int]) -> dict:
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 2,
        "out_hidden_size": 64,
        "patch_size": 14,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "window_size": 56,
        "fullatt_block_indexes": [1],
    }
    text = {key: value for key, value in TEXT.items() if key != "head_dim"}
    return qwen3_sizes(ids) | {
        "text_config": {**text, "rope_parameters": ROPE},
        "vision_config": vision,
    }


def glm_sizes(ids: dict[str, int]) -> dict:
    return {
        "text_config": {**TEXT, "rope_parameters": ROPE},
        "vision_config": {
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 2,
            "out_hidden_size": 64,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
        },
        "image_token_id": ids["<|image|>"],
        "image_start_token_id": ids["<|begin_of_image|>"],
        "image_end_token_id": ids["<|end_of_image|>"],
        "video_token_id": ids["<|video|>"],
        "video_start_token_id": ids["<|begin_of_video|>"],
        "video_end_token_id": ids["<|end_of_video|>"],
    }


def paddle_sizes(ids: dict[str, int]) -> dict:
    return {
        "text_config": {**TEXT, "rope_parameters": ROPE},
        "vision_config": {
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "patch_size": 14,
            "image_size": 112,
            "spatial_merge_size": 2,
        },
        "image_token_id": ids["<|IMAGE_PLACEHOLDER|>"],
        "vision_start_token_id": ids["<|IMAGE_START|>"],
        "vision_end_token_id": ids["<|IMAGE_END|>"],
        "tie_word_embeddings": True,
    }


def got_sizes(ids: dict[str, int]) -> dict:
    return {
        "text_config": {**TEXT, "model_type": "qwen2", "tie_word_embeddings": True},
        "vision_config": {
            "hidden_size": 32,
            "output_channels": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 1024,
            "patch_size": 16,
            "mlp_dim": 48,
            "global_attn_indexes": [],  # they take seconds at 1,024 pixels
        },
        "image_token_index": ids["<imgpad>"],
        "image_seq_length": 256,
    }


def lighton_sizes(ids: dict[str, int]) -> dict:
    return {
        "text_config": {**TEXT, "model_type": "qwen3"},
        "vision_config": {
            "model_type": "pixtral",
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "head_dim": 16,
            "image_size": 280,
            "patch_size": 14,
        },
        "spatial_merge_size": 2,
        "image_token_id": ids["<|image_pad|>"],
    }


def intern_sizes(ids: dict[str, int]) -> dict:
    return {
        "text_config": {**TEXT, "model_type": "qwen2", "tie_word_embeddings": True},
        "vision_config": {
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 56,
            "patch_size": 14,
        },
        "image_token_id": ids["<IMG_CONTEXT>"],
        "image_seq_length": 4,
    }


def deepseek2_sizes(ids: dict[str, int]) -> dict:
    """As the authors publish it; sizes their code fixes stand beside the ones it reads."""
    return {
        "architectures": ["DeepseekOCR2ForCausalLM"],
        "auto_map": {"AutoModel": "modeling_deepseekocr2.DeepseekOCR2ForCausalLM"},
        "model_type": "deepseek_vl_v2",
        "image_token_id": ids["<image>"],
        "language_config": {
            "vocab_size": 320,
            "hidden_size": 64,
            "intermediate_size": 96,
            "moe_intermediate_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "n_routed_experts": 4,
            "n_shared_experts": 2,
            "num_experts_per_tok": 2,
            "first_k_dense_replace": 1,
            "bos_token_id": ids[BOS],
            "eos_token_id": ids[EOS],
        },
        "vision_config": {
            "width": {
                "sam_vit_b": {
                    "width": 24,
                    "layers": 2,
                    "heads": 2,
                    "global_attn_indexes": [],
                    "downsample_channels": [32, 1024],
                },
                "qwen2-0-5b": {
                    "dim": 32,
                    "layers": 2,
                    "heads": 2,
                    "key_value_heads": 1,
                    "intermediate_size": 48,
                },
            }
        },
    }


def preprocessor(kind: str, **settings: object) -> dict[str, dict]:
    return {"preprocessor_config.json": {"image_processor_type": kind, **settings}}


# By family, or family and variant. A new family is one more entry here.
MODELS = {
    "deepseek-ocr-2": SmallModel(
        network="DeepseekOcr2ForConditionalGeneration",
        tokens=(BOS, EOS, PAD, "<image>"),
        image="<image>",
        sizes=deepseek2_sizes,
        files={},
        end=EOS,
    ),
    "glm-ocr": SmallModel(
        network="GlmOcrForConditionalGeneration",
        tokens=GLM_TOKENS,
        image="<|image|>",
        sizes=glm_sizes,
        files=preprocessor("Glm46VImageProcessor", size=PIXELS),
        template=GLM_TEMPLATE,
        end="<|user|>",
    ),
    "lighton-ocr": SmallModel(
        network="LightOnOcrForConditionalGeneration",
        tokens=LIGHTON_TOKENS,
        image="<|image_pad|>",
        sizes=lighton_sizes,
        files=preprocessor(
            "PixtralImageProcessor",
            size={"longest_edge": 280},
            patch_size={"height": 28, "width": 28},
        )
        | {"processor_config.json": {"patch_size": 14, "spatial_merge_size": 2}},
        template=LIGHTON_TEMPLATE,
        extra=(
            ("image_token", "<|image_pad|>"),
            ("image_break_token", "<|vision_pad|>"),
            ("image_end_token", "<|vision_end|>"),
        ),
    ),
    "paddleocr-vl": SmallModel(
        network="PaddleOCRVLForConditionalGeneration",
        tokens=PADDLE_TOKENS,
        image="<|IMAGE_PLACEHOLDER|>",
        sizes=paddle_sizes,
        files=preprocessor("PaddleOCRVLImageProcessor", size=PIXELS),
        template=PADDLE_TEMPLATE,
        extra=(("image_token", "<|IMAGE_PLACEHOLDER|>"),),
        end="</s>",
    ),
    "got-ocr-2": SmallModel(
        network="GotOcr2ForConditionalGeneration",
        tokens=GOT_TOKENS,
        image="<imgpad>",
        sizes=got_sizes,
        files=preprocessor("GotOcr2ImageProcessor", size={"height": 1024, "width": 1024}),
    ),
    "qwen-vl": SmallModel(
        network="Qwen3VLForConditionalGeneration",
        tokens=QWEN_TOKENS,
        image="<|image_pad|>",
        sizes=qwen3_sizes,
        files=preprocessor("Qwen2VLImageProcessor", size=PIXELS, patch_size=8),
        template=QWEN_TEMPLATE,
    ),
    "image-text intern": SmallModel(  # no family knows it: its files say it all
        network="InternVLForConditionalGeneration",
        tokens=INTERN_TOKENS,
        image="<IMG_CONTEXT>",
        sizes=intern_sizes,
        files=preprocessor(
            "GotOcr2ImageProcessor",
            size={"height": 56, "width": 56},
            crop_to_patches=True,
            max_patches=4,
        )
        | {"processor_config.json": {"image_seq_length": 4}},
        template=INTERN_TEMPLATE,
        extra=(
            ("start_image_token", "<img>"),
            ("end_image_token", "</img>"),
            ("context_image_token", "<IMG_CONTEXT>"),
            ("video_token", "<video>"),
        ),
        seed=4,
    ),
    "qwen-vl 2.5": SmallModel(
        network="Qwen2_5_VLForConditionalGeneration",
        tokens=QWEN_TOKENS,
        image="<|image_pad|>",
        sizes=qwen25_sizes,
        files=preprocessor("Qwen2VLImageProcessor", size=PIXELS),
        template=QWEN_TEMPLATE,
    ),
}


def write_small(folder: Path, name: str) -> Path:
    """Write the model called `name` with seeded weights; returns its folder."""
    small = MODELS[name]
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = byte_tokenizer(small)
    tokenizer.save_pretrained(folder)
    values = small.sizes({token: tokenizer.convert_tokens_to_ids(token) for token in small.tokens})
    kind = getattr(transformers, small.network)
    if "text_config" in values:
        values["text_config"] |= {"vocab_size": 320}
        sizes = kind.config_class(**values)
    else:
        sizes = kind.config_class.from_dict(sizes_of(values))
    network = kind(sizes)
    fill_with_noise(network, small.seed, 0.1)
    network.tie_weights()
    network.save_pretrained(folder)
    (folder / "generation_config.json").unlink()
    if "text_config" not in values:
        (folder / "config.json").write_text(json.dumps(values), "utf-8")
    for file, content in small.files.items():
        (folder / file).write_text(json.dumps(content), "utf-8")
    if small.template:
        (folder / "chat_template.jinja").write_text(small.template, "utf-8")
    return folder


def byte_tokenizer(small: SmallModel) -> PreTrainedTokenizerFast:
    """Return a tokenizer with one token per UTF-8 byte and the model's control tokens."""
    vocabulary = {token: index for index, token in enumerate([*small.tokens, *LETTERS])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(small.tokens))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=small.end,
        pad_token=small.tokens[0],
        extra_special_tokens=dict(small.extra),
    )


def some_lessons(loaded: ImageTextModel) -> list:
    """Return lessons of different pictures, sizes and lengths."""
    pictures = [("Hello", 0), ("a longer line, 12", 260), ("wide", 800)]
    return [
        (loaded.lay_out(open_picture(draw_line(text, width))), loaded.completion_ids(text))
        for text, width in pictures
    ]


@torch.no_grad()
def loss_on(loaded: ImageTextModel) -> float:
    """Return the loss on `some_lessons`."""
    loaded.model.eval()
    return loaded.loss_of(some_lessons(loaded)).item()


def main(out: str, *folders: str) -> None:
    """Write the loss of each adapter on its base, as ocrtune loads them."""
    losses = {}
    for base, adapter in zip(folders[::2], folders[1::2], strict=True):
        loaded = load_base(base, device="cpu")
        load_adapter(loaded, Path(adapter))
        losses[base] = loss_on(loaded)
    Path(out).write_text(json.dumps(losses), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
