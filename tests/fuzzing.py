"""Damaged archives, thousands of them, through the real build; run as a program of its own.

    python fuzzing.py FOLDER ROUNDS SEED

Sources, outputs and everything temporary are below FOLDER. It prints as JSON how many were tried,
how they ended, and the peak of memory; anything that is not a sentence of ours ends it with its
traceback and the damaged file in FOLDER/culprit.
"""

import io
import json
import random
import re
import shutil
import struct
import sys
import traceback
import warnings
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

from ocrtune.config import BuildConfig
from ocrtune.dataset import build_dataset
from ocrtune.errors import OcrtuneError
from ocrtune.events import silent
from ocrtune.shapes import read_ground_truth
from ocrtune.sources import open_source

KINDS = {  # of pictures, by suffix
    "png": "PNG",
    "jpeg": "JPEG",
    "tiff": "TIFF",
    "webp": "WEBP",
    "bmp": "BMP",
    "gif": "GIF",
    "jp2": "JPEG2000",
    "ppm": "PPM",
}
LONGEST_SENTENCE = 5_000  # characters
BUILT = 4  # every so many sources are built whole; the others are opened and understood
WORDS = (
    *("word", "文字", "ſtraße", "شعر", "\u0301", "\ufeff", "\ufffd", "\u202e", "\\ud800", "\\n"),
    *("|", ",", ";", "\t", "\\", '"', "'", "#", "-", "*", "![", "](", ")", "<img>", "{", "]}", "&"),
    *("1.png", "../1.png", "/x/2.jpeg", "<!ENTITY a '&b;'>", "&#0;", "```", "---", "| 1.png |"),
)
PAGE_LINE = """<TextLine id="{0}"><Coords points="2,{1} 50,{1} 50,{2} 2,{2}"/>
<TextEquiv><Unicode>{0}</Unicode></TextEquiv></TextLine>"""
PAGE = f"""<?xml version="1.0" encoding="UTF-8"?>
<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15">
<Page imageFilename="1.png" imageWidth="60" imageHeight="40"><TextRegion id="r">
{PAGE_LINE.format("eins", 2, 18)}
{PAGE_LINE.format("zwei", 20, 38)}
</TextRegion></Page></PcGts>"""
ALTO = """<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Description>
<MeasurementUnit>pixel</MeasurementUnit><sourceImageInformation><fileName>1.png</fileName>
</sourceImageInformation></Description><Layout><Page WIDTH="60" HEIGHT="40"><PrintSpace>
<TextBlock><TextLine ID="a" HPOS="2" VPOS="2" WIDTH="40" HEIGHT="16">
<String CONTENT="eins"/><SP/><String CONTENT="zwei"/>
</TextLine></TextBlock></PrintSpace></Page></Layout></alto>"""


def picture(number: int, kind: str = "PNG", mode: str = "RGB") -> bytes:
    """Return a small picture in a format."""
    image = Image.new("RGB", (60, 40), (number * 37 % 256, 200, 90))
    ImageDraw.Draw(image).line((number % 60, 0, 30, 39), fill=0, width=3)
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, kind)
    return buffer.getvalue()


def pictures() -> dict[str, bytes]:
    """Return one picture in each format, as the files of an archive."""
    kinds = enumerate(KINDS.items(), start=1)
    return {f"{number}.{suffix}": picture(number, kind) for number, (suffix, kind) in kinds}


def lines(separator: str = " ") -> str:
    """Return the lines of a content file of these pictures."""
    return "".join(f"{name}{separator}text of number {name[:1]}\n" for name in pictures())


def table() -> bytes:
    """Return a parquet file with pictures."""
    rows = [
        {"image": {"bytes": data, "path": name}, "text": f"text number {name[:1]}"}
        for name, data in pictures().items()
    ]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def book() -> bytes:
    """Return a PDF of two pages."""
    pages = [Image.new("L", (60, 40), shade) for shade in (200, 90)]
    buffer = io.BytesIO()
    pages[0].save(buffer, "PDF", save_all=True, append_images=pages[1:])
    return buffer.getvalue()


