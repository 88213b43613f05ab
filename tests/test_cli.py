"""The command line: what each command prints and writes, and one sentence for every failure."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from line_samples import draw_line, write_dataset, write_source
from small_models import LINE_CONFIG, write_model

from ocrtune import cli, comparing, exporting, families, jobs, reading, streaming, training
from ocrtune.arguments import make_config
from ocrtune.config import CHECKPOINT, BuildConfig, ReadConfig, TrainConfig
from ocrtune.dataset_files import load_samples
from ocrtune.events import Done, Failed, Saved
from ocrtune.families.loading import load_adapter, load_base
from ocrtune.records import SPLITS

ROOT = Path(__file__).parents[1]
CASES = ROOT.parent / "shared" / "cer" / "cases.jsonl"
COMMANDS = ("build", "check", "train", "read", "compare", "export", "score", "demo", "bench", "app")


@pytest.fixture(scope="module", autouse=True)
def small():
    """Save time: random weights never end a text, and threads do not help a model this small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(families, "TINY", replace(families.TINY, max_new_tokens=48))
        for module in (comparing, exporting, reading, training):
            patch.setattr(module, "use_cores", lambda: torch.set_num_threads(1))
        yield


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return str(write_model(tmp_path_factory.mktemp("model"), LINE_CONFIG))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data"), 20)


@pytest.fixture(scope="module")
def adapter(base, data, tmp_path_factory):
    """A run of two steps, made by the command line."""
    run = tmp_path_factory.mktemp("run")
    arguments = ["--data", data, "--output", str(run), "--base", base, "--steps", "2"]
    assert cli.main(["train", *arguments, "--batch-size", "2"]) == 0
    return str(run / "adapter")


def run(capsys, *arguments):
    """Return the exit code, stdout and stderr of a command."""
    capsys.readouterr()
    code = cli.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def fresh_process(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_every_option(capsys, command):
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    parser = cli.make_parser()._subparsers._group_actions[0].choices[command]
    assert all(action.help for action in parser._actions)
    assert parser.description
    assert f"python -m ocrtune {command}" in text


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from ocrtune.cli import make_parser; make_parser().format_help();"
        "print([m for m in ('torch', 'transformers', 'gradio', 'numpy') if m in sys.modules])"
    )
    out, err = fresh_process("-c", code).communicate(timeout=60)
    assert out.strip() == "[]", err


def test_a_build_imports_nothing_that_it_does_not_need(tmp_path):
    source = write_source(tmp_path / "scans", 2)
    code = (
        "import sys; from ocrtune.cli import main; main(sys.argv[1:]);"
        "heavy = ('pandas', 'sklearn', 'datasets', 'torch', 'gradio');"
        "print([name for name in heavy if name in sys.modules])"
    )
    command = ("build", str(source), "--output", str(tmp_path / "lines"))
    out, err = fresh_process("-c", code, *command).communicate(timeout=60)
    assert out.splitlines()[-1] == "[]", err
    assert (tmp_path / "lines_train.parquet").exists(), err


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["build"], "SOURCE, --output"),
        (["train", "--steps", "3"], "--data, --output"),
        (["read"], "PICTURE"),
        (["export", "run"], "--merged"),
        (["export", "--merged", "out"], "RUN"),
        (["compare", "--data", "x"], "--adapter, --output"),
        (["score"], "--pairs"),
        (["train", "--steps", "many"], "--steps"),
        ([], "COMMAND"),
    ],
)
def test_misuse_is_told_with_code_2(capsys, arguments, wanted):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert wanted in capsys.readouterr().err


def test_build_writes_the_dataset_and_prints_its_statistics(capsys, tmp_path):
    source = write_source(tmp_path / "source", 20)
    code, out, _ = run(capsys, "build", source, "--output", tmp_path / "lines")
    assert code == 0
    assert "Samples: 20" in out
    sizes = [len(load_samples(str(tmp_path / "lines"), split)) for split in SPLITS]
    assert sizes == [16, 2, 2]
    assert (tmp_path / "lines_report.json").is_file()


