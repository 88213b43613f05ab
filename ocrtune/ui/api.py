"""What programs may ask for: read a picture, build a dataset, compare two models.

Each endpoint does what the page's button does, waits for the worker, and answers in plain values.
A program is known by its secret (`owner`), as a browser is by its own.
"""

import functools
import html
import inspect
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio import FileData

from ocrtune import jobs
from ocrtune.dataset_files import read_build_report, report_path
from ocrtune.errors import JobError
from ocrtune.events import Event, Failed, Read
from ocrtune.picture_sources import count_pages
from ocrtune.records import SPLITS
from ocrtune.ui.actions import Actions, shown
from ocrtune.ui.compare_actions import CompareActions
from ocrtune.ui.compare_reports import report_of
from ocrtune.ui.looks import Look, look
from ocrtune.ui.readings import MOST
from ocrtune.ui.shared_actions import named_one
from ocrtune.ui.uploads import hand_out, uploaded
from ocrtune.ui.visitors import SECRET, VISITOR, new_visitor, owners_of
from ocrtune.ui.words import Refused, language_of, said

POLL_SECONDS = 0.1
WAIT_MINUTES = 60  # that a program is kept waiting for one answer
AT_ONCE = 4  # programs that wait for an endpoint; the page's own buttons are never behind them
ENDPOINTS = ("read", "build", "compare")
MODELS = ("base", "tuned")
REPORT_FILE = "report.html"


def answered(endpoint: Callable) -> Callable:
    """Answer a program with a finished answer, or with our own words as plain text."""
    guarded = shown(endpoint)

    @functools.wraps(endpoint)
    def wrapper(*args: object) -> object:
        try:
            return guarded(*args)
        except gr.Error as error:
            raise gr.Error(plain_words(str(error.message)), print_exception=False) from error

    return wrapper


def plain_words(words: str) -> str:
    """Return a sentence that was made for the page as plain text."""
    return html.unescape(words.replace("<code>", "`").replace("</code>", "`"))


