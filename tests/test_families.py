"""Model families: facts, layouts, tokens, loading and refusing, adapters, merging, the Hub."""

import fnmatch
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
import torch
from huggingface_hub import errors as hub_errors
from PIL import Image
from safetensors.torch import load_file, save_file
from small_models import (
    BOS,
    CONFIG,
    EOS,
    LINE_CONFIG,
    PUBLISHED_TEXT,
    byte_tokenizer,
    fill_with_noise,
    logits_of,
    seeded_picture,
    write_model,
)

from ocrtune import config as settings
from ocrtune import hub
from ocrtune.alphabet import ALPHABET
from ocrtune.config import BASES, TrainConfig
from ocrtune.errors import ConfigError, HubError, ModelError
from ocrtune.families import DEEPSEEK_OCR, FAMILIES, get_family, tiny
from ocrtune.families.deepseek_ocr import lay_out_page
from ocrtune.families.deepseek_ocr_model import (
    DeepseekOcrConfig,
    DeepseekOcrForConditionalGeneration,
)
from ocrtune.families.loaded import LoadedModel, as_seen
from ocrtune.families.loading import (
    adapts_experts,
    add_lora,
    load_adapter,
    load_base,
    save_adapter,
    trains_vision,
)
from ocrtune.families.page_layouts import PRESETS, nearest_grid
from ocrtune.families.weights import load_tokenizer, suitable_dtype

PARITY = Path(__file__).parents[2] / "shared" / "parity"
IMAGE = 259  # token ids of the small models: 0-2 control, 3-258 bytes, then the added tokens
FREE = "Free OCR."


@pytest.fixture(scope="module")
def pages_folder(tmp_path_factory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "pages")


@pytest.fixture(scope="module")
def lines_folder(tmp_path_factory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "lines", LINE_CONFIG)


@pytest.fixture(scope="module")
def pages(pages_folder) -> LoadedModel:
    return load_base(str(pages_folder), layout="tiny", device="cpu")


@pytest.fixture(scope="module")
def lines(lines_folder) -> LoadedModel:
    return load_base(str(lines_folder), device="cpu")


def train_config(**changes) -> TrainConfig:
    return TrainConfig(**{"data": "lines", "output": "run", **changes})


# Facts


def test_families_and_configs_name_the_same_bases():
    assert set(FAMILIES) == set(BASES)
    assert DEEPSEEK_OCR.base_model == "deepseek-ai/DeepSeek-OCR"
    assert re.fullmatch("[0-9a-f]{40}", DEEPSEEK_OCR.revision), "a branch may change overnight"
    assert set(DEEPSEEK_OCR.layouts) == set(PRESETS)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_the_default_layout_exists_and_the_prompt_holds_one_picture(family):
    assert family.layout in family.layouts
    assert family.prompt.count("<image>") == (0 if family.chat else 1)


def test_the_page_reads_the_facts_without_torch():
    code = "import sys, ocrtune.families as f; f.get_family('tiny'); print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_a_folder_is_recognised_by_its_config(pages_folder, lines_folder):
    assert get_family(str(pages_folder)).name == "deepseek-ocr"
    assert get_family(str(lines_folder)).name == "tiny"
    assert get_family(str(lines_folder)).revision == ""


def test_a_repo_id_is_known_by_its_config(pages_folder, monkeypatch):
    monkeypatch.setattr(hub, "fetch_config", lambda repo_id, revision: pages_folder)
    family = get_family("me/My-OCR.v2")
    commit = pages_folder.name  # as snapshots are called
    assert family == replace(DEEPSEEK_OCR, base_model="me/My-OCR.v2", revision=commit)


@pytest.mark.parametrize(
    ("base", "sentence"),
    [
        ("tinny", "Did you mean `tiny`?"),
        ("/no/such/folder", "a folder that exists"),
        ("a/b/c", "a folder that exists"),
    ],
)
def test_an_unknown_base_is_refused_with_a_hint(base, sentence):
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        get_family(base)


