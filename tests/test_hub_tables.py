"""Datasets of the Hub: the real clients, in processes of their own, against a Hub made here."""

import io
import json
import random
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hub_server import Hub, serve_hub
from line_samples import draw_line

from ocrtune.config import BuildConfig
from ocrtune.dataset_files import load_samples, read_build_report
from ocrtune.errors import DatasetError, QuestionError
from ocrtune.hub_layout import choose_splits, choose_subset, find_place, pattern_of, read_layout
from ocrtune.records import SPLITS

ROOT = Path(__file__).parent.parent
HEAVY = 20_000  # bytes that follow a picture's end, so that bytes fetched are worth counting


def table(split: str, rows: int, image: str, text: str, group: int = 20, heavy: int = 0) -> bytes:
    """Return a parquet file of drawn lines as `datasets` writes them."""
    listed = [
        {
            image: {
                "bytes": draw_line(f"{split} {row}") + random.Random(row).randbytes(heavy),
                "path": f"{split}_{row}.png",
            },
            text: f"{split} {row}",
        }
        for row in range(rows)
    ]
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(listed), stream, row_group_size=group)
    return stream.getvalue()


@pytest.fixture(scope="module")
def hub() -> Hub:
    with serve_hub() as hub:
        yield hub


@pytest.fixture
def ocrtune(hub, tmp_path) -> Callable[..., subprocess.CompletedProcess]:
    """Run a command against the local Hub."""
    hub.status, hub.cut = 0, False

    def run(*arguments: str, token: str = "", **settings: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "ocrtune", *arguments],
            env=hub.environment(tmp_path / "hf", token) | settings,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def built(prefix: Path) -> dict[str, bytes]:
    """Return the pictures of a dataset by their texts."""
    rows = [sample for split in SPLITS for sample in load_samples(str(prefix), split)]
    return {sample.text: sample.picture for sample in rows}


def test_the_articles_layout_is_fetched_in_part_and_keeps_its_bytes(hub, ocrtune, tmp_path):
    files = {
        "data/train-00000-of-00002.parquet": table("a", 100, "image_path", "text", 20, HEAVY),
        "data/train-00001-of-00002.parquet": table("b", 100, "image_path", "text", 20, HEAVY),
    }
    repo = hub.add("hezarai/parsynth", files)
    whole = sum(map(len, files.values()))
    done = ocrtune("build", "hezarai/parsynth", "--rows", "20", "--output", str(tmp_path / "d"))
    assert done.returncode == 0, done.stderr
    pictures = built(tmp_path / "d")
    assert pictures["a 3"] == draw_line("a 3") + random.Random(3).randbytes(HEAVY)
    assert set(pictures) == {f"a {row}" for row in range(20)}
    assert hub.sent_bytes() < min(2 * sum(map(len, pictures.values())), whole / 4)
    report = read_build_report(str(tmp_path / "d"))
    assert report["source"] == f"hezarai/parsynth@{repo.commit[:7]}"
    assert any(repo.commit in one["text"] for one in report["remarks"])
    assert report["splits"] == {"train": 16, "validation": 2, "test": 2}


