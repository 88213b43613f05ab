"""Gathers what pretraining needs into one folder of about 45 MB that any machine can use.

    python -m ocrtune.pretrain.gather DATA

Needs, for this step only: `pip install fonttools jieba`, and from Debian the font packages behind
`fonts.TRAIN_FONTS` and `fonts.HELDOUT_FONTS`, wamerican, wbritish, wngerman, manpages-zh,
manpages-de, fortunes and fortunes-de. Writes `fonts/`, `words/`, `evaluation/` (1,000 clean lines)
and `evaluation_degraded/` (300).
"""

import argparse
import logging
from pathlib import Path

from ocrtune.pretrain.fonts import export_fonts
from ocrtune.pretrain.pictures import make_evaluation_set
from ocrtune.pretrain.words import export_words

log = logging.getLogger("pretrain")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    faces = export_fonts(data / "fonts")
    log.info("%d faces, %d of them held out", len(faces), sum(f["held_out"] for f in faces))
    export_words(data / "words")
    make_evaluation_set(data / "evaluation", 1000, seed=1)
    make_evaluation_set(data / "evaluation_degraded", 300, seed=2, degraded=True)


if __name__ == "__main__":
    main()