def zip_of(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def locked_zip(path):
    """Return a zip whose only flaw is the flag that says it is encrypted."""
    zip_of(path, {"content.md": "1.png one\n", "1.png": draw_line("one")})
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            data[place + offset] |= 1
            place = data.find(mark, place + 4)
    path.write_bytes(data)
    return path


def bad_sources(folder):
    """Return by name what people bring that cannot become a dataset."""
    empty = folder / "empty.zip"
    empty.write_bytes(b"")
    return {
        "no content.md": zip_of(folder / "a.zip", {"1.png": draw_line("one")}),
        "missing pictures": zip_of(folder / "b.zip", {"content.md": "1.png one\n2.png two\n"}),
        "empty file": empty,
        "no picture": zip_of(
            folder / "c.zip", {"content.md": "1.png one\n", "1.png": b"this is no picture"}
        ),
        "password": locked_zip(folder / "d.zip"),
        "not there": folder / "nowhere.zip",
    }


@pytest.mark.parametrize(
    ("flaw", "words"),
    [
        ("no content.md", "no ground truth"),
        ("missing pictures", "None of the 2 lines"),
        ("empty file", "is empty"),
        ("no picture", "not a picture"),
        ("password", "password"),
        ("not there", "no file or folder"),
    ],
)
def test_bad_sources_get_a_sentence(capsys, tmp_path, flaw, words):
    source = bad_sources(tmp_path)[flaw]
    code, out, err = run(capsys, "build", source, "--output", tmp_path / "out")
    assert code == 1
    assert words in err
    assert "Traceback" not in err
    assert out == ""
    assert not list(tmp_path.glob("out*")), "nothing half-made is left"


def test_train_tells_its_course_and_where_the_adapter_lies(capsys, base, data, tmp_path):
    code, out, err = run(
        capsys, "train", "--data", data, "--output", tmp_path, "--base", base, "--steps", 2
    )
    assert code == 0
    assert out == f"Adapter: {tmp_path / 'adapter'}\n"
    assert "Validation CER of the base model" in err
    assert "Validation CER after step 2" in err
    assert "Fine-tuning: 1 of 2, loss" in err


def test_check_tells_what_a_run_takes_and_starts_none(capsys, base, data, tmp_path):
    code, out, err = run(capsys, "check", "--data", data, "--base", base, "--steps", 8)
    assert (code, out) == (0, "")
    assert "tokens to learn in 16 samples" in err
    assert "8 steps of 8 samples, together: 4.0 passes" in err
    assert "Memory: " in err
    assert "Time: about " in err
    assert "Validation CER" not in err


def test_settings_come_from_a_file_and_the_command_line_wins(capsys, base, data, tmp_path):
    saved = TrainConfig(data=data, output=str(tmp_path), base=base, steps=50, warmup_steps=3)
    saved.save(tmp_path / "settings.json")
    file = tmp_path / "settings.json"
    code, _, err = run(capsys, "train", "--config", file, "--steps", 1, "--no-augment")
    assert code == 0, err
    used = TrainConfig.load(tmp_path / "config.json")
    assert (used.steps, used.warmup_steps, used.augment) == (1, 3, False)


def config_of(*arguments):
    """Return the settings that `train` would use."""
    needed = ["--data", "d", "--output", "o"]
    return make_config(cli.make_parser().parse_args(["train", *needed, *map(str, arguments)]))


def test_every_setting_of_a_run_can_be_typed():
    actions = cli.make_parser()._subparsers._group_actions[0].choices["train"]._actions
    typed = {action.dest for action in actions}
    assert {field.name for field in fields(TrainConfig)} <= typed


def test_a_preset_sets_what_suits_the_base_and_what_is_typed_wins(tmp_path):
    quick = config_of("--preset", "quick")
    assert (quick.steps, quick.lora_rank, quick.lora_experts) == (30, 16, "auto")
    large = config_of("--preset", "quick", "--base", "deepseek-ocr", "--steps", 7)
    assert (large.steps, large.lora_rank, large.lora_alpha, large.lora_experts) == (7, 8, 8, "no")
    large.save(tmp_path / "settings.json")
    again = config_of("--config", tmp_path / "settings.json", "--preset", "thorough")
    assert (again.base, again.steps, again.lora_experts) == ("deepseek-ocr", 240, "auto")


def test_steps_and_epochs_exclude_each_other(capsys, tmp_path):
    with pytest.raises(SystemExit):
        config_of("--steps", 5, "--epochs", 2)
    assert "not allowed with" in capsys.readouterr().err
    config_of("--epochs", 2).save(tmp_path / "settings.json")
    assert config_of("--config", tmp_path / "settings.json").epochs == 2
    typed = config_of("--config", tmp_path / "settings.json", "--steps", 5)
    assert (typed.steps, typed.epochs) == (5, 0)
    assert config_of("--preset", "quick", "--epochs", 3).epochs == 3


def test_experts_are_yes_when_no_word_follows():
    chosen = [["--lora-experts"], ["--lora-experts", "no"], []]
    assert [config_of(*one).lora_experts for one in chosen] == ["yes", "no", "auto"]


def test_epochs_are_told_as_steps(capsys, base, data, tmp_path):
    options = ("--base", base, "--epochs", 0.5, "--batch-size", 4)
    _, _, err = run(capsys, "train", "--data", data, "--output", tmp_path, *options)
    assert "on 16 samples for 2 steps of 4: 0.5 passes over them, measured on 2 others" in err
    assert "in the text model and vision" in err
    assert TrainConfig.load(tmp_path / "config.json").steps == 2


def test_a_stopped_run_is_resumed_and_may_become_longer(capsys, base, data, tmp_path):
    options = ("--data", data, "--output", tmp_path / "run", "--base", base, "--batch-size", 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli.Watcher, "stop_requested", lambda watcher: True)
        assert run(capsys, "train", *options, "--steps", 1)[0] == 0
    code, _, err = run(capsys, "train", "--resume", tmp_path / "run", "--steps", 2)
    assert code == 0, err
    assert "The run goes on after step 0 of 2." in err
    assert "now takes 2" in err
    used = TrainConfig.load(tmp_path / "run" / "config.json")
    assert (used.steps, used.batch_size) == (2, 2)
    code, _, err = run(capsys, "train", "--resume", tmp_path / "run")
    assert code == 1
    assert "holds no checkpoint: the run has finished" in err


@pytest.mark.parametrize(
    "more", [["--seed", "1"], ["--preset", "quick"], ["--output", "x"], ["--no-augment"]]
)
def test_a_resumed_run_keeps_its_settings(capsys, tmp_path, more):
    with pytest.raises(SystemExit) as ended:
        cli.main(["train", "--resume", str(tmp_path), *more])
    assert ended.value.code == 2
    assert "keeps its settings" in capsys.readouterr().err


def test_a_resumed_run_that_is_none_gets_a_sentence(capsys, tmp_path):
    code, _, err = run(capsys, "train", "--resume", tmp_path / "nothing")
    assert code == 1
    assert "nothing/config.json` cannot be read" in err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"--data": "nowhere"}, "no `nowhere_train.parquet`"),
        ({"--base": "tyni"}, "no base model `tyni`"),
        ({"--steps": "0"}, "`steps` is 0"),
        ({"--layout": "base"}, "no layout `base`"),
    ],
)
def test_training_that_cannot_start_says_why(capsys, base, data, tmp_path, changes, words):
    options = {"--data": data, "--output": tmp_path, "--base": base, "--steps": 1} | changes
    code, _, err = run(capsys, "train", *[part for pair in options.items() for part in pair])
    assert code == 1
    assert words in err