@pytest.mark.parametrize("text", [None, "no json", "[]", '{"vision_config": 3}', "{}"])
def test_a_folder_without_our_kind_of_config_is_refused(text, tmp_path):
    if text is not None:
        (tmp_path / "config.json").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match="config.json"):
        get_family(str(tmp_path))


# Layouts


def block_means(view: torch.Tensor) -> torch.Tensor:
    """Return the means of 8 x 8 blocks of [3, height, width], as [8, 8, 3]."""
    _, height, width = view.shape
    blocks = as_float(view).reshape(3, 8, height // 8, 8, width // 8)
    return blocks.mean(dim=(2, 4)).permute(1, 2, 0)


def as_float(view: torch.Tensor) -> torch.Tensor:
    """Return a view as the network takes it, in [-1, 1]."""
    return view.float() / 127.5 - 1 if view.dtype == torch.uint8 else view


def oracle_pictures() -> list[dict]:
    path = PARITY / "expected_images.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else []


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(
    "row",
    oracle_pictures() or [pytest.param({}, marks=pytest.mark.skip("../shared/parity is missing"))],
    ids=lambda row: f"{row['width']}x{row['height']}" if row else "absent",
)
def test_layouts_are_the_authors(row, name, pages, monkeypatch):
    monkeypatch.syspath_prepend(PARITY)
    reference = pytest.importorskip("reference_inputs")
    expected = row[name]
    picture = reference.reference_picture(row["width"], row["height"], row["seed"])
    views = lay_out_page(picture, PRESETS[name])
    assert pages.image_tokens(views) == expected["image_tokens"]
    assert views.grid == (tuple(expected["grid"]) if expected.get("crops") else (0, 0))
    pairs = [(views.global_view, expected["global_blocks"])]
    if expected.get("crops"):
        assert len(views.crops) == expected["crops"]
        pairs.append((views.crops[0], expected["first_crop_blocks"]))
        pairs.append((views.crops[-1], expected["last_crop_blocks"]))
    for view, means in pairs:
        assert (block_means(view) - torch.tensor(means)).abs().max() <= 2 / 255


@pytest.mark.parametrize(
    ("size", "tokens"),
    [
        ((640, 48), {"tiny": 73, "small": 111, "base": 273, "large": 421, "gundam": 273}),
        ((641, 48), {"gundam": 1183}),  # one pixel more: 273 + 10 rows x (90 columns + 1)
        ((1240, 1754), {"gundam": 903, "base": 273}),  # 273 + 30 rows x (20 columns + 1)
    ],
)
def test_a_picture_takes_the_tokens_of_its_preset(size, tokens, pages):
    for name, count in tokens.items():
        assert pages.image_tokens(lay_out_page(seeded_picture(*size), PRESETS[name])) == count


@pytest.mark.parametrize(
    ("size", "grid"),
    [
        ((641, 48), (9, 1)),
        ((900, 900), (2, 2)),  # 1 x 1 is no grid; 3 x 3 needs over 1,843,200 pixels
        ((1400, 1400), (3, 3)),
        ((1000, 2000), (2, 4)),  # 1 x 2 is as near, but small
        ((700, 1400), (1, 2)),  # 980,000 pixels are no half of 2 x 4 squares
        ((2480, 3508), (2, 3)),
    ],
)
def test_the_nearest_grid_wins_and_size_breaks_ties(size, grid):
    assert nearest_grid(*size, side=640, max_crops=9) == grid


def test_a_padded_view_is_grey_around_the_picture():
    picture = Image.new("RGB", (200, 100), "white")
    view = as_float(lay_out_page(picture, PRESETS["base"]).global_view)
    grey = 127 / 127.5 - 1
    assert view[:, 0, 0].tolist() == pytest.approx([grey] * 3)
    assert view[:, 255, 512].tolist() == pytest.approx([grey] * 3)  # a quarter above the picture
    assert view[:, 257, 512].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("width", "tiles"),
    [(1, 1), (385, 2), (737, 3), (2144, 6), (2145, 8), (2849, 10), (4256, 12), (9000, 12)],
)
def test_a_line_takes_as_many_tiles_as_it_is_long(width, tiles, lines):
    """Counts that the model was never trained with, as seven, are rounded up."""
    views = tiny.lay_out_line(seeded_picture(width, 48))
    assert views.global_view is None
    assert views.grid == (tiles, 1)
    assert views.crops.shape == (tiles, 3, 48, 384)
    assert lines.image_tokens(views) == 2 * (12 * tiles + 1) + 1


