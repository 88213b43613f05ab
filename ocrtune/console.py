"""Events on a terminal: one moving bar, or plain lines where nobody watches it move."""

import time
from typing import TextIO

from tqdm import tqdm

from ocrtune.events import Emit, Evaluated, Event, Note, Preflight, Progress, Read, Step, Written
from ocrtune.ranking import Ranking, places
from ocrtune.report_page import percent, points

QUIET_SECONDS = 20.0  # at least so long between two plain lines of one stage
STAGES = {
    "pull": "Fetching from the Hub",
    "build": "Checking pictures",
    "features": "Looking at pictures",
    "read": "Reading",
    "compare": "Reading with all models",
    "seen": "Looking for the same pictures in train",
    "suspects": "Reading training lines",
    "train": "Fine-tuning",
    "export": "Merging",
}
BAR = "{desc} {percentage:3.0f}% |{bar:24}| {n_fmt}/{total_fmt}{postfix}"


class Console:
    """Writes what happens to a stream, usually stderr."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.moving = stream.isatty()
        self.stage = ""
        self.bar: tqdm | None = None
        self.last_line = 0.0  # when a plain line was written

    def emit(self, event: Event) -> None:
        """Show the event, if it is one for a terminal."""
        match event:
            case Note():
                self.say(event.text)
            case Progress():
                self.advance(event.stage, event.done, event.total, "")
            case Step():
                left = f"loss {event.loss:.3f}, {duration(event.seconds_left)} left"
                self.advance("train", event.step, event.total, left)
            case Evaluated():
                self.say(self.measured(event))
            case Preflight():
                for line in preflight_lines(event):
                    self.say(line)

    def measured(self, event: Evaluated) -> str:
        """Return a sentence on a measurement of the CER."""
        who = f"after step {event.step}" if event.step else "of the base model"
        lines = "1 line" if event.lines == 1 else f"{event.lines} lines"
        return f"Validation CER {who}: {percent(event.cer)} ({lines})"

    def say(self, text: str) -> None:
        """Write a line, above the bar if there is one."""
        if self.bar is not None:
            self.bar.write(text, file=self.stream)
        else:
            self.stream.write(text + "\n")
            self.stream.flush()

    def advance(self, stage: str, done: int, total: int, remark: str) -> None:
        """Show how far a stage is."""
        if stage != self.stage:
            self.close()
            self.stage = stage
            self.last_line = time.monotonic()
        if self.moving:
            self.move_bar(done, total, remark)
        elif time.monotonic() - self.last_line >= QUIET_SECONDS or (remark and done == 1):
            self.last_line = time.monotonic()
            name = STAGES.get(stage, stage)
            self.say(f"{name}: {done} of {total}" + (f", {remark}" if remark else ""))

    def move_bar(self, done: int, total: int, remark: str) -> None:
        """Draw the bar."""
        if self.bar is None:
            name = STAGES.get(self.stage, self.stage)
            self.bar = tqdm(total=total, desc=name, bar_format=BAR, file=self.stream, leave=False)
        self.bar.n = done
        self.bar.set_postfix_str(remark, refresh=False)
        self.bar.refresh()
        if done >= total:
            self.close()

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None
        self.stage = ""


def preflight_lines(told: Preflight) -> list[str]:
    """Return what a run takes, in sentences; what notes have said already is left out."""
    passes = f"{told.epochs:.1f} passes" if told.epochs != 1 else "1 pass"
    together = f"{told.micro_batch} together" if told.micro_batch < told.batch_size else "together"
    twice = ", layers computed twice to save memory" if told.checkpointing else ""
    price = ""
    if told.dollars_an_hour:
        rate = f"{told.space} (${told.dollars_an_hour:.2f} an hour)"
        price = f"; ${told.dollars:.2f} on a Space with {rate}"
    return [
        f"{told.supervised_tokens} tokens to learn in {told.samples} samples; the longest one, "
        f"`{told.longest_sample}`, takes {told.longest_tokens} with its picture.",
        f"{told.steps} steps of {told.batch_size} samples, {together}{twice}: {passes} over the "
        f"samples, {told.batches} batches each. {told.image_tokens:.0f} image tokens a picture.",
        f"Memory: {told.peak_bytes / 1e9:.1f} of {told.memory_bytes / 1e9:.1f} GB at most "
        f"({told.hardware}).",
        f"Time: about {duration(told.seconds)}. {duration(told.features_seconds)} went to the "
        f"pictures; a step takes {told.step_seconds:.2g} s, measuring the CER in all "
        f"{duration(told.measuring_seconds)}{price}.",
    ]


def ranking_lines(ranking: Ranking) -> list[str]:
    """Return a ranking as the lines of a table, and what is decided between neighbours."""
    wide = max(len(one.name) for one in ranking.models)
    lines = [
        f"{'place':7}{'model':{wide + 2}}{'CER':>8}{'errors':>9}{'exact':>8}{'failed':>8}"
        "   against the next one, points (95 % interval)"
    ]
    pairs = {(pair.first, pair.second): pair for pair in ranking.pairs}
    followers = [*(one.name for one in ranking.models[1:]), ""]
    for one, after in zip(ranking.models, followers, strict=True):
        pair, told = pairs.get((one.name, after)), ""
        if pair and pair.difference.cer is not None:
            found = pair.difference
            decided = "" if pair.is_decided else ", undecided"
            told = f"{points(found.cer)} ({points(found.low)} to {points(found.high)}){decided}"
        figures = one.summary
        lines.append(
            f"{places(one):7}{one.name:{wide + 2}}{percent(figures.cer):>8}{figures.errors:>9}"
            f"{figures.exact_lines:>8}{figures.failed:>8}   {told}".rstrip()
        )
    decided = sum(pair.is_decided for pair in ranking.pairs)
    lines.append(
        f"{decided} of {len(ranking.pairs)} pairs are decided; if all were equally good, "
        f"{ranking.decided_by_chance:.1f} would look so by chance."
    )
    lines += [
        f"{one.name} was read under its own {note}." for one in ranking.models for note in one.notes
    ]
    return lines


class Typewriter:
    """Writes the text of one picture while it is read; everything else is passed on."""

    def __init__(self, stream: TextIO, others: Emit, labelled: bool) -> None:
        self.stream = stream
        self.others = others
        self.labelled = labelled  # the model's name stands in front of its text
        self.begun = False
        self.shown = ""

    def emit(self, event: Event) -> None:
        """Show an event of the reading, or hand it on."""
        match event:
            case Written():
                self.show(event.text, event.model)
            case Read():
                if not event.failed:
                    self.show(event.text, event.model)
                    self.stream.write("\n")
                self.begun, self.shown = False, ""
            case Progress(stage="read"):
                pass  # a bar would wipe out the line that is growing
            case _:
                self.others(event)
        self.stream.flush()

    def show(self, text: str, model: str) -> None:
        """Write what has been added, or all of it again where something else has changed."""
        if not self.begun:
            self.begun = True
            self.stream.write(f"{model}: " if self.labelled else "")
        if not text.startswith(self.shown):
            self.stream.write("\n")
            self.shown = ""
        self.stream.write(text[len(self.shown) :])
        self.shown = text


def duration(seconds: float) -> str:
    """Return a time as people read it: `45 s`, `3 min`, `1 h 20 min`."""
    if seconds < 100:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