def test_read_prints_the_text_alone_for_one_picture(capsys, base, tmp_path):
    names = [tmp_path / f"{n}.png" for n in (1, 2)]
    for name in names:
        name.write_bytes(draw_line(name.stem))
    code, one, err = run(capsys, "read", names[0], "--base", base)
    assert (code, err) == (0, "")
    code, both, _ = run(capsys, "read", *names, "--base", base)
    assert both.startswith(f"{names[0]}: {one.rstrip()}")
    assert f"\n{names[1]}: " in both


def test_read_with_an_adapter_as_json(capsys, base, adapter, tmp_path):
    name = tmp_path / "1.png"
    name.write_bytes(draw_line("one"))
    code, out, _ = run(
        capsys, "read", name, "--base", base, "--adapter", adapter, "--both", "--json"
    )
    assert code == 0
    first, second = json.loads(out)
    assert (first["picture_id"], first["model"]) == (str(name), base)
    assert second["model"] == f"{base} + {adapter}"
    assert isinstance(second["text"], str)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def test_on_a_terminal_the_text_grows(base, adapter, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(streaming, "PAUSE_SECONDS", 0)
    name = tmp_path / "1.png"
    name.write_bytes(draw_line("one"))
    arguments = ["read", name, "--base", base, "--adapter", adapter, "--both"]
    code, expected, _ = run(capsys, *arguments)
    grown = []
    terminal = Terminal()
    terminal.write = lambda text: grown.append(text) or len(text)
    monkeypatch.setattr(sys, "stdout", terminal)
    assert cli.main([str(argument) for argument in arguments]) == code == 0
    assert "".join(grown) == expected
    assert len(grown) > 20, "piece by piece"
    grown.clear()
    cli.main([str(argument) for argument in [*arguments, "--json"]])
    assert [row["text"] for row in json.loads("".join(grown))]


def test_several_adapters_are_given_one_after_another(capsys, base, adapter, tmp_path):
    name, copy = tmp_path / "1.png", tmp_path / "copy"
    name.write_bytes(draw_line("one"))
    shutil.copytree(adapter, copy)
    saved = ReadConfig(pictures=(str(name),), base=base, adapter="forgotten", adapters=("too",))
    saved.save(tmp_path / "read.json")
    code, out, err = run(
        capsys, "read", "--config", tmp_path / "read.json", "--adapter", adapter, "--adapter", copy
    )
    assert code == 0, err
    first, second = out.splitlines()
    assert first.startswith(f"{base} + {adapter}: ")
    assert second == first.replace(adapter, str(copy))


def test_prompts_and_boxes_reach_the_reading(capsys, base, tmp_path):
    name = tmp_path / "1.png"
    name.write_bytes(draw_line("one"))
    code, out, _ = run(capsys, "read", name, "--base", base, "--prompt", "Read it now", "--json")
    assert code == 0
    [values] = json.loads(out)
    assert (values["boxes"], values["drawn"], values["failed"]) == ([], "", "")
    code, _, err = run(capsys, "read", name, "--base", base, "--prompt", "markdown")
    assert code == 1
    assert "no prompt `markdown`" in err


def test_export_writes_a_model_and_says_how_to_use_it(capsys, base, adapter, tmp_path):
    name, merged = tmp_path / "1.png", tmp_path / "merged"
    name.write_bytes(draw_line("one"))
    run_folder = Path(adapter).parent
    code, out, err = run(capsys, "export", run_folder, "--merged", merged, "--dtype", "float16")
    assert code == 0, err
    checked, where, serving = out.splitlines()
    assert "logits differ by at most" in checked
    assert where == f"Model: {merged}"
    assert serving == f"python -m ocrtune read PICTURE --base {merged}"
    code, text, err = run(capsys, "read", name, "--base", merged)
    assert (code, bool(text.strip()), err) == (0, True, "")
    code, _, err = run(capsys, "export", run_folder, "--merged", merged)
    assert code == 1
    assert "not an empty folder" in err


def test_pictures_that_cannot_be_read_are_told_and_the_rest_is_printed(capsys, base, tmp_path):
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    good.write_bytes(draw_line("one"))
    bad.write_text("no picture")
    code, out, err = run(capsys, "read", bad, good, "--base", base)
    assert code == 1
    assert out.startswith(f"{good}: ")
    assert err.startswith(f"{bad}: ")
    assert "not a picture" in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--adapter", "nowhere"], "`nowhere`"),
        (["--both"], "needs an adapter"),
        (["--base", "tyni"], "no base model `tyni`"),
        (["--base", "some/where/else"], "no base model"),
    ],
)
def test_models_that_are_not_there_get_a_sentence(capsys, base, tmp_path, options, words):
    (tmp_path / "1.png").write_bytes(draw_line("one"))
    code, out, err = run(capsys, "read", tmp_path / "1.png", "--base", base, *options)
    assert (code, out) == (1, "")
    assert words in err


