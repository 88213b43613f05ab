import io
import os
import random
import stat
import struct
import subprocess
import sys
import zipfile
import zlib

import pytest
from PIL import Image

from ocrtune import archive as archives
from ocrtune.archive import Limits, UnsafeArchiveError
from ocrtune.config import BuildConfig
from ocrtune.dataset import build_dataset
from ocrtune.errors import ArchiveError, OcrtuneError
from ocrtune.events import silent
from ocrtune.sources import open_source

CONTENT = "1.jpg text\n"


def open_archive(*places, limits=archives.LIMITS):
    """Return the archive with its content file found."""
    archive = archives.open_archive(*places, limits=limits)
    try:
        archive.find_content()
    except BaseException:
        archive.close()
        raise
    return archive


def make_zip(path, files, method=zipfile.ZIP_DEFLATED):
    """Write a zip of `files`, a name (or a ZipInfo) to the bytes of each, and return its path."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def with_raw_names(data, names):
    """Return the zip with ASCII names replaced by bytes of equal length, the UTF-8 flag unset."""
    for name, raw in names.items():
        assert len(name) == len(raw)
        data = data.replace(name, raw)
    return data


def special(name, mode):
    """Return the zip entry of something that is no plain file."""
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def test_a_zip_gives_names_bytes_and_its_content_file(tmp_path):
    files = {
        "lines/content.md": CONTENT,
        "lines/img/1.jpg": b"one",
        "lines/img/": b"",
        "__MACOSX/lines/img/._1.jpg": b"litter",
        "lines/.DS_Store": b"litter",
        "lines/Thumbs.db": b"litter",
    }
    with open_archive(make_zip(tmp_path / "a.zip", files)) as archive:
        assert archive.names() == ["lines/content.md", "lines/img/1.jpg"]
        assert archive.read("lines/img/1.jpg") == b"one"
        assert archive.content_name == "lines/content.md"
        assert archive.content_folder == "lines"
        assert (archive.content_text, archive.content_encoding) == (CONTENT, "utf-8")
        assert archive.locate("/etc/hostname") is None


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["labels.txt"], "labels.txt"),
        (["data/Labels.TXT"], "data/Labels.TXT"),
        (["README.md", "CONTENT.md"], "CONTENT.md"),
        (["a/content.md", "content.md", "notes.txt"], "content.md"),  # the uppermost
        (["README.md", "LICENSE.txt", "labels.txt"], "labels.txt"),
    ],
)
def test_the_content_file_is_found(tmp_path, names, chosen):
    files = {name: CONTENT for name in names} | {"1.jpg": b""}
    with open_archive(make_zip(tmp_path / "a.zip", files)) as archive:
        assert archive.content_name == chosen


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "holds no content file. Put a text file `content.md` beside the pictures"),
        (["a.txt", "b.md"], "holds 2 text files that may be the content file: `a.txt`, `b.md`"),
        (["a/content.md", "b/content.md", "c.txt"], "`a/content.md`, `b/content.md`. Choose"),
    ],
)
def test_a_missing_or_ambiguous_content_file_is_explained(tmp_path, names, message):
    files = {name: CONTENT for name in names} | {"1.jpg": b""}
    with pytest.raises(OcrtuneError) as caught:
        open_archive(make_zip(tmp_path / "a.zip", files))
    assert message in str(caught.value)


def test_a_separate_content_file_wins(tmp_path):
    separate = tmp_path / "mine.txt"
    separate.write_bytes("1.jpg 文本\r\n".encode("gb18030"))
    source = make_zip(tmp_path / "a.zip", {"x/content.md": CONTENT, "1.jpg": b""})
    with open_archive(source, separate) as archive:
        assert (archive.content_name, archive.content_folder) == ("mine.txt", "")
        assert archive.content_text == "1.jpg 文本\r\n"
        assert archive.content_encoding == "gb18030"


@pytest.mark.parametrize(
    ("wanted", "encoding"),
    [
        ("图片/第一页.jpg", "gb18030"),  # a Chinese Windows
        ("许愿/第一页.jpg", "gb18030"),  # holds the byte of a backslash
        ("圖片/國語第一頁.jpg", "big5"),  # a Windows in Taiwan
        ("テスト/東京都の表.jpg", "cp932"),  # a Japanese one; holds a backslash's byte as well
        ("图片/第一页.jpg", "utf-8"),  # macOS
        ("M\u00fcller/\u00fcber.jpg", "cp437"),  # a German Windows: nothing to recover
    ],
)
def test_names_without_the_utf8_flag_are_recovered(tmp_path, wanted, encoding):
    raw = wanted.encode(encoding)
    stand_in = b"q" * len(raw)
    buffer = io.BytesIO()
    make_zip(buffer, {"content.md": CONTENT, stand_in.decode(): b"one"}, zipfile.ZIP_STORED)
    path = tmp_path / "a.zip"
    path.write_bytes(with_raw_names(buffer.getvalue(), {stand_in: raw}))
    with open_archive(path) as archive:
        assert wanted in archive.names()
        assert archive.read(wanted) == b"one"


def test_backslashes_in_names_are_folders(tmp_path):
    with open_archive(make_zip(tmp_path / "a.zip", {"d\\content.md": CONTENT})) as archive:
        assert archive.names() == ["d/content.md"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("../1.jpg", "leads out of the archive"),
        ("a/../../1.jpg", "leads out of the archive"),
        ("..\\1.jpg", "leads out of the archive"),
        ("/etc/1.jpg", "is an absolute path"),
        ("\\\\server\\1.jpg", "is an absolute path"),
        ("C:\\1.jpg", "is an absolute path"),
        ("a\x1b[31m.jpg", "holds control characters"),
        ("a" * 1_001, "a name is longer than 1000 characters"),
        (special("link.jpg", stat.S_IFLNK | 0o777), "'link.jpg' is a link"),
        (special("pipe.jpg", stat.S_IFIFO | 0o644), "'pipe.jpg' is not a file"),
    ],
)
def test_hostile_names_are_refused(tmp_path, name, problem):
    source = make_zip(tmp_path / "a.zip", {"content.md": CONTENT, name: b"/etc/passwd"})
    with pytest.raises(UnsafeArchiveError) as caught:
        open_archive(source)
    assert problem in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_password_is_noticed_before_anything_is_read(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"content.md": CONTENT, "1.jpg": b"one"})
    data = bytearray(path.read_bytes())
    for mark, flag_at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.rfind(mark)
        data[at + flag_at] |= 1
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="protected by a password. Zip again without"):
        open_archive(path)


def test_an_archive_within_is_refused(tmp_path):
    source = make_zip(tmp_path / "a.zip", {"content.md": CONTENT, "lines/more.ZIP": b"PK"})
    with pytest.raises(ArchiveError, match="holds another archive, `lines/more.ZIP`"):
        open_archive(source)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"some text that is no zip at all", "is not a zip."),
        (b"Rar!\x1a\x07\x01\x00", "is not a zip but a RAR archive."),
        (b"%PDF-1.7 ...", "is not a zip but a PDF."),
        (b"PK\3\4" + bytes(100), "is damaged or incomplete"),
    ],
)
def test_what_is_not_a_zip_is_named(tmp_path, data, message):
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    with pytest.raises(ArchiveError) as caught:
        open_archive(path)
    assert message in str(caught.value)


def test_a_missing_source_is_named(tmp_path):
    with pytest.raises(ArchiveError, match="no file or folder `.*gone.zip`"):
        open_archive(tmp_path / "gone.zip")


def test_a_zip_bomb_is_stopped_by_its_ratio(tmp_path):
    files = {"content.md": CONTENT, "1.jpg": bytes(8 * 1024 * 1024)}
    with open_archive(make_zip(tmp_path / "a.zip", files)) as archive:
        with pytest.raises(UnsafeArchiveError, match="more than 300 times its packed size"):
            archive.read("1.jpg")
        assert archive.read_bytes < 4 * 1024 * 1024  # it did not wait for the end


def test_sizes_are_counted_while_reading(tmp_path):
    noise = random.Random(0).randbytes(3 * 1024 * 1024)
    path = make_zip(tmp_path / "a.zip", {"content.md": CONTENT, "1.jpg": noise, "2.jpg": noise})
    small_files = Limits(file_bytes=1024 * 1024)
    with open_archive(path, limits=small_files) as archive:
        with pytest.raises(ArchiveError, match="`1.jpg` is larger than 1 MiB") as caught:
            archive.read("1.jpg")
        assert not isinstance(caught.value, UnsafeArchiveError)  # the other pictures may be fine
    with pytest.raises(UnsafeArchiveError, match="unpacks to more than 4 MiB"):
        open_archive(path, limits=Limits(total_bytes=4 * 1024 * 1024))
    # the headers now say 16 bytes each: only counting can tell
    lying = path.read_bytes().replace((3 * 1024 * 1024).to_bytes(4, "little"), b"\x10\0\0\0")
    path.write_bytes(lying)
    with open_archive(path) as archive:
        with pytest.raises(ArchiveError, match="`1.jpg` cannot be read"):
            archive.read("1.jpg")
        assert archive.read_bytes < 1024


@pytest.mark.parametrize("limits", [Limits(entries=50), Limits(directory_bytes=2_000)])
def test_too_many_files_are_refused(tmp_path, limits):
    files = {f"{number}.jpg": b"" for number in range(50)} | {"content.md": CONTENT}
    with pytest.raises(UnsafeArchiveError, match="more than .* files"):
        open_archive(make_zip(tmp_path / "a.zip", files), limits=limits)


def test_an_unusual_packing_is_refused(tmp_path):
    source = make_zip(tmp_path / "a.zip", {"content.md": CONTENT}, zipfile.ZIP_LZMA)
    with pytest.raises(ArchiveError, match="packed in an unusual way"):
        open_archive(source)


def test_damaged_zips_never_surprise(tmp_path):
    noise = random.Random(1)
    files = {"content.md": CONTENT, "img/1.jpg": noise.randbytes(300), "img/2.jpg": bytes(300)}
    sound = make_zip(tmp_path / "sound.zip", files).read_bytes()
    path = tmp_path / "damaged.zip"
    opened = 0
    problems = []
    for _ in range(400):
        data = bytearray(sound)
        for _ in range(noise.randint(1, 6)):
            data[noise.randrange(len(data))] = noise.choice([0, 1, 0x7F, 0x80, 0xFF])
        if noise.random() < 0.2:
            del data[noise.randrange(len(data)) :]
        path.write_bytes(data)
        try:
            with open_archive(path) as archive:
                for name in archive.names():
                    archive.read(name)
            opened += 1
        except OcrtuneError as error:
            problems.append(str(error))
    assert opened > 0
    assert len(problems) > 100
    assert all(len(problem) < 400 and "\n" not in problem for problem in problems)


@pytest.fixture
def folder(tmp_path):
    """A folder with a content file, pictures below it, and a picture outside of it."""
    root = tmp_path / "lines"
    (root / "img").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / "content.md").write_text(CONTENT)
    (root / "img" / "1.jpg").write_bytes(b"one")
    (root / ".git" / "notes.txt").write_text("not for us")
    (root / "lines.zip").write_bytes(b"a zip beside its pictures does no harm")
    (tmp_path / "outside.jpg").write_bytes(b"outside")
    return root


@pytest.mark.parametrize("source", ["", "content.md"])
def test_a_folder_or_its_content_file_can_be_the_source(folder, source):
    with open_archive(folder / source) as archive:
        assert archive.names() == ["content.md", "img/1.jpg", "lines.zip"]
        assert archive.content_text == CONTENT
        assert archive.read("img/1.jpg") == b"one"
        assert archive.locate("img/1.jpg") == "img/1.jpg"
        assert archive.locate(f"{folder}/img/1.jpg") == "img/1.jpg"
        outside = str(folder.parent / "outside.jpg")
        assert archive.locate("../outside.jpg") == archive.locate(outside) == outside
        assert archive.read(outside) == b"outside"
        assert archive.locate("img") is None
        assert archive.locate("img/2.jpg") is None


def test_a_folder_has_limits_too(folder):
    with pytest.raises(ArchiveError, match="more than 2 files"):
        open_archive(folder, limits=Limits(entries=2))
    # a content file in a crowded place still finds what it names exactly
    with open_archive(folder / "content.md", limits=Limits(entries=2)) as archive:
        assert archive.names() == []
        assert archive.read(archive.locate("img/1.jpg")) == b"one"
    with open_archive(folder, limits=Limits(file_bytes=20)) as archive, pytest.raises(ArchiveError):
        archive.read("lines.zip")


def test_names_with_odd_bytes_on_disk_stay_writable(folder):
    try:
        (folder / "img" / b"\xffodd.jpg".decode("utf-8", "surrogateescape")).write_bytes(b"odd")
    except OSError:
        pytest.skip("this file system refuses such names")
    with open_archive(folder) as archive:
        (odd,) = [name for name in archive.names() if name.endswith("odd.jpg")]
        assert odd.encode("utf-8")
        assert archive.read(odd) == b"odd"


def said(archive):
    """Return the remarks of an archive by their key, in English."""
    return {one.key: str(one) for one in archive.remarks}


def test_odd_names_are_named_and_used(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("1.jpg", "old")
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("1.jpg", "new")
        for name, data in (
            ("content.md", CONTENT),
            ("Scan.jpg", "upper"),
            ("scan.JPG", "lower"),
            ("\u00fcber.png", "composed"),
            ("u\u0308ber.png", "decomposed"),
            ("COM1.txt", "a device"),
            ("img/aux/2.png", "in a device"),
            ("trailing. /3.png", ""),
            ("gnp.\u202eexe.png", ""),
            ("./d//4.png", "tidied"),
            ("console.png", "no device"),
            ("a.heic", ""),
            ("b.HEIC", ""),
            ("c.docx", ""),
            ("Makefile", ""),
            (".DS_Store", "litter is nothing to talk about"),
        ):
            file.writestr(name, data)
    with archives.open_archive(path) as archive:
        assert archive.read("1.jpg") == b"new"
        assert archive.read("Scan.jpg") == b"upper"
        assert archive.read("\u00fcber.png") == b"composed"
        assert archive.read("d/4.png") == b"tidied"
        words = said(archive)
        assert all(one.say("zh") != str(one) for one in archive.remarks)
    assert list(words) == [
        "names_repeated",
        "names_alike",
        "names_windows",
        "names_turning",
        "others_left",
    ]
    assert "1 files of the archive have the same name" in words["names_repeated"]
    assert "`1.jpg`" in words["names_repeated"]
    assert words["names_alike"].startswith("4 names differ")
    assert "`Scan.jpg`, `scan.JPG`" in words["names_alike"]
    assert words["names_windows"].startswith("3 names cannot")
    for name in ("COM1.txt", "img/aux/2.png", "trailing. /3.png"):
        assert name in words["names_windows"]
    assert r"`gnp.\u202eexe.png`" in words["names_turning"]
    assert words["others_left"].endswith("2 `.heic`, 1 `.docx`, 1 `Makefile`.")


def test_usual_names_are_nothing_to_talk_about(tmp_path):
    names = ["content.md", "img/1.jpg", "img/2.png", "README.md", "labels.csv", "x.xml", "y.pdf"]
    with archives.open_archive(make_zip(tmp_path / "a.zip", dict.fromkeys(names, b""))) as archive:
        assert archive.remarks == ()


def directory_entry(name, at, size, crc):
    """Return an entry of a zip's table of contents, for a stored file."""
    fields = (20, 20, 0, 0, 0, 33, crc, size, size, len(name), 0, 0, 0, 0, 0, at)
    return b"PK\1\2" + struct.pack("<6H3L5H2L", *fields) + name


