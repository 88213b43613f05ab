"""What the buttons do that repair a dataset: every change goes into its edits at once.

Everything here may have been sent by a stranger: ids have to be in the visitor's own dataset.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import gradio as gr

from ocrtune.config import CompareConfig
from ocrtune.dataset_files import read_build_report
from ocrtune.editing import edit_sample
from ocrtune.edits import LONGEST_TEXT, Change
from ocrtune.report_page import percent
from ocrtune.sample_index import IndexedSample, SampleIndex
from ocrtune.suspects import Suspect
from ocrtune.ui.actions import Actions, shown
from ocrtune.ui.gallery import FILTERS, PAGE, View, matching, narrowed, suspects_of
from ocrtune.ui.looks import Look, look
from ocrtune.ui.words import Refused


def seen(view: object) -> View:
    """Return what a visitor is looking at; the beginning for anything else."""
    return view if isinstance(view, View) else View()


def through(view: View, other: View) -> View | dict:
    """Return the view through other filters, or nothing new where they are the same ones.

    The event of a filter may come late or twice, after a sample was opened meanwhile: what it found
    of the view when it began must not be written over that.
    """
    same = all(getattr(view, name) == getattr(other, name) for name in FILTERS)
    return gr.skip() if same else other


@dataclass(frozen=True)
class EditActions:
    """The buttons that change samples; every one returns what the visitor looks at then."""

    actions: Actions

    def dataset(self, session: object) -> Look:
        """Return the visitor's dataset."""
        return self.actions.need(session, "dataset", "no_dataset")

    def listed(self, view: View, session: object) -> tuple[SampleIndex, list[int] | range]:
        """Return the visitor's samples, and the numbers of those that the filters show."""
        dataset = self.dataset(session)
        index = SampleIndex(dataset.dataset)
        suspects = suspects_of(look(self.actions.home, session, "comparison"))
        return index, matching(index, view, read_build_report(dataset.dataset), suspects)

    # Looking

    @shown
    def narrow(
        self, split: object, show: object, search: object, view: object, session, language
    ) -> View | dict:
        """Show other samples."""
        view = seen(view)
        return through(view, narrowed(view, split, show, search))

    @shown
    def note_archive(self, archive: object, view: object, session: object, language: str) -> View:
        """Note that the visitor has chosen a zip, which is not built yet; or taken it back."""
        dataset = look(self.actions.home, session, "dataset")
        return replace(seen(view), brought=dataset.id if archive else None)

    @shown
    def turn_back(self, view: object, session: object, language: str) -> View:
        """Show the page before."""
        return replace(seen(view), page=max(0, seen(view).page - 1))

    @shown
    def turn_on(self, view: object, session: object, language: str) -> View:
        """Show the next page."""
        view = seen(view)
        _, numbers = self.listed(view, session)
        return replace(view, page=min(view.page + 1, max(0, (len(numbers) - 1) // PAGE)))

    @shown
    def open(self, picked: object, view: object, session: object, language: str) -> View:
        """Open the card of the sample that was clicked."""
        view, name = seen(view), picked_id(picked)
        index, numbers = self.listed(view, session)
        if index.find(name) is None:
            raise Refused("no_sample")
        place = next((at for at, n in enumerate(numbers) if index[n].picture_id == name), 0)
        return replace(view, open=name, place=place)

    @shown
    def close(self, view: object, session: object, language: str) -> View:
        """Close the card."""
        return replace(seen(view), open="")

    @shown
    def go_on(self, view: object, session: object, language: str) -> View:
        """Open the card of the next sample; the last one closes it."""
        view = seen(view)
        index, numbers = self.listed(view, session)
        at = view.place
        if at < len(numbers) and index[numbers[at]].picture_id == view.open:
            at += 1  # otherwise it has left the list, and the next one took its place
        if at >= len(numbers):
            return replace(view, open="")
        return replace(view, open=index[numbers[at]].picture_id, place=at, page=at // PAGE)

    # Changing the sample on the card

    @shown
    def save(self, words: object, view: object, session: object, language: str) -> View:
        """Give the sample on the card another text."""
        return self.change(seen(view), session, Change(text=usable(words)))

    @shown
    def exclude(self, view: object, session: object, language: str) -> View:
        """Leave the sample on the card out, or take it in again."""
        sample = self.opened(seen(view), session)
        return self.change(seen(view), session, Change(excluded=not sample.is_excluded))

    @shown
    def check(self, view: object, session: object, language: str) -> View:
        """Mark the sample on the card as checked, or as unchecked."""
        sample = self.opened(seen(view), session)
        return self.change(seen(view), session, Change(checked=not sample.is_checked))

    def opened(self, view: View, session: object) -> IndexedSample:
        """Return the sample on the card."""
        found = SampleIndex(self.dataset(session).dataset).find(view.open) if view.open else None
        if found is None:
            raise Refused("no_sample")
        return found

    def change(self, view: View, session: object, change: Change) -> View:
        """Change the sample on the card."""
        self.opened(view, session)
        edit_sample(self.dataset(session).dataset, view.open, change)
        return view

    # Training lines to check first

    @shown
    def pick_suspect(self, picked: object, view: object, session: object, language: str) -> View:
        """Put the training line that was clicked on the card."""
        self.suspect(picked_id(picked), session)
        return replace(seen(view), suspect=picked_id(picked))

    @shown
    def accept(self, name: object, view: object, session: object, language: str) -> View:
        """Take what the tuned model reads for the ground truth."""
        _, suspect = self.suspect(name, session)
        return self.settle(name, view, session, Change(text=suspect.hypothesis))

    @shown
    def save_suspect(
        self, words: object, name: object, view: object, session: object, language: str
    ) -> View:
        """Give the training line another text."""
        return self.settle(name, view, session, Change(text=usable(words)))

    @shown
    def exclude_suspect(self, name: object, view: object, session: object, language: str) -> View:
        """Leave the training line out."""
        return self.settle(name, view, session, Change(excluded=True))

    @shown
    def check_suspect(self, name: object, view: object, session: object, language: str) -> View:
        """Say that the ground truth of the training line is right."""
        return self.settle(name, view, session, Change(checked=True))

    def suspect(self, name: object, session: object) -> tuple[Path, Suspect]:
        """Return the dataset to repair and the suspect; refuse one that is not in it any more."""
        name = name if isinstance(name, str) else ""
        comparison = self.actions.need(session, "comparison", "no_report")
        suspect = suspects_of(comparison).get(name)
        prefix = repaired(look(self.actions.home, session, "dataset"), comparison)
        index = SampleIndex(prefix)
        sample = index.find(name)
        if suspect is None or sample is None or index.digest(sample) != suspect.digest:
            raise Refused("suspect_gone")
        return prefix, suspect

    def settle(self, name: object, view: object, session: object, change: Change) -> View:
        """Make a decision on the training line on the card; the next one takes its place."""
        prefix, suspect = self.suspect(name, session)
        note = f"CER {percent(suspect.cer)}"
        edit_sample(prefix, suspect.picture_id, replace(change, origin="suspects", note=note))
        return replace(seen(view), suspect="")


def repaired(dataset: Look, comparison: Look) -> Path:
    """Return the dataset in which suspects are corrected: the visitor's own one."""
    return dataset.dataset if dataset.usable else Path(data_of(comparison))


def data_of(comparison: Look) -> str:
    """Return the prefix of the dataset that was compared on."""
    return CompareConfig.load(comparison.job.folder / "config.json").data


def picked_id(picked: object) -> str:
    """Return the id of the sample that was clicked."""
    return picked if isinstance(picked, str) else ""


def usable(words: object) -> str:
    """Return a text that a visitor wrote; refuse what can be none."""
    if not isinstance(words, str) or not words.strip():
        raise Refused("no_text")
    if len(words) > LONGEST_TEXT:
        raise Refused("long_text", most=LONGEST_TEXT)
    return words
