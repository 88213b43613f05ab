"""The merged export: the base model's own names, shapes and files, and what the adapter reads."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_models import CONFIG, LINE_CONFIG, fill_with_noise, logits_of, write_model

from ocrtune import exporting
from ocrtune.config import ExportConfig, TrainConfig
from ocrtune.errors import ConfigError, ModelError
from ocrtune.events import Progress, Saved
from ocrtune.exporting import export_merged
from ocrtune.families.loading import add_lora, load_adapter, load_base, save_adapter
from ocrtune.families.merging import Merge, check_files, list_tensors, write_merged

KINDS = {
    "text": {"lora_vision": "no"},
    "experts": {"lora_experts": True, "lora_alpha": 8},
    "vision": {"lora_vision": "yes", "lora_rank": 4},
}


@pytest.fixture(scope="module", autouse=True)
def one_core():
    """Keep this process to one core: several are no faster on a model this small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporting, "use_cores", lambda: torch.set_num_threads(1))
        yield


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """A checkpoint as the published one is: bfloat16, with a file for the processor."""
    folder = write_model(tmp_path_factory.mktemp("models") / "pages", CONFIG, dtype=torch.bfloat16)
    (folder / "processor_config.json").write_text('{"processor_class": "x"}', "utf-8")
    (folder / "modeling_deepseekocr.py").write_text("raise SystemExit", "utf-8")
    return folder


@pytest.fixture(scope="module")
def runs(base, tmp_path_factory) -> dict[str, tuple[Path, torch.Tensor]]:
    """A run folder for each kind of adapter, and the logits before it was saved."""
    made = {}
    for seed, (kind, changes) in enumerate(KINDS.items()):
        run = tmp_path_factory.mktemp("runs") / kind
        loaded = load_base(str(base), layout="tiny", device="cpu", prompt="ocr")
        config = TrainConfig(data="d", output=str(run), base=str(base), **changes)
        add_lora(loaded, config)
        fill_with_noise(loaded.model, seed, 0.1, only="lora_")
        save_adapter(loaded, run / "adapter", {})
        config.save(run / "config.json")
        made[kind] = run, logits_of(loaded)
    return made


def logits_with(folder: Path) -> torch.Tensor:
    return logits_of(load_base(str(folder), layout="tiny", device="cpu", prompt="ocr"))


@pytest.mark.parametrize("kind", KINDS)
def test_an_export_has_the_checkpoints_tensors_and_the_adapters_logits(kind, base, runs, tmp_path):
    run, expected = runs[kind]
    events, out = [], tmp_path / "merged"
    exported = export_merged(ExportConfig(run=str(run), merged=str(out)), events.append)
    original, merged = list_tensors(base), list_tensors(out)
    assert merged.keys() == original.keys()
    for name, entry in original.items():
        assert (merged[name].shape, merged[name].dtype) == (entry.shape, entry.dtype)
    for name in ("config.json", "tokenizer.json", "processor_config.json"):
        assert (out / name).read_bytes() == (base / name).read_bytes()
    assert not list(out.glob("*.py"))
    difference = (logits_with(out) - expected).abs().max()
    assert difference < 0.1 < (logits_with(base) - expected).abs().max() - 1
    assert 0 < exported.difference < 0.5  # a token near the border of two experts changes sides
    assert exported.share < 0.02
    assert f"{len(original)} tensors" in exported.checked
    assert Saved("model", str(out)) in events
    assert Progress("export", len(original), len(original)) in events


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_was_tuned_is_changed_and_that_exactly(kind, base, runs, tmp_path):
    """What is added equals what transformers' and peft's own merging adds, rounded once."""
    out = tmp_path / "merged"
    export_merged(ExportConfig(run=str(runs[kind][0]), merged=str(out)))
    loaded = load_base(str(base), layout="tiny", device="cpu")
    load_adapter(loaded, runs[kind][0] / "adapter")
    loaded.model.merge_and_unload().save_pretrained(tmp_path / "peft")
    theirs = load_file(tmp_path / "peft" / "model.safetensors")
    before, after = (load_file(folder / "model.safetensors") for folder in (base, out))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    for name in before:
        # One step of bfloat16 at most: sums in another order may round to the other side.
        torch.testing.assert_close(after[name].float(), theirs[name], rtol=2**-8, atol=1e-6)
    assert any("experts.0." in name for name in changed) == (kind == "experts")
    assert any("qkv_proj" in name for name in changed) == (kind == "vision")
    assert any("sam_model.blocks.0.attn.qkv" in name for name in changed) == (kind == "vision")
    assert not any("norm" in name or "embed" in name or "bias" in name for name in changed)


