"""What a button does: check what the browser sent, start or stop a job, remember its id.

A private endpoint is still an endpoint: every argument here may have been sent by a stranger.
"""

import functools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from ocrtune import jobs
from ocrtune.config import BASES, BuildConfig, CompareConfig, ReadConfig, TrainConfig
from ocrtune.dataset import load_samples
from ocrtune.errors import JobError, OcrtuneError
from ocrtune.families import DEEPSEEK_OCR, get_family
from ocrtune.ui.looks import Look, clean, look
from ocrtune.ui.uploads import hand_out, keep
from ocrtune.ui.views import sentence
from ocrtune.ui.words import Refused, language_of, say

SAMPLE = Path(__file__).parent.parent / "assets" / "sample.zip"
PRESETS = {"quick": 30, "standard": 60, "thorough": 150}  # steps
LONGEST_WORDS = 200  # characters to be located
PROMPTS = ("own", *DEEPSEEK_OCR.prompts)
SHOWN_SECONDS = 12  # how long a refusal stays on the screen
LIMITS = {
    "steps": (1, 5000),
    "rank": (1, 128),
    "learning_rate": (0, 0.1),
    "batch_size": (1, 64),
}


def shown(action: Callable) -> Callable:
    """Show our own errors to the visitor as written; let anything else surface as a bug.

    The language is the last argument of every action.
    """

    @functools.wraps(action)
    def wrapper(*args: object) -> object:
        language = language_of(args[-1])
        try:
            return action(*args)
        except OcrtuneError as error:
            if isinstance(error, Refused):
                words = say(language, error.key, **error.values)
            else:
                words = str(error)
            raise gr.Error(sentence(words), SHOWN_SECONDS, print_exception=False) from error
        except OSError as error:  # a full disk, no memory for a process
            words = say(language, "machine_trouble", why=error.strerror or type(error).__name__)
            raise gr.Error(sentence(words), SHOWN_SECONDS) from error

    return wrapper


def number(name: str, value: object, language: str) -> float:
    """Return a setting that is a number within its limits."""
    low, high = LIMITS[name]
    good = isinstance(value, int | float) and math.isfinite(value) and low <= value <= high
    if not good or isinstance(value, bool):
        raise Refused("bad_number", name=say(language, name), low=low, high=high)
    return value


