"""Models of transformers' own kinds: recognised, learned, saved, reloaded, read, merged.

One entry in small_image_text.MODELS brings a kind through all of these.
"""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from line_samples import draw_line, some_samples, write_dataset
from PIL import Image
from safetensors.torch import load_file, save_file
from small_image_text import MODELS, loss_on, some_lessons, write_small
from small_models import fill_with_noise

from ocrtune import hub, training
from ocrtune.comparing import compare_models
from ocrtune.config import CompareConfig, ExportConfig, TrainConfig
from ocrtune.dataset_files import load_samples
from ocrtune.decoding import decode
from ocrtune.errors import ModelError
from ocrtune.events import SampleRead, Step
from ocrtune.examples import make_examples
from ocrtune.exporting import export_merged
from ocrtune.families import FAMILIES, IMAGE_TEXT, PADDLEOCR_VL, QWEN_VL, get_family, weights
from ocrtune.families.image_text import PictureLimit, Sight, stack, within
from ocrtune.families.loading import (
    add_lora,
    has_fixed_features,
    load_adapter,
    load_base,
    save_adapter,
    trains_vision,
)
from ocrtune.learner import Learner
from ocrtune.reading import read_samples
from ocrtune.training import train_adapter

PICTURES = [(f"{width}.png", draw_line("abc " * 9, width)) for width in (70, 300, 900)]
QWEN = "qwen-vl"
every_kind = pytest.mark.parametrize("name", MODELS)


