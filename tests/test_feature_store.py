"""The store of vision features: nothing lost, nothing torn, nothing endless, two at a time."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from ocrtune import feature_store
from ocrtune.feature_store import FeatureStore, most_bytes, picture_digest

ROOT = Path(__file__).parents[1]
PLENTY = 10**9


def features(seed, tokens=3, dtype=torch.float32):
    return torch.randn(tokens, 4, generator=torch.Generator().manual_seed(seed)).to(dtype)


def filled(folder, names, most=PLENTY, dtype=torch.float32):
    """Return a store with the features of some pictures, written in one segment."""
    store = FeatureStore(folder, dtype, most)
    for name in names:
        store.add(name, features(ord(name), ord(name) % 5 + 1, dtype))
    store.seal()
    return store


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_features_come_back_as_they_were(tmp_path, dtype):
    filled(tmp_path / "a", "xyz", dtype=dtype)
    again = FeatureStore(tmp_path / "a", dtype, PLENTY)
    for name in "zyx":
        found = again.find(name)
        assert found.dtype == dtype
        assert torch.equal(found, features(ord(name), ord(name) % 5 + 1, dtype))
    assert again.find("w") is None


def test_they_stay_on_disk_until_they_are_used(tmp_path):
    names = [picture_digest(bytes([n])) for n in range(40)]
    store = FeatureStore(tmp_path / "a", torch.float32, PLENTY)
    for name in names:
        store.add(name, torch.ones(1000, 512))  # 80 MB in all
    store.seal()
    assert not store.pending
    assert not store.memory
    again = FeatureStore(tmp_path / "a", torch.float32, PLENTY)
    before = private_bytes()
    kept = [again.find(name) for name in names]
    assert private_bytes() - before < 8e6
    assert sum(float(each.sum()) for each in kept) == 40 * 1000 * 512
    assert private_bytes() - before < 8e6, "reading maps the file, it does not copy it"


def private_bytes():
    """Return the memory of this process that the system cannot take back by dropping pages."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


@pytest.mark.parametrize("harm", ["data cut", "index cut", "index gone", "index foreign"])
def test_a_torn_segment_is_as_if_it_had_never_been(tmp_path, harm):
    folder = tmp_path / "a"
    filled(folder, "x")
    [data], [index] = folder.glob("*.features"), folder.glob("*.json")
    filled(folder, "y")
    match harm:
        case "data cut":
            os.truncate(data, data.stat().st_size - 1)
        case "index cut":
            os.truncate(index, index.stat().st_size // 2)
        case "index gone":
            index.unlink()
        case "index foreign":
            index.write_text('{"places": [1, 2], "width": 4}')
    store = FeatureStore(folder, torch.float32, PLENTY)
    assert store.find("x") is None
    assert store.find("y") is not None
    store.add("x", features(1))
    store.seal()
    assert torch.equal(FeatureStore(folder, torch.float32, PLENTY).find("x"), features(1))


def test_two_processes_write_and_read_at_once(tmp_path):
    script = (
        "import sys, torch\n"
        "from pathlib import Path\n"
        "from ocrtune import feature_store\n"
        "feature_store.SEGMENT_BYTES = 64\n"  # many segments
        "store = feature_store.FeatureStore(Path(sys.argv[1]), torch.float32, 10**9)\n"
        "for n in range(30):\n"
        "    store.add(f'{sys.argv[2]} {n}', torch.full((2, 4), float(n)))\n"
        "store.seal()\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script, tmp_path / "a", name], cwd=ROOT)
        for name in ("one", "two")
    ]
    while any(writer.poll() is None for writer in writers):
        FeatureStore(tmp_path / "a", torch.float32, PLENTY)  # never trips over half a segment
    assert [writer.returncode for writer in writers] == [0, 0]
    store = FeatureStore(tmp_path / "a", torch.float32, PLENTY)
    for name in ("one", "two"):
        for n in range(30):
            assert torch.equal(store.find(f"{name} {n}"), torch.full((2, 4), float(n)))
    assert not list(tmp_path.rglob("*.part"))


def test_the_longest_unused_segments_go_first(tmp_path):
    room = 3 * 5 * 4 * 4  # of three segments of one picture with five tokens
    for age, name in enumerate("dni"):  # ord % 5 + 1 is 1; so each is small enough
        filled(tmp_path / name, "i")
        for path in (tmp_path / name).iterdir():
            os.utime(path, (time.time() - 1000 + age,) * 2)
    FeatureStore(tmp_path / "d", torch.float32, PLENTY).find("i")  # used just now
    size = sum(path.stat().st_size for path in tmp_path.rglob("*.features"))
    assert size <= room
    filled(tmp_path / "new", "i", most=size)
    left = {path.parent.name for path in tmp_path.rglob("*.features")}
    assert left == {"d", "i", "new"}, "`n` was used longest ago"
    assert {path.parent.name for path in tmp_path.rglob("*.json")} == left


def test_what_is_in_use_outlives_the_limit_and_its_deletion(tmp_path):
    store = filled(tmp_path / "a", "xy")
    before = store.find("x").clone()
    other = filled(tmp_path / "b", "z", most=1)
    assert other.find("z") is not None, "even alone it is larger than the limit"
    assert not list((tmp_path / "a").iterdir())
    assert torch.equal(store.find("x"), before), "mapped before"
    assert FeatureStore(tmp_path / "a", torch.float32, PLENTY).find("x") is None


def test_a_segment_deleted_before_it_was_opened_is_missing(tmp_path):
    filled(tmp_path / "a", "x")
    store = FeatureStore(tmp_path / "a", torch.float32, PLENTY)
    for path in (tmp_path / "a").iterdir():
        path.unlink()
    assert store.find("x") is None


def test_without_a_disk_features_stay_in_memory(tmp_path):
    (tmp_path / "a").write_text("a file is in the way")
    store = filled(tmp_path / "a", "x")
    assert store.trouble
    assert torch.equal(store.find("x"), features(ord("x"), ord("x") % 5 + 1))
    off = filled(tmp_path / "b", "x", most=0)
    assert off.find("x") is not None
    assert not (tmp_path / "b").exists()


def test_leftovers_of_killed_writers_are_removed_after_a_day(tmp_path):
    (tmp_path / "a").mkdir()
    old, new = tmp_path / "a" / "1.part", tmp_path / "a" / "2.part"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - feature_store.ABANDONED_SECONDS - 9,) * 2)
    filled(tmp_path / "a", "x")
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize(
    ("value", "size"), [("", 5e9), ("0", 0), ("1.5", 1.5e9), ("much", 5e9), ("inf", 5e9)]
)
def test_the_limit_is_a_setting(monkeypatch, value, size):
    monkeypatch.setenv("OCRTUNE_FEATURES_GB", value)
    assert most_bytes() == size
