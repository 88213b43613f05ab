"""From an archive to three parquet files and a report: check pictures, split, write, read back.

Memory does not grow with the pictures: each is checked on its own, kept as encoded bytes in a
temporary file, and written from there in bounded row groups.
"""

import contextlib
import hashlib
import io
import json
import os
import posixpath
import tempfile
import threading
import unicodedata
import warnings
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, UnidentifiedImageError

from ocrtune.archive import CONTENT_HELP, Archive, UnsafeArchiveError, cause, open_archive
from ocrtune.config import BuildConfig
from ocrtune.content import Entry, Reject, clip, is_picture_name, parse, reject, split_lines
from ocrtune.errors import ArchiveError, DatasetError, did_you_mean
from ocrtune.events import Emit, Progress, silent
from ocrtune.records import SPLITS, Sample

FILE_WORDS = {"train": "train", "validation": "val", "test": "test"}  # PREFIX_val.parquet
FEATURES = {
    "image": {"_type": "Image"},
    "text": {"dtype": "string", "_type": "Value"},
}
SCHEMA = pa.schema(
    [
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("text", pa.string()),
    ],
    metadata={"huggingface": json.dumps({"info": {"features": FEATURES}})},
)
PACKING = {"image.bytes": "none", "image.path": "zstd", "text": "zstd"}
GROUP_ROWS, GROUP_BYTES = 256, 8 * 1024 * 1024  # of a parquet row group, whichever comes first

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "JPEG2000", "PPM")
MIN_SIDE = 10  # pixels
MAX_PIXELS = 40_000_000  # an A4 page at 600 dpi has 35 million
LARGE_PIXELS = 4_000_000  # pictures above are decoded one at a time
LARGE = threading.Lock()
TURNS = {  # EXIF orientation: what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SHOWN_REJECTS = 10


class PictureError(DatasetError):
    """One picture cannot be used."""


@dataclass(frozen=True)
class Picture:
    """A sound picture: upright, 8 bits or fewer a channel, grey or RGB, PNG or JPEG."""

    data: bytes  # as to be stored
    changes: tuple[str, ...] = ()  # what was done to it; empty when these are the original bytes
    frames: int = 1  # pictures in the file; only the first is used


@dataclass(frozen=True, slots=True)
class Stored:
    """A usable line; its picture was checked and lies in the temporary file."""

    entry: Entry
    offset: int
    size: int  # bytes
    digest: bytes  # equal for identical pictures


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What came out of looking at every picture."""

    stored: list[Stored]
    rejects: list[Reject]
    conversions: Counter[str]
    several_frames: list[str]


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What became of every line of a content file."""

    source: str
    content: str  # name of the content file
    encoding: str
    seed: int
    samples: int
    splits: dict[str, int]  # samples of each split
    shortest: int  # characters of a text, as are the next two
    longest: int
    mean: float
    example: dict[str, str]  # `picture` and `text` of the first sample
    characters: int  # different ones
    scripts: dict[str, int]  # characters of each script
    matches: dict[str, int]  # lines whose path was `exact`, or found by `spelling` or `tail`
    conversions: dict[str, int]  # pictures for each kind of change
    several_frames: tuple[str, ...]  # animated or multi-page files; their first frame is used
    duplicates: tuple[dict[str, Any], ...]  # identical `pictures`, and whether in `one_text`
    unnamed: tuple[str, ...]  # pictures of the archive that no line names
    rejects: tuple[Reject, ...]


def build_dataset(config: BuildConfig, emit: Emit = silent) -> BuildReport:
    """Write the dataset and its report, all files or none, and return the report."""
    prefix = Path(config.output)
    content = Path(config.content) if config.content else None
    with open_archive(Path(config.source), content) as archive, staging(prefix) as folder:
        names = archive.names()
        parsed = parse(archive.content_text, names, archive.content_folder, archive.locate)
        with (folder / "pictures").open("w+b") as spool:
            checked = check_entries(archive, parsed.entries, spool, emit)
            rejects = sorted([*parsed.rejects, *checked.rejects], key=lambda one: one.line_number)
            require_usable(archive, checked.stored, rejects)
            picture_ids = name_pictures([sample.entry.name for sample in checked.stored])
            splits = split_samples([sample.digest for sample in checked.stored], config)
            for split, rows in splits.items():
                path = split_path(folder / prefix.name, split)
                write_split(path, [(picture_ids[row], checked.stored[row]) for row in rows], spool)
        named = {entry.name for entry in parsed.entries}
        report = BuildReport(
            source=archive.label,
            content=archive.content_name,
            encoding=archive.content_encoding,
            seed=config.seed,
            splits={split: len(rows) for split, rows in splits.items()},
            **describe_texts([sample.entry.text for sample in checked.stored]),
            example={"picture": picture_ids[0], "text": checked.stored[0].entry.text},
            matches=parsed.matches,
            conversions=dict(sorted(checked.conversions.items())),
            several_frames=tuple(checked.several_frames),
            duplicates=find_duplicates(picture_ids, checked.stored),
            unnamed=tuple(name for name in names if is_picture_name(name) and name not in named),
            rejects=tuple(rejects),
        )
        write_report(report_path(folder / prefix.name), report)
        publish(folder, prefix)
    return report


# Pictures


def check_entries(
    archive: Archive, entries: Sequence[Entry], spool: IO[bytes], emit: Emit
) -> Checked:
    """Return which entries have a sound picture; those pictures are appended to `spool`."""
    checked = Checked(stored=[], rejects=[], conversions=Counter(), several_frames=[])
    workers = min(4, os.cpu_count() or 1)
    step = max(1, len(entries) // 100)
    lines: list[str] = []
    offset = 0
    with quiet_pillow(), ThreadPoolExecutor(workers) as pool:
        outcomes = in_order(pool, partial(load_picture, archive), entries, ahead=2 * workers)
        for done, (entry, picture) in enumerate(outcomes, start=1):
            if isinstance(picture, Picture):
                size = spool.write(picture.data)
                digest = hashlib.blake2b(picture.data, digest_size=16).digest()
                checked.stored.append(Stored(entry, offset, size, digest))
                checked.conversions.update(picture.changes)
                checked.several_frames.extend([entry.name] * (picture.frames > 1))
                offset += size
            else:
                lines = lines or split_lines(archive.content_text)
                original = lines[entry.line_number - 1]
                checked.rejects.append(reject(entry.line_number, original, picture))
            if done % step == 0 or done == len(entries):
                emit(Progress("build", done, len(entries)))
    return checked


def in_order(
    pool: Executor, work: Callable[[Any], Any], items: Sequence[Any], ahead: int
) -> Iterator[tuple[Any, Any]]:
    """Yield each item with its outcome, in order, never more than `ahead` outcomes in memory."""
    waiting: deque = deque()
    for item in items:
        waiting.append((item, pool.submit(work, item)))
        if len(waiting) >= ahead:
            first, outcome = waiting.popleft()
            yield first, outcome.result()
    for item, outcome in waiting:
        yield item, outcome.result()


def load_picture(archive: Archive, entry: Entry) -> Picture | str:
    """Return the entry's checked picture, or the reason why it cannot be used."""
    try:
        return check_picture(archive.read(entry.name))
    except UnsafeArchiveError:
        raise
    except (ArchiveError, PictureError) as error:
        return str(error)


def check_picture(data: bytes) -> Picture:
    """Return the picture as a dataset stores it; a PictureError says why it cannot be used.

    Upright JPEG and PNG files keep their bytes. Everything is decoded to its end.
    """
    if not data:
        raise PictureError("The picture file is empty.", "Copy it again.")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            require_size(*image.size)
            with LARGE if image.width * image.height > LARGE_PIXELS else contextlib.nullcontext():
                return stored_form(image, data)
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        hint = "Save it as JPEG or PNG" + (" instead of HEIC." if b"ftyphei" in data[:16] else ".")
        raise PictureError("The file is not a picture that can be read.", hint) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_large() from error
    except Exception as error:  # Pillow raises nearly anything on damaged bytes
        problem = f"The picture is damaged: {cause(error)}."
        raise PictureError(problem, "Save it again.") from error


def require_size(width: int, height: int) -> None:
    """Raise a PictureError for a picture too small to hold text or too large to decode."""
    if min(width, height) < MIN_SIDE:
        problem = f"The picture has only {width} x {height} pixels."
        raise PictureError(problem, f"{MIN_SIDE} are the least on each side.")
    if width * height > MAX_PIXELS:
        raise too_large()


def too_large() -> PictureError:
    """Return the error for a picture with too many pixels."""
    return PictureError(
        f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels.", "Save it smaller."
    )


def stored_form(image: Image.Image, data: bytes) -> Picture:
    """Return the opened picture, its original bytes where they will do."""
    is_jpeg = image.format in ("JPEG", "MPO")
    if is_jpeg and image.mode in ("L", "RGB") and orientation(image) == 1:
        image.draft("L", (1, 1))  # decodes every byte but builds an eighth of the picture
        image.load()
        return Picture(data)
    image.load()
    frames = 1 if is_jpeg else count_frames(image)
    upright = image.transpose(TURNS[turn]) if (turn := orientation(image)) in TURNS else image
    plain, change = flatten(upright)
    changes = ["turned upright"] if upright is not image else []
    changes += [change] if change else []
    if is_jpeg and not change:
        # the same tables lose next to nothing, while PNG would be several times as large
        data = encode(plain, "JPEG", qtables=image.quantization, subsampling="4:4:4")
        return Picture(data, tuple(changes), frames)
    if image.format != "PNG":
        changes.append(f"{image.format} to PNG")
    if not changes:
        return Picture(data, frames=frames)
    return Picture(encode(plain, "PNG"), tuple(changes), frames)


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation; 1, upright, when there is none that can be read."""
    try:
        return image.getexif().get(0x0112, 1)
    except Exception:  # a broken EXIF block does not make the picture unusable
        return 1


def count_frames(image: Image.Image) -> int:
    """Return how many pictures the file holds; 1 when the others cannot be read."""
    try:
        return getattr(image, "n_frames", 1)
    except Exception:  # the first frame is sound, and the only one used
        return 1


def flatten(image: Image.Image) -> tuple[Image.Image, str]:
    """Return the picture as black and white, grey or RGB, and what had to be done for it."""
    if image.has_transparency_data:
        mode = "L" if image.mode == "LA" else "RGB"
        clear = image.convert("LA" if mode == "L" else "RGBA")
        white = Image.new(mode, image.size, "white")
        white.paste(clear.convert(mode), mask=clear.getchannel("A"))
        return white, "transparency to white"
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        values = np.nan_to_num(np.asarray(image, dtype=np.float32))
        most = max(float(values.max()), 0.0)
        top = next((top for top in (1, 255, 4095, 65535) if most <= top), most)
        grey = np.clip(values * (255 / top), 0, 255).round().astype(np.uint8)
        return Image.fromarray(grey), "16 bits to 8"
    if image.mode not in ("1", "L", "RGB"):
        return image.convert("RGB"), f"{'palette' if image.mode == 'P' else image.mode} to RGB"
    return image, ""


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the pixels as a file of this kind, without the source's profile and notes."""
    image.info = {}
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@contextlib.contextmanager
def quiet_pillow() -> Iterator[None]:
    """Let Pillow refuse bombs at once and keep its remarks on metadata to itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


# Splits


def split_sizes(count: int, config: BuildConfig) -> dict[str, int]:
    """Return how many of `count` samples each split gets: at least one, the odd one to test."""
    train = max(1, min(int(count * config.train_fraction + 1e-9), count - 2))
    rest = count - train
    share = config.validation_fraction / (1 - config.train_fraction)
    validation = max(1, min(int(rest * share + 1e-9), rest - 1))
    return {"train": train, "validation": validation, "test": rest - validation}


def split_samples(digests: Sequence[bytes], config: BuildConfig) -> dict[str, list[int]]:
    """Return the rows of each split; rows with equal digests always share one.

    Repeated pictures are placed first, the most frequent where there is most room. The others
    are drawn as by scikit-learn's `train_test_split`, called twice with this seed.
    """
    rows_of = defaultdict(list)
    for row, digest in enumerate(digests):
        rows_of[digest].append(row)
    repeated = sorted((rows for rows in rows_of.values() if len(rows) > 1), key=len, reverse=True)
    lone = [rows[0] for rows in rows_of.values() if len(rows) == 1]
    room = split_sizes(len(digests), config)
    splits: dict[str, list[int]] = {split: [] for split in SPLITS}
    left = len(rows_of)  # different pictures still to be placed
    for rows in repeated:
        empty = [split for split in SPLITS if not splits[split]]
        split = max(empty if left <= len(empty) else SPLITS, key=room.__getitem__)
        splits[split] += rows
        room[split] -= len(rows)
        left -= 1
    held_out = max(0, room["validation"]) + max(0, room["test"])
    for index in draw(len(lone), min(held_out, len(lone)), config.seed):
        order = ("test", "validation", "train")
        empty = [split for split in order if not splits[split]]
        choices = empty if left <= len(empty) else [split for split in order if room[split] > 0]
        splits[choices[0]].append(lone[index])
        room[choices[0]] -= 1
        left -= 1
    return {split: sorted(rows) for split, rows in splits.items()}


def draw(count: int, held_out: int, seed: int) -> list[int]:
    """Return 0 to `count` - 1 in random order, the test rows first, then validation, then train.

    These are the draws of `train_test_split(train_size=0.8)` and of a second one on its rest,
    without the two seconds and 120 MB that importing scikit-learn costs.
    """
    first = np.random.RandomState(seed % 2**32).permutation(count)
    second = np.random.RandomState(seed % 2**32).permutation(held_out)
    return [*first[:held_out][second].tolist(), *first[held_out:].tolist()]


def require_usable(archive: Archive, stored: Sequence[Stored], rejects: Sequence[Reject]) -> None:
    """Raise a DatasetError unless there are enough different pictures for three splits."""
    pictures = len({sample.digest for sample in stored})
    if pictures >= len(SPLITS):
        return
    if not stored and not rejects:
        raise DatasetError(f"`{archive.content_name}` holds no line to use.", CONTENT_HELP)
    if not stored:
        problem = f"None of the {len(rejects)} lines of `{archive.content_name}` can be used."
    else:
        same = f", and only {pictures} different pictures" if pictures < len(stored) else ""
        count = f"{len(stored)} sample" + "s" * (len(stored) > 1)
        problem = f"There are only {count}{same}, too few for three splits."
    if rejects:
        problem += f" Line {rejects[0].line_number}: {rejects[0].reason}"
    shown = [name for name in archive.names() if is_picture_name(name)][:1]
    if not stored and not shown:
        raise DatasetError(problem, f"`{archive.label}` holds no picture: add them.")
    if not stored:
        raise DatasetError(problem, f"Write paths as in the archive, such as `{shown[0]}`.")
    raise DatasetError(problem, "Add pictures with text: 3 are the least, 300 are a good start.")


# Files


def split_path(prefix: Path | str, split: str) -> Path:
    """Return the parquet file of a split."""
    prefix = Path(prefix)
    return prefix.with_name(f"{prefix.name}_{FILE_WORDS[split]}.parquet")


def report_path(prefix: Path | str) -> Path:
    """Return the report's file."""
    prefix = Path(prefix)
    return prefix.with_name(f"{prefix.name}_report.json")


@contextlib.contextmanager
def staging(prefix: Path) -> Iterator[Path]:
    """Yield a folder beside the dataset for unfinished files; it is gone afterwards."""
    if prefix.name in ("", ".."):
        raise DatasetError(f"`{prefix}` is no prefix for files.", "Use for example `my_lines`.")
    try:
        prefix.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{prefix.name}-", dir=prefix.parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise DatasetError(
            f"The dataset `{prefix}` cannot be written: {error.strerror or error}.",
            "Check the path, its rights and the free space.",
        ) from error


def publish(folder: Path, prefix: Path) -> None:
    """Move the finished files to their places; the report comes last."""
    for path in [*(split_path(prefix, split) for split in SPLITS), report_path(prefix)]:
        os.replace(folder / path.name, path)


def write_split(path: Path, rows: Sequence[tuple[str, Stored]], spool: IO[bytes]) -> None:
    """Write the samples to a parquet file, a bounded row group at a time.

    Pictures are compressed already; without dictionaries and statistics they pass straight through.
    """
    with pq.ParquetWriter(
        path, SCHEMA, compression=PACKING, use_dictionary=False, write_statistics=False
    ) as writer:
        group: list[dict] = []
        size = 0
        for picture_id, sample in rows:
            spool.seek(sample.offset)
            image = {"bytes": spool.read(sample.size), "path": picture_id}
            group.append({"image": image, "text": sample.entry.text})
            size += sample.size
            if len(group) == GROUP_ROWS or size >= GROUP_BYTES:
                writer.write_table(pa.Table.from_pylist(group, SCHEMA))
                group, size = [], 0
        if group:
            writer.write_table(pa.Table.from_pylist(group, SCHEMA))


def name_pictures(names: Sequence[str]) -> list[str]:
    """Return a unique id for each name; pictures outside of the archive lose their home folders."""
    outside = [name for name in names if name.startswith("/")]
    if not outside:
        return list(names)
    # the last common folder is kept: it often says what the pictures are
    home = posixpath.dirname(posixpath.commonpath([posixpath.dirname(name) for name in outside]))
    ids = [posixpath.relpath(name, home) if name.startswith("/") else name for name in names]
    return ids if len(set(ids)) == len(ids) else [f"{row}/{one}" for row, one in enumerate(ids)]


def write_report(path: Path, report: BuildReport) -> None:
    """Write the report as JSON."""
    text = json.dumps(asdict(report), indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, "utf-8", errors="replace")


def describe_texts(texts: Sequence[str]) -> dict[str, Any]:
    """Return the report's figures on the texts."""
    lengths = [len(text) for text in texts]
    characters: Counter[str] = Counter()
    for text in texts:
        characters.update(text)
    scripts: Counter[str] = Counter()
    for character, count in characters.items():
        scripts[script(character)] += count
    return {
        "samples": len(texts),
        "shortest": min(lengths),
        "longest": max(lengths),
        "mean": round(sum(lengths) / len(lengths), 2),
        "characters": len(characters),
        "scripts": dict(scripts.most_common()),
    }


def script(character: str) -> str:
    """Return the script of a letter by its Unicode name; `digits` or `other` for the rest."""
    if character.isdecimal():
        return "digits"
    name = unicodedata.name(character, "") if character.isalpha() else ""
    return name.split()[0].removesuffix("-COMPATIBILITY").lower() if name else "other"


def find_duplicates(
    picture_ids: Sequence[str], stored: Sequence[Stored]
) -> tuple[dict[str, Any], ...]:
    """Return the groups of identical pictures, and whether each has one text."""
    groups = defaultdict(list)
    for row, sample in enumerate(stored):
        groups[sample.digest].append(row)
    return tuple(
        {
            "pictures": [picture_ids[row] for row in rows],
            "one_text": len({stored[row].entry.text for row in rows}) == 1,
        }
        for rows in groups.values()
        if len(rows) > 1
    )


def load_samples(prefix: str, split: str) -> list[Sample]:
    """Return the samples of a split, in the order of the content file."""
    if split not in SPLITS:
        raise DatasetError(f"There is no split `{split}`.", f"Use {', '.join(SPLITS)}.")
    path = split_path(prefix, split)
    require_file(path, prefix)
    try:
        with pq.ParquetFile(path) as file:
            if not {"image", "text"} <= set(file.schema_arrow.names):
                raise foreign(path, "it has no columns `image` and `text`")
            batches = file.iter_batches(batch_size=GROUP_ROWS, columns=["image", "text"])
            rows = [row for batch in batches for row in batch.to_pylist()]
    except (pa.ArrowException, OSError) as error:
        raise foreign(path, cause(error)) from error
    samples: dict[str, Sample] = {}
    for number, row in enumerate(rows):
        image, text = row["image"], row["text"]
        picture = image.get("bytes") if isinstance(image, dict) else None
        if not isinstance(picture, bytes) or not isinstance(text, str):
            raise foreign(path, f"row {number} holds no picture with its text")
        picture_id = image.get("path") or f"{split} {number}"  # other tools write no path
        if picture_id in samples:
            raise foreign(path, f"two rows are called `{picture_id}`")
        samples[picture_id] = Sample(picture_id=picture_id, picture=picture, text=text)
    return list(samples.values())


def read_build_report(prefix: str) -> dict[str, Any]:
    """Return the report of a built dataset."""
    path = report_path(prefix)
    require_file(path, prefix)
    try:
        report = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise foreign(path, cause(error)) from error
    if not isinstance(report, dict) or "rejects" not in report:
        raise foreign(path, "it is no build report")
    return report


def require_file(path: Path, prefix: str) -> None:
    """Raise a DatasetError when a file of the dataset is missing."""
    if not path.is_file():
        ending = path.name.rsplit("_", 1)[-1]
        near = did_you_mean(path.name, [one.name for one in path.parent.glob(f"*_{ending}")])
        raise DatasetError(
            f"There is no `{path}`.",
            near or f"Build it with `python -m ocrtune build SOURCE --output {prefix}`.",
        )


def foreign(path: Path, problem: str) -> DatasetError:
    """Return the error for a file that `build` did not write."""
    return DatasetError(
        f"`{path}` is not a dataset of ocrtune: {problem}.",
        "Build it again with `python -m ocrtune build`.",
    )


def statistics_text(report: BuildReport | dict[str, Any]) -> list[str]:
    """Return the report in lines for people; rejects beyond the first ten are only counted."""
    values = report if isinstance(report, dict) else asdict(report)
    counts = ", ".join(f"{split} {count}" for split, count in values["splits"].items())
    lines = [
        f"Samples: {values['samples']} ({counts})",
        f"Text length: {values['shortest']} to {values['longest']} characters, "
        f"{values['mean']:.1f} on average",
        f"Example: {values['example']['picture']}  {clip(values['example']['text'], 60)}",
    ]
    if values["encoding"] not in ("utf-8", "utf-8-sig"):
        lines.append(f"`{values['content']}` was read as {values['encoding']}")
    if values["conversions"]:
        kinds = ", ".join(f"{count} {kind}" for kind, count in values["conversions"].items())
        lines.append(f"Pictures converted: {kinds}")
    for name, sentence in (
        ("several_frames", "Files with several pictures, of which the first is used"),
        ("duplicates", "Groups of identical pictures, each kept in one split"),
        ("unnamed", "Pictures without a line"),
        ("rejects", "Lines rejected"),
    ):
        if values[name]:
            lines.append(f"{sentence}: {len(values[name])}")
    for one in values["rejects"][:SHOWN_REJECTS]:
        near = f" Nearest: `{one['nearest']}`." if one["nearest"] else ""
        lines.append(f"  line {one['line_number']}: {clip(one['reason'], 300)}{near}")
    if (more := len(values["rejects"]) - SHOWN_REJECTS) > 0:
        lines.append(f"  ... and {more} more, see the report")
    return lines
