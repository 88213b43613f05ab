"""Which shape counts where files of several lie together."""

import json

import pytest
from shape_samples import make_zip, page_png, png, read, texts
from test_shapes_layouts import alto_line, alto_xml, line, page_xml, region

from ocrtune.config import BuildConfig
from ocrtune.errors import ArchiveError, OcrtuneError, QuestionError
from ocrtune.events import silent
from ocrtune.shapes import SHAPES, read_ground_truth
from ocrtune.sources import open_source

PICTURES = {"a.png": page_png({}), "b.png": png(1)}
LINES = {"content.md": "a.png one\nb.png two\n"}
PAIRS = {"a.gt.txt": "one", "b.gt.txt": "two"}
LOOSE = {"a.txt": "one", "b.txt": "two"}
TABLE = {"labels.csv": "image,text\na.png,one\nb.png,two\n"}
METADATA = {"metadata.jsonl": '{"file_name": "a.png", "text": "one"}\n'}
REC = {"rec_gt_train.txt": "a.png\tone\nb.png\ttwo\n"}
BOXES = json.dumps([{"transcription": "one", "points": [[1, 1], [90, 1], [90, 30], [1, 30]]}])
DET = {"Label.txt": f"a.png\t{BOXES}\n"}
PAGE = {"a.xml": page_xml(region("r", line("l", "one")), "a.png")}
ALTO = {"alto/a.xml": alto_xml(alto_line("l", '<String CONTENT="one"/>'), "a.png")}
SIDE = {
    "README.txt": "One line for each picture.",
    "requirements.txt": "Pillow",
    "LICENSE.md": "Free.",
    "mets.xml": "<mets/>",
    "settings.json": "{}",
    "stats.csv": "epoch,loss\n1,2\n",
}


@pytest.mark.parametrize(
    ("files", "shape"),
    [
        (LINES, "lines"),
        (PAIRS, "pairs"),
        (LOOSE, "pairs"),
        (TABLE, "table"),
        (METADATA, "table"),
        (REC, "paddle"),
        (DET, "paddle"),
        (PAGE, "page"),
        (ALTO, "alto"),
        # side files
        (METADATA | PAIRS, "table"),
        (METADATA | PAGE, "table"),
        (PAGE | {"list.txt": "a.png\nb.png\n"}, "page"),
        (PAGE | {"notes.txt": "The pages were read twice."}, "page"),
        (PAGE | {"txt/a.txt": "one"}, "page"),  # Transkribus exports the plain text as well
        (PAGE | ALTO, "page"),  # and ALTO
        (PAGE | ALTO | {"a.txt": "one"}, "page"),
        (PAIRS | {"a.txt": "an older reading", "characters.txt": "a b c"}, "pairs"),
        (LOOSE | {"classes.txt": "text\n"}, "pairs"),
        (TABLE | {"notes.txt": "Checked by two people."}, "table"),
        (REC | DET, "paddle"),
        (REC | {"dict.txt": "o\nn\ne\n", "fileState.txt": "/x/a.png\t1"}, "paddle"),
        (LINES | {"a.json": '{"shapes": []}'}, "lines"),  # an annotation tool's own file
    ],
)
@pytest.mark.parametrize("side", [{}, SIDE], ids=["alone", "with side files"])
def test_one_shape_wins_by_itself(tmp_path, files, shape, side):
    truth = read(tmp_path, PICTURES | side | files)
    assert truth.shape == shape
    assert [entry.text for entry in truth.entries][:1] == ["one"]


@pytest.mark.parametrize(
    ("files", "shapes"),
    [
        (LINES | PAIRS, {"lines", "pairs"}),
        (LINES | TABLE, {"lines", "table"}),
        (PAIRS | TABLE, {"pairs", "table"}),
        (LINES | PAGE, {"lines", "page"}),
        (PAIRS | PAGE, {"pairs", "page"}),  # `.gt.txt` is the truth by its name
        (LOOSE | PAGE, {"pairs", "page"}),  # b has no PAGE
        (TABLE | REC, {"table", "paddle"}),
        (PAGE | {"x/b.xml": alto_xml(alto_line("l", ""), "b.png")}, {"page", "alto"}),
    ],
)
def test_a_real_choice_is_asked_about_and_can_be_made(tmp_path, files, shapes):
    with pytest.raises(QuestionError, match="in several shapes") as asked:
        read(tmp_path, PICTURES | files)
    assert asked.value.setting == "shape"
    assert set(asked.value.choices) == shapes
    for shape in shapes:
        assert f"{shape} (`" in str(asked.value)
        assert read(tmp_path, PICTURES | files, shape=shape).shape == shape


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_asking_for_a_shape_that_is_not_there_says_so(tmp_path, shape):
    with pytest.raises(OcrtuneError, match="holds no "):
        read(tmp_path, PICTURES, shape=shape)


def test_nothing_at_all_says_what_is_needed(tmp_path):
    with pytest.raises(ArchiveError, match="holds no ground truth.*content.md"):
        read(tmp_path, PICTURES)


@pytest.mark.parametrize(
    ("name", "text", "shape"),
    [
        ("labels.csv", TABLE["labels.csv"], "table"),
        ("rec_gt_train.txt", REC["rec_gt_train.txt"], "paddle"),
        ("Label.txt", DET["Label.txt"], "paddle"),
        ("any.md", LINES["content.md"], "lines"),
    ],
)
def test_a_file_given_apart_may_have_any_shape(tmp_path, name, text, shape):
    (tmp_path / name).write_text(text, "utf-8")
    source = make_zip(tmp_path / "pictures.zip", PICTURES | PAIRS)
    config = BuildConfig(source=str(source), output="", content=str(tmp_path / name))
    with open_source(config, silent) as archive:
        truth = read_ground_truth(archive, config)
    assert (truth.shape, [entry.text for entry in truth.entries][:1]) == (shape, ["one"])


@pytest.mark.parametrize(
    "folders",
    [
        ("train", "val", "test"),
        ("Training", "validation", "testing"),
        ("set_train", "set_dev", "set_test"),
    ],
)
def test_splits_of_folders_count_for_every_shape(tmp_path, folders):
    wanted = dict(zip(folders, ("train", "validation", "test"), strict=True))
    files = {f"{folder}/{n}.png": png(n) for folder in folders for n in (1, 2)}
    lines = "\n".join(f"{name} text" for name in files)
    pairs = {name.replace(".png", ".txt"): "text" for name in files}
    for shape, more in (("lines", {"content.md": lines}), ("pairs", pairs)):
        truth = read(tmp_path, files | more)
        assert truth.shape == shape
        assert {e.name: e.split for e in truth.entries} == {
            name: wanted[name.split("/")[0]] for name in files
        }


@pytest.mark.parametrize("names", [("train", "more"), ("val", "test"), ("latest", "attest")])
def test_splits_count_only_with_train_and_another(tmp_path, names):
    files = {f"{name}/1.png": png(n) for n, name in enumerate(names)}
    files |= {f"{name}/1.txt": "text" for name in names}
    truth = read(tmp_path, files)
    assert [entry.split for entry in truth.entries] == ["", ""]
    assert len(texts(truth)) == 2


def test_split_files_count(tmp_path):
    files = {f"{n}.png": png(n) for n in range(3)}
    for n, name in enumerate(("train", "val", "test")):
        files[f"{name}.csv"] = f"image,text\n{n}.png,text {n}\n"
    truth = read(tmp_path, files)
    assert {e.name: e.split for e in truth.entries} == {
        "0.png": "train",
        "1.png": "validation",
        "2.png": "test",
    }
