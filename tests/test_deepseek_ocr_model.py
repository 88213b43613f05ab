"""The network: the authors' files in and out, the oracle's numbers, batches, features apart."""

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from small_models import CONFIG, LINE_CONFIG, PUBLISHED_TEXT, write_model
from torch import Tensor
from transformers.conversion_mapping import get_checkpoint_conversion_mapping
from transformers.core_model_loading import WeightRenaming
from transformers.models.deepseek_ocr2.modeling_deepseek_ocr2 import DeepseekOcr2TextTopkRouter

from ocrtune.families.deepseek_ocr_model import (
    IGNORE_INDEX,
    MODEL_TYPE,
    DeepseekOcrConfig,
    DeepseekOcrForConditionalGeneration,
    PictureViews,
    resized_positions,
)
from ocrtune.families.weights import load_network

PARITY = Path(__file__).parents[2] / "shared" / "parity"
CASES = ("base1024", "base640", "base512", "base1280", "gundam21", "gundam23")
# (side of the whole view, grid of 256-pixel crops, image tokens, answer tokens): 512 pixels make
# 8 rows of 8 features and a newline, 2 x 1 crops 4 rows of 8 and one, the separator is one more.
SMALL_CASES = ((512, None, 73, 4), (640, None, 111, 11), (512, (2, 1), 36 + 73, 7))
TOLERANCE = 1e-4
TIE = 1e-6  # of a router's probabilities, per expert

needs_oracle = pytest.mark.skipif(not PARITY.is_dir(), reason="../shared/parity is not here")


@pytest.fixture(scope="module")
def oracle():
    """The module that makes the oracle's weights and inputs."""
    sys.path.insert(0, str(PARITY))
    yield pytest.importorskip("reference_inputs")
    sys.path.remove(str(PARITY))


@pytest.fixture(scope="module")
def oracle_weights(oracle) -> dict[str, Tensor]:
    return oracle.reference_weights()


