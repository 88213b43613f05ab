"""Small files that would cost gigabytes or minutes: refused before Pillow opens them."""

import io
import struct
import subprocess
import sys
import zlib

import pytest
from PIL import Image

from ocrtune.pictures import PictureError, check_picture, open_page

BIG = 200_000  # bytes that every tag of a bomb points at


def tags(*entries, after=0):
    """Return a block of TIFF tags: number, type, count and value of each."""
    packed = b"".join(struct.pack("<2H2L", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + packed + struct.pack("<L", after)


def tag_bomb(count, size=BIG):
    """Return a TIFF whose tags all point at the same bytes."""
    sides = [(256, 4, 1, 50), (257, 4, 1, 50)]
    block = tags(*sides, *((30_000 + number, 1, size, 8) for number in range(count)))
    return b"II*\0\x08\0\0\0" + block + bytes(size)


def many_pages(count):
    """Return a TIFF with very many small pages."""
    sides = [(256, 4, 1, 50), (257, 4, 1, 50)]
    size = len(tags(*sides))
    places = [8 + number * size for number in range(1, count)] + [0]
    return b"II*\0\x08\0\0\0" + b"".join(tags(*sides, after=place) for place in places)


def jpeg(marker=0xE1, start=b"Exif\0\0", block=b"", piece=60_000):
    """Return a JPEG with a block in its header, cut into pieces."""
    buffer = io.BytesIO()
    Image.new("L", (50, 50), "white").save(buffer, "JPEG")
    data = buffer.getvalue()
    parts = [start + block[at : at + piece] for at in range(0, len(block), piece)]
    segments = (bytes([255, marker]) + struct.pack(">H", len(part) + 2) + part for part in parts)
    return data[:2] + b"".join(segments) + data[2:]


def png(kind, chunk):
    """Return a PNG with another chunk in front of its pixels."""
    buffer = io.BytesIO()
    Image.new("L", (50, 50), "white").save(buffer, "PNG")
    data = buffer.getvalue()
    check = struct.pack(">L", zlib.crc32(kind + chunk))
    return data[:33] + struct.pack(">L", len(chunk)) + kind + chunk + check + data[33:]


def many_scans(count):
    """Return a progressive JPEG whose last pass comes again and again."""
    buffer = io.BytesIO()
    Image.new("L", (200, 200), "white").save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    return data[:-2] + data[data.rfind(b"\xff\xda") : -2] * count + data[-2:]


def jpeg2000(side, tile, parts):
    """Return the header of a JPEG 2000."""
    sizes = struct.pack(">H8LH", 0, side, side, 0, 0, tile, tile, 0, 0, parts) + b"\7\1\1" * parts
    return b"\xff\x4f\xff\x51" + struct.pack(">H", len(sizes) + 2) + sizes + bytes(100)


def raw_profile(block):
    """Return EXIF as ImageMagick puts it into a PNG."""
    return b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n  9\n" + block.hex().encode())


BOMBS = {
    "tags of a TIFF": (tag_bomb(3_000), "picture_tags"),
    "more tags of a TIFF": (tag_bomb(9_000, 0), "picture_tags"),
    "tags of a second page": (
        many_pages(2)[:-4] + struct.pack("<L", 68) + tag_bomb(900)[8:],
        "picture_tags",
    ),
    "pages of a TIFF": (many_pages(20_000), "picture_pages"),
    "EXIF of a JPEG": (jpeg(block=tag_bomb(2_000, 50_000)), "picture_tags"),
    "EXIF in small pieces": (jpeg(block=tag_bomb(4_000), piece=9_000), "picture_tags"),
    "EXIF in very small pieces": (jpeg(block=bytes(9_000), piece=10), "picture_tags"),
    "pages of a JPEG": (jpeg(0xE2, b"MPF\0", tag_bomb(900, 40_000)), "picture_tags"),
    "EXIF of a PNG": (png(b"eXIf", tag_bomb(3_000)), "picture_tags"),
    "EXIF as text": (png(b"zTXt", raw_profile(tag_bomb(3_000))), "picture_tags"),
    "text of a PNG": (png(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000))), "picture_damaged"),
    "passes of a JPEG": (many_scans(5_000), "picture_scans"),
    "tiles of a JPEG 2000": (jpeg2000(6_000, 24, 1), "picture_tiles"),
    "parts of a JPEG 2000": (jpeg2000(6_000, 6_000, 4), "picture_tiles"),
    "comment of a PPM": (b"P5 " + b"#" * 30_000_000, "picture_foreign"),
    "pixels of a PPM": (b"P6 50000 50000 255\n", "picture_large"),
}


@pytest.mark.parametrize("kind", BOMBS)
@pytest.mark.parametrize("look", [check_picture, open_page])
def test_a_bomb_is_refused_with_its_reason(kind, look):
    data, key = BOMBS[kind]
    with pytest.raises(PictureError) as caught:
        look(data)
    assert caught.value.reason.key == key
    assert caught.value.reason.say("zh") != str(caught.value)


def test_bombs_cost_next_to_no_memory(tmp_path):
    for number, (data, _) in enumerate(BOMBS.values()):
        (tmp_path / str(number)).write_bytes(data)
    script = (
        "import contextlib, pathlib, sys\n"
        "from ocrtune.pictures import PictureError, check_picture\n"
        "status = pathlib.Path('/proc/self/status')\n"
        "peak = lambda: int(status.read_text().split('VmHWM:')[1].split()[0])\n"
        "before = peak()\n"
        "for path in pathlib.Path(sys.argv[1]).iterdir():\n"
        "    with contextlib.suppress(PictureError): check_picture(path.read_bytes())\n"
        "print(peak() - before)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True
    )
    assert int(ran.stdout) < 100 * 1024  # KiB; the largest file itself has 30 MB


def test_honest_neighbours_of_bombs_are_kept():
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "A camera"
    picture = Image.effect_noise((60, 40), 50)
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        buffer = io.BytesIO()
        picture.save(buffer, kind, exif=exif)
        assert check_picture(buffer.getvalue()).pixels == (40, 60)
    many = io.BytesIO()
    picture.save(many, "TIFF", save_all=True, append_images=[picture] * 30)
    assert check_picture(many.getvalue()).frames == 31
    progressive = io.BytesIO()
    picture.save(progressive, "JPEG", progressive=True)
    assert check_picture(progressive.getvalue()).changes == ()
    tiled = io.BytesIO()
    picture.save(tiled, "JPEG2000", tile_size=(16, 16))
    assert check_picture(tiled.getvalue()).pixels == (60, 40)
    commented = b"P5\n# made by a scanner\n60 40\n255\n" + bytes(2400) + b"#" * 70_000
    assert check_picture(commented).pixels == (60, 40)
