"""Untrusted archives, read without unpacking: a zip, a folder, or a content file by its pictures.

A zip may come from anybody: its names are checked, nothing is ever written under them, and every
size is counted while reading because headers lie. A folder or a content file is the user's own.
"""

import contextlib
import io
import os
import posixpath
import struct
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, Self

from ocrtune.archive_names import (
    SHOWN_CHARS,
    clean_name,
    is_litter,
    name_problem,
    name_remarks,
    recover_names,
    shown,
    tidy,
)
from ocrtune.content import decode, stem
from ocrtune.errors import ArchiveError, QuestionError
from ocrtune.ground_truth import GroundTruth, clip
from ocrtune.remarks import Remark, remark

MIB = 1024 * 1024
HEADER_BYTES = 30  # of a file in a zip, before its name
TAIL_BYTES = 66_000  # of a zip that hold the end of its table of contents and its comment
CONTENT_SUFFIXES = (".md", ".txt")
NESTED_SUFFIXES = (".zip", ".rar", ".7z", ".tar", ".tgz", ".gz", ".bz2", ".xz")
SIDE_TEXTS = ("readme", "license", "licence", "notice", "changelog", "requirements")
FOREIGN = {  # what people upload in place of a zip, by its first bytes
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"II*\0": "a picture",
    b"MM\0*": "a picture",
    b"RIFF": "a picture",
    b"<!DOCTYPE": "a web page",
    b"<!doctype": "a web page",
    b"<html": "a web page",
}
TAR_MARK = slice(257, 262)  # where a tar says `ustar`
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,  # a zip version nobody uses
    RuntimeError,  # zipfile's word for a password
    ValueError,
    OverflowError,
)
CONTENT_HELP = (
    "Put a text file `content.md` beside the pictures, with one line for each: "
    "`images/1.jpg the text in the picture`."
)
ZIP_HELP = "Zip the pictures together with their `content.md` and try again."
NO_DATE = (1980, 1, 1, 0, 0, 0)


class UnsafeArchiveError(ArchiveError):
    """The archive looks built to harm: nothing of it is used."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an archive may cost whoever opens it."""

    entries: int = 120_000
    directory_bytes: int = 24 * MIB  # a zip's own table of contents, loaded whole when opened
    total_bytes: int = 4096 * MIB  # read from one archive
    file_bytes: int = 64 * MIB
    ratio: int = 300  # unpacked to packed, for files above `ratio_from_bytes`
    ratio_from_bytes: int = MIB
    name_chars: int = 1_000


LIMITS = Limits()


class ZipFiles:
    """The files of a zip."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.label = path.name
        try:
            with path.open("rb") as stream:
                require_small_directory(stream, self.label, limits)
            self.zip = zipfile.ZipFile(path)
        except DAMAGE as error:
            raise not_a_zip(path, error) from error
        try:
            self.files = self.checked(limits)
        except BaseException:
            self.zip.close()
            raise

    def checked(self, limits: Limits) -> dict[str, zipfile.ZipInfo]:
        """Return the zip's files by their cleaned names; an ArchiveError for a hostile zip."""
        infos = self.zip.infolist()
        if len(infos) > limits.entries:
            raise too_many(self.label, limits)
        refuse_shared_bytes(infos, self.zip.start_dir, self.label)
        files: dict[str, zipfile.ZipInfo] = {}
        repeated = []
        for name, info in zip(map(tidy, recover_names(infos)), infos, strict=True):
            if is_litter(name):
                continue
            if problem := name_problem(name, info, limits.name_chars):
                raise refused(self.label, problem)
            if not name or name.endswith("/"):
                continue
            if info.flag_bits & 0x1:
                raise ArchiveError(
                    f"`{self.label}` is protected by a password.", "Zip again without a password."
                )
            if name.lower().endswith(NESTED_SUFFIXES):
                raise ArchiveError(
                    f"`{self.label}` holds another archive, `{clean_name(name)}`.",
                    "Unpack that one and zip the pictures themselves.",
                )
            if name in files:
                repeated.append(name)
            files[name] = info  # of two files with one name the last counts, as when unpacking
        if sum(info.file_size for info in files.values()) > limits.total_bytes:
            raise too_big(self.label, limits)
        self.remarks = name_remarks(files, repeated)
        # of 100,000 entries these take a tenth of all the memory: dates, and a list and a table
        # of the entries beside ours
        for info in infos:
            info.date_time = NO_DATE
        self.zip.filelist, self.zip.NameToInfo = [], {}
        return files

    def open(self, name: str) -> tuple[IO[bytes], int]:
        """Return a stream of the file and its packed size in bytes."""
        info = self.files[name]
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # the other methods may ask for gigabytes to unpack a few bytes
            raise NotImplementedError("it is packed in an unusual way")
        return self.zip.open(info), info.compress_size

    def locate(self, path: str) -> str | None:
        """Return nothing: a zip may not name files of this machine."""

    def close(self) -> None:
        """Close the zip and forget its entries: 100,000 of them take 40 MB."""
        self.zip.close()
        self.files = {}


