"""What a bench measured, in words and tables: report.md for people, report.json with everything."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ocrtune.bench.goals import PEER, TINY, TINY_TUNED, find_goals, groups
from ocrtune.bench.lines import SCANS, TUNED
from ocrtune.report_page import percent, points

NAMES = {
    "zh": "Chinese",
    "en": "English",
    "de": "German",
    "short": "shorter than 30 characters",
    "blur": "blurred",
    "jpeg": "JPEG, quality 30",
    "small": "20 pixels high",
    "rotated": "rotated, up to 2°",
    "shine": "show-through",
    "light": "uneven light",
    "binary": "binarised",
    "mixed": "several at once",
}
HOW = """\
Tesseract {tesseract} is told each line's language (`eng`, `deu`, `chi_sim`; `eng` for digits and
where there is nothing to read) and reads with `--psm 7`, drawn lines as they are, real writing with
a margin of 10 pixels: both as it reads them best. tiny is told nothing and reads everything as it
is. CER is pooled: errors of all lines per character of all references, after NFC and with runs of
white space as one space; `without spaces` leaves white space out, since Tesseract likes to put some
between Chinese characters. The interval is the 95 % one of the paired bootstrap over lines, in
percentage points, tiny (tuned, where it is) minus Tesseract: below zero tiny reads better. Pairs
are tiny / Tesseract."""


def write_bench(figures: dict, folder: Path) -> None:
    """Write report.md and report.json into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "report.json").write_text(text + "\n", "utf-8", errors="backslashreplace")
    (folder / "report.md").write_text("\n".join(sections(figures)) + "\n", "utf-8")


def sections(figures: dict) -> Iterator[str]:
    """Yield the report's paragraphs and tables."""
    yield f"# tiny and Tesseract on the same lines\n\nMachine: {figures['machine']}."
    if figures["limit"]:
        yield f"\nOnly about {figures['limit']} lines of each set were read: a trial, not a result."
    if figures["tesseract"]:
        yield "\n" + HOW.format(tesseract=figures["tesseract"])
        yield "\n" + "\n".join(winners(figures))
    yield "\n## Lines of prose\n"
    languages = ("all", "zh", "en", "de")
    yield prose_table(figures, [("printed", (*languages, "short")), ("long", languages)])
    yield "\n## Degraded lines\n"
    flaws = [name for name in groups(figures, "degraded") if name != "short"]
    yield prose_table(figures, [("degraded", flaws)])
    yield "\n## Real writing\n"
    yield writing_table(figures)
    yield "\n## Nothing to read\n"
    yield nothing_table(figures)
    if figures["speed"]:
        yield "\n## Speed\n"
        yield speed_table(figures)
    yield "\n## Goals\n"
    yield goals_table(figures)


