"""A stand-in for DeepSeek-OCR where its weights cannot be had: its sizes, random numbers.

Speed and memory do not depend on what the numbers say. What it reads is nonsense.
"""

import io
import json
import random
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from ocrtune.families.deepseek_ocr_model import (
    DeepseekOcrConfig,
    DeepseekOcrForConditionalGeneration,
)
from ocrtune.records import Sample

LINE = (320, 48)  # pixels of a sample
CHARACTERS = (44, 56)  # in its text, a token each
CONTROL = ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜▁pad▁｜>")
ADDED = ("<image>", "<|ref|>", "<|/ref|>", "<|det|>", "<|/det|>", "<|grounding|>")
IMAGE_TOKEN_ID = 128_815
LETTERS = "abcdefghijklmnopqrstuvwxyz      0123456789"

TEXT_SIZES = {
    "full": {
        "vocab_size": 129_280,
        "hidden_size": 1280,
        "intermediate_size": 6848,
        "moe_intermediate_size": 896,
        "num_hidden_layers": 12,
        "num_attention_heads": 10,
        "num_key_value_heads": 10,
        "n_routed_experts": 64,
        "n_shared_experts": 2,
        "num_experts_per_tok": 6,
        "first_k_dense_replace": 1,
        "max_position_embeddings": 8192,
    },
    "small": {
        "vocab_size": 400,
        "hidden_size": 64,
        "intermediate_size": 96,
        "moe_intermediate_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "n_routed_experts": 4,
        "n_shared_experts": 2,
        "num_experts_per_tok": 2,
        "first_k_dense_replace": 1,
        "max_position_embeddings": 8192,
    },
}
VISION_SIZES = {
    "full": {
        "sam_vit_b": {
            "width": 768,
            "layers": 12,
            "heads": 12,
            "global_attn_indexes": [2, 5, 8, 11],
            "downsample_channels": [512, 1024],
        },
        "clip-l-14-224": {
            "width": 1024,
            "layers": 24,
            "heads": 16,
            "image_size": 224,
            "patch_size": 14,
        },
    },
    "small": {
        "sam_vit_b": {
            "width": 48,
            "layers": 2,
            "heads": 3,
            "global_attn_indexes": [1],
            "downsample_channels": [64, 96],
        },
        "clip-l-14-224": {
            "width": 96,
            "layers": 2,
            "heads": 4,
            "image_size": 224,
            "patch_size": 14,
        },
    },
}


def write_stand_in(folder: Path, size: str, seed: int = 0) -> Path:
    """Write a random model in the authors' format, `full` or `small`; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = {**TEXT_SIZES[size], "bos_token_id": 0, "eos_token_id": 1, "use_mla": False}
    vision = {"image_size": 1024, "model_type": "vision", "width": VISION_SIZES[size]}
    values = {
        "architectures": ["DeepseekOCRForCausalLM"],
        "model_type": "deepseek_vl_v2",
        "torch_dtype": "bfloat16",
        "language_config": text,
        "vision_config": vision,
        **text,
    }
    tokenizer = stand_in_tokenizer(text["vocab_size"])
    config = DeepseekOcrConfig.from_original(values, tokenizer.token_to_id("<image>"))
    torch.manual_seed(seed)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
            network = DeepseekOcrForConditionalGeneration(config)
    finally:
        torch.set_default_dtype(before)
    network.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    (folder / "config.json").write_text(json.dumps(values), "utf-8")
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def stand_in_tokenizer(vocabulary_size: int) -> Tokenizer:
    """Return a tokenizer with a token for every byte, and the control tokens at their places."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*CONTROL, *letters]
    first_added = min(IMAGE_TOKEN_ID, vocabulary_size - len(ADDED))
    tokens += [f"<unused {number}>" for number in range(first_added - len(tokens))]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in CONTROL])
    tokenizer.add_tokens([AddedToken(token, special=False) for token in ADDED])
    return tokenizer


def stand_in_samples(count: int, seed: int = 1) -> list[Sample]:
    """Return different pictures of a line with its text."""
    source = random.Random(seed)
    samples = []
    for number in range(count):
        text = "".join(source.choices(LETTERS, k=source.randint(*CHARACTERS))).strip()
        picture = Image.new("RGB", LINE, "white")
        ImageDraw.Draw(picture).text((4, 16), text, fill=0)
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        samples.append(Sample(picture_id=f"{number}.png", picture=stream.getvalue(), text=text))
    return samples