class LocalFiles:
    """The files below a folder of the user's own machine, and any that a path there leads to.

    confined: paths lead nowhere else, because a stranger has written them.
    """

    def __init__(self, root: Path, limits: Limits, whole: bool, confined: bool = False) -> None:
        self.confined = confined
        self.label = root.name or str(root)
        self.root = root.resolve()
        self.files: dict[str, str] = {}
        self.remarks: list[Remark] = []
        closed: list[str] = []
        repeated = []  # odd bytes in names on disk may make two of them one

        def unreadable(error: OSError) -> None:
            closed.append(os.path.relpath(error.filename, self.root))

        for folder, folders, files in os.walk(self.root, onerror=unreadable):
            folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
            for file in sorted(files):
                path = os.path.join(folder, file)
                name = os.path.relpath(path, self.root).replace(os.sep, "/")
                name = name.encode("utf-8", "replace").decode()
                if not is_litter(name):
                    repeated += [name] if name in self.files else []
                    self.files[name] = path
            if len(self.files) > limits.entries:
                if whole:
                    raise too_many(self.label, limits)
                self.files.clear()  # a content file in a crowded place: paths count as written
                return
        if whole:
            self.remarks = name_remarks(self.files, repeated)
        if whole and closed:
            names = [clean_name(name.encode("utf-8", "replace").decode()) for name in closed]
            self.remarks.append(remark("folders_closed", count=len(names), names=shown(names)))

    def open(self, name: str) -> tuple[IO[bytes], int]:
        """Return a stream of the file and its size in bytes."""
        path = self.files.get(name, "" if self.confined else name)
        if not os.path.isfile(path):
            raise ArchiveError(f"`{name}` is not a file.", "Name a picture.")
        return open(path, "rb"), os.path.getsize(path)

    def locate(self, path: str) -> str | None:
        """Return the name of the file at `path`, absolute or relative to the folder, or None."""
        full = os.path.normpath(self.root / path)
        if not os.path.isfile(full):
            return None
        name = os.path.relpath(full, self.root).replace(os.sep, "/")
        return name if name in self.files else None if self.confined else full

    def close(self) -> None:
        """Do nothing: no file stays open."""


class Files(Protocol):
    """Where an archive has its files from; `files` are their names, with what tells where they lie.

    ZipFiles and LocalFiles are such places, and so are the rows of a table.
    """

    label: str
    files: Mapping[str, object]

    def open(self, name: str) -> tuple[IO[bytes], int]: ...

    def locate(self, path: str) -> str | None: ...

    def close(self) -> None: ...


