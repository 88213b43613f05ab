"""Parquet files with pictures inside, built like any other archive."""

import base64
import contextlib
import json
import random
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from line_samples import draw_line, write_dataset

from ocrtune.archive import LIMITS
from ocrtune.config import BuildConfig
from ocrtune.dataset import build_dataset
from ocrtune.dataset_files import load_samples
from ocrtune.errors import ArchiveError, DatasetError, OcrtuneError, QuestionError
from ocrtune.records import SPLITS
from ocrtune.row_choice import first_rows, share_rows, spread_rows
from ocrtune.shapes import read_ground_truth
from ocrtune.sources import describe_source, is_hub_source, open_source
from ocrtune.tables import PictureRows, Table

COUNT = 12
DRAWN = [draw_line(f"text {number}") for number in range(COUNT)]
TEXTS = [f"text {number}" for number in range(COUNT)]
PATHS = [f"pics/{number}.png" for number in range(COUNT)]
STRUCTS = [{"bytes": data, "path": path} for data, path in zip(DRAWN, PATHS, strict=True)]


def write(path: Path, columns: dict, **more: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, **more)
    return path


def build(source: Path, tmp_path: Path, **settings: object) -> tuple[dict[str, bytes], object]:
    """Return the pictures of the built dataset by their texts, and its report."""
    prefix = str(tmp_path / "built" / "d")
    report = build_dataset(BuildConfig(source=str(source), output=prefix, **settings))
    rows = [sample for split in SPLITS for sample in load_samples(prefix, split)]
    return {sample.text: sample.picture for sample in rows}, report


@pytest.mark.parametrize(
    "images",
    [
        STRUCTS,
        DRAWN,
        [base64.b64encode(data).decode() for data in DRAWN],
        [[struct] for struct in STRUCTS],
    ],
    ids=["struct", "binary", "base64", "list"],
)
@pytest.mark.parametrize("group", [5, 1000])
def test_pictures_in_every_form_keep_their_bytes(tmp_path, images, group):
    path = write(tmp_path / "x.parquet", {"image": images, "text": TEXTS}, row_group_size=group)
    pictures, report = build(path, tmp_path)
    assert pictures == dict(zip(TEXTS, DRAWN, strict=True))
    assert report.shape == "parquet"
    assert report.source == "x.parquet"
    assert "`image`" in report.remarks[0]["text"]


def test_pictures_are_called_as_stored_or_by_their_row(tmp_path):
    odd = [dict(one) for one in STRUCTS]
    odd[0]["path"] = "../evil.png"
    odd[1]["path"] = odd[2]["path"] = "same.png"
    odd[3]["path"] = "C:\\home\\3.png"
    odd[4]["path"] = None
    path = write(tmp_path / "x.parquet", {"image": odd, "text": TEXTS})
    with open_source(BuildConfig(source=str(path), output="y"), print) as archive:
        names = [entry.name for entry in archive.ground_truth.entries]
    assert names[:6] == [*(f"x/{row:06d}.png" for row in range(5)), "pics/5.png"]


def test_paths_lead_to_pictures_in_the_archive(tmp_path):
    source = tmp_path / "x.zip"
    table = {"file": [*PATHS[:-1], "pics/none.png"], "label": TEXTS}
    write(tmp_path / "t.parquet", table)
    with zipfile.ZipFile(source, "w") as archive:
        archive.write(tmp_path / "t.parquet", "data/t.parquet")
        for path, data in zip(PATHS, DRAWN, strict=True):
            archive.writestr(f"data/{path}", data)
    pictures, report = build(source, tmp_path)
    assert pictures == dict(zip(TEXTS[:-1], DRAWN[:-1], strict=True))
    assert [one["key"] for one in report.rejects] == ["no_picture"]
    assert report.unnamed == ("data/pics/11.png",)


