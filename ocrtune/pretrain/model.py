"""The embedded model before training: its sizes, its tokenizer, its first weights, its export."""

import json
import math
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from torch import nn
from transformers import PreTrainedTokenizerFast

from ocrtune.alphabet import ALPHABET
from ocrtune.families.deepseek_ocr_model import (
    DeepseekOcrConfig,
    DeepseekOcrForConditionalGeneration,
)
from ocrtune.families.tiny import VIEW_SIZE

SPECIAL_TOKENS = (
    "<bos>",
    "<eos>",
    "<pad>",
    "<image>",
    "\ufffd",
    "\n",
    "<reserved-6>",
    "<reserved-7>",
)
BOS, EOS, PAD, IMAGE, UNKNOWN, NEWLINE = range(6)
FIRST_CHARACTER = len(SPECIAL_TOKENS)  # token id of ALPHABET[0]
MAX_SHARD = "9MB"

# The authors' config.json, at small sizes. What their code fixes and this model changes stands
# under `width` (patch_size, window_size, output_channels) and `view_size` (a tile's height, width).
CONFIG = {
    "model_type": "deepseek_vl_v2",
    "architectures": ["DeepseekOCRForCausalLM"],
    "image_token_id": IMAGE,
    "bos_token_id": BOS,
    "eos_token_id": EOS,
    "pad_token_id": PAD,
    "language_config": {
        "vocab_size": FIRST_CHARACTER + len(ALPHABET),
        "hidden_size": 288,
        "intermediate_size": 688,
        "moe_intermediate_size": 688,
        "num_hidden_layers": 4,
        "first_k_dense_replace": 4,  # every layer dense: at this size experts only cost
        "num_attention_heads": 6,
        "num_key_value_heads": 6,
        "n_routed_experts": 2,
        "n_shared_experts": 1,
        "num_experts_per_tok": 1,
        "max_position_embeddings": 1024,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
    },
    "projector_config": {"input_dim": 512, "n_embed": 288, "projector_type": "linear"},
    "vision_config": {
        "view_size": list(VIEW_SIZE),
        "width": {
            "clip-l-14-224": {
                "width": 256,
                "layers": 2,
                "heads": 4,
                "image_size": 16,
                "patch_size": 4,
            },
            "sam_vit_b": {
                "width": 192,
                "layers": 7,
                "heads": 6,
                "global_attn_indexes": [1, 3, 5, 6],
                "downsample_channels": [192, 256],
                "output_channels": 128,
                "patch_size": 8,
                "window_size": 6,
            },
        },
    },
}


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Return the tokenizer with one token per character of the alphabet."""
    vocabulary = {token: index for index, token in enumerate([*SPECIAL_TOKENS, *ALPHABET])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token=SPECIAL_TOKENS[UNKNOWN]))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), behavior="isolated")
    backend.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        unk_token=SPECIAL_TOKENS[UNKNOWN],
        additional_special_tokens=["<image>"],
        clean_up_tokenization_spaces=False,
    )


def build_network(seed: int = 0) -> DeepseekOcrForConditionalGeneration:
    """Return the network with fresh weights, fp32.

    transformers' defaults suit loading, not learning (SAM's range is 1e-10), so all weights are
    drawn here: normal with std 0.02, narrower where a layer writes into the residual stream.
    """
    torch.manual_seed(seed)
    config = DeepseekOcrConfig.from_original(CONFIG, image_token_id=IMAGE)
    network = DeepseekOcrForConditionalGeneration(config)
    depth = {"sam_model": 7, "vision_model": 2, "language_model": 4}
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        elif "norm" in name:
            nn.init.ones_(parameter)
        elif "rel_pos" in name:
            nn.init.zeros_(parameter)
        elif parameter.dim() == 4 and "pos_embed" not in name:
            nn.init.kaiming_normal_(parameter, nonlinearity="linear")
        else:
            nn.init.trunc_normal_(parameter, std=0.02)
        if name.endswith(
            (
                "attn.proj.weight",
                "out_proj.weight",
                "o_proj.weight",
                "lin2.weight",
                "fc2.weight",
                "down_proj.weight",
            )
        ):
            tower = next(key for key in depth if key in name)
            parameter.data.div_(math.sqrt(2 * depth[tower]))
    return network


def export(network: DeepseekOcrForConditionalGeneration, folder: Path) -> None:
    """Write weights (fp16, shards under 10 MB, original key names), config and tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("model*.safetensors*"):
        old.unlink()
    network.to(torch.float16).save_pretrained(folder, max_shard_size=MAX_SHARD)
    (folder / "generation_config.json").unlink(missing_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n", "utf-8")
    build_tokenizer().backend_tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
