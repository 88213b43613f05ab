"""The recipe's own promises: what is written is what is drawn, and the sample stays the same."""

import io
import json
import random
import unicodedata
import zipfile

import numpy
import pytest
import torch
from PIL import Image, ImageFont

from ocrtune.alphabet import ALPHABET, HAN, INDEX
from ocrtune.families.loading import load_base
from ocrtune.families.tiny import FOLDER
from ocrtune.pretrain.atlas import BASELINE_Y, CELL, EM, ORIGIN_X, build_atlas
from ocrtune.pretrain.batches import BatchSource, canvas_width
from ocrtune.pretrain.degrade import Degrader
from ocrtune.pretrain.evaluation_texts import cut_line
from ocrtune.pretrain.model import build_network
from ocrtune.pretrain.render import HEIGHT, sample_ink
from ocrtune.pretrain.sample import FONT, choose_texts, make_sample
from ocrtune.pretrain.texts import MAX_LENGTH, Pool, TextSampler, build_pool
from ocrtune.pretrain.train import start_from
from ocrtune.pretrain.words import Words

WORDS = Words(
    ["天气", "我们", "发票"], [1.0, 3.0, 4.0], ["house", "Bird's", "tea"], ["Wasser", "Grüße"]
)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    """An atlas of the one font that Pillow always has, which knows no Chinese."""
    folder = tmp_path_factory.mktemp("fonts")
    (folder / "Aileron.otf").write_bytes(ImageFont.load_default(20).font_bytes)
    characters = "".join(map(chr, range(0x20, 0x7F)))
    entry = {"file": "Aileron.otf", "held_out": False, "han": False, "characters": characters}
    (folder / "faces.json").write_text(json.dumps([entry]), "utf-8")
    return build_atlas(folder, workers=1)


def pool_of(*texts: str) -> Pool:
    ids = numpy.zeros((len(texts), MAX_LENGTH), numpy.uint16)
    for row, text in zip(ids, texts, strict=True):
        row[: len(text)] = [INDEX[character] for character in text]
    return Pool(ids, numpy.array([len(text) for text in texts], numpy.int16))


def test_alphabet_is_fixed():
    assert len(ALPHABET) == len(set(ALPHABET)) == 4029
    assert unicodedata.normalize("NFC", ALPHABET) == ALPHABET
    assert (HAN[0], HAN[3754], len(HAN)) == ("啊", "座", 3756)  # GB 2312's first level, then 〇
    assert (INDEX[" "], INDEX["A"], INDEX["~"], INDEX["À"]) == (0, 33, 94, 95)
    assert (INDEX["〇"], INDEX["\u0364"], INDEX["〕"]) == (3983, 3984, 4028)  # younger ones behind


@pytest.mark.parametrize(
    ("word", "aged"),
    [
        ("das", "das"),  # a final s stays round
        ("Haus", "Haus"),
        ("ist", "iſt"),
        ("Wasser", "Waſſer"),
        ("dass", "daſs"),
        ("Straße", "Straße"),
        ("Speise", "Speiſe"),  # a capital too
    ],
)
def test_old_spelling_puts_the_long_s_where_it_belongs(word, aged):
    sampler = TextSampler(WORDS, 0)
    sampler.random.random = lambda: 0.99  # without the other old spellings
    assert sampler.age(word) == aged


def test_sampled_lines_can_be_written_and_repeat_with_the_seed():
    sampler, again, other = (TextSampler(WORDS, seed) for seed in (3, 3, 4))
    lines = [sampler.line() for _ in range(800)]
    assert lines == [again.line() for _ in range(800)]
    assert lines != [other.line() for _ in range(800)]
    assert all(1 <= len(line) <= MAX_LENGTH and line == line.strip() for line in lines)
    assert set("".join(lines)) <= set(ALPHABET)
    assert any("我们" in line for line in lines)
    assert any("Waſſer" in line for line in lines)
    assert len({c for line in lines for c in line if c in INDEX and c in HAN}) > 500