@pytest.fixture(autouse=True)
def one_core():
    """Several are no faster on models this small."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {name: write_small(folder / name.replace(" ", "-"), name) for name in MODELS}


@pytest.fixture
def load(folders):
    """Load a small model that writes a few tokens only."""

    def make(name: str, tokens: int = 12):
        loaded = load_base(str(folders[name]), device="cpu")
        loaded.contract = replace(loaded.contract, max_new_tokens=tokens)
        return loaded

    return make


def train_config(**changes) -> TrainConfig:
    return TrainConfig(**{"data": "lines", "output": "run", "lora_rank": 8, **changes})


def with_noise(loaded, **changes):
    """Give the model an adapter that does something."""
    add_lora(loaded, train_config(**changes))
    fill_with_noise(loaded.model, 3, 0.2, only="lora_")
    return loaded


# Recognising and feeding


@every_kind
def test_a_folder_is_recognised_and_spoken_to_in_its_own_words(name, folders, load):
    family = get_family(str(folders[name]))
    assert family.name == name.split()[0]
    loaded = load(name)
    assert loaded.contract.family == family.name
    assert loaded.contract.prompt.count("<image>") == 1
    assert family.prompt.split("<image>")[-1] in loaded.contract.prompt
    assert loaded.tokenizer.decode(loaded.completion_ids("Zug 7")) == f"Zug 7{MODELS[name].end}"
    assert loaded.text_of([*loaded.completion_ids("Straße 12"), 40]) == "Straße 12"
    assert not loaded.unknown_characters("Straße 12, 北京")


@every_kind
def test_control_tokens_in_the_ground_truth_stay_plain_text(name, load):
    loaded = load(name)
    text = f"a {MODELS[name].image} and {MODELS[name].end} b"
    ids = loaded.completion_ids(text)
    image = loaded.tokenizer.convert_tokens_to_ids(MODELS[name].image)
    assert image not in ids
    assert loaded.text_of(ids) == text


def test_a_repo_id_is_recognised_by_the_config_on_the_hub(folders, monkeypatch):
    asked = []

    def fetch(repo_id, revision):
        asked.append((repo_id, revision))
        return folders["glm-ocr"]

    monkeypatch.setattr(hub, "fetch_config", fetch)
    family = get_family("me/my-glm")
    assert asked == [("me/my-glm", "main")]
    assert (family.name, family.base_model) == ("glm-ocr", "me/my-glm")
    assert family.revision == folders["glm-ocr"].name, "the commit, so that both downloads agree"
    assert get_family("qwen/qwen3-vl-2b-instruct") == QWEN_VL
    assert len(asked) == 1, "the base models of families are known at once"


@pytest.mark.parametrize(
    ("architecture", "model_type"),
    [
        ("LlamaForCausalLM", "llama"),
        ("BertModel", "bert"),
        ("WhisperForConditionalGeneration", "w"),
    ],
)
def test_a_model_that_reads_no_pictures_is_refused(architecture, model_type, tmp_path):
    values = {"architectures": [architecture], "model_type": model_type}
    (tmp_path / "config.json").write_text(json.dumps(values), "utf-8")
    with pytest.raises(ModelError, match=f"`{architecture}`.*deepseek-ocr-2, glm-ocr"):
        get_family(str(tmp_path))


def test_other_kinds_of_transformers_are_tried_with_their_own_chat_template(tmp_path):
    values = {"architectures": ["NewForConditionalGeneration"], "model_type": "new_vl"}
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**values, "vision_config": {}}), "utf-8")
    assert get_family(str(tmp_path)) == replace(IMAGE_TEXT, base_model=str(tmp_path), revision="")
    path.with_name("model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="no model that transformers .* knows"):
        load_base(str(tmp_path), device="cpu")


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        (None, "chat template of .* cannot be used"),
        ("{{ nothing.at.all }}", "chat template of .* cannot be used"),
        ("User: {{ messages[0].content[1].text }}", "gives the picture no place"),
    ],
)
def test_a_chat_template_that_cannot_serve_is_refused(template, sentence, folders, tmp_path):
    folder = shutil.copytree(folders[QWEN], tmp_path / "model")
    (folder / "chat_template.jinja").unlink()
    if template:
        (folder / "chat_template.jinja").write_text(template, "utf-8")
    with pytest.raises(ModelError, match=sentence):
        load_base(str(folder), device="cpu")


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("preprocessor_config.json", "processor of .* cannot be made"),
        ("tokenizer.json", "holds no tokenizer.json"),
        ("model.safetensors", "holds no weights"),
    ],
)
def test_a_missing_file_gets_a_sentence(file, sentence, folders, tmp_path):
    folder = shutil.copytree(folders[QWEN], tmp_path / "model")
    (folder / file).unlink()
    with pytest.raises(ModelError, match=sentence):
        load_base(str(folder), device="cpu")


@pytest.mark.parametrize("name", ["deepseek-ocr-2", QWEN])
def test_code_beside_the_weights_is_never_run(name, folders, tmp_path):
    folder = shutil.copytree(folders[name], tmp_path / "model")
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')", "utf-8")
    for file in ("config.json", "preprocessor_config.json", "tokenizer_config.json"):
        if (folder / file).is_file():
            values = json.loads((folder / file).read_text("utf-8"))
            kinds = ("AutoConfig", "AutoModel", "AutoModelForImageTextToText", "AutoTokenizer")
            values["auto_map"] = {
                kind: "evil.Evil" for kind in (*kinds, "AutoProcessor", "AutoImageProcessor")
            }
            (folder / file).write_text(json.dumps(values), "utf-8")
    read_samples(replace_length(load_base(str(folder), device="cpu")), PICTURES[:1])
    assert not (tmp_path / "ran").exists()


def replace_length(loaded, tokens=2):
    loaded.contract = replace(loaded.contract, max_new_tokens=tokens)
    return loaded


def test_the_tokenizer_class_named_on_the_hub_is_not_believed(folders, load, tmp_path):
    """transformers would build that one anew, with another way to cut words."""
    folder = shutil.copytree(folders["deepseek-ocr-2"], tmp_path / "model")
    path = folder / "tokenizer_config.json"
    values = json.loads(path.read_text("utf-8")) | {
        "tokenizer_class": "LlamaTokenizerFast",
        "add_bos_token": True,
        "legacy": True,
    }
    path.write_text(json.dumps(values), "utf-8")
    ids = load_base(str(folder), device="cpu").completion_ids("Zwei  Wörter, 12")
    assert ids == load("deepseek-ocr-2").completion_ids("Zwei  Wörter, 12")
    assert len(ids) == 18, "one token a byte, and the end"


# Learning


@every_kind
def test_the_loss_is_the_networks_own_although_rows_are_padded(name, load):
    loaded = load(name)
    expected, tokens = 0.0, 0
    with torch.no_grad():
        for sight, answer in some_lessons(loaded):
            ids = torch.tensor([sight.ids + answer])
            marks = {
                key: torch.cat([mark, mark.new_zeros(len(answer))])[None]
                for key, mark in sight.marks.items()
            }
            labels = torch.tensor([[-100] * len(sight.ids) + answer])
            loss = loaded.network(input_ids=ids, labels=labels, **sight.pixels, **marks).loss
            expected, tokens = expected + loss.item() * len(answer), tokens + len(answer)
    assert loss_on(loaded) == pytest.approx(expected / tokens, abs=1e-4)


@every_kind
def test_five_steps_lower_the_loss(name, load):
    loaded = load(name, 60)
    config = train_config(batch_size=2, steps=5, warmup_steps=1, learning_rate=5e-3, augment=False)
    examples = make_examples(loaded, some_samples(2), print)
    torch.manual_seed(0)
    add_lora(loaded, config)
    learner = Learner(loaded, config, examples, print)
    losses = [learner.step() for _ in range(5)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] - 0.05
    assert {"lora_" in key for key, p in loaded.model.named_parameters() if p.requires_grad} == {
        True
    }
    assert not trains_vision(loaded)
    assert not has_fixed_features(loaded), "vision runs inside the forward"


HALVES = [(name, torch.bfloat16) for name in MODELS] + [(QWEN, torch.float16)]


@pytest.mark.parametrize(("name", "dtype"), HALVES)
def test_half_precision_learns_and_reads(name, dtype, load, monkeypatch):
    monkeypatch.setattr(weights, "suitable_dtype", lambda device: dtype)
    loaded = load(name, 3)
    assert loaded.network.lm_head.weight.dtype == dtype
    examples = make_examples(replace_length(loaded, 60), some_samples(1), print)
    add_lora(loaded, train_config(lora_vision="yes"))
    learner = Learner(loaded, train_config(batch_size=1), examples, print)
    assert 0 < learner.step() < 20
    assert learner.flat.master.dtype == torch.float32
    predictions = read_samples(replace_length(loaded, 3), PICTURES[:2])
    assert not any(prediction.failed for prediction in predictions)


@every_kind
def test_vision_learns_where_asked(name, load):
    loaded = load(name)
    add_lora(loaded, train_config(lora_vision="yes"))
    assert trains_vision(loaded)
    loaded.loss_of(some_lessons(loaded)[:1]).backward()
    silent = [
        key
        for key, parameter in loaded.network.named_parameters()
        if parameter.requires_grad and "lora_B" in key and parameter.grad is None
    ]
    assert silent == []


@pytest.fixture(scope="module")
def saved(folders, tmp_path_factory) -> dict[str, tuple[Path, float]]:
    """An adapter of each kind and its loss before it was saved."""
    made = {}
    for name, base in folders.items():
        torch.set_num_threads(1)
        loaded = with_noise(
            load_base(str(base), device="cpu"),
            lora_vision="yes",
            lora_experts="yes" if name == "deepseek-ocr-2" else "no",
        )
        folder = tmp_path_factory.mktemp("adapters") / base.name
        save_adapter(loaded, folder, {"steps": 5})
        made[name] = folder, loss_on(loaded)
    return made


@pytest.fixture(scope="module")
def fresh_losses(folders, saved, tmp_path_factory) -> dict[str, float]:
    out = tmp_path_factory.mktemp("fresh") / "losses.json"
    script = Path(__file__).with_name("small_image_text.py")
    pairs = [str(path) for name in folders for path in (folders[name], saved[name][0])]
    run = subprocess.run(
        [sys.executable, str(script), str(out), *pairs],
        env={"PYTHONPATH": str(script.parents[1]), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    losses = json.loads(out.read_text("utf-8"))
    return {name: losses[str(folder)] for name, folder in folders.items()}


@every_kind
def test_a_saved_adapter_gives_its_loss_in_a_fresh_process(name, saved, fresh_losses, load):
    assert fresh_losses[name] == pytest.approx(saved[name][1], abs=1e-6)
    assert abs(fresh_losses[name] - loss_on(load(name))) > 0.01, "the adapter does something"


@every_kind
def test_keys_that_do_not_fit_are_refused(name, saved, load, tmp_path):
    folder = shutil.copytree(saved[name][0], tmp_path / "adapter")
    weights = load_file(folder / "adapter_model.safetensors")
    first = min(weights)
    elsewhere = re.sub(r"\.0\.", ".99.", first, count=1)
    assert elsewhere != first
    save_file(weights | {elsewhere: weights[first].clone()}, folder / "adapter_model.safetensors")
    loaded = load(name)
    with pytest.raises(ModelError, match="which this model does not have"):
        load_adapter(loaded, folder)


@every_kind
def test_an_export_has_the_loss_and_the_names_of_its_base(name, folders, saved, tmp_path):
    base, merged = folders[name], tmp_path / "merged"
    config = ExportConfig(
        run=str(saved[name][0]), merged=str(merged), base=str(base), dtype="float16"
    )
    export_merged(config)
    again = load_base(str(merged), device="cpu")
    assert again.contract.family == name.split()[0]
    assert loss_on(again) == pytest.approx(saved[name][1], abs=0.02), "of 16-bit weights"
    for file in base.iterdir():
        if file.suffix in (".json", ".jinja"):
            assert (merged / file.name).read_bytes() == file.read_bytes()
    theirs = load_file(base / "model.safetensors").keys()
    assert load_file(next(merged.glob("*.safetensors"))).keys() == theirs


# Reading


@every_kind
def test_pictures_of_different_sizes_read_together_as_alone(name, load):
    loaded = load(name)
    together = read_samples(loaded, PICTURES, batch_size=2)
    alone = read_samples(loaded, PICTURES, batch_size=1)
    assert not any(prediction.failed for prediction in together)
    assert [p.text for p in together] == [p.text for p in alone]
    assert len({p.text for p in together}) > 1, "the pictures must matter"


@every_kind
def test_the_decoder_writes_what_transformers_own_does(name, load):
    loaded = load(name)
    loaded.contract = replace(loaded.contract, no_repeat_ngram=0)
    sights = [sight for sight, _ in some_lessons(loaded)]
    ended = []
    rows = decode(loaded, sights, at_once=4, on_end=lambda: ended.append(1))
    assert len(ended) == len(sights)
    for row, sight in zip(rows, sights, strict=True):
        written = loaded.network.generate(
            input_ids=torch.tensor([sight.ids]),
            attention_mask=torch.ones(1, len(sight.ids), dtype=torch.long),
            **sight.pixels,
            **{key: mark[None] for key, mark in sight.marks.items()},
            max_new_tokens=12,
            do_sample=False,
            eos_token_id=list(loaded.ends),
            pad_token_id=0,
        )[0, len(sight.ids) :].tolist()
        assert row.ids == written[: len(row.ids)]
        assert written[len(row.ids) :][:1] in ([], *([end] for end in loaded.ends))


def test_a_picture_that_fails_says_why_and_stops_nobody(load):
    pictures = [PICTURES[0], ("thin.png", draw_line("x", 12000)), ("bad.png", b""), PICTURES[1]]
    predictions = read_samples(load(QWEN), pictures)
    assert [bool(p.failed) for p in predictions] == [False, True, True, False]
    assert "too thin" in predictions[1].failed


def test_what_the_processor_refuses_gets_a_sentence(load):
    with pytest.raises(ModelError, match="2 x 450 pixels cannot be shown"):
        load(QWEN).lay_out(Image.new("RGB", (2, 450)))


@pytest.mark.parametrize(
    ("limit", "size"),
    [
        (PictureLimit(), (4000, 3000)),
        (PictureLimit(pixels=3_000_000), (2000, 1500)),
        (PictureLimit(side=768), (768, 576)),
        (PictureLimit(side=5000, pixels=99_000_000), (4000, 3000)),  # never larger
    ],
)
def test_a_large_picture_keeps_its_shape_within_the_limit(limit, size):
    assert within(Image.new("L", (4000, 3000)), limit).size == size


def test_pictures_of_different_sizes_are_joined_with_zeros_behind_them():
    joined = stack([torch.ones(1, 2, 3), torch.ones(2, 3, 1)])
    assert joined.tolist() == [
        [[1, 1, 1], [1, 1, 1], [0, 0, 0]],
        [[1, 0, 0], [1, 0, 0], [1, 0, 0]],
        [[1, 0, 0], [1, 0, 0], [1, 0, 0]],
    ]


def test_deepseek_ocr_2_cuts_a_large_picture_unless_told_not_to(folders):
    picture = Image.new("RGB", (1600, 500), "white")
    cut = load_base(str(folders["deepseek-ocr-2"]), device="cpu").lay_out(picture)
    whole = load_base(str(folders["deepseek-ocr-2"]), layout="base", device="cpu").lay_out(picture)
    assert isinstance(cut, Sight)
    assert int(cut.pixels["num_local_patches"]) > 1
    assert int(whole.pixels["num_local_patches"]) == 0


# The whole way


def test_a_run_trains_measures_and_comes_back(folders, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "use_cores", lambda: torch.set_num_threads(1))
    brief = replace(PADDLEOCR_VL, max_new_tokens=40)  # random weights seldom end a text
    monkeypatch.setitem(FAMILIES, "paddleocr-vl", brief)
    base = str(folders["paddleocr-vl"])
    config = TrainConfig(
        data=write_dataset(tmp_path, 20),
        output=str(tmp_path / "run"),
        base=base,
        steps=4,
        batch_size=4,
        learning_rate=5e-3,
        warmup_steps=1,
        evaluate_every=100,
    )
    events = []
    folder = train_adapter(config, events.append)
    steps = [event for event in events if isinstance(event, Step)]
    assert [event.step for event in steps] == [1, 2, 3, 4]
    assert steps[-1].loss < steps[0].loss
    shown = {e.picture_id: e.hypothesis for e in events if isinstance(e, SampleRead) and e.step}
    pictures = [(s.picture_id, s.picture) for s in load_samples(config.data, "validation")]
    loaded = load_base(base, device="cpu")
    load_adapter(loaded, folder)
    assert {p.picture_id: p.text for p in read_samples(loaded, pictures)} == shown
    report = compare_models(
        CompareConfig(
            data=config.data, adapter=str(folder), output=str(tmp_path / "out"), base=base
        )
    )
    assert report.contract == loaded.contract
    assert report.contract.family == "paddleocr-vl"
