"""What stands behind the paths that are to be read: folders, zips, pages; limits and troubles."""

import io
import zipfile
from itertools import repeat
from pathlib import Path

import pytest
from line_samples import paged
from PIL import Image
from test_pdf_files import locked, pdf

from ocrtune import pdf_files, picture_sources
from ocrtune.archive import Limits
from ocrtune.errors import ConfigError
from ocrtune.kept_pictures import KeptPictures, kept_picture, large_picture, small_picture
from ocrtune.picture_sources import find_pictures, load_in_portions, parse_pages, told
from ocrtune.pictures import PictureError, check_picture, open_page


def png(width=40, height=20, colour=(9, 90, 30)):
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return str(path)


def ids(found, home):
    return [one.picture_id.removeprefix(f"{home}/") for one in found.pictures]


def loaded(found, size=3, most_bytes=1 << 30):
    return [one for part in load_in_portions(found, repeat(size), most_bytes) for one in part]


@pytest.mark.parametrize(
    ("words", "pages"),
    [
        ("", ()),
        (" , ", ()),
        ("3", ((3, 3),)),
        ("1-3, 7", ((1, 3), (7, 7))),
        ("1–3，7、9-", ((1, 3), (7, 7), (9, 1_000_000))),
        ("2 - 4;5", ((2, 4), (5, 5))),
        ("1至2", ((1, 2),)),
    ],
)
def test_pages_are_written_as_people_write_them(words, pages):
    assert parse_pages(words) == pages


@pytest.mark.parametrize("words", ["x", "0", "3-1", "-3", "1.5", "1-2-3", "9999999", "1 2x"])
def test_what_names_no_pages_is_refused(words):
    with pytest.raises(ConfigError, match="names no pages"):
        parse_pages(words)


def test_folders_zips_and_pdfs_stand_for_what_they_hold(tmp_path):
    folder = tmp_path / "scans"
    (folder / "in").mkdir(parents=True)
    for name in ("10.png", "2.png", "in/1.png"):
        (folder / name).write_bytes(png())
    (folder / "notes.txt").write_text("no picture")
    (folder / "more.zip").write_bytes(b"PK")
    (tmp_path / "book.pdf").write_bytes(pdf(12))
    (tmp_path / "bookmark.txt").write_text("beside it")
    archive = zipped(tmp_path / "a.zip", {"x/2.png": png(), "x/b.pdf": pdf(2)})
    given = [str(folder), str(tmp_path / "book.pdf"), archive, str(tmp_path / "one.png")]
    found = find_pictures(given, "2-3, 10")
    assert ids(found, tmp_path) == [
        "scans/2.png",
        "scans/10.png",
        "scans/in/1.png",
        "book.pdf#page=2",
        "book.pdf#page=3",
        "book.pdf#page=10",
        "a.zip/x/2.png",
        "a.zip/x/b.pdf#page=2",
        "one.png",
    ]
    assert [one.key for one in found.passed_by] == ["read_zips"]
    readings = loaded(found)
    assert [one.number for one in readings] == list(range(1, 10))
    assert [bool(one.data) for one in readings] == [True] * 8 + [False]
    assert "No such file" in str(readings[-1].trouble)


def test_only_the_first_are_taken(tmp_path):
    archive = zipped(tmp_path / "a.zip", {f"{n}.png": png() for n in range(7)})
    found = find_pictures([archive], most=5)
    assert (len(found.pictures), found.left_out) == (5, 2)
    assert ids(found, tmp_path)[0] == "a.zip/0.png"