class Archive:
    """Files by name with their content file; reading counts against the limits."""

    def __init__(self, files: Files, limits: Limits = LIMITS) -> None:
        self.files = files
        self.limits = limits
        self.label = files.label
        self.locate = files.locate
        self.read_bytes = 0
        self.is_open = True
        self.lock = threading.Lock()
        self.content_name = ""
        self.content_folder = ""  # paths in the content file are relative to it
        self.content_data = b""
        self.ground_truth: GroundTruth | None = None  # that a source brings along
        self.remarks: tuple[Remark, ...] = ()  # what is odd about its files

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        return sorted(self.files.files)

    def read(self, name: str) -> bytes:
        """Return the file's bytes; an ArchiveError says why it cannot be had."""
        try:
            stream, packed = self.files.open(name)
            with stream:
                return self.read_stream(name, stream, packed)
        except DAMAGE as error:
            raise ArchiveError(f"`{name}` cannot be read: {cause(error)}.", ZIP_HELP) from error

    def read_stream(self, name: str, stream: IO[bytes], packed: int) -> bytes:
        """Return all of the stream, counted as it comes."""
        return b"".join(self.counted(name, stream, packed, self.limits.file_bytes))

    def counted(
        self, name: str, stream: IO[bytes], packed: int, most_bytes: int
    ) -> Iterator[bytes]:
        """Yield the stream in pieces; an ArchiveError as soon as it is more than allowed."""
        size = 0
        while part := stream.read(MIB):
            size += len(part)
            with self.lock:
                self.read_bytes += len(part)
            if self.read_bytes > self.limits.total_bytes:
                raise too_big(self.label, self.limits)
            if size > self.limits.ratio_from_bytes and size > self.limits.ratio * max(packed, 1):
                raise UnsafeArchiveError(
                    f"`{name}` unpacks to more than {self.limits.ratio} times its packed size.",
                    "Save the pictures as PNG or JPEG and make a new zip.",
                )
            if size > most_bytes:
                raise ArchiveError(
                    f"`{name}` is larger than {most_bytes // MIB} MiB.", "Save it smaller."
                )
            yield part

    def open_whole(self, name: str) -> IO[bytes]:
        """Return a file of any size, opened; from a zip it is a copy that deletes itself."""
        try:
            stream, packed = self.files.open(name)
            if isinstance(stream, io.BufferedReader):  # a file of this machine
                return stream
            with stream, contextlib.ExitStack() as opened:
                copy = opened.enter_context(tempfile.TemporaryFile())
                for part in self.counted(name, stream, packed, self.limits.total_bytes):
                    copy.write(part)
                copy.seek(0)
                opened.pop_all()
                return copy
        except DAMAGE as error:
            raise ArchiveError(f"`{name}` cannot be read: {cause(error)}.", ZIP_HELP) from error

    def lay_over(self, files: "Files") -> None:
        """Take the files from somewhere that adds to those of this archive, and closes them too."""
        self.files, self.locate = files, files.locate

    def take_content(self, name: str, folder: str, data: bytes) -> None:
        """Remember the content file."""
        self.content_name, self.content_folder = name, folder
        self.content_data = data

    @property
    def content_text(self) -> str:
        """The text of the content file, empty where none was given."""
        return decode(self.content_data)[0]

    @property
    def content_encoding(self) -> str:
        """The encoding of the content file, as detected."""
        return decode(self.content_data)[1]

    def find_content(self) -> None:
        """Remember the content file, if none was given; a QuestionError when it may be several."""
        if not self.content_name:
            self.take_content_within(choose_content(self.names(), self.label))

    def take_content_within(self, name: str) -> None:
        """Remember a file of the archive as the content file."""
        self.take_content(name, posixpath.dirname(name), self.read(name))

    def read_again(self) -> None:
        """Forget how much was read: what was counted once may be read a second time."""
        self.read_bytes = 0

    def close(self) -> None:
        """Close the zip, if it is one; a second time does nothing."""
        if self.is_open:
            self.is_open = False
            self.files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def open_archive(
    source: Path, content: Path | None = None, limits: Limits = LIMITS, confined: bool = False
) -> Archive:
    """Return the archive at `source`: a zip, a folder, or a content file beside its pictures.

    A content file given apart wins over the one within. A folder or a content file as `source`
    may lead to any file of this machine, unless `confined` to what lies below.
    """
    for path in (source, content):
        if path is not None:
            require_place(path)
    own_content = source.is_file() and source.suffix.lower() in CONTENT_SUFFIXES
    if own_content or source.is_dir():
        root = source.parent if own_content else source
        files = LocalFiles(root, limits, whole=not own_content, confined=confined)
    else:
        files = ZipFiles(source, limits)
    archive = Archive(files, limits)
    archive.remarks = tuple(files.remarks)
    try:
        separate = content or (source if own_content else None)
        if separate is not None:
            archive.take_content(separate.name, "", read_content(separate, limits))
    except BaseException:
        archive.close()
        raise
    return archive


def require_place(path: Path) -> None:
    """Raise an ArchiveError unless there is a file or folder; a pipe or device never ends."""
    shown_path = clip(str(path))
    if not os.path.exists(path):  # not the Path's own, which trips over very long names
        raise ArchiveError(f"There is no file or folder `{shown_path}`.", "Check the path.")
    if not os.path.isfile(path) and not os.path.isdir(path):
        raise ArchiveError(f"`{shown_path}` is neither a file nor a folder.", "Check the path.")


def read_content(path: Path, limits: Limits) -> bytes:
    """Return the bytes of a content file on this machine."""
    try:
        if path.stat().st_size > limits.file_bytes:
            raise ArchiveError(f"`{path.name}` is too large for a content file.", CONTENT_HELP)
        return path.read_bytes()
    except OSError as error:
        raise ArchiveError(f"`{path}` cannot be read: {error.strerror}.", CONTENT_HELP) from error


def content_names(names: list[str]) -> list[str]:
    """Return the names of texts that may be a content file."""
    return [name for name in names if name.lower().endswith(CONTENT_SUFFIXES)]


def choose_content(names: list[str], label: str) -> str:
    """Return the name of the content file: the only text, else the uppermost `content.md`."""
    texts = content_names(names)
    named = [name for name in texts if posixpath.basename(name).lower() == "content.md"]
    depth = min((name.count("/") for name in named), default=0)
    upper = [name for name in named if name.count("/") == depth]
    others = [name for name in texts if stem(name) not in SIDE_TEXTS]
    for candidates in (texts, upper, others):
        if len(candidates) == 1:
            return candidates[0]
    if not texts:
        raise ArchiveError(f"`{label}` holds no content file.", CONTENT_HELP)
    shown = ", ".join(f"`{name}`" for name in (upper or texts)[:5])
    raise QuestionError(
        f"`{label}` holds {len(upper or texts)} text files that may be the content file: {shown}.",
        "content",
        upper or texts,
    )


