"""The bench: the same lines for everybody, counted alike, and words that follow the numbers."""

import json
import os
import sys
from pathlib import Path

import pytest
from line_samples import draw_line, write_dataset, write_source
from PIL import Image

from ocrtune import cli
from ocrtune.bench import embedded, scores, speed
from ocrtune.bench import tesseract as peer
from ocrtune.bench.embedded import BenchSettings, Reading, SetResult, run_bench, set_figures
from ocrtune.bench.goals import PEER, TINY, TINY_TUNED, find_goals
from ocrtune.bench.lines import (
    SCANS,
    SETS,
    TUNED,
    BenchLine,
    load_scans,
    load_set,
    load_test_split,
)
from ocrtune.bench.report import nothing_table, prose_table, winners, write_bench, writing_table
from ocrtune.bench.scores import draw_texts, run_scores_bench
from ocrtune.bench.tesseract import Tesseract, TesseractError, find_tesseract, prepare, read_lines
from ocrtune.config import TrainConfig
from ocrtune.dataset_files import load_samples
from ocrtune.errors import ConfigError, DatasetError, ModelError
from ocrtune.events import silent
from ocrtune.metrics import pool, score_pairs

# Answers each picture with its height, as far as the list goes that it is given.
FAKE = """#!{python}
import struct, sys
if sys.argv[1] == "--version":
    print("tesseract 9.9\\n leptonica")
elif sys.argv[1] == "--list-langs":
    print("List of available languages (2):\\neng\\nscript/Fraktur")
elif "broken" in sys.argv:
    sys.exit("no such language")
else:
    paths = open(sys.argv[1]).read().split()
    heights = [struct.unpack(">I", open(path, "rb").read()[20:24])[0] for path in paths]
    sys.stdout.write("\\f".join("high  " + str(h) + "\\n" for h in heights[{lost}:]))
"""