def test_float16_is_written_where_it_is_asked_for(base, runs, tmp_path):
    run, expected = runs["experts"]
    out = tmp_path / "merged"
    config = ExportConfig(
        run=str(run / "adapter"), merged=str(out), base=str(base), dtype="float16"
    )
    exported = export_merged(config)
    assert {entry.dtype for entry in list_tensors(out).values()} == {"F16"}
    assert (logits_with(out) - expected).abs().max() < 0.02  # finer than bfloat16
    assert "--dtype float16" in exported.serving


def test_large_exports_are_divided_and_indexed(base, runs, tmp_path):
    loaded = load_base(str(base), layout="tiny", device="cpu")
    load_adapter(loaded, runs["experts"][0] / "adapter")
    merge = Merge(loaded)
    out = Path(shutil.copytree(base, tmp_path / "merged"))
    (out / "model.safetensors").unlink()
    told = []
    write_merged(merge, base, out, torch.bfloat16, lambda *done: told.append(done), 1_200_000)
    shards = sorted(out.glob("*.safetensors"))
    assert len(shards) > 1
    assert shards[0].name == f"model-00001-of-{len(shards):05}.safetensors"
    sizes = [sum(t.nbytes for t in load_file(shard).values()) for shard in shards]
    assert max(sizes) <= 1_200_000
    index = json.loads((out / "model.safetensors.index.json").read_text("utf-8"))
    assert index["metadata"]["total_size"] == sum(sizes)
    names = {name: shard.name for shard in shards for name in load_file(shard)}
    assert index["weight_map"] == names
    assert told[-1] == (len(names), len(names))
    assert check_files(base, out, torch.bfloat16) == len(names)
    assert (logits_with(out) - runs["experts"][1]).abs().max() < 0.1


