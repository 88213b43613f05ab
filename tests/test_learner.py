"""One optimizer step: what is masked, what the loss is, how much of it fits into memory."""

import pytest
import torch
from line_samples import some_samples
from small_models import LINE_CONFIG, fill_with_noise, write_model

from ocrtune import learner
from ocrtune.config import TrainConfig
from ocrtune.examples import make_examples
from ocrtune.families.deepseek_ocr_model import IGNORE_INDEX
from ocrtune.families.loading import add_lora, load_base
from ocrtune.families.text_pass import answer_loss, read_rows, read_rows_by_model
from ocrtune.features import open_picture
from ocrtune.learner import make_portion, pad_right, rate_factor


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return str(write_model(tmp_path_factory.mktemp("model"), LINE_CONFIG))


def test_only_completions_are_supervised():
    ids, labels = pad_right([[0, 3, 3, 5], [0, 3, 5]], [[9, 1], [8, 7, 6, 1]], padding=2)
    x = IGNORE_INDEX
    assert ids.tolist() == [[0, 3, 3, 5, 9, 1, 2], [0, 3, 5, 8, 7, 6, 1]]
    assert labels.tolist() == [[x, x, x, x, 9, 1, x], [x, x, x, 8, 7, 6, 1]]


def test_the_loss_is_the_networks_own_although_rows_are_padded(base):
    loaded = load_base(base, device="cpu")
    samples = some_samples(3)
    examples = make_examples(loaded, samples, print)
    views = [loaded.lay_out(open_picture(e.picture)) for e in examples]
    with torch.no_grad():
        features = loaded.encode(views)
        prompts = [loaded.prompt_ids(len(feature)) for feature in features]
        portion = make_portion(loaded, features, [e.completion for e in examples])
        hidden = read_rows(loaded.network.model.language_model, portion.embeddings)
        asked = hidden.flatten(0, 1)[portion.places]
        ours = answer_loss(loaded.network.lm_head, asked, portion.answers)
        theirs = [
            loaded.network(
                input_ids=torch.tensor([[*prompt, *example.completion]]),
                picture_features=feature,
                labels=torch.tensor([[IGNORE_INDEX] * len(prompt) + example.completion]),
            ).loss
            for prompt, example, feature in zip(prompts, examples, features, strict=True)
        ]
    counts = [len(example.completion) for example in examples]
    assert len(portion.answers) == sum(counts)
    expected = sum(one * n for one, n in zip(theirs, counts, strict=True))
    assert ours.item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize(
    ("step", "factor"),
    [(0, 0.5), (1, 0.9), (2, 0.8), (5, 0.5), (9, 0.1)],  # 10 steps, 2 to warm up; 0.5 * (1 - 0)
)
def test_the_rate_rises_and_falls(step, factor):
    config = TrainConfig(data="d", output="o", steps=10, warmup_steps=2)
    assert rate_factor(step, config) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        ("constant", [0.5, 1, 1, 1]),
        ("cosine", [0.5, 0.853553, 0.5, 0.146447]),  # half of 1 + cos(0, 1/4, 2/4, 3/4 of pi)
        ("linear", [0.5, 0.75, 0.5, 0.25]),
    ],
)
def test_each_schedule_falls_in_its_own_way(schedule, factors):
    config = TrainConfig(data="d", output="o", steps=4, warmup_steps=2, schedule=schedule)
    assert [rate_factor(step, config) for step in range(4)] == pytest.approx(factors, abs=1e-6)


def test_a_batch_in_portions_teaches_what_it_teaches_whole(base, monkeypatch):
    examples = make_examples(load_base(base, device="cpu"), some_samples(4), print)
    config = TrainConfig(data="", output="", base=base, batch_size=4, augment=False)
    steps = []
    for room in (10**9, 2 * 384 * 48):
        monkeypatch.setattr(learner, "PIXELS_WITH_GRADIENT", room)
        torch.manual_seed(0)
        loaded = load_base(base, device="cpu")
        add_lora(loaded, config)
        pupil = learner.Learner(loaded, config, examples, print)
        portions = list(learner.divide([pupil.prepare(index) for index in range(4)], 4))
        loss = pupil.step()
        steps.append((len(portions), loss, [p.grad.clone() for p in pupil.parameters]))
    (one, loss, whole), (several, same_loss, parts) = steps
    assert one == 1 < several
    assert same_loss == pytest.approx(loss, rel=1e-6)
    for expected, found in zip(whole, parts, strict=True):
        assert torch.allclose(expected, found, atol=1e-5)


@pytest.mark.parametrize("vision", ["yes", "no"])
@pytest.mark.parametrize(
    ("dropout", "way"),
    [
        (0.0, (1, False)),
        (0.0, (3, False)),
        (0.0, (4, True)),
        (0.0, (3, True)),
        (0.3, (4, True)),  # not in portions, which draw their dropout one after the other
    ],
)
def test_how_a_batch_goes_through_the_model_changes_nothing(base, vision, dropout, way):
    config = TrainConfig(
        data="",
        output="",
        base=base,
        batch_size=4,
        augment=False,
        lora_vision=vision,
        lora_dropout=dropout,
    )
    loaded = load_base(base, device="cpu")
    add_lora(loaded, config)
    fill_with_noise(loaded.model, seed=1, scale=0.1, only="lora_B")
    pupil = learner.Learner(loaded, config, make_examples(loaded, some_samples(4), print), print)
    lessons = [pupil.prepare(index) for index in range(4)]
    loaded.model.train()

    def gradient(*fit):
        torch.manual_seed(5)
        pupil.fit(*fit)
        loss = pupil.learn(learner.Batch(lessons, sum(len(ids) for _, ids in lessons)))
        return loss, pupil.flat.master.grad.clone()

    loss, whole = gradient(4, False)
    same_loss, parts = gradient(*way)
    assert same_loss == pytest.approx(loss, abs=1e-5)
    assert torch.allclose(whole, parts, atol=1e-5)
    assert pupil.recorder.recompute is way[1]


@pytest.mark.filterwarnings("ignore:In CPU autocast")  # it is for GPUs, which have no fp32
@pytest.mark.parametrize("recompute", [True, False])
def test_layers_computed_twice_teach_the_same_in_the_models_own_forward(base, recompute):
    loaded = load_base(base, device="cpu")
    add_lora(loaded, TrainConfig(data="", output="", base=base, lora_vision="no"))
    fill_with_noise(loaded.model, seed=1, scale=0.1, only="lora_B")
    loaded.model.train()
    language = loaded.network.model.language_model
    rows = torch.randn(2, 9, language.config.hidden_size)
    weights = [p for p in loaded.model.parameters() if p.requires_grad]

    def gradients(read, recompute):
        out = read(language, rows, recompute)
        found = torch.autograd.grad(out.square().sum(), weights, allow_unused=True)
        return [each for each in found if each is not None]

    expected = gradients(read_rows, False)
    found = gradients(read_rows_by_model, recompute)
    assert language.is_gradient_checkpointing is recompute
    assert len(found) == len(expected) > 0
    for one, other in zip(expected, found, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-5)