def test_a_line_is_scaled_to_the_tiles_height():
    tall = tiny.lay_out_line(seeded_picture(1500, 96))  # 750 pixels wide at 48
    assert tall.grid == (3, 1)
    assert tiny.lay_out_line(seeded_picture(375, 24)).grid == (3, 1)


def test_tiles_overlap_and_end_in_grey():
    pixels = np.array(seeded_picture(500, 48))
    first, second = tiny.lay_out_line(Image.fromarray(pixels)).crops
    assert torch.equal(first[:, :, 352:], second[:, :, :32])
    assert torch.equal(second[:, :, 148:], torch.zeros(3, 48, 236))  # 352 + 148 = 500
    by_hand = torch.from_numpy(pixels).float() / 127.5 - 1
    torch.testing.assert_close(first, by_hand[:, :384].permute(2, 0, 1))


def test_the_features_are_as_many_as_the_image_tokens(pages, lines):
    for loaded, size in ((pages, (90, 40)), (lines, (500, 48))):
        views = loaded.lay_out(seeded_picture(*size))
        with torch.no_grad():
            features = loaded.encode([views])[0]
        assert features.shape == (loaded.image_tokens(views), 64)


def test_a_picture_that_is_a_hairline_is_refused(lines):
    with pytest.raises(ModelError, match="5000 x 4"):
        lines.lay_out(Image.new("RGB", (5000, 4)))


@pytest.mark.parametrize(
    ("picture", "pixel"),
    [
        (Image.new("RGBA", (2, 2), (0, 0, 0, 0)), (255, 255, 255)),  # nothing on white paper
        (Image.new("LA", (2, 2), (0, 255)), (0, 0, 0)),
        (Image.new("L", (2, 2), 7), (7, 7, 7)),
        (Image.new("1", (2, 2), 1), (255, 255, 255)),
        (Image.new("CMYK", (2, 2), (0, 0, 0, 0)), (255, 255, 255)),
        (Image.fromarray(np.full((2, 2), 0x8080, np.uint16)), (128, 128, 128)),
    ],
    ids=lambda value: getattr(value, "mode", ""),
)
def test_every_kind_of_picture_becomes_what_people_see(picture, pixel):
    seen = as_seen(picture)
    assert seen.mode == "RGB"
    assert seen.getpixel((0, 0)) == pixel


def test_a_picture_taken_sideways_is_turned():
    picture = Image.new("RGB", (4, 2))
    picture.getexif()[0x0112] = 6  # the camera was turned by a quarter
    assert as_seen(picture).size == (2, 4)


# Tokens


def test_a_prompt_holds_the_picture_once(pages, lines):
    free = pages.tokenizer.encode(FREE, add_special_tokens=False)
    newline = pages.tokenizer.encode("\n", add_special_tokens=False)
    assert pages.prompt_ids(3) == [0, IMAGE, IMAGE, IMAGE, *newline, *free]
    assert lines.prompt_ids(2) == [0, IMAGE, IMAGE, *newline]


def test_an_answer_ends_with_the_end_token_and_nothing_else(pages):
    ids = pages.completion_ids("Ab")
    assert len(ids) == 3  # two bytes and the end
    assert ids[-1] == 1
    assert pages.text_of(ids) == "Ab"