def fake_tesseract(folder: Path, lost: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "tesseract"
    program.write_text(FAKE.format(python=sys.executable, lost=lost), "utf-8")
    program.chmod(0o755)
    return program


def line(text: str, language: str = "en", kind: str = "", name: str = "") -> BenchLine:
    return BenchLine(
        name=name or f"{language}-{text}.png",
        language=language,
        kind=kind,
        picture=draw_line(text),
        text=text,
    )


def figures_of(**sets: SetResult) -> dict:
    """Return a report's figures, with nothing but these sets."""
    return {
        "machine": "a machine",
        "load": 0.1,
        "limit": 0,
        "weights": {"bytes": 23_600_000, "largest_file": 9_000_000},
        "tesseract": "9.9",
        "sets": {name: set_figures(result) for name, result in sets.items()},
        "speed": None,
        "adapter": None,
    }


def result(lines: list[BenchLine], **readings: list[str]) -> SetResult:
    found = {name: Reading(texts, [False] * len(texts), 1.0) for name, texts in readings.items()}
    return SetResult(lines, found)


@pytest.fixture
def sets(tmp_path):
    """Every evaluation set, with three short lines each; one has none to read."""
    for name in SETS:
        folder = tmp_path / "sets" / name
        folder.mkdir(parents=True)
        rows = []
        for language in ("zh", "en", "de"):
            text = "" if name == "nothing" else f"{language} 12"
            picture = f"{language}-blur-0001.png" if name == "degraded" else f"{language}-0001.png"
            (folder / picture).write_bytes(draw_line(text))
            rows.append(f"{picture} {text}\n")
        (folder / "content.md").write_text("".join(rows), "utf-8")
    return tmp_path / "sets"


# Lines


def test_a_name_says_language_and_flaw(sets):
    lines = load_set(sets / "degraded")
    assert [(one.language, one.kind, one.text) for one in lines] == [
        ("zh", "blur", "zh 12"),
        ("en", "blur", "en 12"),
        ("de", "blur", "de 12"),
    ]
    assert [(one.language, one.kind) for one in load_set(sets / "printed")][0] == ("zh", "")
    assert [one.text for one in load_set(sets / "nothing")] == ["", "", ""]


def test_a_limit_takes_as_much_of_every_language_and_flaw(tmp_path):
    rows = [(lg, flaw, n) for n in range(9) for flaw in ("blur", "jpeg") for lg in ("zh", "en")]
    for language, flaw, number in rows:
        (tmp_path / f"{language}-{flaw}-{number}.png").write_bytes(b"")
    content = "".join(f"{lg}-{flaw}-{number}.png text\n" for lg, flaw, number in rows)
    (tmp_path / "content.md").write_text(content, "utf-8")
    chosen = [(one.language, one.kind) for one in load_set(tmp_path, 12)]
    assert len(chosen) == 12
    assert {pair: chosen.count(pair) for pair in chosen} == dict.fromkeys(set(chosen), 3)


def test_a_missing_picture_says_what_to_do(sets):
    (sets / "printed" / "en-0001.png").unlink()
    with pytest.raises(DatasetError) as raised:
        load_set(sets / "printed")
    assert "draws them again" in raised.value.fix


def test_a_name_without_a_language_is_refused(tmp_path):
    (tmp_path / "content.md").write_text("0001.png text\n", "utf-8")
    with pytest.raises(DatasetError, match="0001.png"):
        load_set(tmp_path)


def test_only_the_test_split_of_the_adapters_own_scans_counts(tmp_path):
    source = write_source(tmp_path / "source", 20)
    data = write_dataset(tmp_path, 20)
    adapter = tmp_path / "run" / "adapter"
    TrainConfig(data=data, output=str(tmp_path / "run")).save(tmp_path / "run" / "config.json")
    scans = load_scans(source)
    lines = load_test_split(adapter, scans)
    assert {one.name for one in lines} == {s.picture_id for s in load_samples(data, "test")}
    assert 0 < len(lines) < len(scans) == 20
    seen = {s.picture_id for split in ("train", "validation") for s in load_samples(data, split)}
    assert seen.isdisjoint(one.name for one in lines)
    with pytest.raises(ModelError, match="none of the scans"):
        load_test_split(adapter, [line("another scan")])
    with pytest.raises(ModelError, match="does not say"):
        load_test_split(tmp_path / "elsewhere" / "adapter", scans)


def test_an_adapter_without_scans_is_refused():
    with pytest.raises(ConfigError):
        BenchSettings(sets=Path("a"), output=Path("b"), adapter=Path("c"))


# Tesseract


def test_texts_come_back_in_the_order_of_the_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(peer, "PICTURES_A_CALL", 2)  # several calls, two at once
    tesseract = Tesseract(str(fake_tesseract(tmp_path)), "9.9", ("eng",))
    pictures = []
    for height in range(40, 47):
        picture = tmp_path / f"{height}.png"
        Image.new("RGB", (60, height), "white").save(picture)
        pictures.append(picture.read_bytes())
    expected = [f"high {height}" for height in range(40, 47)]  # runs of spaces are one
    assert read_lines(tesseract, "eng", pictures, 0, silent) == expected
    assert read_lines(tesseract, "eng", pictures[:1], 10, silent) == ["high 60"]


def test_a_lost_text_is_noticed(tmp_path):
    tesseract = Tesseract(str(fake_tesseract(tmp_path, lost=1)), "9.9", ("eng",))
    with pytest.raises(TesseractError, match="1 texts for 2 pictures"):
        read_lines(tesseract, "eng", [draw_line("a"), draw_line("b")], 0, silent)


def test_a_failure_says_what_tesseract_said(tmp_path):
    tesseract = Tesseract(str(fake_tesseract(tmp_path)), "9.9", ("broken",))
    with pytest.raises(TesseractError, match="no such language"):
        read_lines(tesseract, "broken", [draw_line("a")], 0, silent)


def test_models_are_found_by_either_name_and_missing_ones_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(fake_tesseract(tmp_path).parent))
    tesseract = find_tesseract()
    assert tesseract.version == "9.9"
    assert tesseract.model("eng") == "eng"
    assert tesseract.model("Fraktur") == "script/Fraktur"
    with pytest.raises(TesseractError, match="tesseract-ocr-chi-sim"):
        tesseract.model("chi_sim")