def test_pool_keeps_every_line_whole(tmp_path):
    (tmp_path / "han.txt").write_text("天气 1\n我们 2", "utf-8")
    (tmp_path / "english.txt").write_text("house\nbird", "utf-8")
    (tmp_path / "german.txt").write_text("Wasser\nGrüße", "utf-8")
    pool = build_pool(tmp_path, 300, seed=1, workers=1)
    assert len(pool.ids) == 300
    words = Words(["天气", "我们"], [1.0, 3.0], ["house", "bird"], ["Wasser", "Grüße"])
    sampler = TextSampler(words, 1009)
    for ids, length in zip(pool.ids[:50], pool.lengths[:50], strict=True):
        assert "".join(ALPHABET[i] for i in ids[:length]) == sampler.line()


def test_a_cut_line_keeps_words_whole():
    sentence = "every word of this long sentence should stay in one piece wherever it is cut"
    words = set(sentence.split())
    pieces = [cut_line(sentence, 3.0, random.Random(seed)) for seed in range(200)]
    assert all(set(piece.split()) <= words for piece in pieces)
    assert len(set(pieces)) > 50


def test_unscaled_drawing_shows_the_cell_itself(atlas):
    """A glyph at the atlas's own size, unbent, is the cell that Pillow drew, at the pen."""
    glyph, pen, baseline = int(atlas.lookup[0, INDEX["R"]]), 30.0, 40.0
    one = torch.ones(1, 1)
    flat = torch.zeros(1, 1, 1)
    ink = sample_ink(
        atlas.cells.view(-1),
        torch.zeros(1, 100, dtype=torch.long),
        torch.full((1, 1), glyph),
        pen * one,
        EM * atlas.advances[glyph] * one,
        one,
        one,
        baseline + flat,
        50 + flat,
        flat,
        flat,
        flat,
        flat + 0.01,
        flat,
        torch.zeros(1, HEIGHT, 100),
        torch.zeros(1, HEIGHT, 100),
    )[0]
    top, left = int(baseline) - BASELINE_Y, int(pen) - ORIGIN_X
    expected = torch.zeros(HEIGHT, 100)
    cell = atlas.cells[glyph].float() / 255
    expected[: top + CELL, left : left + CELL] = cell[-top : HEIGHT - top]
    assert ink.sum() == pytest.approx(expected.sum().item(), rel=0.02)
    assert (ink - expected).abs().mean() < 0.01  # soft edges only
    assert torch.corrcoef(torch.stack([ink.flatten(), expected.flatten()]))[0, 1] > 0.95


def test_batch_holds_text_and_picture_of_the_asked_size(atlas):
    line = "the quick brown fox jumps over a lazy dog and runs home again before dark"
    texts = [line[:end] for end in range(1, len(line) + 1) if line[end - 1] != " "]
    pool = pool_of(*texts, "中文")
    source, again = (BatchSource(atlas, pool, seed=5, silence=0) for _ in range(2))
    pixels, ids, lengths, widths = source.batch(2, 24)
    assert pixels.shape == (24, 3, HEIGHT, 736)
    assert pixels.shape[-1] == canvas_width(2)
    assert pixels.min() >= -1
    assert pixels.max() <= 1
    assert not pixels.isnan().any()
    assert ((ids >= 0).sum(1) == lengths).all()
    read = ["".join(ALPHABET[i] for i in row if i >= 0) for row in ids]
    assert set(read) <= set(texts)  # whole lines, and none that the font cannot draw
    assert (widths > 384).float().mean() > 0.8  # most need the second tile
    for row, width in zip(pixels, widths, strict=True):
        assert (row[:, :, width:] == 0).all()  # beyond the line: the grey of the layout
        assert row[:, :, :width].std() > 0.05  # and ink on it
    assert torch.equal(pixels, again.batch(2, 24)[0])


