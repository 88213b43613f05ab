"""Which Debian fonts draw the lines of pretraining, which ones are kept for evaluation.

Needs fontTools (`pip install fonttools`), for the recipe only. `export_fonts` writes small copies
that hold nothing but the alphabet, so that a machine without these packages can draw too.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

from ocrtune.families.alphabet import ALPHABET, HAN

DEBIAN_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/share/texmf/fonts/opentype"))


@dataclass(frozen=True)
class Pattern:
    """Faces of one family: `path` matches the end of a file's path, `index` its .ttc entry."""

    path: str
    index: int = 0


# Whole families that no training line is ever set in, and nothing derived from them.
HELDOUT_FONTS = (
    Pattern("wqy/wqy-zenhei.ttc"),
    Pattern("arphic/uming.ttc"),  # gbsn00lp and BabelStone Han share its drawings: left out below
    Pattern("vollkorn/Vollkorn-{Regular,Bold,Italic,Medium}.ttf"),
    Pattern("gentiumplus/GentiumPlus-*.ttf"),
    Pattern("paratype/PT[SF]??F.ttf"),
    Pattern("inter/Inter-{Light,Regular,Bold,Italic}.otf"),
    Pattern("quattrocento/*.otf"),
    Pattern("crosextra/Caladea-*.ttf"),
    Pattern("clear-sans/ClearSans-{Light,Regular,Bold,Italic}.ttf"),
    Pattern("cabin/Cabin-{Regular,Bold,Italic}.otf"),
)

# Kai faces and handwriting (LXGW WenKai, UKai, TW-Kai, Klee, Seto) and Smiley Sans stay unseen:
# the shipped sample is set in one of them.
TRAIN_FONTS = (
    Pattern("noto/NotoSansCJK-{Light,DemiLight,Regular,Medium,Bold,Black}.ttc", 2),
    Pattern("noto/NotoSerifCJK-{Light,Regular,Medium,SemiBold,Bold,Black}.ttc", 2),
    Pattern("wqy/wqy-microhei.ttc"),
    Pattern("droid/DroidSansFallbackFull.ttf"),
    Pattern("arphic-gkai00mp/gkai00mp.ttf"),
    Pattern("cns11643/TW-Sung-98_1.ttf"),
    Pattern("hanazono/HanaMinA.ttf"),
    Pattern("unifont/unifont.otf"),
    Pattern("b612/*.otf"),
    Pattern("cantarell/Cantarell-{Light,Regular,Bold,ExtraBold}.otf"),
    Pattern("comic-neue/ComicNeue-{Regular,Bold,Italic}.otf"),
    Pattern("courier-prime/Courier Prime*.otf"),
    Pattern("dosis/Dosis-{Light,Book,Bold}.otf"),
    Pattern("ebgaramond/EBGaramond{08,12}-[!A]*.otf"),
    Pattern("elstob/ElstobD-{Regular,Bold,Italic,8pt,8ptItalic,18pt,18ptBold}.otf"),
    Pattern("fonts-prociono/*.otf"),
    Pattern("freefont/Free*.otf"),
    Pattern("gotico-antiqua/[!Z]*.otf"),
    Pattern("junicode/JunicodeTwoBeta-{Regular,Bold,Italic,BoldItalic,Medium,Light}.otf"),
    Pattern("junicode/JunicodeTwoBeta-{Condensed,Expanded,ExpandedBold,SemiCondensedItalic}.otf"),
    Pattern("jura/Jura-{Regular,Bold}.otf"),
    Pattern("linux-libertine/LinBiolinum_R{,B,I}.otf"),
    Pattern("linux-libertine/LinLibertine_{R,RB,RI,RBI,DR}.otf"),
    Pattern("ocr-b/OCRB.otf"),
    Pattern("play/Play-*.otf"),
    Pattern("slab/RobotoSlab-{Light,Regular,Bold}.otf"),
    Pattern("sora/Sora-{Light,Regular,Bold}.otf"),
    Pattern("sortsmill/*.otf"),
    Pattern("stix-word/STIX-*.otf"),
    Pattern("urw-base35/C059-*.otf"),
    Pattern("urw-base35/NimbusMonoPS-*.otf"),
    Pattern("urw-base35/NimbusRoman-*.otf"),
    Pattern("urw-base35/NimbusSans*.otf"),
    Pattern("urw-base35/P052-*.otf"),
    Pattern("urw-base35/URW*.otf"),
    Pattern("urw-base35/Z003-*.otf"),
    Pattern("yanone-kaffeesatz/YanoneKaffeesatz-{Light,Regular,Bold}.otf"),
    Pattern("adf/Baskervald*.otf"),
    Pattern("adf/GilliusADF-*.otf"),
    Pattern("adf/LibrisADF*.otf"),
    Pattern("adf/OldaniaADF*.otf"),
    Pattern("adf/RomandeADFStd-*.otf"),
    Pattern("andika/*.ttf"),
    Pattern("blankenburg/*.ttf"),
    Pattern("cardo/*.ttf"),
    Pattern("charis/*.ttf"),
    Pattern("cmu/cmun{bi,bx,rm,ti,sl,ss,si,sx,tt,vt,ci,bmr,orm,unb}.ttf"),
    Pattern("croscore/{Arimo,Cousine,Tinos}-*.ttf"),
    Pattern("crosextra/Carlito-*.ttf"),
    Pattern("dejavu/DejaVu{Sans,Serif,SansMono}{,-Bold,-Oblique,-Italic}.ttf"),
    Pattern("dejavu/DejaVu{Sans,Serif}Condensed{,-Bold,-Italic}.ttf"),
    Pattern("essays1743/*.ttf"),
    Pattern("fanwood/*.otf"),
    Pattern("firacode/FiraCode-{Light,Regular,Bold}.ttf"),
    Pattern("fonts-oldstandard/*.ttf"),
    Pattern("gnutypewriter/*.ttf"),
    Pattern("hack/*.ttf"),
    Pattern("inconsolata/*.otf"),
    Pattern("jetbrains-mono/JetBrainsMono-{Light,Regular,Bold,Italic}.ttf"),
    Pattern("karla/Karla-{Light,Regular,Bold,Italic}.otf"),
    Pattern("lato/Lato-{Light,Regular,Medium,Bold,Black,Italic,BoldItalic}.ttf"),
    Pattern("lindenhill/*.otf"),
    Pattern("manrope/Manrope-{Light,Regular,Bold}.ttf"),
    Pattern("open-sans/OpenSans-{Light,Regular,Bold,Italic,CondLight,CondBold}.ttf"),
    Pattern("quicksand/Quicksand-{Light,Regular,Bold}.ttf"),
    Pattern("RobotoTTF/Roboto-{Light,Regular,Medium,Bold,Black,Italic}.ttf"),
    Pattern("unhinted/RobotoCondensed-{Light,Regular,Bold,Italic}.ttf"),
    Pattern("rufscript/*.ttf"),
    Pattern("lm/lmroman{5,8,10,12,17}-regular.otf"),
    Pattern("lm/lmroman{10-bold,10-italic,8-italic,demi10-regular}.otf"),
    Pattern("lm/lmmono{10-regular,lt10-bold,proplt10-regular}.otf"),
    Pattern("tex-gyre/texgyrechorus-*.otf"),
)