SEEDS = {  # the files of a sound archive of each shape
    "lines": lambda: {"content.md": lines().encode()} | pictures(),
    "gbk": lambda: {"content.txt": lines().replace("text", "文字").encode("gb18030")} | pictures(),
    "utf-16": lambda: {"content.md": lines().encode("utf-16")} | pictures(),
    "markdown table": lambda: (
        {
            "content.md": (
                "| picture | text |\n|---|---|\n"
                + "".join(f"| {name} | text {name[:1]} |\n" for name in pictures())
            ).encode()
        }
        | pictures()
    ),
    "markdown list": lambda: (
        {"content.md": "".join(f"- ![text {name[:1]}]({name})\n" for name in pictures()).encode()}
        | pictures()
    ),
    "headings": lambda: (
        {"content.md": "".join(f"## {name}\none\n\ntwo\n" for name in pictures()).encode()}
        | pictures()
    ),
    "pairs": lambda: {f"{name[:1]}.gt.txt": b"text" for name in pictures()} | pictures(),
    "csv": lambda: {"labels.csv": ("image,text\n" + lines(",")).encode()} | pictures(),
    "tsv": lambda: {"labels.tsv": ("image\ttext\n" + lines("\t")).encode()} | pictures(),
    "jsonl": lambda: (
        {
            "metadata.jsonl": "".join(
                json.dumps({"file_name": name, "text": f"text number {name[:1]}"}) + "\n"
                for name in pictures()
            ).encode()
        }
        | pictures()
    ),
    "paddle": lambda: (
        {
            "Label.txt": (
                b'1.png\t[{"transcription": "eins", "points": [[2,2],[50,4],[50,18],[2,16]]}]\n'
            )
        }
        | pictures()
    ),
    "page": lambda: {"1.xml": PAGE.encode(), "1.png": picture(1)},
    "alto": lambda: {"1.xml": ALTO.encode(), "1.png": picture(1)},
    "pdf": lambda: {
        "book.pdf": book(),
        "content.md": b"book.pdf#page=1 one\nbook.pdf#page=2 two\n",
    },
    "parquet": lambda: {"data/train-00000-of-00001.parquet": table()},
}


def packed(files: dict[str, bytes], method: int) -> bytes:
    """Return a zip of the files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def flip(data: bytearray, dice: random.Random) -> None:
    """Change some bytes."""
    for _ in range(dice.choice((1, 1, 2, 8, 64))):
        if data:
            data[dice.randrange(len(data))] = dice.choice((0, 255, dice.randrange(256)))


def cut(data: bytearray, dice: random.Random) -> None:
    """Lose the end, or a piece of the middle."""
    if len(data) > 2:
        first, second = sorted(dice.sample(range(len(data)), 2))
        del data[first : dice.choice((second, len(data)))]


def repeat(data: bytearray, dice: random.Random) -> None:
    """Say a piece twice, somewhere else."""
    if len(data) > 2:
        first, second = sorted(dice.sample(range(len(data)), 2))
        place = dice.randrange(len(data))
        data[place:place] = data[first : min(second, first + 4096)]


def count_wrongly(data: bytearray, dice: random.Random) -> None:
    """Put an odd number into four bytes, as in the sizes and places of a header."""
    if len(data) > 8:
        value = dice.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, dice.randrange(1 << 32), len(data)))
        form = dice.choice((">L", "<L"))
        place = dice.randrange(len(data) - 4)
        data[place : place + 4] = struct.pack(form, value)


def insert_words(data: bytearray, dice: random.Random) -> None:
    """Put marks of every form of ground truth anywhere."""
    for _ in range(dice.randrange(1, 12)):
        words = dice.choice((" ", "\n", "", "\r")).join(dice.choices(WORDS, k=dice.randrange(1, 5)))
        encoded = words.encode(dice.choice(("utf-8", "utf-16-le", "gb18030", "utf-8")), "replace")
        place = dice.randrange(len(data) + 1)
        data[place:place] = encoded


def write_long(data: bytearray, dice: random.Random) -> None:
    """Put in a very long line, or very many short ones."""
    place = dice.randrange(len(data) + 1)
    data[place:place] = dice.choice(
        (b"a", b"a ", b"|", b"\n", b"1.png ", b"\0", b"[")
    ) * dice.choice((1_000, 30_000))


def recode(data: bytearray, dice: random.Random) -> None:
    """Say the text in another encoding, or as bytes that are none."""
    encodings = ("utf-16", "utf-16-be", "utf-32", "gb18030", "cp1252", "big5", "shift_jis", "utf-7")
    if dice.random() < 0.2:
        data[:] = dice.randbytes(dice.randrange(2_000))
    else:
        data[:] = data.decode("utf-8", "replace").encode(dice.choice(encodings), "replace")


def edit_chunk(data: bytearray, dice: random.Random) -> None:
    """Change a chunk of a PNG, or put in a strange one, under a right checksum."""
    starts = [at for kind in CHUNKS if (at := data.find(kind, 8)) > 0]
    if not data.startswith(b"\x89PNG") or not starts:
        return
    at = dice.choice(starts)
    size = min(int.from_bytes(data[at - 4 : at]), len(data) - at - 8)
    chunk = bytearray(data[at + 4 : at + 4 + max(0, size)])
    dice.choice(DAMAGES)(chunk, dice)
    kind = bytes(data[at : at + 4]) if dice.random() < 0.6 else dice.choice(CHUNKS)
    check = zlib.crc32(kind + chunk).to_bytes(4)
    length = dice.choice((len(chunk), len(chunk), dice.randrange(1 << 32)))
    end = at - 4 if dice.random() < 0.3 else at + 8 + max(0, size)
    data[at - 4 : end] = length.to_bytes(4) + kind + chunk + check


def edit_headers(data: bytearray, dice: random.Random) -> None:
    """Put odd numbers into the fields of a zip's headers: flags, method, sizes, places, names."""
    mark = dice.choice((b"PK\1\2", b"PK\1\2", b"PK\3\4", b"PK\5\6"))
    places = [found.start() for found in re.finditer(re.escape(mark), data)]
    for at in dice.sample(places, min(len(places), dice.choice((1, 1, 2, 99)))):
        field = at + 4 + 2 * dice.randrange(22)
        value = dice.choice((0, 1, 2, 8, 9, 12, 14, 99, 0x800, 0xFFFF, dice.randrange(1 << 16)))
        if field + 2 <= len(data):
            data[field : field + 2] = value.to_bytes(2, "little")