def prose_table(figures: dict, wanted: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Return the table of some groups of sets that tiny and one Tesseract have read."""
    rows = []
    for set_name, names in wanted:
        for name in names:
            if group := groups(figures, set_name).get(name):
                values = group["readers"][TINY]
                rows.append(
                    (
                        f"{set_name}: {NAMES.get(name, name)}",
                        f"{values['lines']:,}",
                        f"{values['reference_characters']:,}",
                        *[*map(percent, both(group, "cer")), "–"][:2],
                        interval(group["differences"].get(PEER)),
                        pair(map(percent, both(group, "cer_without_spaces"))),
                        pair(both(group, "exact_lines")),
                        pair(both(group, "looped")),
                        pair(both(group, "lines_over_100")),
                    )
                )
    head = ("set", "lines", "characters", "CER of tiny", "CER of Tesseract", "interval")
    more = ("without spaces", "exact lines", "loops", "over 100 %")
    return table((*head, *more), rows)


def both(group: dict, figure: str) -> list:
    """Return a figure of tiny, and of Tesseract if it has read these lines."""
    readers = group["readers"]
    return [readers[name][figure] for name in (TINY, PEER) if name in readers]


def pair(values: Iterable) -> str:
    """Return values with strokes between them."""
    return " / ".join(map(str, values))


def interval(difference: dict | None) -> str:
    """Return how much better or worse tiny is than its peer, in percentage points."""
    if difference is None or difference["low"] is None:
        return "–"
    return f"{points(difference['low'])} to {points(difference['high'])}"


def writing_table(figures: dict) -> str:
    """Return the table of real writing, a row for each reader."""
    rows = []
    for set_name in ("digits", SCANS, TUNED):
        group = groups(figures, set_name).get("all")
        readers = group["readers"] if group else {}
        for reader in sorted(readers, key=lambda name: PEER in name):  # tuned beside untuned
            values = readers[reader]
            rows.append(
                (
                    set_name,
                    f"{values['lines']:,}",
                    f"{values['reference_characters']:,}",
                    reader,
                    percent(values["cer"]),
                    interval(group["differences"].get(reader)) if PEER in reader else "–",
                    f"{values['exact_lines']:,}",
                    str(values["looped"]),
                    str(values["lines_over_100"]),
                )
            )
    head = ("set", "lines", "characters", "reader", "CER", "interval", "exact lines", "loops")
    return table((*head, "over 100 %"), rows)


def nothing_table(figures: dict) -> str:
    """Return how much is written about pictures without a text that anybody here could read."""
    rows = [
        (
            NAMES.get(name, name),
            f"{group['readers'][TINY]['lines']}",
            pair(f"{value:.2f}" for value in both(group, "written")),
            pair(map(percent, both(group, "talkative"))),
            pair(both(group, "looped")),
        )
        for name, group in groups(figures, "nothing").items()
    ]
    head = ("picture", "pictures", "mean characters written", "more than 3 written", "loops")
    return table(head, rows)


def winners(figures: dict) -> Iterator[str]:
    """Yield a sentence each on where Tesseract reads better, where tiny does, and what is open."""
    verdicts: dict[str, list[str]] = {"Tesseract": [], "tiny": [], "nobody": []}
    for set_name in figures["sets"]:
        for name in ("all",) if set_name in ("digits", SCANS, TUNED) else ("zh", "en", "de"):
            group = groups(figures, set_name).get(name)
            for peer, difference in group["differences"].items() if group else ():
                if not peer.startswith(PEER) or difference["low"] is None:
                    continue
                ours = TINY_TUNED if TINY_TUNED in group["readers"] else TINY
                open_question = difference["low"] <= 0 <= difference["high"]
                better = "tiny" if difference["high"] < 0 else "Tesseract"
                rates = [percent(group["readers"][reader]["cer"]) for reader in (ours, peer)]
                model = peer.removeprefix(PEER)
                verdicts["nobody" if open_question else better].append(
                    f"{set_name}{'' if name == 'all' else ' ' + NAMES[name]}"
                    f"{f' against{model}' if model else ''} ({rates[0]} / {rates[1]})"
                )
    starts = {
        "Tesseract": "**Tesseract reads better**",
        "tiny": "**tiny reads better**",
        "nobody": "**Neither is certainly better**",
    }
    for who, found in verdicts.items():
        yield f"- {starts[who]} (CER of tiny / Tesseract): {'; '.join(found) or 'nowhere'}."


def speed_table(figures: dict) -> str:
    """Return how fast tiny is, with Tesseract's speed on the same printed lines."""
    reading, training = figures["speed"]
    printed = figures["sets"]["printed"]
    rows = [
        ("loading the weights", f"{reading['load_seconds']:.1f} s"),
        ("from the start of Python until the model is ready", f"{reading['cold_seconds']:.1f} s"),
        (
            f"reading in batches ({reading['lines']} printed lines)",
            f"{reading['lines_per_second']:.1f} lines/s "
            f"({1000 * reading['cpu_seconds_per_line']:.0f} ms of CPU a line)",
        ),
        ("one short line", f"{reading['line_seconds']:.2f} s"),
        ("peak memory of reading", megabytes(reading["peak_megabytes"])),
        (
            f"60 training steps of {training['batch_size']} lines"
            + (f" (measured on {training['steps']})" if training["steps"] != 60 else ""),
            f"{training['sixty_steps_seconds']:.0f} s "
            f"({training['cpu_seconds_per_step']:.1f} s of CPU a step)",
        ),
        ("peak memory of training", megabytes(training["peak_megabytes"])),
    ]
    if figures["tesseract"]:
        rate = printed["lines"] / printed["seconds"][PEER]
        rows.append(("Tesseract, two processes of one thread each", f"{rate:.1f} lines/s"))
    if adapter := figures["adapter"]:
        rows.append(
            (
                f"the adapter's fine-tune, {adapter['steps']} steps on {adapter['train_samples']} "
                f"lines ({adapter['hardware']})",
                f"{adapter['seconds']:.0f} s",
            )
        )
    load = figures["load"]
    words = "" if load is None else f"Load of the machine before: {load:.1f}.\n\n"
    return words + table(("on two cores", ""), rows)


def megabytes(value: float | None) -> str:
    """Return a size in MiB."""
    return "not known here" if value is None else f"{value:,.0f} MiB"


def goals_table(figures: dict) -> str:
    """Return what was aimed at and what was measured; what could not be measured stays open."""
    rows = [
        (
            goal.name,
            goal.spell(goal.most),
            "–" if goal.measured is None else goal.spell(goal.measured),
            goal.verdict,
        )
        for goal in find_goals(figures)
    ]
    return table(("tiny", "at most", "measured", "goal"), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
