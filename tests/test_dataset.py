import io
import json
import os
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from PIL import Image

from ocrtune.config import BuildConfig
from ocrtune.dataset import build_dataset
from ocrtune.dataset_files import load_samples, read_build_report
from ocrtune.dataset_report import statistics_text
from ocrtune.errors import ArchiveError, DatasetError, OcrtuneError
from ocrtune.events import Progress
from ocrtune.picture_store import BuildStoppedError
from ocrtune.pictures import PictureError, check_picture

FRAKTUR = Path(__file__).parents[2] / "shared" / "data" / "ocrd_fraktur.zip"
CONFIG = BuildConfig(source="", output="")
DARK, RED = (10, 20, 30), (200, 30, 30)


def encoded(image, kind, **options):
    """Return the picture as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(number, width=24, height=12):
    """Return a small PNG that differs from that of any other number."""
    return encoded(Image.new("RGB", (width, height), (number % 256, number // 256, 99)), "PNG")


def halves(mode="RGB"):
    """Return a 40 x 20 picture: red on its left half, dark on its right."""
    image = Image.new("RGB", (40, 20), RED)
    image.paste(DARK, (20, 0, 40, 20))
    return image.convert(mode)


def decoded(data):
    """Return the picture in these bytes."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def make_zip(path, files):
    """Write a zip of `files` and return its path."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def build(tmp_path, files, seed=42):
    """Build a zip of `files` into `tmp_path/out/d` and return the report."""
    source = make_zip(tmp_path / "source.zip", files)
    return build_dataset(
        BuildConfig(source=str(source), output=str(tmp_path / "out" / "d"), seed=seed)
    )


def pictures_with_lines(count):
    """Return the files of a sound archive with `count` lines."""
    files = {f"img/{number}.png": png(number) for number in range(count)}
    lines = [f"img/{number}.png text {number}" for number in range(count)]
    return files | {"content.md": "\n".join(lines)}


# Pictures


@pytest.mark.parametrize(
    ("data", "mode"),
    [
        (encoded(halves(), "JPEG", quality=90), "RGB"),
        (encoded(halves("L"), "JPEG"), "L"),
        (encoded(halves(), "PNG"), "RGB"),
        (encoded(halves("1"), "PNG"), "1"),
    ],
)
def test_upright_jpeg_and_png_keep_their_bytes(data, mode):
    picture = check_picture(data)
    assert (picture.data, picture.changes) == (data, ())
    assert decoded(picture.data).mode == mode


@pytest.mark.parametrize(
    ("image", "kind", "mode", "change"),
    [
        (halves(), "TIFF", "RGB", "TIFF to PNG"),
        (halves("L"), "TIFF", "L", "TIFF to PNG"),
        (halves("1"), "TIFF", "1", "TIFF to PNG"),
        (halves(), "BMP", "RGB", "BMP to PNG"),
        (halves("P"), "PNG", "RGB", "palette to RGB"),
        (halves("RGBA"), "PNG", "RGB", "transparency to white"),
        (halves("LA"), "PNG", "L", "transparency to white"),
        (halves("CMYK"), "JPEG", "RGB", "CMYK to RGB"),
        (halves("CMYK"), "TIFF", "RGB", "CMYK to RGB"),
    ],
)
def test_other_forms_become_png(image, kind, mode, change):
    picture = check_picture(encoded(image, kind))
    stored = decoded(picture.data)
    assert (stored.format, stored.mode) == ("PNG", mode)
    assert change in picture.changes
    difference = np.asarray(stored.convert("RGB"), int) - np.asarray(image.convert("RGB"), int)
    assert np.abs(difference)[:, 2:18].max() <= 8  # JPEG is not exact


def test_transparent_parts_become_white():
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))  # black where nobody sees it
    image.paste((0, 0, 0, 255), (0, 0, 10, 20))
    image.paste((0, 0, 0, 128), (10, 0, 20, 10))
    palette = Image.new("P", (20, 20), 0)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.paste(1, (0, 0, 10, 20))
    stored = decoded(check_picture(encoded(image, "PNG")).data)
    points = [stored.getpixel(at) for at in ((5, 5), (15, 15), (15, 5))]
    assert points == [(0, 0, 0), (255, 255, 255), (127, 127, 127)]
    stored = decoded(check_picture(encoded(palette, "PNG", transparency=0)).data)
    assert [stored.getpixel(at) for at in ((5, 5), (15, 15))] == [(255, 0, 0), (255, 255, 255)]


@pytest.mark.parametrize(
    ("values", "kind", "dtype", "grey"),
    [
        ([0, 257, 65535], "PNG", np.uint16, [0, 1, 255]),
        ([0, 257, 65535], "TIFF", np.uint16, [0, 1, 255]),
        ([0, 2048, 4095], "TIFF", np.uint16, [0, 128, 255]),  # 12 bits of a scanner
        ([0.0, 0.5, 1.0], "TIFF", np.float32, [0, 128, 255]),
        ([0, 0, 0], "TIFF", np.uint16, [0, 0, 0]),
    ],
)
def test_deep_grey_becomes_eight_bits(values, kind, dtype, grey):
    pixels = np.tile(np.repeat(np.array(values, dtype), 10), (12, 1))
    picture = check_picture(encoded(Image.fromarray(pixels), kind))
    stored = decoded(picture.data)
    assert "16 bits to 8" in picture.changes
    assert (stored.format, stored.mode) == ("PNG", "L")
    assert [stored.getpixel((x, 5)) for x in (5, 15, 25)] == grey


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("turn", range(2, 9))
def test_turned_pictures_become_upright(kind, turn):
    upright = Image.new("RGB", (40, 20), "white")
    upright.paste((255, 0, 0), (0, 0, 20, 10))  # the corner tells all eight apart
    undo = {  # the stored pixels of each orientation, from the EXIF standard
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = turn
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    data = encoded(upright.transpose(undo[turn]), kind, exif=exif, **options)
    stored = decoded(check_picture(data).data)
    assert stored.format == ("JPEG" if kind == "JPEG" else "PNG")
    assert stored.size == (40, 20)
    assert stored.getexif().get(0x0112, 1) == 1
    assert np.abs(np.asarray(stored, int)[3:7, 3:17] - (255, 0, 0)).max() < 20
    assert np.asarray(stored)[13:, 3:].min() > 235
    assert np.asarray(stored)[:, 25:].min() > 235


def test_files_with_several_pictures_give_their_first():
    frames = [halves(), Image.new("RGB", (40, 20), "white"), Image.new("RGB", (40, 20), "blue")]
    for kind in ("GIF", "TIFF", "WEBP"):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        picture = check_picture(data)
        assert picture.frames == 3
        assert decoded(picture.data).getpixel((5, 5)) == RED
    assert check_picture(encoded(halves(), "TIFF")).frames == 1


JPEG = encoded(Image.effect_noise((300, 60), 50), "JPEG")
PNG = encoded(Image.effect_noise((300, 60), 50), "PNG")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "picture file is empty"),
        (b"this is a text", "not a picture that can be read"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "instead of HEIC"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "not a picture"),
        (JPEG[: len(JPEG) // 2], "damaged: image file is truncated"),
        (JPEG[:-2], "damaged: image file is truncated"),
        (PNG[: len(PNG) // 2], "damaged: image file is truncated"),
        (PNG[:200] + b"\xff\xff" + PNG[202:], "damaged"),
        (encoded(Image.new("L", (9, 300)), "PNG"), "has only 9 x 300 pixels"),
        (encoded(Image.new("L", (300, 9)), "JPEG"), "has only 300 x 9 pixels"),
        (encoded(Image.new("1", (10_000, 5_000)), "PNG"), "more than 40 megapixels"),
    ],
)
def test_a_useless_picture_is_refused_with_a_reason(data, problem):
    with pytest.raises(PictureError) as caught:
        check_picture(data)
    assert problem in str(caught.value)


def test_a_pixel_bomb_is_refused_by_its_header(tmp_path):
    header = b"IHDR" + struct.pack(">LLBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    bomb = bytearray(png(1))
    bomb[12:33] = header + struct.pack(">L", zlib.crc32(header))
    report = build(tmp_path, pictures_with_lines(4) | {"img/1.png": bytes(bomb)})
    assert report.samples == 3
    assert "more than 40 megapixels" in report.rejects[0]["reason"]


# Building


def test_a_build_can_be_opened_by_datasets_and_by_us(tmp_path):
    report = build(tmp_path, pictures_with_lines(20))
    prefix = str(tmp_path / "out" / "d")
    assert sorted(os.listdir(tmp_path / "out")) == [
        "d_rejects.csv",
        "d_report.json",
        "d_test.parquet",
        "d_train.parquet",
        "d_val.parquet",
    ]
    assert report.splits == {"train": 16, "validation": 2, "test": 2}
    files = {"train": f"{prefix}_train.parquet", "validation": f"{prefix}_val.parquet"}
    opened = load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))
    assert {split: len(opened[split]) for split in files} == {"train": 16, "validation": 2}
    rows = {row["text"]: row["image"] for row in opened["train"]}
    for sample in load_samples(prefix, "train"):
        number = int(sample.text.removeprefix("text "))
        assert sample.picture_id == f"img/{number}.png"
        assert sample.picture == png(number)
        assert rows[sample.text].getpixel((0, 0)) == (number, 0, 99)
    ids = [one.picture_id for split in report.splits for one in load_samples(prefix, split)]
    assert len(set(ids)) == 20


def test_the_report_names_everything(tmp_path):
    files = {f"{number}.png": png(number) for number in range(8)}
    files |= {
        "8.tif": encoded(halves(), "TIFF"),
        "twin.png": png(3),
        "rival.png": png(4),
        "nobody.jpg": JPEG,
        "broken.jpg": JPEG[:-300],
        "notes": b"no picture",
    }
    lines = [f"{number}.png 文本{number}" for number in range(8)]
    lines += ["8.tif A longer text.", "twin.png 文本3", "rival.png other", "lost.png gone"]
    lines += ["broken.jpg half", "# a comment", "0.png 文本0", "notes is no picture"]
    report = build(tmp_path, files | {"content.md": "\n".join(lines).encode("gb18030")})
    assert report.encoding == "gb18030"
    assert (report.samples, sum(report.splits.values())) == (11, 11)
    # eight of 3 characters, one of 14, one of 3, one of 5
    assert (report.shortest, report.longest, report.mean) == (3, 14, 4.18)
    assert report.example == {"picture": "0.png", "text": "文本0"}
    assert report.matches == {"exact": 13}
    assert report.conversions == {"TIFF to PNG": 1}
    assert report.duplicates == (
        {"pictures": ["3.png", "twin.png"], "one_text": True},
        {"pictures": ["4.png", "rival.png"], "one_text": False},
    )
    assert report.unnamed == ("nobody.jpg",)
    assert [(one["line_number"], one["original"]) for one in report.rejects] == [
        (12, "lost.png gone"),
        (13, "broken.jpg half"),
        (15, "0.png 文本0"),
        (16, "notes is no picture"),
    ]
    reasons = [one["reason"] for one in report.rejects]
    for reason, part in zip(reasons, ["no picture", "truncated", "Line 1", "not a"], strict=True):
        assert part in reason
    assert report.scripts == {"cjk": 18, "latin": 16, "digits": 9, "other": 3}
    saved = read_build_report(str(tmp_path / "out" / "d"))
    assert saved["rejects"][1]["line_number"] == 13
    lines = statistics_text(saved)
    assert lines == statistics_text(report)
    assert lines[0] == "Samples: 11 (train 8, validation 1, test 2)"
    assert lines[1] == "Text length: 3 to 14 characters, 4.2 on average"
    assert "Lines rejected: 4" in lines
    assert "  line 12: There is no picture `lost.png`." in lines


def test_statistics_group_rejects_by_reason_and_count_the_others(tmp_path):
    files = pictures_with_lines(5)
    files["content.md"] += "".join(f"\nlost{number}.png x" for number in range(14))
    files["content.md"] += "\nimg/1.png another"
    lines = statistics_text(build(tmp_path, files))
    assert "Lines rejected: 15" in lines
    assert len([line for line in lines if "There is no picture `lost" in line]) == 3
    assert "  ... and 11 more of this kind" in lines
    assert any(line.startswith("  line 20: Line 2 has another text") for line in lines)


def test_the_same_input_gives_the_same_bytes(tmp_path):
    contents = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        build(tmp_path / name, pictures_with_lines(30))
        folder = tmp_path / name / "out"
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1]
    build(tmp_path, pictures_with_lines(30), seed=1)
    other = (tmp_path / "out" / "d_test.parquet").read_bytes()
    assert other != contents[0]["d_test.parquet"]


def test_row_groups_stay_small(tmp_path):
    build(tmp_path, pictures_with_lines(700))
    metadata = pq.ParquetFile(tmp_path / "out" / "d_train.parquet").metadata
    rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    assert rows == [256, 256, 48]


def test_a_folder_with_absolute_paths_builds_without_telling_where(tmp_path):
    pictures = tmp_path / "home" / "me" / "scans"
    pictures.mkdir(parents=True)
    for number in range(3):
        (pictures / f"my {number}.png").write_bytes(png(number))
    content = tmp_path / "work" / "content.md"
    content.parent.mkdir()
    content.write_text("".join(f"{pictures}/my {number}.png t\n" for number in range(3)))
    report = build_dataset(BuildConfig(source=str(content), output=str(tmp_path / "d")))
    assert report.samples == 3
    assert [one.picture_id for one in load_samples(str(tmp_path / "d"), "train")][0][
        :9
    ] == "scans/my "
    assert str(tmp_path).encode() not in (tmp_path / "d_train.parquet").read_bytes()


def test_a_separate_content_file_can_correct_the_one_within(tmp_path):
    source = make_zip(tmp_path / "a.zip", pictures_with_lines(4))
    content = tmp_path / "corrected.md"
    content.write_text("".join(f"img/{number}.png better\n" for number in range(4)))
    report = build_dataset(
        BuildConfig(source=str(source), content=str(content), output=str(tmp_path / "d"))
    )
    assert (report.content, report.example["text"]) == ("corrected.md", "better")


def test_progress_is_told_about_a_hundred_times_at_most(tmp_path):
    source = make_zip(tmp_path / "a.zip", pictures_with_lines(250))
    events = []
    config = BuildConfig(source=str(source), output=str(tmp_path / "d"))
    build_dataset(config, events.append)
    assert events[-1] == Progress("build", 250, 250)
    assert all(isinstance(event, Progress) for event in events)
    assert 100 <= len(events) <= 126


def test_a_failed_build_leaves_the_old_dataset_and_no_half_file(tmp_path):
    build(tmp_path, pictures_with_lines(10))
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def cancel(event):
        raise KeyboardInterrupt

    config = BuildConfig(source=str(tmp_path / "source.zip"), output=str(tmp_path / "out" / "d"))
    with pytest.raises(KeyboardInterrupt):
        build_dataset(config, cancel)
    with pytest.raises(DatasetError):
        build(tmp_path, {"1.png": b"", "content.md": "1.png a"})
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"1.png": png(1)}, "holds no ground truth. Put a text file `content.md`"),
        ({"1.png": png(1), "content.md": ""}, "`content.md` holds no line to use. Put a"),
        ({"1.png": png(1), "content.md": "# only\n\n# comments"}, "holds no line to use"),
        (
            {"1.png": png(1), "content.md": "7.jpg a\n8.jpg b\n9.jpg c"},
            "None of the 3 lines of `content.md` can be used. Line 1: There is no picture `7.jpg`. "
            "Write paths as in the archive, such as `1.png`.",
        ),
        ({"content.md": "1.png a\n2.png b"}, "`source.zip` holds no picture: add them."),
        (
            {"1.png": b"words", "content.md": "1.png a"},
            "None of the 1 lines of `content.md` can be used. Line 1: The file is not a picture",
        ),
        ({"1.png": b"", "content.md": "1.png a"}, "Line 1: The picture file is empty."),
    ],
)
def test_a_hopeless_source_gets_a_sentence(tmp_path, files, message):
    with pytest.raises(OcrtuneError) as caught:
        build(tmp_path, files)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_pictures_reject_only_their_lines(tmp_path):
    files = pictures_with_lines(6)
    del files["img/2.png"]
    report = build(tmp_path, files)
    assert report.samples == 5
    assert [(one["line_number"], one["nearest"]) for one in report.rejects] == [(3, "")]


def test_a_damaged_member_rejects_only_its_line(tmp_path):
    source = make_zip(tmp_path / "source.zip", pictures_with_lines(6))
    data = bytearray(source.read_bytes())
    data[data.index(b"img/2.png") + 30] ^= 0xFF
    source.write_bytes(data)
    report = build_dataset(BuildConfig(source=str(source), output=str(tmp_path / "d")))
    assert report.samples == 5
    assert "`img/2.png` cannot be read" in report.rejects[0]["reason"]


def test_a_bomb_ends_the_build(tmp_path):
    with pytest.raises(ArchiveError, match="more than 300 times"):
        build(tmp_path, pictures_with_lines(5) | {"img/3.png": bytes(9_000_000)})
    assert os.listdir(tmp_path / "out") == []


@pytest.mark.parametrize("output", ["", "..", "{file}/d"])
def test_an_impossible_output_gets_a_sentence(tmp_path, output):
    source = make_zip(tmp_path / "a.zip", pictures_with_lines(3))
    config = BuildConfig(source=str(source), output=output.format(file=source))
    with pytest.raises(DatasetError):
        build_dataset(config)


# Reading back


def test_a_missing_dataset_says_how_to_build_it(tmp_path):
    with pytest.raises(DatasetError, match="python -m ocrtune build SOURCE --output"):
        load_samples(str(tmp_path / "d"), "train")
    with pytest.raises(DatasetError, match="There is no"):
        read_build_report(str(tmp_path / "d"))
    with pytest.raises(DatasetError, match="no split `val`. Use train, validation, test"):
        load_samples(str(tmp_path / "d"), "val")
    build(tmp_path, pictures_with_lines(4))
    with pytest.raises(DatasetError, match="Did you mean `d_val.parquet`"):
        load_samples(str(tmp_path / "out" / "dd"), "validation")


IMAGES = pa.array([{"bytes": JPEG, "path": None}] * 2)


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"picture": IMAGES, "text": ["a", "b"]}, "no columns `image` and `text`"),
        ({"image": ["1.jpg", "2.jpg"], "text": ["a", "b"]}, "row 0 holds no picture"),
        ({"image": IMAGES, "text": ["a", None]}, "row 1 holds no picture with its text"),
        (
            {"image": [{"bytes": JPEG, "path": "x"}] * 2, "text": ["a", "b"]},
            "two rows are called `x`",
        ),
    ],
)
def test_a_foreign_dataset_is_refused(tmp_path, columns, problem):
    pq.write_table(pa.table(columns), tmp_path / "d_test.parquet")
    with pytest.raises(DatasetError) as caught:
        load_samples(str(tmp_path / "d"), "test")
    assert problem in str(caught.value)


def test_a_torn_dataset_is_refused(tmp_path):
    (tmp_path / "d_test.parquet").write_bytes(b"PAR1 and then nothing")
    (tmp_path / "d_report.json").write_text("[]")
    with pytest.raises(DatasetError, match="is not a dataset of ocrtune"):
        load_samples(str(tmp_path / "d"), "test")
    with pytest.raises(DatasetError, match="is not a dataset of ocrtune"):
        read_build_report(str(tmp_path / "d"))


def test_the_articles_own_parquet_can_be_read(tmp_path):
    """It stores no paths: rows are numbered instead."""
    pq.write_table(pa.table({"image": IMAGES, "text": ["a", "b"]}), tmp_path / "d_test.parquet")
    samples = load_samples(str(tmp_path / "d"), "test")
    assert [(one.picture_id, one.text) for one in samples] == [("test 0", "a"), ("test 1", "b")]


@pytest.mark.skipif(not FRAKTUR.exists(), reason="../shared/data is not here")
def test_the_real_fraktur_lines_build_without_loss(tmp_path):
    report = build_dataset(BuildConfig(source=str(FRAKTUR), output=str(tmp_path / "d")))
    assert (report.samples, report.rejects, report.unnamed) == (363, (), ())
    assert report.splits == {"train": 290, "validation": 36, "test": 37}
    assert report.conversions == {"TIFF to PNG": 363}
    with zipfile.ZipFile(FRAKTUR) as archive:
        for sample in load_samples(str(tmp_path / "d"), "test"):
            original = Image.open(io.BytesIO(archive.read(sample.picture_id)))
            assert np.array_equal(np.asarray(decoded(sample.picture)), np.asarray(original))
    assert json.loads((tmp_path / "d_report.json").read_text("utf-8"))["encoding"] == "utf-8"


def test_a_build_that_is_stopped_leaves_nothing(tmp_path):
    make_zip(tmp_path / "a.zip", pictures_with_lines(60))
    config = BuildConfig(source=str(tmp_path / "a.zip"), output=str(tmp_path / "out" / "set"))
    looks = iter([False, True])
    with pytest.raises(BuildStoppedError, match="nothing was written"):
        build_dataset(config, stop_requested=lambda: next(looks))
    assert list((tmp_path / "out").iterdir()) == []
    assert build_dataset(config).samples == 60


def test_what_a_killed_build_left_is_swept_away(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    names = (f".d-{dead.pid}-old", f".d-{dead.pid}-new", f".d-{os.getpid()}-old", ".d-notes")
    place = tmp_path / "out"
    for name in names:
        (place / name).mkdir(parents=True)
        (place / name / "pictures").write_bytes(b"half")
        if name.endswith("old"):
            for path in (place / name / "pictures", place / name):
                os.utime(path, (1, 1))
    build(tmp_path, pictures_with_lines(4))
    left = sorted(path.name for path in place.iterdir() if path.name.startswith(".d"))
    assert left == sorted(names[1:])