def test_a_margin_has_the_colour_of_the_paper(tmp_path):
    paper = Image.new("RGB", (30, 20), (230, 215, 180))
    paper.paste((0, 0, 0), (10, 5, 20, 15))
    paper.save(tmp_path / "a.png")
    picture = prepare((tmp_path / "a.png").read_bytes(), 4)
    assert picture.size == (38, 28)
    assert picture.getpixel((0, 0)) == (230, 215, 180)
    assert picture.getpixel((14, 9)) == (0, 0, 0)


def test_the_installed_tesseract_reads_a_line(tmp_path):
    tesseract = find_tesseract()
    if tesseract is None or "eng" not in tesseract.models:
        pytest.skip("Tesseract is not installed")
    pictures = [draw_line("the first line"), draw_line("another one")]
    assert read_lines(tesseract, "eng", pictures, 0, silent) == ["the first line", "another one"]


# Figures


def test_figures_of_a_set_by_language_and_reader():
    lines = [line("abcd", "en"), line("efgh", "en"), line("天气很好", "zh")]
    found = result(
        lines, tiny=["abcd", "efgX", "天气很好"], Tesseract=["abcX", "eXXX", "天 气 很好"]
    )
    groups = set_figures(found)["groups"]
    assert list(groups) == ["all", "en", "zh", "short"]
    english, chinese = groups["en"]["readers"], groups["zh"]["readers"]
    assert (english[TINY]["cer"], english[PEER]["cer"]) == (1 / 8, 4 / 8)
    assert (english[TINY]["exact_lines"], english[PEER]["exact_lines"]) == (1, 0)
    assert chinese[PEER]["cer"] == 2 / 4  # two spaces too many
    assert chinese[PEER]["cer_without_spaces"] == 0
    assert groups["en"]["differences"][PEER]["cer"] == -3 / 8  # tiny minus Tesseract
    assert groups["all"]["readers"][TINY]["reference_characters"] == 12


def test_what_is_written_about_nothing():
    lines = [line("", "none", "white", name=f"{n}.png") for n in range(4)]
    found = result(lines, tiny=["", "", "ab", "abcdef"], Tesseract=["", "", "", ""])
    values = set_figures(found)["groups"]["all"]["readers"][TINY]
    assert values["cer"] is None
    assert values["written"] == 2.0
    assert values["talkative"] == 0.25  # two characters are few, six are not
    row = nothing_table(figures_of(nothing=found)).splitlines()[2]
    assert "2.00 / 0.00" in row
    assert "25.0 % / 0.0 %" in row


def test_the_worst_lines_come_first_and_right_ones_not_at_all():
    lines = [line("abcd"), line("efghijkl"), line("right")]
    worst = set_figures(result(lines, tiny=["abcX", "XXXXXXXX", "right"]))["worst"]
    assert [(row["reference"], row["errors"]) for row in worst] == [("efghijkl", 8), ("abcd", 1)]


def many(texts: list[str], language: str) -> list[BenchLine]:
    return [line(text, language, name=f"{language}-{n}") for n, text in enumerate(texts)]


def test_the_report_says_who_reads_better():
    words = [f"words {n}" for n in range(40)]
    wrong = [f"wordX {n}" for n in range(40)]
    lines = many(words, "en") + many(words, "de") + many(words, "zh")
    tiny, peer = words + wrong + words[:20] + wrong[20:], wrong + words + wrong[:20] + words[20:]
    sentences = list(winners(figures_of(printed=result(lines, tiny=tiny, Tesseract=peer))))
    assert "printed German" in sentences[0]
    assert sentences[0].startswith("- **Tesseract reads better**")
    assert "printed English" in sentences[1]
    assert "printed Chinese" in sentences[2]  # each reads half of them better


