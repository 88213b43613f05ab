"""Gathers what pretraining needs into one folder of about 50 MB that any machine can use.

    python -m ocrtune.pretrain.gather DATA

Needs, for this step only: `pip install fonttools jieba`, and Debian's fonts and texts. The fonts
are those of `font_licences.LICENCES`: texlive-fonts-extra and texlive-lang-chinese (of which the
font files are enough), fonts-noto-core, fonts-noto-extra, fonts-noto-cjk-extra, fonts-gamaliel and
the other packages named there; what is not installed is not drawn. The texts are those of
`evaluation_texts.SOURCES`, wamerican, wbritish, wngerman, manpages-zh and manpages-de. Writes
`fonts/`, `words/`, and the sets that `python -m ocrtune bench embedded` measures on, `evaluation/`.
"""

import argparse
import logging
from pathlib import Path

from ocrtune.pretrain.fonts import export_fonts
from ocrtune.pretrain.pictures import make_evaluation_sets
from ocrtune.pretrain.words import export_words

log = logging.getLogger("pretrain")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    faces = export_fonts(data / "fonts")
    log.info(
        "%d faces, of them %d held out, %d Chinese, %d blackletter and %d of foreign scripts",
        len(faces),
        *(sum(face[key] for face in faces) for key in ("held_out", "han", "gothic", "foreign")),
    )
    export_words(data / "words")
    make_evaluation_sets(data / "evaluation")


if __name__ == "__main__":
    main()
