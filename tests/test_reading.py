"""From files to predictions: the same text alone or in a batch, loops, failures, progress."""

import io
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from line_samples import draw_line, some_samples
from PIL import Image
from small_models import (
    CONFIG,
    LINE_CONFIG,
    byte_tokenizer,
    fill_with_noise,
    seeded_picture,
    write_model,
)

from ocrtune import decoding, reading, streaming
from ocrtune.config import ReadConfig, TrainConfig
from ocrtune.errors import ConfigError, ModelError
from ocrtune.events import Note, Progress, Read, Saved, Written
from ocrtune.families.loading import add_lora, load_adapter, load_base, save_adapter
from ocrtune.features import encode_samples
from ocrtune.reading import make_batches, read_pictures, read_samples

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


def texts(predictions):
    return [prediction.text for prediction in predictions]


def test_batches_of_mixed_layouts_read_as_single_pictures_do(loaded):
    together = read_samples(loaded, PICTURES, batch_size=8)
    alone = read_samples(loaded, PICTURES, batch_size=1)
    assert [p.picture_id for p in together] == [name for name, _ in PICTURES]
    assert texts(together) == texts(alone)
    assert len(set(texts(together))) > 1, "the pictures must matter"
    assert all(prediction.seconds > 0 for prediction in together)


def test_known_features_give_the_same_text_without_looking_again(loaded, monkeypatch):
    expected = read_samples(loaded, PICTURES)
    features = encode_samples(loaded, PICTURES)
    monkeypatch.setattr(reading, "lay_out", None)  # calling it would fail
    assert texts(read_samples(loaded, PICTURES, features)) == texts(expected)


def test_a_loop_is_cut_and_flagged(loaded, monkeypatch):
    loaded.contract = replace(loaded.contract, max_new_tokens=400)
    letter = loaded.completion_ids("a")[0]
    monkeypatch.setattr(
        decoding, "choose_tokens", lambda logits, rows, contract: [letter] * len(rows)
    )
    prediction = read_samples(loaded, PICTURES[:1])[0]
    assert prediction.looped
    assert 30 <= len(prediction.text) <= 64, "cut soon after it became a loop, not at 400"


def test_a_picture_that_fails_says_why_and_stops_nobody(loaded):
    thin = draw_line("x", 12000)
    pictures = [PICTURES[0], ("bad.png", b"no picture"), ("thin.png", thin), PICTURES[1]]
    predictions = read_samples(loaded, pictures)
    assert [bool(p.failed) for p in predictions] == [False, True, True, False]
    assert "cannot be decoded" in predictions[1].failed
    assert "too thin" in predictions[2].failed
    assert texts(predictions)[::3] == texts(read_samples(loaded, [PICTURES[0], PICTURES[1]]))


def test_too_little_memory_halves_the_batch(loaded, monkeypatch):
    expected = texts(read_samples(loaded, PICTURES))
    real = reading.decode

    def decode_at_most(count):
        def attempt(loaded, features, at_once, *listeners):
            if at_once > count:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return real(loaded, features, at_once, *listeners)

        return attempt

    monkeypatch.setattr(reading, "decode", decode_at_most(2))
    assert texts(read_samples(loaded, PICTURES)) == expected
    monkeypatch.setattr(reading, "decode", decode_at_most(0))
    assert all("memory" in p.failed for p in read_samples(loaded, PICTURES))


def test_progress_reaches_the_end(loaded):
    events = []
    read_samples(loaded, [*PICTURES, ("bad.png", b"")], batch_size=2, emit=events.append)
    assert events[-1] == Progress("read", 9, 9)
    done = [event.done for event in events]
    assert done == sorted(done)
    assert set(done) == set(range(1, 10)), "every answer counts as soon as it has ended"


def test_long_lines_come_first():
    """The last answers then are short ones, and the cores are not kept waiting by a single row."""
    batches = list(make_batches(PICTURES, None, 3))
    assert sorted(index for batch in batches for index in batch) == list(range(8))
    assert [len(batch) for batch in batches] == [3, 3, 2]
    assert batches[0][0] == 7, "the wide one"


def test_picture_files_are_read_in_order_and_failures_named(base, tmp_path):
    (tmp_path / "good.png").write_bytes(PICTURES[0][1])
    (tmp_path / "empty.png").write_bytes(b"")
    names = tuple(str(tmp_path / name) for name in ("empty.png", "good.png", "missing.png"))
    events = []
    predictions = read_pictures(ReadConfig(pictures=names, base=str(base)), events.append)
    assert [p.picture_id for p in predictions] == list(names)
    assert "empty" in predictions[0].failed
    assert predictions[1].text
    assert not predictions[1].failed
    assert "No such file" in predictions[2].failed
    assert [e.text for e in events if isinstance(e, Read)] == texts(predictions)