def test_compare_prints_both_cers(capsys, base, data, adapter, tmp_path):
    code, out, err = run(
        capsys,
        *("compare", "--data", data, "--base", base, "--adapter", adapter),
        *("--output", tmp_path / "out"),
    )
    assert code == 0, err
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    rows = [line.split() for line in out.splitlines() if " model " in line]
    assert [row[0] for row in rows[:2]] == ["base", "tuned"]
    for row, side in zip(rows, ("base", "tuned"), strict=False):
        assert int(row[4]) == report[side]["errors"]
        assert float(row[2]) == pytest.approx(100 * report[side]["cer"], abs=0.06)
    assert str(tmp_path / "out" / "report.html") in out


PROFILES = ("strict", "raw", "grapheme", "no-space", "lenient")


@pytest.mark.parametrize("profile", PROFILES)
def test_score_counts_the_cases_exactly(capsys, profile):
    if not CASES.exists():
        pytest.skip("../shared/cer/cases.jsonl is not on this machine")
    code, out, _ = run(capsys, "score", "--pairs", CASES, "--profile", profile, "--json")
    values = json.loads(out)
    cases = [json.loads(line) for line in CASES.read_text("utf-8").splitlines() if line.strip()]
    expected = [{"id": case["id"], **case["expected"][profile]} for case in cases]
    assert code == 0
    assert values["profile"] == profile
    assert values["rows"] == expected
    pooled = values["pooled"]
    assert pooled["errors"] == sum(row["errors"] for row in expected)
    assert pooled["reference_length"] == sum(row["reference_length"] for row in expected)
    assert pooled["cer"] == pytest.approx(pooled["errors"] / pooled["reference_length"])


