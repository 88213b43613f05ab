"""Pictures built to cost whoever opens them: found by their structure, before Pillow sees them.

Pillow bounds the pixels. It does not bound what surrounds them: tags that all point at the same
megabyte, tiles by the thousand, a page behind every page.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ocrtune.remarks import Remark, remark

MAX_SCANS = 200  # of a JPEG; progressive ones have about ten, and each is a pass over all pixels
MAX_TAGS = 4_000  # of a page of a TIFF; the longest lists known have two hundred
SPARE_BYTES = 8 * 1024 * 1024  # that tags may claim beyond the size of what they stand in
MAX_EXIF_PARTS = 64  # of a JPEG; Pillow copies all before for each
MAX_PAGES = 2_000  # of a TIFF; each costs Pillow a look at all before
MAX_TILES = 2_000  # of a JPEG 2000; each costs its decoder six kilobytes
MAX_TILE_SAMPLES = 48_000_000  # of a JPEG 2000, each four bytes when decoded: 16 megapixels RGB
HEADER_BYTES = 65_536  # of a PPM, comments included
TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
TYPE_BYTES |= {13: 4, 16: 8, 17: 8, 18: 8}
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"MM*\0", b"II\0*")
JPEG2000_STARTS = (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")
EXIF, MPF = b"Exif\0\0", b"MPF\0"  # stand before the tags of a JPEG
SEGMENT_BYTES = 65_536  # of a JPEG at most
BARE_MARKERS = {0, 1, 0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)}  # without a length
COMMENT = re.compile(rb"#[^\r\n]*")


def bomb_reason(data: bytes) -> Remark | None:
    """Return why the picture is not opened at all, or None."""
    if data.startswith(b"\xff\xd8"):
        return jpeg_reason(data)
    if data.startswith(TIFF_STARTS):
        return tiff_reason(data)
    if data.startswith(JPEG2000_STARTS):
        return jpeg2000_reason(data)
    if data[:1] == b"P" and data[1:2] in b"123456fy" and not has_short_header(data):
        return remark("picture_foreign")
    return None


def jpeg_reason(data: bytes) -> Remark | None:
    """Return why a JPEG is not opened, or None."""
    if data.count(b"\xff\xda") > MAX_SCANS:
        return remark("picture_scans", most=MAX_SCANS)
    if EXIF in data:
        parts = list(exif_parts(data))
        if len(parts) > MAX_EXIF_PARTS or has_bad_tags(b"".join(parts)):
            return remark("picture_tags")
    at = data.find(MPF)
    if at >= 0 and has_bad_tags(data[at + len(MPF) : at + SEGMENT_BYTES]):
        return remark("picture_tags")
    return None


def exif_parts(data: bytes) -> Iterator[bytes]:
    """Yield the pieces of a JPEG's EXIF block, which Pillow puts together."""
    at = 2
    while (at := data.find(b"\xff", at)) >= 0 and at + 4 <= len(data):
        marker = data[at + 1]
        if marker == 0xDA:  # the pixels begin
            return
        if marker == 0xFF:
            at += 1
        elif marker in BARE_MARKERS:
            at += 2
        else:
            end = at + 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
            if marker == 0xE1 and data.startswith(EXIF, at + 4):
                yield data[at + 4 + len(EXIF) : end]
            at = end


def tiff_reason(data: bytes) -> Remark | None:
    """Return why a TIFF is not opened, or None."""
    for pages, block in enumerate(tag_blocks(data), start=1):
        if pages > MAX_PAGES:
            return remark("picture_pages", most=MAX_PAGES)
        if block.count > MAX_TAGS or block.claimed(data) > len(data) + SPARE_BYTES:
            return remark("picture_tags")
    return None


def has_bad_exif(block: object) -> bool:
    """Whether the EXIF block of an opened picture costs too much to read."""
    if isinstance(block, str):  # as ImageMagick writes it: a name, a length, hexadecimal digits
        try:
            block = bytes.fromhex("".join(block.split("\n")[3:]))
        except ValueError:
            return False
    return isinstance(block, bytes) and has_bad_tags(block.removeprefix(EXIF))


def has_bad_tags(data: bytes) -> bool:
    """Whether the first block of tags claims so much that reading it costs too much.

    Cameras write damaged ones too: a few tags that point nowhere do no harm.
    """
    block = next(tag_blocks(data), None)
    return block is not None and block.claimed(data) > len(data) + SPARE_BYTES


@dataclass(frozen=True)
class TagBlock:
    """A block of tags in a TIFF or an EXIF block."""

    start: int  # of the first tag
    count: int
    entry: struct.Struct

    def claimed(self, data: bytes) -> int:
        """Return how many bytes its tags point at, again and again where they share them."""
        whole = min(self.count, max(0, len(data) - self.start) // self.entry.size)
        end = self.start + whole * self.entry.size
        tags = self.entry.iter_unpack(data[self.start : end])
        return sum(min(TYPE_BYTES.get(kind, 0) * items, len(data)) for _, kind, items in tags)


def tag_blocks(data: bytes) -> Iterator[TagBlock]:
    """Yield the blocks of tags of a TIFF, each once, as far as they can be followed."""
    order = "<" if data[:2] == b"II" else ">"
    is_big = 43 in data[2:4]
    count = struct.Struct(order + ("Q" if is_big else "H"))
    entry = struct.Struct(order + ("HHQ8x" if is_big else "HHL4x"))
    offset = struct.Struct(order + ("Q" if is_big else "L"))
    seen = {0}
    try:
        (place,) = offset.unpack_from(data, 8 if is_big else 4)
        while place not in seen and place < len(data):
            seen.add(place)
            (tags,) = count.unpack_from(data, place)
            block = TagBlock(place + count.size, tags, entry)
            yield block
            after = block.start + tags * entry.size
            (place,) = offset.unpack_from(data, min(after, len(data)))
    except struct.error:  # it ends in the middle, which Pillow will say
        return


def jpeg2000_reason(data: bytes) -> Remark | None:
    """Return why a JPEG 2000 is not opened, or None."""
    at = data.find(b"\xff\x4f\xff\x51")
    while at >= 0:
        try:
            right, bottom, left, top, width, height, x, y, parts = struct.unpack_from(
                ">8LH", data, at + 8
            )
        except struct.error:
            return None
        across = -(-(right - x) // max(1, width))
        down = -(-(bottom - y) // max(1, height))
        wide, high = min(width, right - left), min(height, bottom - top)
        if across * down > MAX_TILES or wide * high * parts > MAX_TILE_SAMPLES:
            return remark("picture_tiles")
        at = data.find(b"\xff\x4f\xff\x51", at + 1)
    return None


def has_short_header(data: bytes) -> bool:
    """Whether the numbers of a PPM come soon: Pillow reads its comments byte by byte."""
    start = COMMENT.sub(b"", data[:HEADER_BYTES])
    return len(data) <= HEADER_BYTES or len(start.split(maxsplit=4)) > 3