def test_each_broken_one_is_told_and_the_others_are_read(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (tmp_path / "good.png").write_bytes(png())
    (tmp_path / "locked.pdf").write_bytes(locked())
    (tmp_path / "torn.pdf").write_bytes(b"%PDF-1.7 and then nothing")
    (tmp_path / "short.pdf").write_bytes(pdf(2))
    (tmp_path / "torn.zip").write_bytes(b"PK\3\4 and then nothing")
    zipped(tmp_path / "empty.zip", {"readme.txt": b"nothing to see"})
    zipped(tmp_path / "mixed.zip", {"bad.jpg": b"x", "ok.png": png(), "bad.pdf": b"%PDF"})
    zipped(tmp_path / "evil.zip", {"../up.png": png()})
    names = sorted(str(path) for path in tmp_path.iterdir())
    found = find_pictures(names, "5")
    troubles = {
        one.given.picture_id.removeprefix(f"{tmp_path}/"): told(one.trouble)
        for one in loaded(found)
        if one.trouble
    }
    keys = {name: why.get("key") for name, (_, why) in troubles.items()}
    assert keys == {
        "bad.png": "picture_foreign",
        "locked.pdf": "pdf_locked",
        "torn.pdf": "pdf_damaged",
        "short.pdf": "pdf_no_page",
        "torn.zip": None,
        "empty.zip": "read_no_picture",
        "mixed.zip/bad.jpg": "picture_foreign",
        "mixed.zip/bad.pdf": "pdf_damaged",
        "evil.zip": None,
    }
    assert "damaged or incomplete" in troubles["torn.zip"][0]
    assert "refused" in troubles["evil.zip"][0]
    assert ids(found, tmp_path).count("good.png") == 1


def test_a_bomb_costs_its_own_row_only(tmp_path):
    zipped(tmp_path / "bomb.zip", {"a.png": bytes(40 << 20), "b.png": png()})
    first, second = loaded(find_pictures([str(tmp_path / "bomb.zip")]))
    assert "times its packed size" in str(first.trouble)
    assert second.data


def test_too_heavy_files_and_too_many_pixels_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(picture_sources, "LIMITS", Limits(file_bytes=1 << 20))
    (tmp_path / "heavy.png").write_bytes(bytes((1 << 20) + 1))
    wide = io.BytesIO()
    Image.new("1", (9000, 9000)).save(wide, "PNG")
    (tmp_path / "wide.png").write_bytes(wide.getvalue())
    keys = [
        told(one.trouble)[1]["key"]
        for one in loaded(find_pictures([str(tmp_path / "heavy.png"), str(tmp_path / "wide.png")]))
    ]
    assert keys == ["picture_heavy", "picture_large"]


def test_pdfs_that_unpack_to_too_much_end_the_zip(tmp_path, monkeypatch):
    monkeypatch.setattr(pdf_files, "MOST_UNPACKED", 1000)
    archive = zipped(tmp_path / "a.zip", {"a.pdf": pdf(1), "1.png": png()})
    [only] = find_pictures([archive]).pictures
    assert "unpack to more than" in str(only.trouble)


def test_portions_are_small_where_pictures_are_heavy(tmp_path):
    archive = zipped(tmp_path / "a.zip", {f"{n}.png": png() for n in range(5)})
    found = find_pictures([archive])
    sizes = [len(part) for part in load_in_portions(found, iter([1, 3, 3]), 1 << 30)]
    assert sizes == [1, 3, 1]
    assert [len(part) for part in load_in_portions(found, repeat(5), 1)] == [1] * 5


def test_pictures_are_kept_in_the_sizes_that_the_page_shows(tmp_path, monkeypatch):
    keeper = KeptPictures(tmp_path / "kept")
    keeper.keep(1, png(3000, 500))
    assert kept_picture(tmp_path / "kept", 1) == png(3000, 500)
    assert Image.open(io.BytesIO(large_picture(tmp_path / "kept", 1))).width == 1600
    assert Image.open(io.BytesIO(small_picture(tmp_path / "kept", 1))).width == 240
    keeper.keep(2, png(300, 50))
    assert large_picture(tmp_path / "kept", 2) == png(300, 50)
    assert kept_picture(tmp_path / "kept", 3) == b""
    monkeypatch.setattr("ocrtune.kept_pictures.MOST_BYTES", keeper.bytes)
    with pytest.raises(PictureError, match="another go"):
        keeper.keep(3, png())
    assert not (Path(tmp_path) / "kept" / "0003").exists()


def tiff(widths, tags=None):
    """Return a TIFF with a page of each width; tags of single pages by their number from 0."""
    return paged([png(width, colour=(width, 90, 30)) for width in widths], tags)


def widths(found):
    return [
        Image.open(io.BytesIO(one.data)).width if one.data else told(one.trouble)[1]["key"]
        for one in loaded(found)
    ]


def test_every_page_of_a_tiff_is_a_picture(tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "a.TIF").write_bytes(tiff([30, 40]))
    (folder / "b.tif").write_bytes(tiff([50]))
    (tmp_path / "upload").write_bytes(tiff([60, 70, 80]))
    archive = zipped(tmp_path / "c.zip", {"x/1.tiff": tiff([90, 100])})
    found = find_pictures([str(folder), str(tmp_path / "upload"), archive])
    assert ids(found, tmp_path) == [
        "scans/a.TIF#page=1",
        "scans/a.TIF#page=2",
        "scans/b.tif",
        "upload#page=1",
        "upload#page=2",
        "upload#page=3",
        "c.zip/x/1.tiff#page=1",
        "c.zip/x/1.tiff#page=2",
    ]
    assert widths(found) == list(range(30, 110, 10))


def test_pages_of_a_tiff_are_chosen_like_those_of_a_pdf(tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff([30, 40, 50]))
    (tmp_path / "one.tif").write_bytes(tiff([60]))
    names = [str(tmp_path / "a.tif"), str(tmp_path / "one.tif")]
    assert widths(find_pictures(names, "2-")) == [40, 50, 60]
    assert widths(find_pictures(names, "7")) == ["pdf_no_page", 60]
    few = find_pictures([names[1], names[0], names[1]], most=2)
    assert (ids(few, tmp_path), few.left_out) == (["one.tif", "a.tif#page=1"], 2)


def test_thumbnails_and_masks_in_a_tiff_are_no_pages(tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff([30, 40, 50, 60], tags={0: {254: 1}, 2: {254: 4}}))
    (tmp_path / "one.tif").write_bytes(tiff([30, 40], tags={0: {255: 2}}))
    found = find_pictures([str(tmp_path / "a.tif"), str(tmp_path / "one.tif")])
    assert ids(found, tmp_path) == ["a.tif#page=1", "a.tif#page=2", "one.tif"]
    assert widths(found) == [40, 60, 40]


def test_pages_stand_upright_each_by_its_own_tag(tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff([30, 40, 50], tags={1: {274: 6}}))
    assert widths(find_pictures([str(tmp_path / "a.tif")])) == [30, 20, 50]


def test_a_damaged_page_is_told_and_the_pages_before_it_are_read(tmp_path):
    data = tiff([30, 40, 50])
    (tmp_path / "a.tif").write_bytes(data[: data.rindex(bytes([50, 90, 30] * 5))])
    *sound, last = widths(find_pictures([str(tmp_path / "a.tif")]))
    assert (sound, last) == ([30, 40], "picture_damaged")


def test_the_first_of_several_pages_is_turned_once(tmp_path):
    turned = check_picture(tiff([30, 40], tags={0: {274: 6}}))
    assert (turned.pixels, turned.frames) == ((20, 30), 2)
    assert open_page(tiff([30, 40], tags={0: {274: 6}})).image.size == (20, 30)