@pytest.mark.parametrize("special", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "<image>",
        "see <image><image> here",
        "<image",
        f"{EOS}{BOS}",
        "<|grounding|>",
        "<<image>>",
        f"a{EOS}",
        "",
        "  two  spaces ",
        "naïve ſtraße 汉字 😀\n",
    ],
)
def test_control_tokens_in_the_ground_truth_stay_plain_text(text, special, pages, tmp_path):
    byte_tokenizer(special).save(str(tmp_path / "tokenizer.json"))
    loaded = replace(pages, tokenizer=load_tokenizer(tmp_path))
    ids = loaded.completion_ids(text)
    assert ids[-1] == 1
    assert all(2 < index < IMAGE for index in ids[:-1])  # bytes only
    assert loaded.text_of(ids) == text


def test_markup_that_the_model_writes_keeps_its_own_token(pages):
    ids = pages.completion_ids("<td>1")
    assert len(ids) == 3
    assert pages.text_of(ids) == "<td>1"


def test_text_stops_at_the_first_end_and_hides_control_tokens(pages):
    a, b = pages.completion_ids("ab")[:2]
    assert pages.text_of(torch.tensor([IMAGE, a, 2, b, 1, a])) == "ab"
    assert pages.text_of([]) == ""


def test_a_byte_tokenizer_knows_every_character(pages):
    assert pages.unknown_characters("aſ汉😀\n") == set()


def test_characters_outside_the_vocabulary_are_named(pages, tmp_path):
    tokenizer = byte_tokenizer()
    values = json.loads(tokenizer.to_str())
    del values["model"]["vocab"]["z"]
    (tmp_path / "tokenizer.json").write_text(json.dumps(values), "utf-8")
    loaded = replace(pages, tokenizer=load_tokenizer(tmp_path), known_characters={})
    assert loaded.unknown_characters("zebra jazz") == {"z"}


def test_the_class_named_on_the_hub_is_not_believed(pages_folder, tmp_path):
    """The Hub's tokenizer_config.json says Llama, which splits words in another way."""
    shutil.copy(pages_folder / "tokenizer.json", tmp_path)
    config = {"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": True, "legacy": True}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    assert load_tokenizer(tmp_path).encode(" a b", add_special_tokens=False) == load_tokenizer(
        pages_folder
    ).encode(" a b", add_special_tokens=False)


# Loading a base model


@pytest.mark.skipif(not tiny.FOLDER.is_dir(), reason="the embedded weights are not made yet")
def test_the_embedded_model_knows_its_alphabet_and_reads_a_line():
    loaded = load_base("tiny", device="cpu")
    assert (loaded.contract.base_model, loaded.contract.layout) == ("tiny", "line")
    assert loaded.unknown_characters(ALPHABET) == set()
    assert loaded.unknown_characters("a\u0489") == {"\u0489"}
    assert len(loaded.completion_ids(ALPHABET)) == len(ALPHABET) + 1
    assert logits_of(loaded).isfinite().all()


def test_a_base_model_knows_its_contract(pages, pages_folder):
    contract = pages.contract
    assert (contract.family, contract.base_model) == ("deepseek-ocr", "pages")
    assert contract.layout == "tiny"
    assert contract.prompt == "<image>\nFree OCR."
    assert re.fullmatch("sha256:[0-9a-f]{16}", contract.revision)
    assert str(pages_folder) not in json.dumps(contract.__dict__)


def test_the_digest_follows_the_weights(pages, tmp_path):
    same = load_base(str(write_model(tmp_path / "same")), device="cpu")
    other = load_base(str(write_model(tmp_path / "other", seed=1)), device="cpu")
    assert same.contract.revision == pages.contract.revision
    assert other.contract.revision != pages.contract.revision


def test_loading_writes_nothing_to_the_terminal(pages_folder, capfd):
    load_base(str(pages_folder), device="cpu")
    assert capfd.readouterr() == ("", "")


def test_an_unknown_layout_is_refused(pages_folder):
    with pytest.raises(ConfigError, match="Did you mean `gundam`"):
        load_base(str(pages_folder), layout="gundamm")