def test_names_of_files_tell_the_splits_and_columns_the_groups(tmp_path):
    for split, rows in {"train": slice(0, 8), "val": slice(8, 10), "test": slice(10, 12)}.items():
        table = {"image": STRUCTS[rows], "text": TEXTS[rows], "writer": ["w"] * len(TEXTS[rows])}
        write(tmp_path / "set" / "data" / f"{split}-00000-of-00001.parquet", table)
    with open_source(BuildConfig(source=str(tmp_path / "set"), output="y"), print) as archive:
        config = BuildConfig(source=str(tmp_path / "set"), output="y")
        entries = read_ground_truth(archive, config).entries
    assert [entry.split for entry in entries] == ["train"] * 8 + ["validation"] * 2 + ["test"] * 2
    assert {entry.group for entry in entries} == {"w"}


def test_a_split_column_tells_the_splits(tmp_path):
    table = {"image": STRUCTS, "text": TEXTS, "split": ["train"] * 8 + ["dev"] * 2 + ["test"] * 2}
    path = write(tmp_path / "x.parquet", table)
    with open_source(BuildConfig(source=str(path), output="y"), print) as archive:
        splits = [entry.split for entry in archive.ground_truth.entries]
    assert splits == ["train"] * 8 + ["validation"] * 2 + ["test"] * 2


def test_a_built_dataset_is_built_again(tmp_path):
    prefix = write_dataset(tmp_path, 12)
    pictures, report = build(Path(prefix), tmp_path)
    assert report.samples == 12
    again = {one.text: one.picture for split in SPLITS for one in load_samples(prefix, split)}
    assert pictures == again


def test_one_split_alone_is_split_anew(tmp_path):
    prefix = write_dataset(tmp_path, 30)
    _, report = build(Path(prefix), tmp_path, from_split="train")
    assert report.samples == 24
    with pytest.raises(DatasetError, match="no split `trian`"):
        build(Path(prefix), tmp_path, from_split="trian")


def test_class_numbers_become_their_names(tmp_path):
    features = {"info": {"features": {"label": {"names": ["零", "壹"], "_type": "ClassLabel"}}}}
    table = pa.table({"image": STRUCTS, "label": [0, 1] * 6})
    table = table.replace_schema_metadata({"huggingface": json.dumps(features)})
    pq.write_table(table, tmp_path / "x.parquet")
    with open_source(BuildConfig(source=str(tmp_path / "x.parquet"), output="y"), print) as archive:
        assert [entry.text for entry in archive.ground_truth.entries[:2]] == ["零", "壹"]


def test_rows_that_cannot_be_used_say_why(tmp_path):
    images = [{"bytes": None, "path": None}, {"bytes": b"junk", "path": "j.png"}, *STRUCTS[2:]]
    images.insert(6, STRUCTS[0])
    texts = [*TEXTS[:6], "  ", *TEXTS[6:]]
    path = write(tmp_path / "x.parquet", {"image": images, "text": texts})
    pictures, report = build(path, tmp_path)
    assert len(pictures) == 10
    keys = {one["line_number"]: one["key"] for one in report.rejects}
    assert keys == {1: "table_no_picture", 2: "picture_foreign", 7: "cell_empty"}


def test_rows_are_limited_from_the_first_or_at_random(tmp_path):
    table = {"image": STRUCTS, "text": TEXTS}
    path = write(tmp_path / "x.parquet", table, row_group_size=2)
    first, report = build(path, tmp_path, rows=5)
    assert list(sorted(first)) == sorted(TEXTS[:5])
    assert "first 5 of 12" in report.remarks[-1]["text"]
    drawn, _ = build(path, tmp_path, rows=5, random_rows=True)
    assert len(drawn) == 5
    assert set(drawn) != set(first)
    assert build(path, tmp_path, rows=5, random_rows=True)[0] == drawn
    assert build(path, tmp_path, rows=5, random_rows=True, seed=2)[0] != drawn


def test_damaged_tables_get_a_sentence(tmp_path):
    good = write(tmp_path / "x.parquet", {"image": STRUCTS, "text": TEXTS}).read_bytes()
    source = random.Random(5)
    for number in range(150):
        data = bytearray(good)
        for _ in range(source.randint(1, 8)):
            data[source.randrange(len(data))] = source.randrange(256)
        cut = source.choice([len(data), source.randrange(len(data))])
        path = tmp_path / f"bad{number}.parquet"
        path.write_bytes(bytes(data[:cut]))
        with contextlib.suppress(OcrtuneError):  # anything else is a traceback for a visitor
            build(path, tmp_path)
    (tmp_path / "no.parquet").write_bytes(b"PAR1 is not enough")
    with pytest.raises(ArchiveError, match="`no.parquet` is damaged, incomplete or no parquet"):
        build(tmp_path / "no.parquet", tmp_path)