@dataclass(frozen=True)
class FontFile:
    """One face of an installed font."""

    path: Path
    index: int
    held_out: bool


def export_fonts(folder: Path, roots: Iterable[Path] = DEBIAN_FOLDERS) -> list[dict]:
    """Write every chosen face, cut down to the alphabet, and `faces.json`; return its entries."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = [entry for file in find_fonts(roots) if (entry := export_face(file, folder))]
    (folder / "faces.json").write_text(json.dumps(entries, ensure_ascii=False), "utf-8")
    return entries


def find_fonts(roots: Iterable[Path] = DEBIAN_FOLDERS) -> list[FontFile]:
    """Return the installed faces of both lists; the same file name is taken once."""
    paths = sorted(path for root in roots for path in root.rglob("*.[ot]t[fc]"))
    found: dict[str, FontFile] = {}
    for held_out, patterns in ((True, HELDOUT_FONTS), (False, TRAIN_FONTS)):
        for pattern in patterns:
            for glob in spread(pattern.path):
                for path in paths:
                    if fnmatchcase(str(path), f"*/{glob}"):
                        found.setdefault(path.name, FontFile(path, pattern.index, held_out))
    return list(found.values())


def spread(pattern: str) -> Iterator[str]:
    """Yield the patterns that `{a,b}` in a pattern stands for."""
    group = re.search(r"\{([^}]*)\}", pattern)
    if not group:
        yield pattern
        return
    for choice in group[1].split(","):
        yield from spread(pattern[: group.start()] + choice + pattern[group.end() :])


def export_face(file: FontFile, folder: Path) -> dict | None:
    """Write one face restricted to the alphabet; return its entry, None if it has no letters."""
    font = open_face(file)
    characters = "".join(sorted(set(ALPHABET) & set(map(chr, font.getBestCmap()))))
    if len(characters) < 50:
        return None
    options = Options(
        layout_features=[],
        hinting=False,
        notdef_outline=False,
        name_IDs=[1, 2, 4],
        glyph_names=False,
    )
    options.drop_tables += ["GPOS", "GSUB", "GDEF", "BASE", "kern", "vhea", "vmtx", "VORG", "EBDT"]
    subsetter = Subsetter(options)
    subsetter.populate(text=characters)
    subsetter.subset(font)
    name = re.sub(r"[^A-Za-z0-9_-]", "_", file.path.stem)
    target = folder / f"{name}.{'otf' if 'CFF ' in font else 'ttf'}"
    font.save(target)
    return {
        "file": target.name,
        "held_out": file.held_out,
        "han": sum(character in HAN for character in characters) > 3000,
        "characters": characters,
    }


def open_face(file: FontFile) -> TTFont:
    """Return the face as fontTools sees it."""
    if file.path.suffix == ".ttc":
        return TTCollection(file.path, lazy=True).fonts[file.index]
    return TTFont(file.path, lazy=True)