def test_scans_are_shown_for_every_model_and_tuned_lines_against_each():
    lines = many(["alte schrift"] * 5, "fraktur")
    right, wrong, worse = ["alte schrift"] * 5, ["alte schriXX"] * 5, ["XXXX schriXX"] * 5
    readings = {
        TINY: worse,
        f"{PEER} Fraktur": wrong,
        f"{PEER} deu": worse,
        TINY_TUNED: right,
    }
    figures = figures_of(**{SCANS: result(lines, **readings), TUNED: result(lines, **readings)})
    text = writing_table(figures)
    assert text.count(f"| {TINY_TUNED} | 0.0 %") == 2
    assert "-16.7 to -16.7" in text
    goals = {goal.name: goal for goal in find_goals(figures)}
    assert goals["CER, Fraktur, tuned: aim"].verdict == "reached"
    assert goals["CER, Fraktur, tuned, of Tesseract Fraktur"].most == pytest.approx(2 / 12)


def test_goals_are_reached_missed_or_not_measured():
    long = "a long line of text that goes on for more than thirty characters"
    lines = [line("short line"), line(long)]
    found = result(lines, tiny=["short linX", long])
    figures = figures_of(printed=found, long=result([line(long)], tiny=["X" * len(long)]))
    goals = {goal.name: goal for goal in find_goals(figures)}
    assert goals["CER, printed"].measured == pytest.approx(1 / (10 + len(long)))
    assert goals["CER, printed"].verdict == "reached"
    assert goals["CER of long lines by that of short ones"].measured == pytest.approx(10)
    assert goals["CER of long lines by that of short ones"].verdict == "**missed**"
    assert goals["CER, degraded"].verdict == "not measured"
    assert goals["60 training steps"].verdict == "not measured"