@pytest.fixture(scope="module")
def oracle_network(oracle, oracle_weights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("oracle")
    text = {
        **CONFIG["language_config"],
        "vocab_size": 2000,
        "hidden_size": 1280,
        "intermediate_size": 256,
        "moe_intermediate_size": 64,
        "num_attention_heads": 10,
        "num_key_value_heads": 10,
        "n_routed_experts": 8,
        "num_experts_per_tok": 3,
    }
    clip = {"heads": 16, "image_size": 224, "layers": 2, "patch_size": 14, "width": 1024}
    sam = {
        "downsample_channels": [512, 1024],
        "global_attn_indexes": [1, 3],
        "heads": 3,
        "layers": 4,
        "width": 96,
    }
    config = {
        **CONFIG,
        **text,
        "language_config": text,
        "vision_config": {"width": {"clip-l-14-224": clip, "sam_vit_b": sam}},
    }
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    save_file(oracle_weights, folder / "model.safetensors", metadata={"format": "pt"})
    network = load_network(folder, oracle.IMAGE_TOKEN, torch.device("cpu"))
    for module in network.modules():
        if isinstance(module, DeepseekOcr2TextTopkRouter):
            module.register_forward_hook(settle_tie)
    return network


def settle_tie(router, _, output: tuple) -> tuple:
    """Let a router prefer the earlier of two experts that are equal but for rounding.

    At one image token of `gundam21` the third and the fourth expert are 1e-7 apart. The authors'
    run took the earlier one; without this, the order of a sum decides, and 8e-4 of the logits.
    Elsewhere they are at least 1e-4 apart.
    """
    logits, *_ = output
    scores = logits.softmax(-1)
    nudged = scores - TIE * torch.arange(scores.shape[-1])
    chosen = nudged.topk(router.top_k, sorted=False).indices
    return logits, scores.gather(-1, chosen) * router.routed_scaling_factor, chosen


@pytest.fixture(scope="module")
def oracle_cases(oracle, oracle_network) -> dict[str, tuple[Tensor, Tensor]]:
    """(input ids [1, tokens], features [image tokens, width]) of every case, encoded alone."""
    cases = {}
    for name in CASES:
        inputs = oracle.reference_case(name)
        grid = inputs["grid"] or (0, 0)
        views = PictureViews(inputs["global_view"][0], inputs["crops"], grid)
        with torch.no_grad():
            features = oracle_network.model.encode_pictures([views], chunk=2)[0]
        cases[name] = (inputs["input_ids"], features)
    return cases


@pytest.fixture(scope="module")
def expected() -> dict[str, Tensor]:
    return load_file(PARITY / "expected.safetensors")


@needs_oracle
@pytest.mark.parametrize("name", CASES)
def test_logits_and_loss_are_the_authors(name, oracle_network, oracle_cases, expected):
    ids, features = oracle_cases[name]
    labels = ids.masked_fill(ids == oracle_network.config.image_token_id, IGNORE_INDEX)
    with torch.no_grad():
        out = oracle_network(input_ids=ids, picture_features=features, labels=labels)
    assert out.logits.shape[1] == ids.shape[1]
    torch.testing.assert_close(out.logits[0, -24:], expected[name], atol=TOLERANCE, rtol=0)
    torch.testing.assert_close(out.loss, expected[f"{name}.loss"][0], atol=TOLERANCE, rtol=0)


@needs_oracle
@pytest.mark.parametrize("name", CASES)
def test_greedy_tokens_are_the_authors(name, oracle_network, oracle_cases, expected):
    ids, features = oracle_cases[name]
    with torch.no_grad():
        answer = oracle_network.generate(
            input_ids=ids,
            picture_features=features,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=10,
            do_sample=False,
        )
    assert answer[0, ids.shape[1] :].tolist() == expected[f"{name}.greedy"].tolist()


@needs_oracle
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_padded_batch_of_all_layouts_gives_the_authors_logits(
    side, oracle_network, oracle_cases, expected
):
    ids, mask = padded([ids[0] for ids, _ in oracle_cases.values()], side)
    features = torch.cat([features for _, features in oracle_cases.values()])
    with torch.no_grad():
        logits = oracle_network(
            input_ids=ids, attention_mask=mask, picture_features=features
        ).logits
    for row, name in enumerate(oracle_cases):
        real = logits[row][mask[row].bool()]
        torch.testing.assert_close(real[-24:], expected[name], atol=TOLERANCE, rtol=0)


@needs_oracle
def test_the_oracles_weights_survive_loading_and_saving(oracle_network, oracle_weights, tmp_path):
    oracle_network.save_pretrained(tmp_path)
    assert_same_weights(tmp_path, oracle_weights)


def padded(rows: list[Tensor], side: str) -> tuple[Tensor, Tensor]:
    """Return ids and mask [rows, longest], padded with token 2 on one side."""
    ids = torch.nn.utils.rnn.pad_sequence(rows, True, padding_value=2, padding_side=side)
    ones = [torch.ones_like(row) for row in rows]
    return ids, torch.nn.utils.rnn.pad_sequence(ones, True, padding_side=side)


def assert_same_weights(folder: Path, weights: dict[str, Tensor]) -> None:
    back = {}
    for shard in folder.glob("*.safetensors"):
        back |= load_file(shard)
    assert back.keys() == weights.keys()
    for key, value in weights.items():
        assert back[key].dtype == value.dtype, key
        assert torch.equal(back[key], value), key


# From here on: a small network with seeded weights; nothing beside the repository is needed.


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory) -> Path:
    return write_model(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def network(small_folder):
    return load_network(small_folder, 259, torch.device("cpu"))


@pytest.fixture(scope="module")
def samples(network) -> list[tuple[Tensor, PictureViews]]:
    """(ids [tokens], views) of three layouts, each with a text of another length."""
    generator = torch.Generator().manual_seed(3)
    made = []
    for size, grid, tokens, length in SMALL_CASES:
        view = torch.rand(3, size, size, generator=generator) * 2 - 1
        crops = torch.rand(2, 3, 256, 256, generator=generator) * 2 - 1 if grid else None
        text = torch.randint(3, 250, (length,), generator=generator)
        ids = torch.cat([torch.tensor([0] + [259] * tokens), text])
        made.append((ids, PictureViews(view, crops, grid or (0, 0))))
    return made


@pytest.fixture(scope="module")
def features(network, samples) -> list[Tensor]:
    """The features of each sample's picture, encoded by itself."""
    with torch.no_grad():
        return [network.model.encode_pictures([view])[0] for _, view in samples]


@pytest.fixture(scope="module")
def alone(network, samples) -> list[Tensor]:
    """The logits of each sample read by itself, [tokens, vocabulary]."""
    with torch.no_grad():
        return [network(input_ids=ids[None], pictures=[view]).logits[0] for ids, view in samples]


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_no_logits(side, network, samples, features, alone):
    ids, mask = padded([ids for ids, _ in samples], side)
    with torch.no_grad():
        logits = network(
            input_ids=ids, attention_mask=mask, picture_features=torch.cat(features)
        ).logits
    for row, single in enumerate(alone):
        torch.testing.assert_close(logits[row][mask[row].bool()], single, atol=TOLERANCE, rtol=0)


def test_features_computed_apart_give_identical_logits(network, samples, features, alone):
    with torch.no_grad():
        for (ids, _), feature, single in zip(samples, features, alone, strict=True):
            again = network(input_ids=ids[None], picture_features=feature).logits[0]
            assert torch.equal(again, single)


@pytest.mark.parametrize("chunk", [0, 1])
def test_features_do_not_depend_on_what_is_encoded_together(chunk, network, samples, features):
    with torch.no_grad():
        together = network.model.encode_pictures([view for _, view in samples], chunk)
    for mixed, single in zip(together, features, strict=True):
        torch.testing.assert_close(mixed, single, atol=TOLERANCE, rtol=0)


def test_reading_order_is_crops_then_whole_then_separator(network):
    """With numbers instead of features: 2 x 1 crops of 2 x 2 features, then a view of 1 x 2."""
    model = network.model
    width = model.image_newline.shape[0]
    crops = torch.arange(8.0).view(2, 2, 2, 1).expand(-1, -1, -1, width)
    whole = torch.tensor([[[20.0], [21.0]]]).expand(-1, -1, width)
    row = model.arrange(whole, crops, (2, 1))
    newline, separator = model.image_newline, model.view_seperator
    expected = [0, 1, 4, 5, newline, 2, 3, 6, 7, newline, 20, 21, newline, separator]
    assert len(row) == len(expected)
    for feature, value in zip(row, expected, strict=True):
        assert torch.equal(feature, torch.as_tensor(value).float().expand(width))


def test_generating_with_a_cache_gives_the_tokens_of_full_passes(network, samples, features):
    ids = samples[0][0]
    with torch.no_grad():
        answer = network.generate(
            input_ids=ids[None],
            picture_features=features[0],
            attention_mask=torch.ones(1, len(ids)),
            max_new_tokens=6,
            do_sample=False,
            eos_token_id=-1,
        )[0]
        logits = network(input_ids=answer[None], picture_features=features[0]).logits[0]
    assert len(answer) == len(ids) + 6
    assert logits[len(ids) - 1 : -1].argmax(-1).tolist() == answer[len(ids) :].tolist()


def test_a_wrong_number_of_features_is_refused(network, samples, features):
    with pytest.raises(ValueError, match="73 image tokens, 72 features"), torch.no_grad():
        network(input_ids=samples[0][0][None], picture_features=features[0][1:])


@pytest.mark.parametrize("config", [CONFIG, LINE_CONFIG], ids=["pages", "lines"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_saving_what_was_loaded_changes_nothing(dtype, config, tmp_path, monkeypatch):
    folder = write_model(tmp_path / "first", config, dtype=dtype)
    monkeypatch.setattr("ocrtune.families.weights.suitable_dtype", lambda device: dtype)
    network = load_network(folder, 259, torch.device("cpu"))
    assert network.dtype == dtype
    network.save_pretrained(tmp_path / "second")
    assert_same_weights(tmp_path / "second", load_file(folder / "model.safetensors"))


def test_half_precision_files_hold_their_values_in_full_precision(tmp_path):
    folder = write_model(tmp_path / "first", dtype=torch.float16)
    load_network(folder, 259, torch.device("cpu")).save_pretrained(tmp_path / "second")
    halves = load_file(folder / "model.safetensors")
    assert_same_weights(tmp_path / "second", {key: half.float() for key, half in halves.items()})


def test_files_carry_the_authors_names(small_folder):
    with safe_open(small_folder / "model.safetensors", "pt") as file:
        keys = set(file.keys())
    sam, clip = "model.sam_model", "model.vision_model"
    assert {
        f"{sam}.blocks.1.norm1.weight",
        f"{sam}.blocks.0.attn.rel_pos_h",
        f"{sam}.blocks.0.mlp.lin1.bias",
        f"{sam}.patch_embed.proj.weight",
        f"{sam}.pos_embed",
        f"{sam}.neck.0.weight",
        f"{sam}.neck.3.bias",
        f"{sam}.net_2.weight",
        f"{sam}.net_3.weight",
        f"{clip}.embeddings.class_embedding",
        f"{clip}.embeddings.patch_embedding.weight",  # unused, but strict loaders want it
        f"{clip}.pre_layrnorm.weight",
        f"{clip}.transformer.layers.1.self_attn.qkv_proj.bias",
        "model.projector.layers.weight",
        "model.image_newline",
        "model.view_seperator",
        "model.embed_tokens.weight",
        "model.layers.0.self_attn.q_proj.weight",  # three matrices here, one in CLIP
        "model.layers.0.mlp.gate_proj.weight",
        "model.layers.2.mlp.experts.3.down_proj.weight",
        "model.layers.2.mlp.gate.weight",
        "model.layers.2.mlp.shared_experts.up_proj.weight",
        "model.norm.weight",
        "lm_head.weight",
    } <= keys
    assert not [key for key in keys if "language_model" in key or "position_ids" in key]


def test_a_stored_position_ids_buffer_is_ignored(small_folder, network, samples, alone, tmp_path):
    weights = load_file(small_folder / "model.safetensors")
    key = "model.vision_model.embeddings.position_ids"
    save_file({**weights, key: torch.arange(257)[None]}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG), "utf-8")
    again = load_network(tmp_path, 259, torch.device("cpu"))
    ids, view = samples[0]
    with torch.no_grad():
        assert torch.equal(again(input_ids=ids[None], pictures=[view]).logits[0], alone[0])


def test_position_tables_are_resized_with_antialias():
    """Every fourth column is 1: antialias gives the mean 1/4, plain bicubic -1/16 in between."""
    table = torch.zeros(4, 32, 1)
    table[:, ::4] = 1
    smaller = resized_positions(table, 4, 8)
    assert smaller.shape == (4, 8, 1)
    torch.testing.assert_close(smaller[:, 2:6], torch.full((4, 4, 1), 0.25), atol=0.02, rtol=0)
    assert resized_positions(table, 4, 32) is table


def test_the_published_model_has_the_published_size():
    """3,336,106,240 parameters, counted without memory for them."""
    clip = {"heads": 16, "image_size": 224, "layers": 24, "patch_size": 14, "width": 1024}
    sam = {
        "downsample_channels": [512, 1024],
        "global_attn_indexes": [2, 5, 8, 11],
        "heads": 12,
        "layers": 12,
        "width": 768,
    }
    towers = {"width": {"clip-l-14-224": clip, "sam_vit_b": sam}}
    config = DeepseekOcrConfig.from_original(
        {"language_config": PUBLISHED_TEXT, "vision_config": towers}
    )
    with torch.device("meta"):
        network = DeepseekOcrForConditionalGeneration(config)
    assert sum(p.numel() for p in network.parameters()) == 3_336_106_240
    assert config.image_token_id == 128815


def test_every_renaming_is_anchored():
    """A loose pattern also matches LoRA keys, which peft then drops with no more than a warning."""
    entries = get_checkpoint_conversion_mapping(MODEL_TYPE)
    renamings = [entry for entry in entries if isinstance(entry, WeightRenaming)]
    assert renamings
    for entry in renamings:
        assert all(pattern.startswith("^model") for pattern in entry.source_patterns)


def test_gradients_reach_both_towers_and_the_text(network, samples):
    ids, view = samples[0]
    labels = ids.masked_fill(ids == 259, IGNORE_INDEX)[None]
    network(input_ids=ids[None], pictures=[view], labels=labels).loss.backward()
    reached = {
        name for name, p in network.named_parameters() if p.grad is not None and p.grad.any()
    }
    network.zero_grad()
    for part in ("sam_model.layers.0", "vision_model.transformer.layers.0", "projector.layers"):
        assert f"model.{part}" in {name[: len(f"model.{part}")] for name in reached}
    assert any("language_model.layers.0" in name for name in reached)


def test_the_loss_counts_only_labelled_tokens(network, samples):
    ids, view = samples[0]
    labels = torch.full_like(ids, IGNORE_INDEX)
    labels[-1] = ids[-1]
    with torch.no_grad():
        out = network(input_ids=ids[None], pictures=[view], labels=labels[None])
    by_hand = -torch.log_softmax(out.logits[0, -2], -1)[ids[-1]]
    torch.testing.assert_close(out.loss, by_hand)