def local_header(name, size, crc):
    """Return the header before a stored file's bytes."""
    return b"PK\3\4" + struct.pack("<5H3L2H", 20, 0, 0, 0, 33, crc, size, size, len(name), 0) + name


def end_of_zip(count, size, at):
    """Return the end of a zip."""
    return b"PK\5\6" + struct.pack("<4H2LH", 0, 0, count, count, size, at, 0)


@pytest.mark.parametrize("quoted", [True, False])
def test_files_that_share_bytes_are_refused(tmp_path, quoted):
    kernel = bytes(1000)
    inner = local_header(b"2.png", len(kernel), zlib.crc32(kernel)) + kernel
    if quoted:  # each file holds the headers of those behind it
        body = local_header(b"1.png", len(inner), zlib.crc32(inner)) + inner
        places = [(b"1.png", 0, inner), (b"2.png", len(body) - len(inner), kernel)]
    else:  # many names for the same file
        body = inner
        places = [(b"2.png", 0, kernel), (b"3.png", 0, kernel)]
    table = b"".join(
        directory_entry(name, at, len(data), zlib.crc32(data)) for name, at, data in places
    )
    path = tmp_path / "a.zip"
    path.write_bytes(body + table + end_of_zip(2, len(table), len(body)))
    with pytest.raises(UnsafeArchiveError, match=r"'\d.png' and '\d.png' share the same bytes"):
        archives.open_archive(path)


