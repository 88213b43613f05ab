"""What the buttons of the Compare tab do: compare, look through the lines, fetch what was made.

Everything here may have been sent by a stranger: runs have to be the visitor's own.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import gradio as gr

from ocrtune.adapter_names import SharedName
from ocrtune.config import LEAVE_OUT_SEEN, CompareConfig
from ocrtune.dataset_files import read_build_report
from ocrtune.errors import JobError, OcrtuneError
from ocrtune.keeping import Kept, survey
from ocrtune.other_engines import ENDINGS, read_other_texts
from ocrtune.records import SPLITS
from ocrtune.report_filter import KINDS
from ocrtune.sample_index import SampleIndex
from ocrtune.ui.actions import Actions, plain, shown, trained
from ocrtune.ui.compare_lines import next_loop, settled
from ocrtune.ui.compare_reports import report_of
from ocrtune.ui.compare_views import NAMED, other_files
from ocrtune.ui.edit_actions import EditActions, picked_id, seen, through
from ocrtune.ui.gallery import LINES, LONGEST_SEARCH, View
from ocrtune.ui.looks import Look, clean, look, own_jobs, see
from ocrtune.ui.shared_actions import named_many
from ocrtune.ui.uploads import hand_out, keep, require_kind, uploaded
from ocrtune.ui.words import Refused, language_of, say

LONGEST_NAME = 40  # characters that another engine may be called
LARGEST_TRIED = 10_000_000  # bytes of an upload that is looked into before a worker starts
MOST_RUNS = 8  # that are compared at once, beside the visitor's own


@dataclass(frozen=True)
class CompareActions:
    """The buttons of the Compare tab."""

    actions: Actions

    @shown
    def compare(
        self,
        split: object,
        leave_out: object,
        others: object,
        texts: object,
        called: object,
        adapters: object,
        session: object,
        language: str,
    ) -> dict:
        """Compare the base model with the visitor's tuned model, and with what else they bring.

        others: ids of further runs of theirs; texts: an upload of what another engine read, which
        is `called` so; adapters: of the Hub, which need no run of theirs.
        """
        shared = named_many(adapters)
        if shared and not look(self.actions.home, session, "run").usable:
            return self.compare_shared(split, leave_out, shared, session, language)
        run = self.actions.need(session, "run", "no_adapter")
        language = language_of(language)
        split = split if isinstance(split, str) and split in SPLITS else "test"
        settings = trained(run)
        if not read_build_report(Path(settings.data))["splits"].get(split):
            raise Refused("compare_empty_split", split=say(language, f"split_{split}"))
        if texts:
            require_kind(texts, ENDINGS)
            try_texts(uploaded(texts), settings.data, split)
        further = self.further(others, run, session)
        moments = [run.job.status().created, *(kept.status.created for kept in further)]
        names = distinct([run_name(moment, language) for moment in moments])
        # the worker reads with adapters first
        usable = [see(kept.job, kept.status).usable for kept in further]
        ready = [one for one, good in zip(further, usable, strict=True) if good]
        unfinished = [one for one, good in zip(further, usable, strict=True) if not good]
        called_so = dict(zip([run.id, *(kept.id for kept in further)], names, strict=True))

        def settle(folder: Path) -> CompareConfig:
            return CompareConfig(
                data=settings.data,
                adapter=str(run.adapter),
                output=str(folder / "report"),
                language=language,
                base=settings.base,
                split=split,
                leave_out_seen=leave_out if leave_out in LEAVE_OUT_SEEN else LEAVE_OUT_SEEN[0],
                adapters=(
                    *(str(adapter_of(kept)) for kept in ready),
                    *(one.address for one in shared),
                ),
                checkpoints=tuple(str(kept.job.folder / "run") for kept in unfinished),
                names=(
                    *(called_so[key] for key in (run.id, *ids(ready))),
                    *(one.shown for one in shared),
                    *(called_so[key] for key in ids(unfinished)),
                ),
                texts=brought(texts, called, folder, [settings.base, *names]),
            )

        token = self.actions.own_token() if shared else ""
        started = self.actions.launch_once("compare", settle, session, token)
        return clean(session) | {"comparison": started}

    def compare_shared(
        self,
        split: object,
        leave_out: object,
        shared: Sequence[SharedName],
        session: object,
        language: str,
    ) -> dict:
        """Compare adapters of the Hub with their base model on the visitor's dataset."""
        dataset, language = (
            self.actions.need(session, "dataset", "no_dataset"),
            language_of(language),
        )
        split = split if isinstance(split, str) and split in SPLITS else "test"
        if not read_build_report(dataset.dataset)["splits"].get(split):
            raise Refused("compare_empty_split", split=say(language, f"split_{split}"))

        def settle(folder: Path) -> CompareConfig:
            return CompareConfig(
                data=str(dataset.dataset),
                adapter=shared[0].address,
                adapters=tuple(one.address for one in shared[1:]),
                names=tuple(one.shown for one in shared),
                output=str(folder / "report"),
                language=language,
                base="",
                split=split,
                leave_out_seen=leave_out if leave_out in LEAVE_OUT_SEEN else LEAVE_OUT_SEEN[0],
            )

        token = self.actions.own_token()
        started = self.actions.launch_once("compare", settle, session, token)
        return clean(session) | {"comparison": started}

    def further(self, others: object, run: Look, session: object) -> list[Kept]:
        """Return the other runs that a visitor has chosen; refuse what is not theirs."""
        asked = [one for one in others if isinstance(one, str)] if isinstance(others, list) else []
        if not asked:
            return []
        offered = {kept.id: kept for kept in comparable(self.actions.home, run, session)}
        if len(asked) > MOST_RUNS or any(one not in offered for one in asked):
            raise Refused("not_comparable", most=MOST_RUNS)
        return [offered[one] for one in dict.fromkeys(asked)]

    # What is offered, and what is looked at

    @shown
    def open_more(self, view: object, session: object, language: str) -> View:
        """Offer what else could be compared, as it is now."""
        return replace(seen(view), more=True)

    @shown
    def close_more(self, view: object, session: object, language: str) -> View:
        """Offer nothing more."""
        return replace(seen(view), more=False)

    @shown
    def narrow_lines(
        self, kind: object, search: object, view: object, session: object, language: str
    ) -> View | dict:
        """Show other lines of the comparison."""
        view = seen(view)
        words = search.strip()[:LONGEST_SEARCH] if isinstance(search, str) else ""
        kind = kind if isinstance(kind, str) and kind in KINDS else KINDS[0]
        other = replace(view, lines=kind, line_search=words, line_page=0, line_at=-1)
        return through(view, other)

    @shown
    def lines_back(self, view: object, session: object, language: str) -> View:
        """Show the page of lines before."""
        return replace(seen(view), line_page=max(0, seen(view).line_page - 1), line_at=-1)

    @shown
    def lines_on(self, view: object, session: object, language: str) -> View:
        """Show the next page of lines."""
        view = seen(view)
        further = replace(view, line_page=view.line_page + 1, line_at=-1)
        return settled(self.report(session), further)

    @shown
    def jump_to_loop(self, view: object, session: object, language: str) -> View:
        """Show the next line in which a model repeats itself."""
        report = self.report(session)
        view = settled(report, seen(view))
        start = view if view.line_at >= 0 else replace(view, line_at=view.line_page * LINES - 1)
        place = next_loop(report, start)
        if place is None:
            raise Refused("no_loop")
        return replace(view, line_page=place // LINES, line_at=place)

    def report(self, session: object) -> dict:
        """Return the values of the visitor's report."""
        return report_of(self.actions.need(session, "comparison", "no_report"))

    # Into the Dataset tab

    @shown
    def correct_line(
        self, picked: object, view: object, session: object, language: str
    ) -> tuple[View, gr.Tabs]:
        """Open the card of a line's sample in the Dataset tab."""
        opened = EditActions(self.actions).open(picked, view, session, language)
        return opened, gr.Tabs(selected="dataset")

    # Files

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

    @shown
    def fetch_other(self, picked: object, session: object, language: str) -> str:
        """Return a copy of another file of the report: a chart, the lines to check."""
        return self.fetch(session, picked_id(picked))

    def fetch(self, session: object, name: str) -> str:
        """Return the path of a copy that the browser may fetch."""
        folder = self.actions.need(session, "comparison", "no_report").report
        if name not in (*NAMED, *other_files(folder)):
            raise Refused("no_report")
        try:
            return str(hand_out((folder / name).read_bytes(), name))
        except OSError as error:
            raise JobError(f"`{name}` is missing.", "Compare again.") from error


def comparable(home: Path, run: Look, session: object) -> list[Kept]:
    """Return the visitor's other runs on the base model of this one, newest first.

    One model is loaded for all of them. Of a run that has not ended well its checkpoint counts.
    """
    if not run.usable:
        return []
    base, found = trained(run).base, []
    for kept in own_jobs(survey(home), session):
        if kept.status.command != "train" or kept.id == run.id:
            continue
        one = see(kept.job, kept.status)
        if (one.usable or one.resumable) and base_of(one) == base:
            found.append(kept)
    return found


def base_of(run: Look) -> str:
    """Return the base model of a run; empty where its settings cannot be read."""
    try:
        return trained(run).base
    except OcrtuneError:
        return ""


def adapter_of(kept: Kept) -> Path:
    """Return the folder of the adapter that a run has trained."""
    return see(kept.job, kept.status).adapter


def ids(found: Sequence[Kept]) -> list[str]:
    """Return the ids of some jobs."""
    return [kept.id for kept in found]


def run_name(moment: float, language: str) -> str:
    """Return what a report calls a run: nothing of a job's id, which opens the run."""
    written = time.strftime("%Y-%m-%d %H:%M", time.gmtime(moment))
    return say(language, "run_called", moment=written)


def distinct(names: Sequence[str]) -> list[str]:
    """Return the names with a number behind each that stands there a second time."""
    found: list[str] = []
    for name in names:
        count = found.count(name) + sum(one.startswith(f"{name} (") for one in found)
        found.append(f"{name} ({count + 1})" if count else name)
    return found


def try_texts(path: Path, data: str, split: str) -> None:
    """Raise a MetricsError where an upload is of no use: the worker would say so a minute later."""
    if path.stat().st_size > LARGEST_TRIED:
        return
    index = SampleIndex(data)
    asked = [one.picture_id for one in index if one.split == split and not one.is_excluded]
    if asked:
        read_other_texts(path.stem, path, asked, index.columns.ids)


def brought(texts: object, called: object, folder: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Return the settings of what another engine read; of an upload a copy is kept in `folder`."""
    if not texts:
        return ()
    path = keep(texts, folder / "texts")
    name = plain(called).replace("=", "-")[:LONGEST_NAME] or path.stem
    return (f"{distinct([*names, name])[-1]}={path}",)