def test_a_small_e_stands_on_its_letter(atlas):
    """Old prints write u with an e above it: two characters, one glyph, drawn by any face."""
    source = BatchSource(atlas, pool_of("u\u0364ber", "uber"), seed=1, clean_share=1.0, silence=0)
    texts = torch.tensor([[INDEX[c] for c in "u\u0364ber"], [INDEX[c] for c in "uber"] + [-1]])
    renderer = source.renderer
    kinds = torch.zeros(2, dtype=torch.long)
    layout = renderer.lay_out(texts, 384, torch.full((2,), 0.7), 0, kinds)
    assert layout.advances[0, 1] < 0.01  # the e takes no room of its own
    joined, plain = atlas.cells[layout.glyphs[0, 0]], atlas.cells[layout.glyphs[1, 0]]
    added = (joined.int() - plain.int()).clamp(min=0)
    x_height = int(plain.any(1).int().argmax())  # the first row with ink
    assert added[:x_height].sum() > 3000  # and it stands above the letter
    assert added[x_height:].sum() == 0


def test_some_pictures_teach_silence(atlas):
    source = BatchSource(atlas, pool_of("a line of text", "another line"), seed=2, silence=20.0)
    pixels, ids, lengths, _ = source.batch(1, 200)
    silent = lengths == 0
    assert 0.2 < silent.float().mean() < 0.4  # 20 times BLANK_SHARE; the font has one script
    assert (ids[silent] == -1).all()
    assert (ids[~silent] >= 0).any(1).all()
    rows = pixels[:, 0, :, :60]  # ink makes columns differ; most blank papers are smooth
    assert rows[silent].std((1, 2)).median() < 0.5 * rows[~silent].std((1, 2)).median()


def test_weights_to_start_from_keep_their_rows():
    """The shipped weights go on, though the alphabet may have grown since they were made."""
    network = build_network(seed=3)
    start_from(network, FOLDER)
    shipped = load_base(str(FOLDER)).network
    known = shipped.lm_head.weight.shape[0]
    assert torch.equal(network.lm_head.weight[:known], shipped.lm_head.weight)
    first = "model.sam_model.layers.0.attn.qkv.weight"
    assert torch.equal(network.get_parameter(first), shipped.get_parameter(first))


def test_clean_lines_stay_clean_and_poor_ones_do_not():
    ink = torch.zeros(40, HEIGHT, 96)
    ink[:, 10:38, 20:26] = 1  # one thick stroke
    sizes, widths = torch.full((40,), 40.0), torch.full((40,), 96)

    def values(clean_share: float) -> torch.Tensor:
        degrader = Degrader(torch.Generator().manual_seed(0), clean_share)
        return degrader.photograph(ink, sizes, widths)

    clean, poor = values(1.0), values(0.0)
    paper, stroke = clean[:, :, 2:8], clean[:, :, 14:34, 22:24]
    contrast = (paper.mean((1, 2, 3)) - stroke.mean((1, 2, 3))).abs()
    assert (contrast > 0.55).all()
    assert clean[:, :, :8].std((2, 3)).max() < 0.01  # even paper
    assert poor[:, :, :8].std((2, 3)).mean() > 0.02
    assert ((poor[:, :, 2:8].mean((1, 2, 3)) - poor[:, :, 14:34, 22:24].mean((1, 2, 3))).abs() > 0.2
            ).float().mean() > 0.95  # fmt: skip


def test_sample_texts_are_many_and_writable():
    texts = choose_texts(random.Random(7))
    assert texts == choose_texts(random.Random(7))
    assert len(set(texts)) == 150
    assert all(10 <= len(text) <= 22 and set(text) <= set(ALPHABET) for text in texts)
    assert sum(any("a" <= c.lower() <= "z" for c in text) for text in texts) > 20
    assert sum(any(c.isdigit() for c in text) for text in texts) > 60


def test_sample_is_the_same_every_time_and_small(tmp_path):
    if not FONT.exists():
        pytest.skip("fonts-lxgw-wenkai is not installed")
    for name in ("one.zip", "two.zip"):
        make_sample(tmp_path / name, count=12)
    data = (tmp_path / "one.zip").read_bytes()
    assert data == (tmp_path / "two.zip").read_bytes()
    assert len(data) < 12 * 13_000  # 150 of them stay under 2 MB
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        rows = archive.read("content.md").decode("utf-8").splitlines()[1:]
        names = [row.split(" ", 1)[0] for row in rows]
        assert set(names) | {"content.md"} == set(archive.namelist())
        picture = Image.open(io.BytesIO(archive.read(names[0])))
        assert 48 <= picture.height <= 64