def test_a_file_within_the_table_of_contents_is_refused(tmp_path):
    table = directory_entry(b"1.png", 0, 60, 0)
    body = local_header(b"1.png", 60, 0)
    (tmp_path / "a.zip").write_bytes(body + table + end_of_zip(1, len(table), len(body)))
    with pytest.raises(UnsafeArchiveError, match="reaches into the zip's table of contents"):
        archives.open_archive(tmp_path / "a.zip")


def test_a_local_header_that_disagrees_costs_only_its_file(tmp_path):
    files = {"content.md": CONTENT, "1.jpg": b"one", "2.jpg": b"two"}
    data = make_zip(tmp_path / "a.zip", files, zipfile.ZIP_STORED).read_bytes()
    at = data.index(b"PK\3\4", 4)  # the content file is the first one
    (tmp_path / "a.zip").write_bytes(data[:at] + data[at:].replace(b"1.jpg", b"X.jpg", 1))
    with open_archive(tmp_path / "a.zip") as archive:
        with pytest.raises(ArchiveError, match="`1.jpg` cannot be read: File name in directory"):
            archive.read("1.jpg")
        assert archive.read("2.jpg") == b"two"


def test_a_zip64_is_read(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in ("content.md", "1.jpg"):
            with file.open(name, "w", force_zip64=True) as stream:
                stream.write(CONTENT.encode())
    data = path.read_bytes()
    end = data.rfind(b"PK\5\6")
    count, size, at = struct.unpack_from("<H2L", data, end + 10)

    def with_record(declared, place=end):
        record = b"PK\6\6" + struct.pack("<Q2H2L4Q", 44, 45, 45, 0, 0, count, count, declared, at)
        locator = b"PK\6\7" + struct.pack("<LQL", 0, place, 1)
        full = b"PK\5\6" + struct.pack("<4H2LH", 0, 0, *[0xFFFF] * 2, *[0xFFFFFFFF] * 2, 0)
        return data[:end] + record + locator + full

    path.write_bytes(with_record(size))
    with open_archive(path) as archive:
        assert archive.read("1.jpg") == CONTENT.encode()
    path.write_bytes(with_record(2**40, place=0))  # zipfile looks in front, not where it is told
    with pytest.raises(UnsafeArchiveError, match="more than 120,000 files"):
        open_archive(path)


def test_entries_are_counted_before_they_are_loaded(tmp_path, monkeypatch):
    files = {f"{number}.jpg": b"" for number in range(60)}
    path = make_zip(tmp_path / "a.zip", files)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(UnsafeArchiveError, match="more than 50 files"):
        archives.open_archive(path, limits=Limits(entries=50))


def test_a_crowded_zip_opens_within_seconds_and_little_memory(tmp_path):
    count = 120_000
    names = [b"lines/%06d.jpg" % number for number in range(count)]
    header = len(local_header(names[0], 0, 0))
    body = b"".join(local_header(name, 0, 0) for name in names)
    table = b"".join(directory_entry(name, at * header, 0, 0) for at, name in enumerate(names))
    record = b"PK\6\6" + struct.pack(
        "<Q2H2L4Q", 44, 45, 45, 0, 0, count, count, len(table), len(body)
    )
    locator = b"PK\6\7" + struct.pack("<LQL", 0, len(body) + len(table), 1)
    end = b"PK\5\6" + struct.pack("<4H2LH", 0, 0, *[0xFFFF] * 2, *[0xFFFFFFFF] * 2, 0)
    path = tmp_path / "a.zip"
    path.write_bytes(body + table + record + locator + end)
    script = (
        "import sys, time; from pathlib import Path\n"
        "from ocrtune.archive import open_archive\n"
        "status = Path('/proc/self/status')\n"
        "peak = lambda: int(status.read_text().split('VmHWM:')[1].split()[0])\n"
        "before, start = peak(), time.process_time()\n"
        "archive = open_archive(Path(sys.argv[1]))\n"
        "print(len(archive.names()), peak() - before, time.process_time() - start)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, check=True
    )
    found, kibibytes, seconds = map(float, ran.stdout.split())
    assert found == count
    assert kibibytes < 200 * 1024
    assert seconds < 20


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"BZh91AY", "a bzip2 archive"),
        (b"\xfd7zXZ\0", "an xz archive"),
        (b"\0" * 257 + b"ustar\0", "a tar archive"),
        (b"<!DOCTYPE html>", "a web page"),
        (b"II*\0", "a picture"),
    ],
)
def test_what_people_upload_instead_is_named(tmp_path, start, kind):
    (tmp_path / "a.zip").write_bytes(start + bytes(300))
    with pytest.raises(ArchiveError, match=f"is not a zip but {kind}. Zip the pictures together"):
        archives.open_archive(tmp_path / "a.zip")