def test_a_base_in_several_files_is_merged_too(base, runs, tmp_path):
    parts = Path(shutil.copytree(base, tmp_path / "parts"))
    weights = load_file(parts / "model.safetensors")
    (parts / "model.safetensors").unlink()
    places = {}
    for number in (0, 1):
        some = {name: weights[name] for name in sorted(weights)[number::2]}
        file = f"model-{number}.safetensors"
        save_file(some, parts / file, metadata={"format": "pt"})
        places |= dict.fromkeys(some, file)
    index = {"metadata": {}, "weight_map": places}
    (parts / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")
    # Other files, so another digest: the contract must name the new one.
    run = Path(shutil.copytree(runs["experts"][0], tmp_path / "run"))
    contract = json.loads((run / "adapter" / "contract.json").read_text("utf-8"))
    contract["revision"] = load_base(str(parts), device="cpu").contract.revision
    (run / "adapter" / "contract.json").write_text(json.dumps(contract), "utf-8")
    out = tmp_path / "merged"
    export_merged(ExportConfig(run=str(run), merged=str(out), base=str(parts)))
    assert (logits_with(out) - runs["experts"][1]).abs().max() < 0.1


def test_the_readme_says_how_it_was_made_and_how_to_serve_it(runs, tmp_path):
    out = tmp_path / "my model"
    exported = export_merged(ExportConfig(run=str(runs["text"][0]), merged=str(out)))
    assert exported.serving == (
        f"vllm serve '{out}' --logits_processors "
        "vllm.model_executor.models.deepseek_ocr:NGramPerReqLogitsProcessor "
        "--no-enable-prefix-caching --mm-processor-cache-gb 0 --dtype bfloat16"
    )
    card = (out / "README.md").read_text("utf-8")
    assert str(tmp_path) not in card, "it may be shown to others"
    for words in (
        exported.serving.replace(str(out), "my model"),
        exported.checked,
        "`pages`",
        "OCR this image.",
        "never ran vLLM",
    ):
        assert words in card
    assert '"ngram_size": 30, "window_size": 90' in card
    assert "`gundam`; this model was tuned with `tiny`" in card


def test_a_line_model_is_exported_and_read_by_ocrtune_alone(tmp_path):
    base = write_model(tmp_path / "lines", LINE_CONFIG)
    loaded = load_base(str(base), device="cpu")
    add_lora(loaded, TrainConfig(data="d", output="r", lora_vision="yes"))
    fill_with_noise(loaded.model, 1, 0.1, only="lora_")
    save_adapter(loaded, tmp_path / "adapter", {})
    out = tmp_path / "merged"
    config = ExportConfig(run=str(tmp_path / "adapter"), merged=str(out), base=str(base))
    exported = export_merged(config)
    assert exported.serving == f"python -m ocrtune read PICTURE --base {out}"
    assert "vLLM" not in (out / "README.md").read_text("utf-8")
    assert load_base(str(out), device="cpu").family.name == "tiny"


def test_an_export_that_reads_otherwise_is_refused(base, runs, tmp_path, monkeypatch):
    real = exporting.write_merged

    def spoil(merge, source, folder, *rest):
        real(merge, source, folder, *rest)
        weights = load_file(folder / "model.safetensors")
        weights["model.layers.1.self_attn.q_proj.weight"].mul_(-1)
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    monkeypatch.setattr(exporting, "write_merged", spoil)
    with pytest.raises(ModelError, match="does not read as the adapter does"):
        export_merged(ExportConfig(run=str(runs["text"][0]), merged=str(tmp_path / "merged")))
    assert not (tmp_path / "merged" / "README.md").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda weights: weights.pop("model.norm.weight"), "1 missing"),
        (lambda weights: weights.update(other=torch.ones(1).bfloat16()), "1 unexpected"),
        (lambda w: w.update({"model.norm.weight": torch.ones(63).bfloat16()}), "was written as"),
        (lambda w: w.update({"model.norm.weight": torch.ones(64)}), "was written as F32"),
    ],
)
def test_files_that_are_not_the_checkpoints_are_noticed(change, sentence, base, tmp_path):
    folder = Path(shutil.copytree(base, tmp_path / "merged"))
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=sentence):
        check_files(base, folder, torch.bfloat16)


def test_values_beyond_float16_are_refused(base, runs, tmp_path):
    run = Path(shutil.copytree(runs["text"][0], tmp_path / "run"))
    weights = load_file(run / "adapter" / "adapter_model.safetensors")
    weights = {name: tensor * 1000 for name, tensor in weights.items()}
    save_file(weights, run / "adapter" / "adapter_model.safetensors")
    config = ExportConfig(run=str(run), merged=str(tmp_path / "merged"), dtype="float16")
    with pytest.raises(ModelError, match="holds values that float16 cannot"):
        export_merged(config)


def test_what_cannot_be_exported_gets_a_sentence(runs, tmp_path):
    run = str(runs["text"][0])
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    with pytest.raises(ConfigError, match="not an empty folder"):
        export_merged(ExportConfig(run=run, merged=str(tmp_path / "used")))
    with pytest.raises(ModelError, match="holds no adapter"):
        export_merged(ExportConfig(run=str(tmp_path / "used"), merged=str(tmp_path / "out")))
    moved = shutil.copytree(runs["text"][0] / "adapter", tmp_path / "moved")
    with pytest.raises(ConfigError, match="Say where with `--base FOLDER`"):
        export_merged(ExportConfig(run=str(moved), merged=str(tmp_path / "out")))
    with pytest.raises(ConfigError, match="no 16-bit type `float32`"):
        ExportConfig(run=run, merged="x", dtype="float32")
    assert not (tmp_path / "out").exists()