def broken(folder: Path, tmp_path: Path, name: str, content: bytes | None) -> str:
    """Return a copy of a model folder in which one file has other content, or is gone."""
    copy = Path(shutil.copytree(folder, tmp_path / "broken"))
    (copy / name).unlink()
    if content is not None:
        (copy / name).write_bytes(content)
    return str(copy)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("model.safetensors", None, "holds no weights"),
        ("model.safetensors", b"not weights", "cannot be loaded"),
        ("tokenizer.json", None, "holds no tokenizer.json"),
        ("tokenizer.json", b"{}", "damaged"),
        ("config.json", b'{"model_type": "deepseek_vl_v2"}', "does not describe"),
    ],
)
def test_a_damaged_model_gets_a_sentence(name, content, sentence, pages_folder, tmp_path):
    with pytest.raises(ModelError, match=sentence):
        load_base(broken(pages_folder, tmp_path, name, content), device="cpu")


def test_pickled_weights_are_never_read(pages_folder, tmp_path):
    folder = broken(pages_folder, tmp_path, "model.safetensors", None)
    torch.save(load_file(pages_folder / "model.safetensors"), Path(folder) / "pytorch_model.bin")
    with pytest.raises(ModelError, match="holds no weights"):
        load_base(folder, device="cpu")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda weights: weights.pop("model.norm.weight"), "1 missing"),
        (lambda weights: weights.update({"model.norm2.weight": torch.ones(64)}), "1 unexpected"),
        (lambda weights: weights.update({"model.norm.weight": torch.ones(63)}), "cannot be loaded"),
    ],
    ids=["missing", "unexpected", "another shape"],
)
def test_weights_that_do_not_fit_are_refused(change, sentence, pages_folder, tmp_path):
    folder = shutil.copytree(pages_folder, tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=sentence):
        load_base(str(folder), device="cpu")