def test_one_damaged_file_of_several_is_named_and_the_others_count(tmp_path):
    folder = tmp_path / "set"
    write(folder / "a.parquet", {"image": STRUCTS, "text": TEXTS})
    write(folder / "c.parquet", {"other": [1]})
    (folder / "b.parquet").write_bytes(b"junk")
    pictures, report = build(folder, tmp_path)
    assert len(pictures) == COUNT
    assert [(one["file"], one["key"]) for one in report.rejects] == [
        ("b.parquet", "said"),
        ("c.parquet", "table_lacks"),
    ]


def test_a_column_that_unpacks_to_too_much_is_refused(tmp_path):
    path = write(
        tmp_path / "x.parquet",
        {"image": [b"\0" * 8_000_000] * 2, "text": ["a", "b"]},
        compression="zstd",
        use_dictionary=False,
    )
    with pytest.raises(ArchiveError, match="unpacks to more than"):
        build(path, tmp_path)


def test_tables_beside_a_content_file_are_asked_about(tmp_path):
    folder = tmp_path / "set"
    write(folder / "a.parquet", {"image": STRUCTS, "text": TEXTS})
    (folder / "content.md").write_text("1.png one\n", "utf-8")
    with pytest.raises(QuestionError) as asked:
        build(folder, tmp_path)
    assert asked.value.setting == "shape"
    assert build(folder, tmp_path, shape="parquet")[1].samples == COUNT


def test_columns_are_described(tmp_path):
    path = write(tmp_path / "x.parquet", {"image": STRUCTS, "text": TEXTS, "page": [1] * COUNT})
    about = describe_source(BuildConfig(source=str(path), output=""))
    assert (about.image, about.text, about.group, about.question) == ("image", "text", "page", "")
    assert about.rows == {"": COUNT}
    assert [column.example for column in about.columns][1:] == ["text 0", "1"]


def test_rows_are_read_once_when_asked_for_in_order(tmp_path):
    path = write(tmp_path / "x.parquet", {"image": DRAWN * 100, "text": TEXTS * 100})
    table = Table("x", path.open("rb"), LIMITS)
    reader = PictureRows(table, "image")
    begun = []
    reader.begin = lambda group, begin=reader.begin: (begun.append(group), begin(group))
    rows = [max(0, row - random.Random(row).randint(0, 6)) for row in range(table.rows)]
    assert all(reader.value(row) == DRAWN[row % COUNT] for row in rows)
    assert begun == [0]
    assert reader.value(0) == DRAWN[0]  # from the beginning again
    table.close()


def test_rows_are_shared_and_chosen():
    assert share_rows({"train": 80, "test": 20}, 10) == {"train": 8, "test": 2}
    assert share_rows({"train": 1000, "test": 1}, 10) == {"train": 9, "test": 1}
    assert first_rows([3, 3, 3], 5) == {0: 3, 1: 2}
    drawn = spread_rows([100] * 50, 1000, seed=1)
    assert sum(drawn.values()) == 1000
    assert len(drawn) == 16
    assert sum(spread_rows([1000] * 50, 1000, seed=1).values()) == 1000
    assert len(spread_rows([1000] * 50, 1000, seed=1)) == 3  # a third of each: little is wasted
    assert sum(spread_rows([5, 0, 5], 100, seed=1).values()) == 10


@pytest.mark.parametrize(
    ("source", "is_hub"),
    [
        ("hezarai/parsynth-ocr-200k", True),
        ("priyank-m/chinese_text_recognition", True),
        ("https://huggingface.co/datasets/a/b/viewer/default/train", True),
        ("hf://datasets/a/b", True),
        ("mnist", True),
        ("missing.zip", False),
        ("pics/content.md", False),
        ("./a/b", False),
        ("/a/b", False),
        ("a/b/c", False),
        ("tests/data.parquet", False),
    ],
)
def test_an_id_of_the_hub_is_told_from_a_path(source, is_hub):
    assert is_hub_source(source) is is_hub
