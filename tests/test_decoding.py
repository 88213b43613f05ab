"""Many answers at once: the tokens of each alone, blocks, ends, places that are filled again."""

from dataclasses import replace

import pytest
import torch
from line_samples import draw_line, some_samples
from small_models import CONFIG, LINE_CONFIG, fill_with_noise, seeded_picture, write_model

from ocrtune import decoding
from ocrtune.config import TrainConfig
from ocrtune.decoding import Row, brings_back, decode, length_cap, pad_left, refuse_empty
from ocrtune.families import text_steps
from ocrtune.families.loading import add_lora, load_base
from ocrtune.features import encode_samples

PICTURES = [(s.picture_id, s.picture) for s in some_samples(7)]
PICTURES.append(("wide.png", draw_line("wider than two tiles", 1100)))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"), LINE_CONFIG)


@pytest.fixture
def loaded(base):
    """A line reader with random weights, so its answers are noise, but always the same noise."""
    torch.set_num_threads(1)
    loaded = load_base(str(base), device="cpu")
    loaded.contract = replace(loaded.contract, max_new_tokens=24)
    return loaded


def generated(loaded, feature):
    """Return the tokens that transformers' own loop writes about one picture."""
    ids = torch.tensor([loaded.prompt_ids(len(feature))])
    whole = loaded.network.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        picture_features=feature,
        max_new_tokens=loaded.contract.max_new_tokens,
        do_sample=False,
        pad_token_id=loaded.network.config.pad_token_id,
    )
    return whole[0, ids.shape[1] :].tolist()


@pytest.mark.parametrize("adapted", [False, True], ids=["base", "adapter"])
def test_the_decoder_writes_what_generate_writes(loaded, adapted):
    loaded.contract = replace(loaded.contract, no_repeat_ngram=0)
    if adapted:
        add_lora(loaded, TrainConfig(data="", output=""))
        fill_with_noise(loaded.model, 7, 0.2, only="lora_B")
        loaded.model.eval()
    features = encode_samples(loaded, PICTURES)
    for row, feature in zip(decode(loaded, features), features, strict=True):
        assert row.ids == generated(loaded, feature)


def test_experts_and_shared_heads_write_what_generate_writes(tmp_path):
    """A page reader with a mixture of experts, where two query heads share a key."""
    text = {**CONFIG["language_config"], "num_key_value_heads": 2}
    base = write_model(tmp_path, {**CONFIG, "num_key_value_heads": 2, "language_config": text})
    loaded = load_base(str(base), layout="tiny", device="cpu")
    loaded.contract = replace(loaded.contract, no_repeat_ngram=0, max_new_tokens=10)
    sizes = ((300, 200), (90, 400), (640, 640))
    views = [loaded.lay_out(seeded_picture(*size, seed)) for seed, size in enumerate(sizes)]
    with torch.no_grad():
        features = [feature[: 40 + 20 * i] for i, feature in enumerate(loaded.encode(views))]
    rows = decode(loaded, features)
    assert [row.ids for row in rows] == [generated(loaded, feature) for feature in features]
    assert len({tuple(row.ids) for row in rows}) > 1, "the pictures must matter"


@pytest.mark.parametrize("at_once", [1, 2, 3, 7])
def test_answers_that_take_turns_are_those_of_each_alone(loaded, at_once, monkeypatch):
    monkeypatch.setattr(text_steps, "MORE_ROOM", 5)  # many moves
    features = encode_samples(loaded, PICTURES)
    alone = [decode(loaded, [feature])[0].ids for feature in features]
    lengths = dict(enumerate((3, 1, 24, 10, 24, 5, 23, 12)))  # of each answer, with its end
    end = loaded.network.config.eos_token_id
    rows, order = {}, []
    choose = decoding.choose_tokens

    def choose_with_ends(logits, active, contract):
        tokens = choose(logits, active, contract)
        for place, row in enumerate(active):
            if id(row) not in rows:  # rows begin in the pictures' order
                rows[id(row)] = len(rows), row
            if len(row.ids) == lengths[rows[id(row)][0]]:
                tokens[place] = end
        return tokens

    monkeypatch.setattr(decoding, "choose_tokens", choose_with_ends)
    found = decode(loaded, features, at_once, lambda: order.append(1))
    assert len(order) == len(features)
    begun = [row for _, row in sorted(rows.values(), key=lambda pair: pair[0])]
    assert sorted(map(id, begun)) == sorted(map(id, found))
    for index, row in enumerate(found):
        assert row.ids == alone[index][: lengths[rows[id(row)][0]]]