def test_random_rows_come_from_several_places_and_cost_a_small_multiple(hub, ocrtune, tmp_path):
    files = {
        f"data/train-{one:05d}-of-00004.parquet": table(f"s{one}", 200, "image", "label", 10, HEAVY)
        for one in range(4)
    }
    hub.add("priyank-m/lines", files)
    command = ("build", "priyank-m/lines", "--rows", "60", "--random-rows", "--output")
    assert ocrtune(*command, str(tmp_path / "d")).returncode == 0
    pictures = built(tmp_path / "d")
    assert len(pictures) == 60
    asked = sum(map(len, pictures.values()))
    assert hub.sent_bytes() < 4 * asked < sum(map(len, files.values()))
    shards = {text.partition(" ")[0] for text in pictures}
    tens = {(text.partition(" ")[0], int(text.partition(" ")[2]) // 10) for text in pictures}
    assert len(shards) > 1
    assert len(tens) > 6
    assert ocrtune(*command, str(tmp_path / "e")).returncode == 0
    for name in ("train", "val", "test"):
        first, second = (tmp_path / f"{prefix}_{name}.parquet" for prefix in "de")
        assert first.read_bytes() == second.read_bytes()


def test_a_folder_of_pictures_is_streamed(hub, ocrtune, tmp_path):
    drawn = {f"train/{row:03d}.png": draw_line(f"f {row}") for row in range(40)}
    listed = "file_name,text\n" + "".join(f"{row:03d}.png,f {row}\n" for row in range(40))
    hub.add("me/folder", {**drawn, "train/metadata.csv": listed.encode()})
    done = ocrtune("build", "me/folder", "--rows", "6", "--output", str(tmp_path / "d"))
    assert done.returncode == 0, done.stderr
    assert built(tmp_path / "d") == {f"f {row}": drawn[f"train/{row:03d}.png"] for row in range(6)}
    assert sum(name.endswith(".png") for name in hub.sent) < 20  # the first examples, the rows
    names = [one.picture_id for one in load_samples(str(tmp_path / "d"), "train")]
    assert all(name.startswith("train/") for name in names)


def test_a_webdataset_is_streamed(hub, ocrtune, tmp_path):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as shard:
        for row in range(8):
            for suffix, data in (("png", draw_line(f"w {row}")), ("txt", f"w {row}".encode())):
                member = tarfile.TarInfo(f"{row:04d}.{suffix}")
                member.size = len(data)
                shard.addfile(member, io.BytesIO(data))
    hub.add("me/web", {"train-000.tar": stream.getvalue()})
    done = ocrtune("build", "me/web", "--output", str(tmp_path / "d"))
    assert done.returncode == 0, done.stderr
    assert built(tmp_path / "d") == {f"w {row}": draw_line(f"w {row}") for row in range(8)}


def test_a_table_of_paths_fetches_the_files_it_names(hub, ocrtune, tmp_path):
    drawn = {f"pics/{row}.png": draw_line(f"p {row}") for row in range(9)}
    listed = [{"image_path": name, "text": f"p {row}"} for row, name in enumerate(drawn)]
    listed.append({"image_path": "pics/none.png", "text": "gone"})
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(listed), stream)
    hub.add("me/paths", {**drawn, "data/train.parquet": stream.getvalue()})
    done = ocrtune("build", "me/paths", "--output", str(tmp_path / "d"))
    assert done.returncode == 0, done.stderr
    assert built(tmp_path / "d") == {f"p {row}": drawn[f"pics/{row}.png"] for row in range(9)}
    report = read_build_report(str(tmp_path / "d"))
    assert [one["key"] for one in report["rejects"]] == ["no_picture"]


def test_a_dataset_with_a_program_is_read_from_the_hubs_own_copy(hub, ocrtune, tmp_path):
    converted = {
        "default/train/0000.parquet": table("c", 8, "image", "text"),
        "default/test/0000.parquet": table("ct", 2, "image", "text"),
    }
    hub.add("me/program@converted", converted)
    hub.add("me/program", {"program.py": b"raise SystemExit('it was run')"})
    done = ocrtune("build", "me/program", "--output", str(tmp_path / "d"))
    assert done.returncode == 0, done.stderr
    assert len(built(tmp_path / "d")) == 10
    report = read_build_report(str(tmp_path / "d"))
    assert "hub_converted" in [one["key"] for one in report["remarks"]]
    assert report["splits"]["test"] == 2  # the dataset's own
    hub.repos.pop("me/program@converted")
    done = ocrtune("build", "me/program", "--output", str(tmp_path / "e"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "it was run" not in done.stderr
    assert "needs a program of its own to be read, which is not run" in done.stderr


def test_a_dataset_may_not_name_files_of_this_machine(hub, ocrtune, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(draw_line("secret"))
    (tmp_path / "secret.csv").write_text("text\nsecret words\n", "utf-8")
    card = f"---\nconfigs:\n- config_name: default\n  data_files: {tmp_path}/secret.csv\n---\n"
    hub.add("me/thief", {"README.md": card.encode(), "a.csv": b"text\nx\n"})
    done = ocrtune("build", "me/thief", "--output", str(tmp_path / "d"))
    assert done.returncode == 1
    assert "names files that are not its own" in done.stderr
    rows = [{"image": f"file://{secret}", "text": "a"}]
    rows += [{"image": f"file://{secret}::hf://datasets/me/thief@x/{secret.name}", "text": "b"}]
    rows += [{"image": str(secret), "text": "c"}]
    hub.add("me/thief", {"a.jsonl": "\n".join(map(json.dumps, rows)).encode()})
    done = ocrtune("build", "me/thief", "--output", str(tmp_path / "d"))
    assert done.returncode == 1
    assert "None of the 3 lines" in done.stderr


def test_columns_subsets_and_splits_are_shown(hub, ocrtune):
    card = (
        "---\nconfigs:\n- config_name: print\n  data_files:\n  - split: train\n"
        "    path: print/*.parquet\n- config_name: hand\n  data_files: hand/*.parquet\n---\n"
    )
    files = {
        "README.md": card.encode(),
        "print/0.parquet": table("p", 20, "image", "text"),
        "hand/0.parquet": table("h", 10, "image", "text"),
    }
    hub.add("me/two", files)
    asked = ocrtune("columns", "me/two")
    assert asked.returncode == 1
    assert "2 subsets: print, hand. Choose with `--subset`" in asked.stderr
    shown = ocrtune("columns", "me/two", "--subset", "hand", "--json")
    about = json.loads(shown.stdout)
    assert (about["image"], about["text"]) == ("image", "text")
    assert about["rows"] == {"train": 10}
    assert about["subsets"] == ["print", "hand"]


@pytest.mark.parametrize(
    ("repo", "token", "words"),
    [
        ("me/missing", "", "no dataset `me/missing` on the Hub, or this account may not see it"),
        ("me/private", "", "no dataset `me/private` on the Hub, or this account may not see it"),
        ("me/gated", "", "asks its users to accept conditions. Accept them on http://127.0.0.1:"),
        ("me/gated", "hf_expired", "does not accept this account's token (401)"),
        ("me/sound --revision v9", "", "has no revision `v9`"),
        ("me/sound --subset x", "", "no subset `x`"),
        ("me/sound --from-split x", "", "no split `x`"),
        ("me/sound --text-column txet", "", "no column `txet`. Did you mean `text`?"),
    ],
)
def test_what_the_hub_refuses_is_said_in_a_sentence(hub, ocrtune, tmp_path, repo, token, words):
    files = {"data/train.parquet": table("t", 4, "image", "text")}
    hub.add("me/private", files, private=True)
    hub.add("me/gated", files, gated=True)
    hub.add("me/sound", files)
    done = ocrtune("build", *repo.split(), "--output", str(tmp_path / "d"), token=token)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.glob("d_*")) == []


def test_an_owner_reads_what_is_private_and_a_space_does_not_lend_its_token(hub, ocrtune, tmp_path):
    hub.add("me/private", {"t.parquet": table("t", 4, "image", "text")}, private=True)
    command = ("build", "me/private", "--output", str(tmp_path / "d"))
    assert ocrtune(*command, token="hf_owner").returncode == 0
    assert "no dataset `me/private`" in ocrtune(*command, token="hf_owner", SYSTEM="spaces").stderr


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("429", "asked too often (429) when reading `me/sound`. Try again in 30 seconds"),
        ("500", "answered 500"),
        ("cut", "The Hub cannot be reached"),
        ("offline", "The Hub cannot be reached"),
        ("gone", "The Hub cannot be reached"),
    ],
)
def test_a_hub_in_trouble_is_told_from_a_bad_question(hub, ocrtune, tmp_path, trouble, words):
    hub.add("me/sound", {"t.parquet": table("t", 4, "image", "text")})
    hub.status, hub.cut = int(trouble) if trouble.isdigit() else 0, trouble == "cut"
    settings = {"offline": {"HF_HUB_OFFLINE": "1"}, "gone": {"HF_ENDPOINT": "http://127.0.0.1:9"}}
    done = ocrtune(
        "build", "me/sound", "--output", str(tmp_path / "d"), **settings.get(trouble, {})
    )
    assert done.returncode == 1
    assert words in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


# Without a Hub


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("a/b", ("a/b", "", "", "")),
        ("mnist", ("mnist", "", "", "")),
        ("https://huggingface.co/datasets/a/b", ("a/b", "", "", "")),
        ("https://huggingface.co/datasets/a/b/tree/abc", ("a/b", "abc", "", "")),
        ("https://hf-mirror.com/datasets/a/b?row=3", ("a/b", "", "", "")),
        ("https://huggingface.co/datasets/a/b/viewer/en/train?p=1", ("a/b", "", "en", "train")),
        ("https://huggingface.co/datasets/mnist/viewer", ("mnist", "", "", "")),
        ("hf://datasets/a/b@v1/data", ("a/b", "v1", "", "")),
    ],
)
def test_an_address_leads_to_a_dataset(source, place):
    found = find_place(BuildConfig(source=source, output=""))
    assert (found.repo_id, found.revision, found.subset, found.split) == place


