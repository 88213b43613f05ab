"""The CER of some weights on a folder of lines, read as the product reads them.

python -m ocrtune.pretrain.evaluate WEIGHTS FOLDER
"""

import argparse
import json
import logging
from collections import defaultdict
from pathlib import Path

import torch
from PIL import Image
from rapidfuzz.distance import Levenshtein
from torch import Tensor, nn
from transformers import DynamicCache

from ocrtune.families.alphabet import ALPHABET, HAN
from ocrtune.families.deepseek_ocr_model import (
    DeepseekOcrConfig,
    DeepseekOcrForConditionalGeneration,
)
from ocrtune.families.tiny import lay_out_line
from ocrtune.pretrain.model import BOS, EOS, FIRST_CHARACTER, IMAGE, NEWLINE, PAD

log = logging.getLogger("pretrain")
MAX_CHARACTERS = 140


def load_lines(folder: Path, limit: int) -> list[tuple[Path, str]]:
    """Return (picture, ground truth) of every line of `content.md`; evenly spaced if limited."""
    lines = []
    for line in (folder / "content.md").read_text("utf-8").splitlines():
        name, _, text = line.partition(" ")
        lines.append((folder / name, " ".join(text.split())))
    step = max(1, len(lines) // limit) if limit else 1
    return lines[::step]


@torch.inference_mode()
def read(network: nn.Module, pictures: list[Image.Image]) -> list[str]:
    """Return the greedy reading of each line, all in one batch."""
    views = [lay_out_line(picture) for picture in pictures]
    features = network.model.encode_pictures(views)
    longest = max(len(f) for f in features)
    device = features[0].device
    ids = torch.full((len(views), longest + 2), PAD, device=device)
    for row, feature in zip(ids, features, strict=True):
        row[-len(feature) - 2 :] = IMAGE
        row[-len(feature) - 2], row[-1] = BOS, NEWLINE
    mask = (ids != PAD).long()
    cache = DynamicCache(config=network.config.text_config)
    step: dict[str, Tensor] = {"input_ids": ids, "picture_features": torch.cat(features)}
    texts: list[Tensor] = []
    ended = torch.zeros(len(views), dtype=torch.bool, device=device)
    for _ in range(MAX_CHARACTERS):
        out = network(
            **step, attention_mask=mask, past_key_values=cache, use_cache=True, logits_to_keep=1
        )
        token = out.logits[:, -1].argmax(-1).masked_fill(ended, PAD)
        ended |= token == EOS
        texts.append(token)
        if ended.all():
            break
        step = {"input_ids": token[:, None]}
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], 1)
    rows = torch.stack(texts, 1).tolist()
    kept = [[t - FIRST_CHARACTER for t in row if t >= FIRST_CHARACTER] for row in rows]
    return ["".join(ALPHABET[index] for index in row) for row in kept]


def measure(network: nn.Module, folder: Path, device: torch.device, limit: int = 0) -> dict:
    """Return the pooled CER of all lines, of Chinese and of other lines, and three readings."""
    lines = load_lines(folder, limit)
    opened = [(Image.open(path).convert("RGB"), text) for path, text in lines]
    opened.sort(key=lambda pair: pair[0].width / pair[0].height)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    shown = []
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        for start in range(0, len(opened), 64):
            block = opened[start : start + 64]
            for (_, text), hypothesis in zip(
                block, read(network, [picture for picture, _ in block]), strict=True
            ):
                errors = Levenshtein.distance(text, " ".join(hypothesis.split()))
                kind = "chinese" if any(c in HAN for c in text) else "latin"
                for name in ("all", kind):
                    counts[name][0] += errors
                    counts[name][1] += len(text)
                    counts[name][2] += 1
                shown.append((text, hypothesis))
    result = {name: round(e / max(n, 1), 4) for name, (e, n, _) in counts.items()}
    examples = shown[:: max(1, len(shown) // 4)][:4]
    return {"lines": counts["all"][2], "cer": result, "examples": examples}


def load_network(folder: Path) -> nn.Module:
    """Return the network exported to `folder`, fp32."""
    config = DeepseekOcrConfig.from_original(
        json.loads((folder / "config.json").read_text("utf-8")), image_token_id=IMAGE
    )
    return DeepseekOcrForConditionalGeneration.from_pretrained(
        folder, config=config, dtype=torch.float32
    ).eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    network = load_network(arguments.weights)
    result = measure(network, arguments.folder, torch.device("cpu"), arguments.limit)
    log.info(json.dumps(result, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