def test_a_report_without_tesseract_has_whole_tables(tmp_path):
    figures = figures_of(printed=result([line("abc")], tiny=["abX"])) | {"tesseract": None}
    write_bench(figures, tmp_path)
    text = (tmp_path / "report.md").read_text("utf-8")
    for block in text.split("\n\n"):
        rows = [row for row in block.splitlines() if row.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["sets"].keys() == {"printed"}
    assert "33.3 % | – | –" in prose_table(figures, [("printed", ("all",))])


# The whole


def test_the_help_explains_every_option(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["bench", "--help"])
    assert ended.value.code == 0
    assert "python -m ocrtune bench embedded" in capsys.readouterr().out
    parser = cli.make_parser()._subparsers._group_actions[0].choices["bench"]
    assert all(action.help for action in parser._actions)


def test_sets_that_cannot_be_drawn_are_told(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ocrtune.pretrain.pictures", None)  # as without fontTools
    assert cli.main(["bench", "embedded", "--output", str(tmp_path)]) == 1
    assert "--sets" in capsys.readouterr().err


def test_the_command_reads_everything_and_writes_the_report(sets, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    scans = write_source(tmp_path / "scans", 2)
    output = tmp_path / "out"
    arguments = ["--sets", sets, "--scans", scans, "--no-speed", "--output", output]
    assert cli.main(["bench", "embedded", *map(str, arguments)]) == 0
    out, err = capsys.readouterr()
    assert "Tesseract is not on the PATH" in err
    assert "# tiny and Tesseract on the same lines" in out
    figures = json.loads((output / "report.json").read_text("utf-8"))
    assert list(figures["sets"]) == [*SETS, SCANS]
    assert figures["sets"]["printed"]["groups"]["all"]["readers"][TINY]["cer"] < 0.5
    assert figures["sets"]["degraded"]["groups"]["all"]["readers"][TINY]["lines"] == 3


def test_a_missing_model_of_tesseract_is_told_before_anything_is_read(sets, tmp_path, monkeypatch):
    program = fake_tesseract(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(embedded, "load_base", None)
    with pytest.raises(TesseractError, match="apt install tesseract-ocr-"):
        run_bench(BenchSettings(sets=sets, output=tmp_path / "out", speed=False))


def test_everybody_reads_the_same_lines(sets, tmp_path, monkeypatch):
    program = fake_tesseract(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(embedded, "MODELS", dict.fromkeys(peer.MODELS, ("eng",)))
    figures = run_bench(BenchSettings(sets=sets, output=tmp_path / "out", speed=False))
    readers = figures["sets"]["printed"]["groups"]["all"]["readers"]
    assert readers.keys() == {TINY, PEER}
    assert readers[PEER]["reference_characters"] == readers[TINY]["reference_characters"] == 15
    assert readers[PEER]["exact_lines"] == 0  # it says how high pictures are
    worst = figures["sets"]["printed"]["worst"]
    assert all(row[PEER] == "high 40" for row in worst)


def test_speed_is_measured_in_a_process_of_its_own(sets):
    figures = speed.ReadingSpeed(**speed.measure("reading", sets / "printed", 1))
    assert figures.lines == 3
    assert 0 < figures.load_seconds < figures.cold_seconds
    assert figures.lines_per_second > 0
    assert figures.line_seconds > 0
    assert figures.peak_megabytes is None or figures.peak_megabytes > 100


def test_a_failed_measurement_is_told(tmp_path, monkeypatch):
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho Traceback >&2\necho 'OSError: no room' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(speed.SpeedError, match="reading failed: OSError: no room"):
        speed.measure("reading", tmp_path, 1)


def test_training_speed_is_of_real_steps():
    figures = speed.measure_training(1)
    assert figures.steps == 1
    assert figures.sixty_steps_seconds > 0.5  # nobody is that fast: it did learn something
    assert figures.cpu_seconds_per_step > 0


def test_bench_build_counts_what_two_builds_took(tmp_path, capsys):
    script = tmp_path / "other.py"
    script.write_text(
        "import sys, pathlib\n"
        "content, _, prefix = sys.argv[1:]\n"
        "names = [line.split()[0] for line in open(content)]\n"
        "data = b''.join(pathlib.Path(name).read_bytes() for name in names)\n"
        "pathlib.Path(prefix).write_bytes(3 * data)\n"
    )
    arguments = ["bench", "build", "--lines", "12", "--output", str(tmp_path / "out")]
    assert cli.main([*arguments, "--script", str(script)]) == 0
    ours, theirs = json.loads((tmp_path / "out" / "build.json").read_text())["builds"]
    assert (ours["lines"], theirs["who"]) == (12, "other.py")
    assert 2.5 < theirs["written_by_read"] < 3.1  # a zip is a little more than its pictures
    assert ours["cpu_seconds"] > theirs["cpu_seconds"] > 0
    assert "| ocrtune | 12 |" in capsys.readouterr().out
    script.write_text("raise SystemExit('no room')")
    assert cli.main([*arguments, "--script", str(script)]) == 1
    assert "other.py failed: no room" in capsys.readouterr().err


def test_counting_is_measured_in_a_process_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(scores, "KINDS", ("latin", "mixed"))
    path = run_scores_bench(tmp_path, 60, silent)
    assert "| 120 latin pairs: 60 lines, two models |" in path.read_text("utf-8")
    told = json.loads((tmp_path / "scores.json").read_text("utf-8"))["scorings"]
    assert [one["kind"] for one in told] == ["latin", "mixed"]
    assert all(one["comparing_seconds"] > 0 and one["peak_mib"] > 20 for one in told)


def test_drawn_texts_have_the_length_and_the_errors_that_are_promised():
    for kind in scores.KINDS:
        assert {len(text) for text in draw_texts(kind, 20)[0]} == {40}
    references, base, tuned = draw_texts("latin", 300)
    assert {len(text) for text in references} == {40}
    rates = [pool(score_pairs(zip(references, texts, strict=True))).cer for texts in (base, tuned)]
    assert rates == pytest.approx([0.15, 0.05], abs=0.02)