def test_files_are_sorted_into_splits():
    names = ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"]
    names += ["data/test-00000-of-00001.parquet", "data/french-00000-of-00001.parquet", "x.json"]
    splits = read_layout(names, {})["default"]
    assert {split: len(files) for split, files in splits.items()} == {
        "french": 1,
        "test": 1,
        "train": 2,
    }
    assert read_layout(["a.json"], {}) == {}
    card = {"configs": [{"config_name": "c", "data_files": [{"split": "x", "path": "**/t*.p*"}]}]}
    assert read_layout(names, card) == {"c": {"x": [names[2], *names[:2]]}}
    assert pattern_of("data/*").fullmatch("data/a/b") is None


def test_splits_and_subsets_are_chosen_or_asked_about():
    assert choose_splits(["train", "test", "french"], "", "x") == {"train": "train", "test": "test"}
    assert choose_splits(["french", "german"], "", "x") == {"french": "", "german": ""}
    assert choose_splits(["train"], "", "x") == {"train": ""}
    assert choose_splits(["train", "dev"], "validation", "x") == {"dev": ""}
    with pytest.raises(DatasetError, match="Did you mean `french`"):
        choose_splits(["french"], "frensh", "x")
    with pytest.raises(QuestionError):
        choose_subset(["a", "b"], "", {}, "x")
    marked = {"configs": [{"config_name": "b", "default": True}]}
    assert choose_subset(["a", "b"], "", marked, "x") == ("b", True)
