"""The embedded model as it ships: small enough, quick enough, and it reads."""

import io
import time
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from ocrtune.families import tiny
from ocrtune.families.loading import load_base
from ocrtune.metrics import pool, score_pairs
from ocrtune.reading import read_samples, use_cores

# Faces that pretraining never draws with (HELDOUT_FONTS), and where Debian puts them.
ZEN_HEI = Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc")
CALADEA = Path("/usr/share/fonts/truetype/crosextra/Caladea-Regular.ttf")
CHINESE = (
    "这本书的封面已经旧了，纸也发黄。",
    "请于2024年3月15日之前付清余款￥3,280.00",
    "他沿着河边走了很久，一句话也没有说",
    "会议改到下午三点，请各部门准时参加！",
    "合同编号：HT-2019-0457，签字盖章后生效",
    "今年的雨水比往年多，庄稼长得很好。",
)
LATIN = (
    "The letter arrived on a cold Monday in March.",
    "Invoice No. 4711, due within 30 days, thank you!",
    "Die Übergabe der Schlüssel erfolgt am 3. Mai.",
    "Für größere Mengen gelten andere Preise (siehe § 4).",
    "She said: “We have never been to Norwich before.”",
    "Straße, Äpfel, Öfen und weiße Mäuse",
)


@pytest.fixture(scope="module")
def loaded():
    use_cores()
    return load_base("tiny")


def draw(text: str, font: Path, size: int = 34) -> bytes:
    """Return a PNG of one printed line."""
    face = ImageFont.truetype(str(font), size)
    left, top, right, bottom = face.getbbox(text)
    picture = Image.new("RGB", (right - left + 20, bottom - top + 14), "white")
    ImageDraw.Draw(picture).text((10 - left, 7 - top), text, "black", face)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def test_the_files_are_as_small_as_promised():
    shards = list(tiny.FOLDER.glob("*.safetensors"))
    assert max(shard.stat().st_size for shard in shards) < 10_000_000
    assert sum(file.stat().st_size for file in tiny.FOLDER.iterdir()) < 24_000_000


def test_it_has_the_promised_size(loaded):
    parameters = sum(parameter.numel() for parameter in loaded.network.parameters())
    assert 8e6 < parameters < 12e6


@pytest.mark.parametrize(
    ("font", "texts"),
    [
        pytest.param(
            font,
            texts,
            marks=pytest.mark.skipif(not font.exists(), reason=f"Debian's {package} is not here"),
        )
        for font, texts, package in (
            (ZEN_HEI, CHINESE, "fonts-wqy-zenhei"),
            (CALADEA, LATIN, "fonts-crosextra-caladea"),
        )
    ],
    ids=["chinese", "latin"],
)
def test_it_reads_printed_lines_in_faces_it_never_saw(font, texts, loaded):
    pictures = [(text, draw(text, font)) for text in texts]
    readings = [reading.text for reading in read_samples(loaded, pictures)]
    score = pool(score_pairs(list(zip(texts, readings, strict=True))))
    assert score.cer < 0.05, readings


def test_one_line_takes_little_processor_time(loaded):
    """0.3 s a line on two cores: counted in processor seconds, which other programs do not eat."""
    face = ImageFont.load_default(34)
    picture = Image.new("RGB", (640, 54), "white")
    ImageDraw.Draw(picture).text((10, 8), "The quick brown fox 0123456789", "black", face)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    line = [("line", stream.getvalue())]
    read_samples(loaded, line)  # the first reading also prepares the libraries
    spent = []
    for _ in range(3):
        before = time.process_time()
        [reading] = read_samples(loaded, line)
        spent.append(time.process_time() - before)
    assert len(reading.text) > 20, reading
    assert min(spent) < 0.3 * max(2, torch.get_num_threads()), spent
