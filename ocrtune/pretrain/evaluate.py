"""The CER of some weights on a folder of lines, read by the decoder that users get.

    python -m ocrtune.pretrain.evaluate WEIGHTS FOLDER [--limit N]

FOLDER is a set that `pictures` drew: lines and a `content.md`, in fonts and texts never trained on.
"""

import argparse
import json
import logging
import random
from pathlib import Path

from ocrtune.alphabet import HAN
from ocrtune.families.loading import load_base
from ocrtune.metrics import pool, score_pairs, summarise
from ocrtune.reading import read_samples
from ocrtune.text import normalise

log = logging.getLogger("pretrain")
CHINESE = frozenset(HAN)
SHOWN = 4


def load_lines(folder: Path, limit: int = 0) -> list[tuple[Path, str]]:
    """Return (picture, ground truth) of every line of `content.md`; always the same if limited.

    The ground truth of a picture with nothing to read is empty.
    """
    lines = []
    for line in (folder / "content.md").read_text("utf-8").splitlines():
        name, _, text = line.partition(" ")
        lines.append((folder / name, text))
    if not limit or limit >= len(lines):
        return lines
    # Not every so-manieth: languages and flaws take turns in a set.
    return [lines[index] for index in sorted(random.Random(0).sample(range(len(lines)), limit))]


def measure(weights: Path, folder: Path, limit: int = 0) -> dict:
    """Return the pooled strict CER of all, of Chinese and of other lines, and some readings.

    written: mean characters written about pictures with nothing to read; None if there are none.
    """
    loaded = load_base(str(weights))
    lines = load_lines(folder, limit)
    pictures = [(path.name, path.read_bytes()) for path, _ in lines]
    readings = read_samples(loaded, pictures, batch_size=64 if loaded.device.type == "cuda" else 16)
    pairs = [(text, reading.text) for (_, text), reading in zip(lines, readings, strict=True)]
    scores = score_pairs(pairs)
    chinese = [not CHINESE.isdisjoint(text) for text, _ in pairs]
    about_nothing = [len(normalise(found)) for text, found in pairs if not text]
    summary = summarise(scores, looped=[reading.looped for reading in readings])
    return {
        "lines": summary.lines,
        "characters": summary.reference_characters,
        "cer": summary.cer,
        "cer_chinese": pool(s for s, yes in zip(scores, chinese, strict=True) if yes).cer,
        "cer_latin": pool(s for s, yes in zip(scores, chinese, strict=True) if not yes).cer,
        "exact_lines": summary.exact_lines,
        "lines_over_100": summary.lines_over_100,
        "written": sum(about_nothing) / len(about_nothing) if about_nothing else None,
        "looped": summary.looped,
        "examples": pairs[:: max(1, len(pairs) // SHOWN)][:SHOWN],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=0, help="read only about so many lines")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    result = measure(arguments.weights, arguments.folder, arguments.limit)
    log.info(json.dumps(result, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