def test_cropped_pages_and_small_pictures_read_together_as_each_alone(tmp_path):
    """In one batch: pictures of 2 and 3 crops beside such as have none."""
    loaded = load_base(str(write_model(tmp_path, CONFIG)), layout="gundam", device="cpu").capped(10)
    pictures = []
    for seed, size in enumerate([(300, 200), (330, 650), (700, 240), (90, 60)]):
        stream = io.BytesIO()
        seeded_picture(*size, seed).save(stream, "PNG")
        pictures.append((f"{seed}.png", stream.getvalue()))
    grids = {loaded.lay_out(Image.open(io.BytesIO(data))).grid for _, data in pictures}
    assert grids == {(0, 0), (1, 2), (3, 1)}
    together = read_samples(loaded, pictures)
    assert texts(together) == [read_samples(loaded, [one])[0].text for one in pictures]
    assert len(set(texts(together))) > 1, "the pictures must matter"


def test_a_reading_that_was_cut_is_marked(loaded, monkeypatch):
    a, end = loaded.completion_ids("a")
    for length, cut in ((23, False), (24, True), (400, True)):
        ids = iter([*loaded.completion_ids("abcdefghij" * 40)[:length], end])
        monkeypatch.setattr(decoding, "choose_tokens", lambda *args, ids=ids: [next(ids)])
        [prediction] = read_samples(loaded, PICTURES[:1])
        assert prediction.cut is cut
        assert len(prediction.text) == min(length, 24)
    ids = iter(loaded.completion_ids("x" * 22 + "汉字"))  # the limit falls into a character
    monkeypatch.setattr(decoding, "choose_tokens", lambda *args: [next(ids)])
    assert read_samples(loaded, PICTURES[:1])[0].text == "x" * 22


# Several adapters, prompts and boxes


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    return str(write_model(tmp_path_factory.mktemp("pages"), CONFIG))


@pytest.fixture(scope="module")
def adapters(pages, tmp_path_factory):
    """Two adapters of the same base model under different contracts."""
    made = []
    for seed, changes in enumerate(
        ({"layout": "tiny"}, {"layout": "small", "prompt": "<image>\nParse the figure."})
    ):
        loaded = load_base(pages, device="cpu")
        add_lora(loaded, TrainConfig(data="", output="", lora_rank=4))
        fill_with_noise(loaded.model, seed, 0.3, only="lora_")
        loaded.contract = replace(loaded.contract, max_new_tokens=12, **changes)
        made.append(str(tmp_path_factory.mktemp("adapter") / str(seed)))
        save_adapter(loaded, Path(made[-1]), {})
    return made


@pytest.fixture
def page_files(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "use_cores", lambda: torch.set_num_threads(1))
    names = []
    for seed, size in enumerate([(300, 200), (500, 90)]):
        names.append(str(tmp_path / f"{seed}.png"))
        seeded_picture(*size, seed).save(names[-1])
    return tuple(names)


def read_alone(pages, adapter, names, prompt=""):
    loaded = load_base(pages, device="cpu")
    load_adapter(loaded, Path(adapter))
    if prompt:
        reading.choose_prompt(loaded, prompt)
    return texts(read_samples(loaded, [(name, Path(name).read_bytes()) for name in names]))


def test_several_adapters_read_in_turn_as_each_alone(pages, adapters, page_files):
    events = []
    config = ReadConfig(
        pictures=page_files, base=pages, adapter=adapters[0], adapters=adapters[1:], both=True
    )
    predictions = read_pictures(config, events.append)
    models = [pages, *(f"{pages} + {folder}" for folder in adapters)]
    assert [p.model for p in predictions] == [model for model in models for _ in page_files]
    for number, adapter in enumerate(adapters, start=1):
        found = texts(predictions)[2 * number : 2 * number + 2]
        assert found == read_alone(pages, adapter, page_files)
    # The base model reads under the first adapter's contract, as in a comparison.
    base = load_base(pages, layout="tiny", device="cpu").capped(12)
    files = [(name, Path(name).read_bytes()) for name in page_files]
    assert texts(predictions)[:2] == texts(read_samples(base, files))
    notes = [event.text for event in events if isinstance(event, Note)]
    assert any(f"`{adapters[1]}`" in note and "Parse the figure" in note for note in notes)


def test_configs_with_one_adapter_are_still_understood(tmp_path):
    path = tmp_path / "config.json"
    path.write_text('{"pictures": ["a.png"], "base": "tiny", "adapter": "a", "both": true}')
    config = ReadConfig.load(path)
    assert config.all_adapters == ("a",)
    assert replace(config, adapters=["b", "a", ""]).all_adapters == ("a", "b")
    with pytest.raises(ConfigError, match="needs an adapter"):
        ReadConfig(pictures=("a.png",), both=True)