def test_score_prints_a_table(capsys, tmp_path):
    rows = [
        {"id": "a", "reference": "kitten", "hypothesis": "sitting"},
        {"reference": "abcd", "hypothesis": None},  # a failed reading counts as empty
    ]
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n\n".join(map(json.dumps, rows)) + "\n", "utf-8")
    code, out, _ = run(capsys, "score", "--pairs", file)
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert lines[1] == ["3", "6", "50.0", "%", "a"]
    assert lines[2] == ["4", "4", "100.0", "%", "2"]
    assert lines[3] == ["7", "10", "70.0", "%", "all,", "pooled"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"reference": "a", "hypothesis": "b"}\n{"reference": ', "Line 2"),
        (b'{"reference": "a"}', "Line 1"),
        (b'{"reference": 5, "hypothesis": "b"}', "Line 1"),
        (b'["a", "b"]', "Line 1"),
        (b"", "holds no pair"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_broken_pairs_get_a_sentence(capsys, tmp_path, content, words):
    file = tmp_path / "pairs.jsonl"
    file.write_bytes(content)
    code, out, err = run(capsys, "score", "--pairs", file)
    assert (code, out) == (1, "")
    assert words in err
    assert "hypothesis" in err, "it shows what a row looks like"


def test_a_missing_file_and_a_wrong_profile_get_a_sentence(capsys, tmp_path):
    assert "cannot be read" in run(capsys, "score", "--pairs", tmp_path / "no.jsonl")[2]
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"reference": "a", "hypothesis": "b"}')
    code, _, err = run(capsys, "score", "--pairs", file, "--profile", "strikt")
    assert code == 1
    assert "`strict`" in err


def test_a_job_builds_and_says_so(tmp_path):
    source = write_source(tmp_path / "source", 20)
    job = jobs.create(tmp_path / "home")
    prefix = str(tmp_path / "lines")
    jobs.start(job, "build", BuildConfig(source=str(source), output=prefix))
    events = list(jobs.follow(job, poll_seconds=0.05))
    assert isinstance(events[-1], Done)
    assert "20" in events[-1].text
    assert Saved("dataset", prefix) in events
    assert job.state() == "done"


def test_a_job_that_fails_says_what_and_why(tmp_path):
    job = jobs.create(tmp_path / "home")
    jobs.start(job, "build", BuildConfig(source="nowhere.zip", output=str(tmp_path / "lines")))
    events = list(jobs.follow(job, poll_seconds=0.05))
    assert isinstance(events[-1], Failed)
    assert "nowhere.zip" in events[-1].problem
    assert "Traceback" not in job.log()
    assert job.state() == "failed"


def test_a_build_job_that_is_asked_to_stop_leaves_no_file(tmp_path):
    job = jobs.create(tmp_path / "home")
    source = write_source(tmp_path / "source", 40)
    job.stop()
    jobs.start(job, "build", BuildConfig(source=str(source), output=str(tmp_path / "out" / "d")))
    events = list(jobs.follow(job, poll_seconds=0.05))
    assert events[-1] == Done("Stopped before it began.", stopped=True)
    assert job.state() == "stopped"
    assert not list(tmp_path.glob("out/*"))


def endless(base, data, output):
    return TrainConfig(data=data, output=str(output), base=base, steps=5000, batch_size=2)


def wait_for(condition, seconds=90):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_a_training_job_stops_when_asked(base, data, tmp_path):
    job = jobs.create(tmp_path / "home")
    jobs.start(job, "train", endless(base, data, tmp_path / "run"))
    wait_for(lambda: job.status().step >= 2)
    job.stop()
    events = list(jobs.follow(job, poll_seconds=0.05))
    assert events[-1] == Done("The adapter is saved.", stopped=True)
    assert job.state() == "stopped"
    for words in ("Memory: ", "Validation CER of the base model: ", "Fine-tuning: 1 of 5000, loss"):
        assert words in job.log(), "the log tells how the run went"
    load_adapter(load_base(base, device="cpu"), tmp_path / "run" / "adapter")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_training_gently(base, data, tmp_path, number):
    endless(base, data, tmp_path / "run").save(tmp_path / "settings.json")
    process = fresh_process("-m", "ocrtune", "train", "--config", str(tmp_path / "settings.json"))
    log = tmp_path / "run" / "log.jsonl"
    wait_for(lambda: log.exists() and '"Step"' in log.read_text("utf-8"))
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "what was learned is kept" in err
    assert "Traceback" not in err
    assert (tmp_path / "run" / CHECKPOINT).is_file(), "it can be resumed"
    load_adapter(load_base(base, device="cpu"), tmp_path / "run" / "adapter")