@pytest.mark.parametrize(
    ("capability", "dtype"),
    [
        ((7, 5), torch.float16),  # a T4
        ((8, 0), torch.bfloat16),
        ((9, 0), torch.bfloat16),
    ],
)
def test_the_dtype_follows_the_capability_and_not_the_emulation(capability, dtype, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert suitable_dtype(torch.device("cuda")) == dtype
    assert suitable_dtype(torch.device("cpu")) == torch.float32


# Adapters

KINDS = {
    "text": {"lora_vision": "no"},
    "experts": {"lora_experts": True},
    "vision": {"lora_vision": "yes", "lora_rank": 4},
}


@pytest.fixture(scope="module")
def adapters(pages_folder, tmp_path_factory) -> dict[str, tuple[Path, torch.Tensor]]:
    """A folder for each kind of adapter, and the logits before it was saved."""
    made = {}
    for seed, (kind, changes) in enumerate(KINDS.items()):
        loaded = load_base(str(pages_folder), layout="tiny", device="cpu")
        add_lora(loaded, train_config(**changes))
        fill_with_noise(loaded.model, seed, 0.1, only="lora_")
        folder = tmp_path_factory.mktemp("adapters") / kind
        save_adapter(loaded, folder, {"steps": 60, "kind": kind})
        made[kind] = (folder, logits_of(loaded))
    return made


@pytest.fixture(scope="module")
def read_in_a_fresh_process(pages_folder, adapters, tmp_path_factory) -> dict[str, torch.Tensor]:
    out = tmp_path_factory.mktemp("fresh") / "logits.safetensors"
    script = Path(__file__).with_name("small_models.py")
    folders = [str(folder) for folder, _ in adapters.values()]
    root = script.parents[1]
    command = [sys.executable, str(script), str(pages_folder), str(out), *folders]
    run = subprocess.run(
        command,
        env={"PYTHONPATH": str(root), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return load_file(out)


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_adapter_gives_its_logits_in_a_fresh_process(
    kind, adapters, read_in_a_fresh_process, pages
):
    folder, before = adapters[kind]
    after = read_in_a_fresh_process[str(folder)]
    torch.testing.assert_close(after, before, atol=1e-6, rtol=0)
    assert (after - logits_of(pages)).abs().max() > 0.1  # the adapter does something


@pytest.mark.parametrize("kind", KINDS)
def test_peft_alone_can_load_the_adapter(kind, adapters, read_in_a_fresh_process):
    folder, before = adapters[kind]
    after = read_in_a_fresh_process[f"{folder} by peft alone"]
    torch.testing.assert_close(after, before, atol=5e-6, rtol=0)  # peft sums in another order


def test_the_adapter_folder_is_in_pefts_form_and_tells_no_path(adapters, pages_folder):
    folder, _ = adapters["text"]
    assert {path.name for path in folder.iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "contract.json",
        "details.json",
    }
    config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    assert (config["peft_type"], config["r"], config["inference_mode"]) == ("LORA", 16, True)
    assert config["base_model_name_or_path"] == "pages"
    assert json.loads((folder / "details.json").read_text("utf-8"))["steps"] == 60
    for path in folder.glob("*.json"):
        assert str(pages_folder.parent) not in path.read_text("utf-8"), path.name


def test_loading_an_adapter_takes_over_its_contract_and_says_so(adapters, pages_folder):
    loaded = load_base(str(pages_folder), layout="gundam", device="cpu")
    differences = load_adapter(loaded, adapters["text"][0])
    assert loaded.contract.layout == "tiny"
    assert differences == ["layout: 'gundam' here, 'tiny' there"]
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    with pytest.raises(ModelError, match="carries an adapter already"):
        load_adapter(loaded, adapters["text"][0])


def damaged_adapter(source: Path, tmp_path: Path, change) -> Path:
    """Return a copy of an adapter folder whose weights `change` has seen."""
    folder = Path(shutil.copytree(source, tmp_path / "adapter"))
    weights = load_file(folder / "adapter_model.safetensors")
    change(weights)
    save_file(weights, folder / "adapter_model.safetensors")
    return folder


KEY = "base_model.model.model.language_model.layers.1.self_attn.q_proj.lora_A.weight"
EXPERT_KEY = "base_model.model.model.language_model.layers.2.mlp.experts.lora_B.weight"


@pytest.mark.parametrize(
    ("kind", "change", "sentence"),
    [
        ("text", lambda weights: weights.pop(KEY), "1 missing"),
        ("experts", lambda weights: weights.pop(EXPERT_KEY), "experts` have another shape"),
        ("text", lambda weights: weights.clear(), "42 missing"),
        ("text", lambda weights: weights.update(other=torch.ones(1)), "none of LoRA layers"),
        ("text", lambda weights: weights.update({KEY: torch.ones(16, 63)}), "another shape"),
    ],
    ids=["key", "expert key", "all keys", "unexpected", "shape"],
)
def test_an_adapter_that_does_not_fit_is_refused(kind, change, sentence, adapters, pages, tmp_path):
    before = logits_of(pages)
    folder = damaged_adapter(adapters[kind][0], tmp_path, change)
    with pytest.raises(ModelError, match=sentence):
        load_adapter(pages, folder)
    assert torch.equal(logits_of(pages), before)  # the base model is as it was


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("contract.json", None, "no readable contract.json"),
        ("contract.json", "{}", "missing or unknown entries"),
        ("contract.json", "[", "no readable contract.json"),
        ("adapter_config.json", None, "no adapter_config.json"),
        ("adapter_config.json", "{", "cannot be read"),
        ("adapter_model.safetensors", None, "no adapter_model.safetensors"),
        ("adapter_model.safetensors", "junk", "cannot be read"),
    ],
)
def test_a_damaged_adapter_gets_a_sentence(name, content, sentence, adapters, pages, tmp_path):
    folder = shutil.copytree(adapters["text"][0], tmp_path / "adapter")
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content, "utf-8")
    with pytest.raises(ModelError, match=sentence):
        load_adapter(pages, folder)


def test_an_adapter_for_other_weights_is_refused(adapters, lines, tmp_path):
    other = load_base(str(write_model(tmp_path / "other", seed=1)), device="cpu")
    for loaded in (other, lines):
        with pytest.raises(ModelError, match="was trained on `pages`"):
            load_adapter(loaded, adapters["text"][0])