def test_an_adapter_keeps_its_prompt_unless_another_is_asked_for(pages, adapters, page_files):
    def read(**settings):
        events = []
        config = ReadConfig(pictures=page_files, base=pages, adapter=adapters[1], **settings)
        return texts(read_pictures(config, events.append)), [
            event.text for event in events if isinstance(event, Note) and "prompt" in event.text
        ]

    own, [kept] = read()
    assert "which is kept: prompt: '<image>\\nFree OCR.' here, '<image>\\nParse the fig" in kept
    asked, [note] = read(prompt="extract")
    assert asked == read_alone(pages, adapters[1], page_files, "extract") != own
    assert "Extract the text" in note
    assert "trained with '<image>\\nParse the figure.'" in note
    assert read(prompt="figure") == (own, [])


def test_the_base_model_is_asked_what_was_chosen(pages, page_files, monkeypatch):
    contracts = []
    real = reading.read_samples

    def noted(loaded, *args, **kwargs):
        contracts.append(loaded.contract.prompt)
        return real(loaded.capped(2), *args, **kwargs)

    monkeypatch.setattr(reading, "read_samples", noted)
    for prompt in ("", "ocr", "Read it all"):
        read_pictures(ReadConfig(pictures=page_files, base=pages, layout="tiny", prompt=prompt))
    assert contracts == [
        "<image>\nFree OCR.",
        "<image>\n<|grounding|>OCR this image.",
        "<image>\nRead it all",
    ]


def grounded(monkeypatch, raw):
    """Let any page reader answer with `raw`, marks and all."""
    ids = byte_tokenizer().encode(raw, add_special_tokens=False).ids

    def choose(logits, rows, contract):
        return [ids[len(row.ids)] if len(row.ids) < len(ids) else 1 for row in rows]

    monkeypatch.setattr(decoding, "choose_tokens", choose)
    monkeypatch.setattr(decoding, "refuse_empty", lambda logits, *rest: logits)


MARKED = (
    "<|ref|>Total<|/ref|><|det|>[[0, 0, 333, 999]]<|/det|><|ref|>bad<|/ref|><|det|>[[0, 0]]<|/det|>"
)


def test_boxes_are_found_drawn_and_written(pages, page_files, tmp_path, monkeypatch):
    grounded(monkeypatch, MARKED)
    folder = tmp_path / "boxes"
    events = []
    config = ReadConfig(
        pictures=page_files, base=pages, layout="tiny", prompt="ocr", boxes=str(folder)
    )
    first, second = read_pictures(config, events.append)
    assert first.text == second.text == "Total\nbad[[0, 0]]"
    assert [asdict(box) for box in first.boxes] == [
        {"label": "Total", "x1": 0, "y1": 0, "x2": 100, "y2": 199}
    ]
    assert second.boxes[0].x2 == 166  # a third of its own 500 pixels
    assert (first.damaged_boxes, second.damaged_boxes) == (1, 1)
    assert [Path(p.drawn).name for p in (first, second)] == ["001_0.png", "002_1.png"]
    with Image.open(second.drawn) as drawn:
        assert drawn.size == (500, 90)
    assert [e.path for e in events if isinstance(e, Saved)] == [first.drawn, second.drawn]
    read = next(event for event in events if isinstance(event, Read))
    assert read.boxes[0]["label"] == "Total"
    assert read.drawn == first.drawn


def test_without_a_grounding_prompt_there_are_no_boxes(pages, page_files, tmp_path, monkeypatch):
    grounded(monkeypatch, MARKED)
    config = ReadConfig(pictures=page_files, base=pages, layout="tiny", boxes=str(tmp_path / "b"))
    assert {(p.text, p.boxes, p.drawn) for p in read_pictures(config)} == {
        ("Total[[0, 0, 333, 999]]bad[[0, 0]]", (), "")
    }
    assert not (tmp_path / "b").exists()


def test_a_folder_that_cannot_be_written_to_is_told(pages, page_files, tmp_path, monkeypatch):
    grounded(monkeypatch, MARKED)
    (tmp_path / "file").touch()
    config = ReadConfig(
        pictures=page_files,
        base=pages,
        layout="tiny",
        prompt="ocr",
        boxes=str(tmp_path / "file" / "boxes"),
    )
    with pytest.raises(ModelError, match="--boxes"):
        read_pictures(config)


def test_each_model_streams_a_single_picture(pages, adapters, page_files, monkeypatch):
    monkeypatch.setattr(streaming, "PAUSE_SECONDS", 0)
    events = []
    config = ReadConfig(pictures=page_files[:1], base=pages, adapter=adapters[0], both=True)
    first, second = read_pictures(config, events.append)
    for prediction in (first, second):
        written = [e for e in events if isinstance(e, Written) and e.model == prediction.model]
        assert written[-1].text.rstrip("\ufffd") == prediction.text.rstrip("\ufffd")
        assert prediction.text.startswith(written[0].text)
