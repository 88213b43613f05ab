"""DeepSeek-OCR-2's published config.json in the words of transformers' own class.

The weights need no such care: transformers renames them while it reads and writes them.
"""

from ocrtune.families.deepseek_ocr_model import text_sizes

MODEL_TYPE = "deepseek_ocr2"


def sizes_of(values: dict) -> dict:
    """Return what transformers' DeepseekOcr2Config takes, from either kind of config.json.

    values: the parsed file. The authors' own holds sizes in `language_config` and `vision_config.
    width`; those their code fixes take the fixed values, unless a smaller model names them there.
    """
    if values.get("model_type") == MODEL_TYPE:
        return values
    width = values["vision_config"]["width"]
    sam, encoder = width["sam_vit_b"], width["qwen2-0-5b"]
    return {
        "model_type": MODEL_TYPE,
        "image_token_id": values.get("image_token_id", 128815),
        "vision_config": {
            "sam_config": {
                "hidden_size": sam["width"],
                "num_hidden_layers": sam["layers"],
                "num_attention_heads": sam["heads"],
                "global_attn_indexes": list(sam["global_attn_indexes"]),
                # The file says 1024 for the last one, the weights and the encoder say otherwise.
                "downsample_channels": [sam["downsample_channels"][0], encoder["dim"]],
            },
            "encoder_config": {
                "hidden_size": encoder["dim"],
                "intermediate_size": encoder.get("intermediate_size", 4864),
                "num_hidden_layers": encoder.get("layers", 24),
                "num_attention_heads": encoder.get("heads", 14),
                "num_key_value_heads": encoder.get("key_value_heads", 2),
                "rms_norm_eps": 1e-6,
                "rope_parameters": {"rope_type": "default", "rope_theta": 1_000_000.0},
                "vocab_size": 1,  # its token embeddings are not used
            },
        },
        "text_config": text_sizes(values["language_config"]),
    }
