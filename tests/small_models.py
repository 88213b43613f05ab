"""Small models in the authors' format for tests, and a second process that reads with them.

python tests/small_models.py BASE OUT.safetensors ADAPTER…     (logits of each adapter)
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from peft import PeftModel
from PIL import Image
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor

from ocrtune.families.deepseek_ocr_model import (
    DeepseekOcrConfig,
    DeepseekOcrForConditionalGeneration,
)
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import load_adapter, load_base

BOS, EOS, PAD = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜▁pad▁｜>"
ADDED = ("<image>", "<|ref|>", "<|grounding|>", "<td>", "<|/ref|>", "<|det|>", "<|/det|>")

# The layout of the published config.json: sizes in `language_config` and again on top, towers under
# `vision_config.width`, a model type that is not ours.
TEXT = {
    "bos_token_id": 0,
    "eos_token_id": 1,
    "first_k_dense_replace": 1,
    "hidden_size": 64,
    "intermediate_size": 96,
    "kv_lora_rank": None,
    "lm_head": True,
    "max_position_embeddings": 8192,
    "moe_intermediate_size": 32,
    "n_routed_experts": 4,
    "n_shared_experts": 2,
    "num_attention_heads": 4,
    "num_experts_per_tok": 2,
    "num_hidden_layers": 3,
    "num_key_value_heads": 4,
    "use_mla": False,
    "vocab_size": 320,
}
CONFIG = {
    "_name_or_path": "deepseek-ai/DeepSeek-OCR",
    "architectures": ["DeepseekOCRForCausalLM"],
    "auto_map": {"AutoModel": "modeling_deepseekocr.DeepseekOCRForCausalLM"},
    "candidate_resolutions": [[1024, 1024]],
    "language_config": {**TEXT, "architectures": ["DeepseekV2ForCausalLM"]},
    "model_type": "deepseek_vl_v2",
    "projector_config": {
        "input_dim": 192,
        "model_type": "mlp_projector",
        "n_embed": 64,
        "projector_type": "linear",
    },
    "torch_dtype": "bfloat16",
    "vision_config": {
        "image_size": 1024,
        "mlp_ratio": 3.7362,
        "model_name": "deeplip_b_l",
        "model_type": "vision",
        "width": {
            "clip-l-14-224": {
                "heads": 4,
                "image_size": 224,
                "layers": 2,
                "patch_size": 14,
                "width": 96,
            },
            "sam_vit_b": {
                "downsample_channels": [64, 96],
                "global_attn_indexes": [1],
                "heads": 3,
                "layers": 2,
                "width": 48,
            },
        },
    },
    **TEXT,
}
# The text model of the published checkpoint, for tests that count its parameters.
PUBLISHED_TEXT = {
    **CONFIG["language_config"],
    "vocab_size": 129280,
    "hidden_size": 1280,
    "intermediate_size": 6848,
    "moe_intermediate_size": 896,
    "num_hidden_layers": 12,
    "num_attention_heads": 10,
    "num_key_value_heads": 10,
    "n_routed_experts": 64,
    "num_experts_per_tok": 6,
}
LINE_CONFIG = {
    **CONFIG,
    "vision_config": {
        "view_size": [48, 384],
        "width": {
            "clip-l-14-224": {
                "heads": 4,
                "image_size": 16,
                "layers": 2,
                "patch_size": 4,
                "width": 96,
            },
            "sam_vit_b": {
                "downsample_channels": [64, 96],
                "global_attn_indexes": [1],
                "heads": 3,
                "layers": 2,
                "output_channels": 32,
                "patch_size": 8,
                "width": 48,
                "window_size": 6,
            },
        },
    },
}


def write_model(
    folder: Path, config: dict = CONFIG, seed: int = 0, dtype: torch.dtype = torch.float32
) -> Path:
    """Write a model with seeded weights under the authors' names; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = byte_tokenizer()
    sizes = DeepseekOcrConfig.from_original(config, tokenizer.token_to_id("<image>"))
    network = DeepseekOcrForConditionalGeneration(sizes)
    fill_with_noise(network, seed, 0.1)
    network.to(dtype).save_pretrained(folder)
    (folder / "generation_config.json").unlink()
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def byte_tokenizer(special: bool = True) -> Tokenizer:
    """Return a tokenizer with one token per UTF-8 byte; `special` as the added tokens' flag."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate([BOS, EOS, PAD, *letters])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in (BOS, EOS, PAD)])
    tokenizer.add_tokens([AddedToken(token, special=special) for token in ADDED])
    return tokenizer


def fill_with_noise(module: torch.nn.Module, seed: int, scale: float, only: str = "") -> None:
    """Give every parameter whose name holds `only` seeded values around its usual size."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in sorted(module.named_parameters()):
        if only in name:
            noise = torch.randn(parameter.shape, generator=generator) * scale
            is_norm_scale = "norm" in name and name.endswith("weight")
            parameter.data = (1 + noise if is_norm_scale else noise).to(parameter.dtype)


def seeded_picture(width: int, height: int, seed: int = 5) -> Image.Image:
    """Return an RGB picture of noise."""
    generator = np.random.default_rng(seed)
    return Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8))


@torch.no_grad()
def logits_of(loaded: LoadedModel) -> Tensor:
    """Return the logits [tokens, vocabulary] of one fixed picture and answer."""
    views = loaded.lay_out(seeded_picture(500, 60))
    features = loaded.encode([views])[0]
    ids = loaded.prompt_ids(loaded.image_tokens(views)) + loaded.completion_ids("Straße 12")
    loaded.model.eval()
    return loaded.model(input_ids=torch.tensor([ids]), picture_features=features).logits[0]


def main(base: str, out: str, *adapters: str) -> None:
    """Write the logits of each adapter as ocrtune loads it, and as peft alone does."""
    logits = {}
    for folder in adapters:
        loaded = load_base(base, layout="tiny", device="cpu")
        load_adapter(loaded, Path(folder))
        logits[folder] = logits_of(loaded)
        plain = load_base(base, layout="tiny", device="cpu")
        plain.model = PeftModel.from_pretrained(plain.model, folder)
        logits[f"{folder} by peft alone"] = logits_of(plain)
    save_file(logits, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