@pytest.mark.parametrize(
    ("ids", "token", "ngram", "window", "expected"),
    [
        ([1, 2, 3, 1, 2], 3, 3, 60, True),
        ([1, 2, 3, 1, 2], 4, 3, 60, False),
        ([1, 2, 3, 9, 9, 1, 2], 3, 3, 7, True),
        ([1, 2, 3, 9, 9, 1, 2], 3, 3, 6, False),  # the first 1 2 3 has left the window
        ([7, 7], 7, 2, 60, True),
        ([7, 7], 7, 3, 60, False),  # 7 7 7 would be the first of its kind
        ([7, 7, 7], 7, 3, 60, True),
        ([1, 2, 3, 1, 2], 3, 0, 60, False),  # switched off
        ([], 5, 2, 60, False),
    ],
)
def test_the_block_looks_back_no_further_than_its_window(ids, token, ngram, window, expected):
    assert brings_back(ids, token, ngram, window) is expected


def test_a_short_window_allows_what_a_long_one_forbids(loaded):
    features = encode_samples(loaded, PICTURES)
    loaded.contract = replace(loaded.contract, max_new_tokens=60, no_repeat_ngram=1)
    loaded.contract = replace(loaded.contract, ngram_window=1)
    neighbours = decode(loaded, features)
    assert all(a != b for row in neighbours for a, b in zip(row.ids, row.ids[1:], strict=False))
    loaded.contract = replace(loaded.contract, ngram_window=60)
    different = decode(loaded, features)
    assert all(len(set(row.ids)) == len(row.ids) for row in different)
    assert any(len(set(row.ids)) < len(row.ids) for row in neighbours)


def test_rows_that_end_early_leave_the_others_as_they_are(loaded, monkeypatch):
    features = encode_samples(loaded, PICTURES)
    undisturbed = [row.ids for row in decode(loaded, features)]
    lengths = {0: 3, 1: 0, 2: 3, 4: 10, 6: 23}  # picture -> tokens before a forced end
    choose, places = decoding.choose_tokens, {}

    def choose_with_ends(logits, rows, contract):
        tokens = choose(logits, rows, contract)
        for index, row in enumerate(rows):
            picture = places.setdefault(id(row), index)  # all rows are there at the first token
            if len(row.ids) == lengths.get(picture):
                tokens[index] = loaded.network.config.eos_token_id
        return tokens

    monkeypatch.setattr(decoding, "choose_tokens", choose_with_ends)
    for index, row in enumerate(decode(loaded, features)):
        assert row.ids == undisturbed[index][: lengths.get(index, 24)]


def test_answers_stop_at_the_contracts_length(loaded):
    loaded.contract = replace(loaded.contract, max_new_tokens=5)
    assert all(len(row.ids) <= 5 for row in decode(loaded, encode_samples(loaded, PICTURES)))


def test_padding_goes_to_the_left():
    ids, mask = pad_left([[5, 6], [7, 8, 9, 10]], padding=2)
    assert ids.tolist() == [[2, 2, 5, 6], [7, 8, 9, 10]]
    assert mask.tolist() == [[False, False, True, True], [True] * 4]


@pytest.mark.parametrize(
    ("family", "share", "kept"), [("tiny", 0.55, False), ("tiny", 0.9, True), ("other", 0.55, True)]
)
def test_an_empty_answer_needs_certainty(loaded, family, share, kept):
    """A line lost in silence is worse than one read badly; what has begun may end at any time."""
    contract = replace(loaded.contract, family=family)
    logits = torch.tensor([share, 1 - share]).log().repeat(2, 1)
    rows = [Row(), Row(ids=[1])]
    left = refuse_empty(logits, rows, contract, end=0)
    assert bool(left[0, 0].isfinite()) == kept
    assert left[1, 0].isfinite()


@pytest.mark.parametrize(
    ("texts", "limit"),
    [
        (["abc", "a"], 2 * 4 + 32),  # three bytes and the end
        (["汉字"], 2 * 7 + 32),
        (["a" * 500], 160),  # never beyond the contract
        ([], 160),
        ([""], 2 * 1 + 32),
    ],
)
def test_known_texts_limit_the_length(texts, limit, base):
    loaded = load_base(str(base), device="cpu")
    assert length_cap(loaded, texts) == limit
    capped = loaded.capped(limit)
    assert capped.contract.max_new_tokens == limit
    assert capped.model is loaded.model
    assert capped.capped(10_000).contract.max_new_tokens == limit
    assert loaded.contract.max_new_tokens == 160


def test_every_token_is_told_and_a_cut_is_known(loaded):
    features = encode_samples(loaded, PICTURES)[:3]
    told = []
    rows = decode(loaded, features, 0, on_token=lambda row: told.append((id(row), len(row.ids))))
    for row in rows:
        assert [length for known, length in told if known == id(row)] == list(range(1, 25))
        assert row.cut == (len(row.ids) == 24 and not row.looped) or row.looped