@pytest.mark.parametrize("change", [{"layout": "huge"}, {"prompt": "Free OCR."}], ids=str)
def test_a_contract_that_cannot_be_followed_is_refused(change, adapters, pages, tmp_path):
    folder = shutil.copytree(adapters["text"][0], tmp_path / "adapter")
    contract = json.loads((folder / "contract.json").read_text("utf-8"))
    (folder / "contract.json").write_text(json.dumps({**contract, **change}), "utf-8")
    with pytest.raises(ModelError, match="cannot follow"):
        load_adapter(pages, folder)


def test_a_copy_of_the_base_under_another_name_is_accepted(adapters, pages_folder, tmp_path):
    copy = shutil.copytree(pages_folder, tmp_path / "copy")
    loaded = load_base(str(copy), layout="tiny", device="cpu")
    assert load_adapter(loaded, adapters["text"][0]) == ["base_model: 'copy' here, 'pages' there"]


@pytest.mark.parametrize(
    ("folder", "choice", "vision"),
    [
        ("pages_folder", "auto", False),
        ("pages_folder", "yes", True),
        ("lines_folder", "auto", True),
        ("lines_folder", "no", False),
    ],
)
def test_vision_takes_part_where_the_family_does_best_with_it(folder, choice, vision, request):
    loaded = load_base(str(request.getfixturevalue(folder)), device="cpu")
    assert not trains_vision(loaded)
    add_lora(loaded, train_config(lora_vision=choice))
    trained = {name for name, p in loaded.model.named_parameters() if p.requires_grad}
    assert all("lora_" in name for name in trained)
    assert trains_vision(loaded) == vision
    towers = ("sam_model.layers.1.attn.qkv", "vision_model.transformer", "projector.layers")
    for tower in towers:
        assert any(tower in name for name in trained) == vision
    assert not any(".neck." in name or "lm_head" in name for name in trained)


def test_adapters_are_in_full_precision_over_a_half_precision_base(pages_folder, monkeypatch):
    monkeypatch.setattr("ocrtune.families.weights.suitable_dtype", lambda device: torch.float16)
    loaded = load_base(str(pages_folder), device="cpu")
    add_lora(loaded, train_config(lora_experts=True))
    dtypes = {p.requires_grad: p.dtype for p in loaded.model.parameters()}
    assert dtypes == {True: torch.float32, False: torch.float16}


@pytest.mark.parametrize(
    ("folder", "changes", "sentence"),
    [
        ("lines_folder", {"lora_experts": True}, None),
        ("pages_folder", {"lora_experts": True, "lora_dropout": 0.1}, "cannot have dropout"),
    ],
)
def test_impossible_adapters_are_refused(folder, changes, sentence, request):
    loaded = load_base(str(request.getfixturevalue(folder)), device="cpu")
    with pytest.raises(ConfigError, match=sentence or "no mixture of experts"):
        add_lora(loaded, train_config(**changes))


@pytest.mark.parametrize(
    ("choice", "dropout", "device", "memory", "adapted"),
    [
        ("auto", 0.0, "cuda", 15.6e9, True),  # a T4
        ("auto", 0.0, "cuda", 12e9, False),
        ("auto", 0.1, "cuda", 80e9, False),  # adapters on experts cannot have dropout
        ("auto", 0.0, "cpu", 0, False),
        ("yes", 0.0, "cpu", 0, True),
        ("no", 0.0, "cuda", 80e9, False),
        (True, 0.0, "cpu", 0, True),  # as older configs have it
    ],
)
def test_experts_are_adapted_where_they_fit(
    pages, monkeypatch, choice, dropout, device, memory, adapted
):
    card = SimpleNamespace(total_memory=memory)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: card)
    config = train_config(lora_experts=choice, lora_dropout=dropout)
    assert adapts_experts(replace(pages, device=torch.device(device)), config) is adapted


def test_a_model_without_experts_adapts_none(lines, monkeypatch):
    assert not adapts_experts(lines, train_config())


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_every_family_has_all_presets_and_the_usual_one_is_the_default(family):
    assert [preset.name for preset in family.presets] == list(settings.PRESETS)
    usual = train_config(**family.preset("standard").settings())
    assert usual == train_config()
    steps = [preset.steps for preset in family.presets]
    assert steps == sorted(set(steps))
    with pytest.raises(ConfigError, match="Did you mean `quick`"):
        family.preset("quik")