@dataclass(frozen=True)
class Api:
    """The endpoints, for one home of jobs."""

    actions: Actions

    def offer(self, page: gr.Blocks) -> None:
        """Add the endpoints to the page that is being built.

        Gradio calls buttons after what they do; the plain names are for programs.
        """
        for button in page.fns.values():
            if button.api_name in ENDPOINTS:
                button.api_name = f"press_{button.api_name}"
        for name in ENDPOINTS:
            endpoint = getattr(self, f"{name}_for_program")
            gr.api(
                endpoint,
                api_name=name,
                api_description=inspect.getdoc(endpoint),
                concurrency_limit=AT_ONCE,
                concurrency_id=f"api_{name}",
            )

    @answered
    def read_for_program(
        self,
        picture: FileData,
        run: str = "",
        adapter: str = "",
        owner: str = "",
        language: str = "en",
    ) -> dict[str, Any]:
        """Read the text in one picture, with the base model and, if one is named, a tuned model.

        Nothing of the picture or the reading is kept.

        Parameters:
            picture: The picture: PNG, JPEG, TIFF, WebP, BMP or GIF, up to 40 megapixels. Of a TIFF
                with several pages all are read.
            run: Reads with this tuned model of yours too: what stands behind `?run=` in its link.
            adapter: Reads with this adapter of the Hugging Face Hub too, such as `name/adapter`.
            owner: Your secret, which an earlier answer told; empty makes a new one.
            language: Of what goes wrong: `en` or `zh`.
        Returns:
            `text`: of the tuned model, else of the base model. `readings`: one for each model, with
            `model` (`base` or `tuned`), `text`, `seconds`, and the flags `looped` (it repeats
            itself), `cut` (it was ended at the longest length) and `failed`; of pages the texts
            stand one below the other, and a flag is true if it is of any. `owner`: your secret.
        """
        session = self.session(owner)
        count = count_pages(uploaded(picture))
        if count > MOST:
            raise Refused("api_many_pages", count=count, most=MOST)
        if run:
            session = self.with_run(session, run)
        named = named_one(adapter)
        if named:
            told = self.actions.read_shared(picture, "", named.address, session)
        else:
            told = self.actions.read_own(picture, "", "own", "", session)
        try:
            reading = self.wait(told, "reading", language)
            readings = readings_of(reading.job.events())
        finally:
            with suppress(JobError):
                jobs.find(self.actions.home, told["reading"], "read").delete()
        return {"text": readings[-1]["text"], "readings": readings, "owner": session[VISITOR]}

    @answered
    def build_for_program(
        self,
        archive: FileData,
        content: FileData | None = None,
        group_by: str = "",
        encoding: str = "",
        owner: str = "",
        language: str = "en",
    ) -> tuple[dict[str, Any], FileData]:
        """Build a dataset from a zip of pictures and their texts.

        Parameters:
            archive: A zip, PDF or parquet file, as the Dataset tab takes them.
            content: The texts, where they are not in the zip.
            group_by: What stays together in one split: `folder`, `page`, `writer`, or a pattern.
            encoding: Of the texts, such as `gb18030`; empty finds out.
            owner: Your secret, which an earlier answer told; empty makes a new one.
            language: Of what goes wrong: `en` or `zh`.
        Returns:
            `dataset`: what `compare` calls it; of use with your secret only. `samples`: how many
            are in each split. `left_out`: lines that could not be used. `owner`: your secret.
            And the dataset's report, a JSON file.
        """
        session = self.session(owner)
        told = self.actions.build_upload(
            archive, content, session, group_by=words_of(group_by), encoding=words_of(encoding)
        )
        dataset = self.wait(told, "dataset", language)
        report = read_build_report(str(dataset.dataset))
        facts = {
            "dataset": dataset.id,
            "samples": {split: report["splits"].get(split, 0) for split in SPLITS},
            "left_out": len(report["rejects"]),
            "owner": session[VISITOR],
        }
        path = report_path(dataset.dataset)
        return facts, file_for(path.read_bytes(), path.name)

    @answered
    def compare_for_program(
        self,
        run: str = "",
        adapter: str = "",
        dataset: str = "",
        split: str = "test",
        owner: str = "",
        language: str = "en",
    ) -> tuple[dict[str, Any], FileData]:
        """Compare a tuned model with its base model on pictures that it has not learned from.

        Parameters:
            run: The tuned model: what stands behind `?run=` in its link. Its own dataset is read.
            adapter: Instead of a run, or beside it: an adapter of the Hugging Face Hub.
            dataset: Without a run: which dataset of yours is read, as `build` told.
            split: Which pictures are read: `test`, `validation` or `train`.
            owner: Your secret, which an earlier answer told; empty makes a new one.
            language: Of the report, and of what goes wrong: `en` or `zh`.
        Returns:
            `verdict`: a sentence. `base`, `tuned`: each with `cer` (errors a character), its 95 %
            interval `low` to `high`, `errors` and `exact_lines`. `difference`: tuned less base,
            likewise. `lines`, `characters`: that were read. `owner`: your secret.
            And the whole report, one HTML file.
        """
        session = self.session(owner)
        if run:
            session = self.with_run(session, run)
        elif dataset:
            session = self.with_dataset(session, dataset)
        adapters = [adapter] if adapter else []
        compare = CompareActions(self.actions).compare
        told = compare(split, "no", [], None, "", adapters, session, language)
        comparison = self.wait(told, "comparison", language)
        page = (comparison.report / REPORT_FILE).read_bytes()
        summary = summary_of(report_of(comparison), language_of(language))
        return summary | {"owner": session[VISITOR]}, file_for(page, REPORT_FILE)

    def session(self, owner: object) -> dict[str, str]:
        """Return the session of a program with this secret, or with a new one."""
        if not owner:
            return {VISITOR: new_visitor()}
        if not isinstance(owner, str) or not SECRET.fullmatch(owner):
            raise Refused("api_bad_owner")
        return {VISITOR: owner}

    def with_run(self, session: dict[str, str], run: object) -> dict[str, str]:
        """Return the session with a run before it, as its link opens it on the page."""
        if not isinstance(run, str) or not look(self.actions.home, {"run": run}, "run").usable:
            raise Refused("api_no_run")
        return session | {"run": run}

    def with_dataset(self, session: dict[str, str], dataset: object) -> dict[str, str]:
        """Return the session with a dataset of its own before it."""
        if not isinstance(dataset, str) or not self.owns(session, dataset):
            raise Refused("api_no_dataset")
        return session | {"dataset": dataset}

    def owns(self, session: dict[str, str], key: str) -> bool:
        """Return whether a job was started by who has this session."""
        try:
            status = jobs.find(self.actions.home, key).status()
        except JobError:
            return False
        return bool(status) and status.owner in owners_of(session)

    def wait(self, session: dict[str, str], name: str, language: object) -> Look:
        """Return the job of that name when it is over; an OcrtuneError says why it made nothing."""
        deadline = time.monotonic() + WAIT_MINUTES * 60
        while (seen := look(self.actions.home, session, name)).active:
            if time.monotonic() > deadline:
                seen.job.stop()
                raise Refused("api_too_long", minutes=WAIT_MINUTES)
            time.sleep(POLL_SECONDS)
        if seen.usable:
            return seen
        events = seen.job.events() if seen.job else []
        why = [event for event in events if isinstance(event, Failed)]
        if why:
            raise JobError(*said(why[-1], language_of(language)))
        raise Refused("api_ended")


def words_of(value: object) -> str:
    """Return a text that a program sent; empty if it is none."""
    return value.strip() if isinstance(value, str) else ""


def readings_of(events: list[Event]) -> list[dict[str, Any]]:
    """Return what each model has read, of all pages; the first is the base model."""
    read: dict[str, list[Read]] = {}
    for event in events:
        if isinstance(event, Read):
            read.setdefault(event.model, []).append(event)
    if not read:
        raise Refused("api_ended")
    if all(page.failed for pages in read.values() for page in pages):
        raise Refused("api_unreadable")
    return [
        {
            "model": MODELS[min(place, 1)],
            "text": "\n\n".join(page.text for page in pages),
            "seconds": round(sum(page.seconds for page in pages), 3),
            "looped": any(page.looped for page in pages),
            "cut": any(page.cut for page in pages),
            "failed": any(page.failed for page in pages),
        }
        for place, pages in enumerate(read.values())
    ]


def summary_of(report: dict, language: str) -> dict[str, Any]:
    """Return the figures of a report that answer how much better a model reads."""
    rates = {
        model: {name: report[model][name] for name in ("cer", "errors", "exact_lines")}
        | {name: report["intervals"][model][name] for name in ("low", "high")}
        for model in MODELS
    }
    return {
        "verdict": report["verdict"][language],
        **rates,
        "difference": {name: report["difference"][name] for name in ("cer", "low", "high")},
        "lines": report["lines"],
        "characters": report["base"]["reference_characters"],
    }


def file_for(data: bytes, name: str) -> FileData:
    """Return a file that the program may fetch, for some hours, under an unguessable name."""
    return FileData(path=str(hand_out(data, name)), orig_name=name)