@dataclass(frozen=True)
class Actions:
    """The buttons of the page, for one home of jobs."""

    home: Path
    worker: tuple[str, ...] = jobs.WORKER

    def need(self, session: object, name: str, refusal: str) -> Look:
        """Return a job of the visitor that has made something; refuse if there is none."""
        found = look(self.home, session, name)
        if not found.usable:
            raise Refused(refusal)
        return found

    def launch(self, job: jobs.Job, command: str, config: object) -> str:
        """Start the worker and return the job's id."""
        return jobs.start(job, command, config, self.worker).id

    @shown
    def load_sample(self, session: object, language: str) -> dict:
        """Build the dataset of the sample."""
        job = jobs.create(self.home)
        config = BuildConfig(source=str(SAMPLE), output=str(job.folder / "dataset"))
        return clean(session) | {"dataset": self.launch(job, "build", config)}

    @shown
    def build(self, archive: object, content: object, session: object, language: str) -> dict:
        """Build a dataset from what was uploaded."""
        if not archive:
            raise Refused("no_archive")
        job = jobs.create(self.home)
        source = keep(archive, job.folder / "upload")
        beside = str(keep(content, job.folder / "content")) if content else ""
        config = BuildConfig(source=str(source), output=str(job.folder / "dataset"), content=beside)
        return clean(session) | {"dataset": self.launch(job, "build", config)}

    @shown
    def start(
        self,
        base: object,
        steps: object,
        rank: object,
        learning_rate: object,
        batch_size: object,
        session: object,
        language: str,
    ) -> dict:
        """Start a run on the visitor's dataset."""
        language = language_of(language)
        dataset = self.need(session, "dataset", "no_dataset")
        if look(self.home, session, "run").active:
            raise Refused("already_running")
        job = jobs.create(self.home)
        lora_rank = int(number("rank", rank, language))
        config = TrainConfig(
            data=str(dataset.dataset),
            output=str(job.folder / "run"),
            base=base if base in BASES else BASES[0],
            steps=int(number("steps", steps, language)),
            batch_size=int(number("batch_size", batch_size, language)),
            learning_rate=float(number("learning_rate", learning_rate, language)),
            lora_rank=lora_rank,
            lora_alpha=lora_rank,
        )
        kept = {"dataset": clean(session)["dataset"]}
        return kept | {"run": self.launch(job, "train", config)}

    @shown
    def stop(self, session: object, language: str) -> dict:
        """Ask the visitor's run to end early."""
        run = look(self.home, session, "run")
        if run.active:
            run.job.stop()
        return clean(session)

    @shown
    def take_picture(self, session: object, language: str) -> tuple[str, str]:
        """Return a picture of the test split, and its ground truth."""
        dataset = self.need(session, "dataset", "no_dataset")
        sample = random.choice(load_samples(dataset.dataset, "test"))
        return str(hand_out(sample.picture, Path(sample.picture_id).name)), sample.text

    def forget_reference(self) -> str:
        """Return no ground truth: the visitor brought a picture of their own."""
        return ""

    def ask_for_words(self, prompt: object) -> gr.Textbox:
        """Show where to say what shall be located, if it shall."""
        return gr.Textbox(visible=prompt == "locate")

    @shown
    def read(
        self,
        picture: object,
        reference: object,
        prompt: object,
        words: object,
        session: object,
        language: str,
    ) -> dict:
        """Read a picture with the base model and, if there is one, with the tuned model."""
        if not picture:
            raise Refused("no_picture")
        run = look(self.home, session, "run")
        asked = chosen_prompt(run, prompt, words)
        job = jobs.create(self.home)
        path = keep(picture, job.folder / "upload")
        if isinstance(reference, str) and reference:
            (job.folder / "reference.txt").write_text(reference, "utf-8")
        config = ReadConfig(
            pictures=(str(path),),
            base=trained(run).base if run.usable else BASES[0],
            adapter=str(run.adapter) if run.usable else "",
            both=run.usable,
            prompt=asked,
            boxes=str(job.folder / "boxes"),
        )
        return clean(session) | {"reading": self.launch(job, "read", config)}

    @shown
    def compare(self, session: object, language: str) -> dict:
        """Compare the base model with the visitor's tuned model on the test split."""
        run = self.need(session, "run", "no_adapter")
        job = jobs.create(self.home)
        config = CompareConfig(
            data=trained(run).data,
            adapter=str(run.adapter),
            output=str(job.folder / "report"),
            language=language_of(language),
            base=trained(run).base,
        )
        return clean(session) | {"comparison": self.launch(job, "compare", config)}

    @shown
    def fetch_page(self, session: object, language: str) -> str:
        """Return a copy of the report as a page."""
        return self.fetch(session, "report.html")

    @shown
    def fetch_lines(self, session: object, language: str) -> str:
        """Return a copy of the table of lines."""
        return self.fetch(session, "lines.csv")

    @shown
    def fetch_numbers(self, session: object, language: str) -> str:
        """Return a copy of the report as JSON."""
        return self.fetch(session, "report.json")

    def fetch(self, session: object, name: str) -> str:
        """Return the path of a copy that the browser may fetch."""
        comparison = self.need(session, "comparison", "no_report")
        try:
            return str(hand_out((comparison.report / name).read_bytes(), name))
        except OSError as error:
            raise JobError(f"`{name}` is missing.", "Compare again.") from error

    def go_to_train(self) -> gr.Tabs:
        """Open the Fine-tune tab."""
        return gr.Tabs(selected="train")

    def go_to_compare(self) -> gr.Tabs:
        """Open the Compare tab."""
        return gr.Tabs(selected="compare")


def offered_prompts(run: Look) -> tuple[str, ...]:
    """Return the names of the prompts that the visitor's model understands beside its own."""
    return tuple(get_family(trained(run).base).prompts) if run.usable else ()


def chosen_prompt(run: Look, prompt: object, words: object) -> str:
    """Return what to ask the models, as `ReadConfig.prompt`; empty for their own prompt."""
    if not isinstance(prompt, str) or prompt not in offered_prompts(run):
        return ""
    if "{}" not in DEEPSEEK_OCR.prompts[prompt]:
        return prompt
    if not isinstance(words, str) or not words.strip():
        raise Refused("no_words")
    return f"{prompt}: {words.strip()[:LONGEST_WORDS]}"


def trained(run: Look) -> TrainConfig:
    """Return the settings of a run."""
    return TrainConfig.load(run.job.folder / "config.json")