@pytest.mark.parametrize("content", ["separate", "within"])
def test_a_zip_never_names_files_of_this_machine(tmp_path, content):
    secret = tmp_path / "secret.png"
    Image.new("RGB", (20, 20)).save(secret)
    paths = [str(secret), "../secret.png", "secret.png", f"file://{secret}", "img/../../secret.png"]
    lines = "".join(f"{path} text {number}\n" for number, path in enumerate(paths))
    picture = io.BytesIO()
    Image.new("L", (20, 20)).save(picture, "PNG")
    files = {"img/1.png": picture.getvalue()}
    (tmp_path / "in").mkdir()
    separate = tmp_path / "in" / "content.md"
    separate.write_text(lines + "img/1.png one\n")
    if content == "within":
        files["content.md"] = separate.read_bytes()
    source = make_zip(tmp_path / "in" / "a.zip", files)
    config = BuildConfig(
        source=str(source),
        output=str(tmp_path / "out" / "a"),
        content=str(separate) if content == "separate" else "",
    )
    report = build_dataset(config)
    assert report.example == {"picture": "img/1.png", "text": "one"}
    assert (report.samples, len(report.rejects)) == (1, len(paths))


def test_links_in_loops_do_not_hang_and_closed_folders_are_named(folder, monkeypatch):
    (folder / "img" / "back").symlink_to(folder, target_is_directory=True)
    (folder / "loop.jpg").symlink_to(folder / "loop.jpg")
    os.mkfifo(folder / "pipe.jpg")
    (folder / "closed").mkdir()
    look = os.scandir

    def look_unless_closed(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", look_unless_closed)
    with open_archive(folder) as archive:
        assert "img/1.jpg" in archive.names()
        assert not [name for name in archive.names() if "back" in name]
        for name in ("loop.jpg", "pipe.jpg"):
            with pytest.raises(ArchiveError, match="is not a file"):
                archive.read(name)
        assert "1 folders cannot be opened" in said(archive)["folders_closed"]
        assert "`closed`" in said(archive)["folders_closed"]


def test_an_unreadable_file_gets_a_reason(folder, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    with open_archive(folder) as archive:
        monkeypatch.setattr(archive.files, "open", refuse)
        with pytest.raises(ArchiveError, match="`img/1.jpg` cannot be read: .*Permission denied"):
            archive.read("img/1.jpg")


@pytest.mark.parametrize("source", ["pipe", "x" * 5_000, "a\0b", "/dev/zero"])
def test_what_is_no_file_is_said_at_once(tmp_path, source):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(
        ArchiveError, match="no file or folder|neither a file nor a folder"
    ) as caught:
        open_source(BuildConfig(source=str(tmp_path / source), output="x"), silent)
    assert len(str(caught.value)) < 500


def test_a_strangers_content_file_leads_to_nothing_outside_its_folder(tmp_path):
    outside, folder = tmp_path / "1.jpg", tmp_path / "upload"
    folder.mkdir()
    outside.write_bytes(b"mine")
    (folder / "2.jpg").write_bytes(b"theirs")
    source = folder / "content.md"
    source.write_text(f"{outside} text\n2.jpg text\n", "utf-8")
    with archives.open_archive(source, confined=True) as archive:
        assert archive.locate(str(outside)) is None
        assert archive.locate("../1.jpg") is None
        assert archive.read(archive.locate("2.jpg")) == b"theirs"
    with archives.open_archive(source) as archive:
        assert archive.read(archive.locate(str(outside))) == b"mine"