def join_zips(data: bytearray, dice: random.Random) -> None:
    """Put two zips, or parts of them, behind each other, or something around one."""
    other = bytes(data[dice.choice((0, dice.randrange(len(data)))) :]) if data else b""
    odd = dice.choice((other, other, b"#!/bin/sh\n" * 20, bytes(500), b"PK\5\6" + bytes(18)))
    data[:] = dice.choice((odd + data, data + odd))


CHUNKS = (b"IHDR", b"IDAT", b"PLTE", b"tRNS", b"eXIf", b"zTXt", b"iTXt", b"iCCP", b"acTL", b"IEND")
DAMAGES = (flip, cut, repeat, count_wrongly)
OF_TEXTS = (*DAMAGES, insert_words, insert_words, write_long, recode)
OF_PICTURES = (*DAMAGES, edit_chunk)
OF_ZIPS = (*DAMAGES, edit_headers, edit_headers, join_zips)


def damaged_source(shape: str, files: dict[str, bytes], dice: random.Random) -> bytes:
    """Return a zip that is wrong somewhere: in its own structure, in its texts or its pictures."""
    files = dict(files)
    where = dice.random()
    for _ in range(dice.randrange(1, 4) if where > 0.3 else 0):
        texts = [name for name in files if name.split(".")[-1] not in KINDS]
        name = dice.choice(texts if texts and where < 0.75 else list(files))
        data = bytearray(files[name])
        dice.choice(OF_TEXTS if name in texts else OF_PICTURES)(data, dice)
        files[name] = bytes(data)
    if dice.random() < 0.1:
        odd = dice.choice(("../x", "/etc/x", "C:\\x", "a" * 5000, "x\0y", "CON", "1.PNG", "é.png"))
        files[odd.replace("\0", "\x01")] = b"odd"
    method = dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = bytearray(packed(files, method))
    if where <= 0.3:
        for _ in range(dice.randrange(1, 3)):
            dice.choice(OF_ZIPS)(data, dice)
    return bytes(data)


def attempt(source: Path, output: Path, whole: bool) -> str:
    """Return how a source ended: `built`, `understood` or `refused`; anything else is raised."""
    config = BuildConfig(source=str(source), output=str(output))
    try:
        if whole:
            build_dataset(config)
            return "built"
        with open_source(config, silent) as archive:
            truth = read_ground_truth(archive, config)
            for reject in truth.rejects:
                reject.as_values()
            return "understood"
    except OcrtuneError as error:
        if not error.problem or len(str(error)) > LONGEST_SENTENCE:
            raise ValueError("this is no sentence for people") from error
        return "refused"


def main() -> None:
    """Try so many damaged sources and print what became of them."""
    folder, rounds, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    seeds = {shape: make() for shape, make in SEEDS.items()}
    ends: Counter[str] = Counter()
    for number in range(rounds):
        dice = random.Random(f"{seed} {number}")
        shape = dice.choice(list(seeds))
        source = folder / "source.zip"
        source.write_bytes(damaged_source(shape, seeds[shape], dice))
        whole = number % BUILT == 0
        try:
            ends[attempt(source, folder / "out" / "d", whole)] += 1
        except Exception:
            shutil.copyfile(source, folder / "culprit")
            sys.stderr.write(f"round {number} ({shape}, {'built' if whole else 'read'})\n")
            traceback.print_exc()
            raise SystemExit(1) from None
    # Not `ru_maxrss`: that starts at what the process that began this one had.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    sys.stdout.write(json.dumps({"rounds": rounds, "ends": ends, "peak_mib": peak}))


if __name__ == "__main__":
    main()