def require_small_directory(stream: IO[bytes], label: str, limits: Limits) -> None:
    """Raise an UnsafeArchiveError when zipfile would load too much; how much is not just believed.

    A zip's table of contents lies at its end, with a mark before each file.
    """
    declared = directory_bytes(stream)
    if declared > limits.directory_bytes:
        raise too_many(label, limits)
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - declared - TAIL_BYTES))
    if stream.read().count(b"PK\1\2") > limits.entries:
        raise too_many(label, limits)


def directory_bytes(stream: IO[bytes]) -> int:
    """Return the largest size that the zip declares for its table of contents."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - TAIL_BYTES))
    tail = stream.read()
    plain = tail[-22:-18] == b"PK\5\6" and tail[-2:] == b"\0\0"  # without a comment: the usual end
    end = len(tail) - 22 if plain else tail.rfind(b"PK\5\6")
    if end < 0 or len(tail) - end < 22:
        raise zipfile.BadZipFile("it has no table of contents")
    declared = {struct.unpack_from("<L", tail, end + 12)[0]}
    if tail[max(0, end - 20) : end].startswith(b"PK\6\7"):  # zip64 keeps its figures elsewhere
        # some readers look where they are said to be, others right before
        for place in (
            struct.unpack_from("<Q", tail, end - 12)[0],
            size - len(tail) + end - 76,
        ):
            stream.seek(max(0, min(size, place)))
            record = stream.read(56)
            if record.startswith(b"PK\6\6") and len(record) == 56:
                declared.discard(0xFFFFFFFF)
                declared.add(struct.unpack_from("<Q", record, 40)[0])
    return max(declared)


def refuse_shared_bytes(infos: Sequence[zipfile.ZipInfo], directory: int, label: str) -> None:
    """Raise an UnsafeArchiveError when files of a zip lie upon each other: only bombs do that.

    directory: where the table of contents begins. Offsets out of the zip are read, and fail, later.
    """
    placed = sorted(infos, key=lambda info: info.header_offset)
    ends = [info.header_offset + HEADER_BYTES + info.compress_size for info in placed]
    for info, end, after in zip(placed, ends, placed[1:], strict=False):
        if end > after.header_offset:
            names = " and ".join(ascii(one.filename[:SHOWN_CHARS]) for one in (info, after))
            raise refused(label, f"{names} share the same bytes")
    if placed and placed[-1].header_offset < directory < ends[-1]:
        name = ascii(placed[-1].filename[:SHOWN_CHARS])
        raise refused(label, f"{name} reaches into the zip's table of contents")


def not_a_zip(path: Path, error: Exception) -> ArchiveError:
    """Return the error for a file that zipfile cannot open."""
    try:
        with path.open("rb") as stream:
            start = stream.read(512)
    except OSError as problem:
        return ArchiveError(f"`{path}` cannot be read: {problem.strerror}.", "Check the path.")
    if not start:
        return ArchiveError(f"`{path.name}` is empty.", ZIP_HELP)
    if start.startswith(b"PK"):
        return ArchiveError(
            f"`{path.name}` is damaged or incomplete: {cause(error)}.", "Make the zip again."
        )
    kind = next((name for magic, name in FOREIGN.items() if start.startswith(magic)), "")
    kind = "a tar archive" if start[TAR_MARK] == b"ustar" else kind
    what = f"`{path.name}` is not a zip" + (f" but {kind}." if kind else ".")
    return ArchiveError(what, ZIP_HELP)


def cause(error: Exception) -> str:
    """Return another library's message as part of a sentence: one short line without its stop."""
    return clip(" ".join(str(error).split()).rstrip(".") or type(error).__name__, 100)


def refused(label: str, problem: str) -> UnsafeArchiveError:
    """Return the error for a zip that no honest program makes."""
    return UnsafeArchiveError(
        f"`{label}` is refused: {problem}.", "Make a new zip of the pictures."
    )


def too_many(label: str, limits: Limits) -> UnsafeArchiveError:
    """Return the error for an archive with too many files."""
    return UnsafeArchiveError(
        f"`{label}` holds more than {limits.entries:,} files.", "Divide it into smaller ones."
    )


def too_big(label: str, limits: Limits) -> UnsafeArchiveError:
    """Return the error for an archive that unpacks to too much."""
    return UnsafeArchiveError(
        f"`{label}` unpacks to more than {limits.total_bytes // MIB:,} MiB.",
        "Divide it into smaller ones.",
    )