@pytest.mark.parametrize(
    ("changes", "parameters"), [({}, 3_978_240), ({"lora_experts": True}, 63_091_712)]
)
def test_rank_16_takes_the_measured_number_of_parameters(changes, parameters, pages):
    """At the published sizes; the tensors have no memory behind them."""
    values = {"language_config": PUBLISHED_TEXT, "vision_config": CONFIG["vision_config"]}
    with torch.device("meta"):
        network = DeepseekOcrForConditionalGeneration(DeepseekOcrConfig.from_original(values))
        loaded = replace(pages, model=network)
        add_lora(loaded, train_config(**changes))
    assert sum(p.numel() for p in loaded.model.parameters() if p.requires_grad) == parameters


# The Hub


def test_a_downloaded_base_is_known_by_its_commit(pages_folder, tmp_path, monkeypatch):
    commit = "0123456789abcdef0123456789abcdef01234567"
    snapshot = shutil.copytree(pages_folder, tmp_path / commit)
    asked = []

    def fetch(repo_id, revision):
        asked.append((repo_id, revision))
        return snapshot

    monkeypatch.setattr(hub, "fetch_base", fetch)
    loaded = load_base("deepseek-ocr", device="cpu")
    assert asked == [("deepseek-ai/DeepSeek-OCR", DEEPSEEK_OCR.revision)]
    assert (loaded.contract.base_model, loaded.contract.revision) == asked[0][:1] + (commit,)


def test_only_weights_and_words_are_downloaded(monkeypatch):
    asked = {}

    def download(repo_id, **options):
        asked.update(options)
        return "/cache/snapshots/abc"

    monkeypatch.setattr(hub, "snapshot_download", download)
    assert hub.fetch_base("me/model", "main") == Path("/cache/snapshots/abc")
    files = [
        "config.json",
        "modeling_deepseekocr.py",
        "tokenizer.json",
        "model-00001-of-000001.safetensors",
        "model.safetensors.index.json",
        "pytorch_model.bin",
        "training_args.pkl",
        "assets/show.jpg",
    ]
    patterns = asked["allow_patterns"]
    assert [name for name in files if any(fnmatch.fnmatch(name, p) for p in patterns)] == [
        "config.json",
        "tokenizer.json",
        "model-00001-of-000001.safetensors",
        "model.safetensors.index.json",
    ]


def answered(kind: type, status: int) -> Exception:
    request = httpx.Request("GET", "https://huggingface.co/api/models/me/model")
    return kind("refused", response=httpx.Response(status, request=request))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (answered(hub_errors.GatedRepoError, 403), "asks its users to accept conditions"),
        (answered(hub_errors.RepositoryNotFoundError, 404), "There is no model `me/model`"),
        (answered(hub_errors.RevisionNotFoundError, 404), "has no revision `main`"),
        (answered(hub_errors.HfHubHTTPError, 401), "does not accept this account's token"),
        (answered(hub_errors.HfHubHTTPError, 429), "asked too often"),
        (answered(hub_errors.HfHubHTTPError, 418), "The Hub answered 418"),
        (hub_errors.LocalEntryNotFoundError("offline"), "cannot be reached"),
        (hub_errors.OfflineModeIsEnabled("offline"), "cannot be reached"),
        (httpx.ConnectError("offline"), "cannot be reached"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_the_hub_refuses_gets_a_sentence(error, sentence, monkeypatch):
    def download(repo_id, **options):
        raise error

    monkeypatch.setattr(hub, "snapshot_download", download)
    with pytest.raises(HubError, match=sentence):
        hub.fetch_base("me/model", "main")


def test_a_misspelt_repo_id_gets_a_sentence():
    with pytest.raises(HubError, match="is not a repo id"):
        hub.fetch_base("one/two/three", "main")
