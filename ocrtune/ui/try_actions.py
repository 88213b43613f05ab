"""What the buttons of the Try OCR tab do: read, look through what was read, take it along, keep it.

Zips and PDFs are opened by the worker alone.
"""

import random
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import gradio as gr

from ocrtune import jobs
from ocrtune.archive import MIB, open_archive
from ocrtune.config import BASES, BuildConfig, ReadConfig
from ocrtune.content import parse
from ocrtune.editing import keep_picture
from ocrtune.errors import ConfigError
from ocrtune.events import Read
from ocrtune.kept_pictures import kept_picture
from ocrtune.picture_bombs import JPEG2000_STARTS, TIFF_STARTS
from ocrtune.picture_sources import PAGE_MARK, parse_pages
from ocrtune.reading_tables import Row, rows_of, table_bytes, text_bytes, zip_bytes
from ocrtune.ui.actions import SAMPLE, Actions, chosen_prompt, plain, shown, trained
from ocrtune.ui.corrections import FOLDER, LEAST, corrected, keep_correction, take_along
from ocrtune.ui.edit_actions import seen, usable
from ocrtune.ui.gallery import View
from ocrtune.ui.looks import Look, clean, look
from ocrtune.ui.readings import MOST, SHOWN, batch_of, correctable, shown_name
from ocrtune.ui.shared_actions import SharedActions, named_one
from ocrtune.ui.try_views import failed_words
from ocrtune.ui.uploads import hand_out, keep, plain_name, uploaded
from ocrtune.ui.views import notice, text
from ocrtune.ui.words import Refused, language_of

MOST_FILES = 200  # of one go; the worker reads the first MOST pictures
MOST_BYTES = 400 * MIB  # of all files of one go
UNSEEN_STARTS = TIFF_STARTS + JPEG2000_STARTS
NETPBM = re.compile(rb"P[1-6]\s")


@dataclass(frozen=True)
class TryActions:
    """The buttons of the tab."""

    actions: Actions

    @shown
    def read(
        self,
        picture: object,
        reference: object,
        prompt: object,
        words: object,
        adapter: object,
        files: object,
        pages: object,
        session: object,
        language: str,
    ) -> tuple[dict, View]:
        """Read what was given: several files, or the one picture; nothing is opened any more.

        A picture that browsers cannot show, or that has pages, is read as several: it has a table.
        """
        before = look(self.actions.home, session, "reading")
        if picture and not files and is_unseen(uploaded(picture)):
            files = [picture]
        if files:
            after = self.read_files(files, pages, prompt, words, adapter, session)
        else:
            given = (picture, reference, prompt, words, adapter, session, language)
            after = SharedActions(self.actions).read(*given)
        if before.job and (now := look(self.actions.home, after, "reading").job):
            take_along(before.job.folder, now.folder)
        return after, View()

    def read_files(
        self,
        files: object,
        pages: object,
        prompt: object,
        words: object,
        adapter: object,
        session: object,
    ) -> dict:
        """Read several files, their zips and PDFs opened, with the models that were chosen."""
        paths = given_files(files)
        wanted = plain(pages)
        try:
            parse_pages(wanted)
        except ConfigError as error:
            raise Refused("bad_pages", pages=wanted) from error
        named = named_one(adapter)
        run = look(self.actions.home, session, "run")
        asked = "" if named else chosen_prompt(run, prompt, words)
        job = jobs.create(self.actions.home)
        folder = job.folder / "upload"
        kept = [str(keep(str(path), folder / str(n))) for n, path in enumerate(paths, start=1)]
        config = ReadConfig(
            pictures=tuple(kept),
            pages=wanted,
            most=MOST,
            kept=str(job.folder / "pictures"),
            base=trained(run).base if run.usable else BASES[0],
            adapter=str(run.adapter) if run.usable else "",
            both=run.usable,
            prompt=asked,
            boxes=str(job.folder / "boxes"),
        )
        if named:
            config = replace(config, base="", adapter=named.address, both=True)
        token = self.actions.own_token() if named else ""
        return clean(session) | {
            "reading": self.actions.launch(job, "read", config, session, token)
        }

    @shown
    def stop_reading(self, session: object, language: str) -> dict:
        """Ask the reading to end; what was read until then stays."""
        reading = look(self.actions.home, session, "reading")
        if reading.active:
            reading.job.stop()
        return clean(session)

    @shown
    def take_sample_picture(self, session: object, language: str) -> tuple[str, str]:
        """Return a picture of the sample, and its right text."""
        with open_archive(SAMPLE) as archive:
            archive.find_content()
            entries = parse(archive.content_text, archive.names()).entries
            entry = random.choice(entries)
            data = archive.read(entry.name)
        return str(hand_out(data, Path(entry.name).name)), entry.text

    def forget_files(self) -> None:
        """Forget the files: one picture is read now."""

    @shown
    def bring_one(self, picture: object, language: str) -> tuple[str, list[str] | None, object]:
        """Forget the right text of another picture, and the files: one picture is read now.

        What browsers cannot show moves over to the files, where it is no broken picture.
        """
        if picture and is_unseen(path := uploaded(picture)):
            return "", [str(path)], None
        return "", None, gr.skip()

    def bring_several(self) -> tuple[None, str]:
        """Forget the one picture and its right text: the files are read now."""
        return None, ""

    # Looking through

    @shown
    def narrow_readings(self, show: object, view: object, session: object, language: str) -> View:
        """Show only some of the pictures."""
        known = show if isinstance(show, str) and show in SHOWN else SHOWN[0]
        return replace(seen(view), readings=known, reading=0)

    @shown
    def open_reading(self, picked: object, view: object, session: object, language: str) -> View:
        """Open the picture that was clicked."""
        number = int(picked) if isinstance(picked, str) and picked.isdecimal() else 0
        batch = batch_of(look(self.actions.home, session, "reading"))
        if batch is None or not batch.row(number):
            raise Refused("no_reading")
        return replace(seen(view), reading=number)

    @shown
    def close_reading(self, view: object, session: object, language: str) -> View:
        """Close the picture."""
        return replace(seen(view), reading=0)

    @shown
    def next_reading(self, view: object, session: object, language: str) -> View:
        """Open the next picture."""
        return self.open_reading.__wrapped__(
            self, str(seen(view).reading + 1), view, session, language
        )

    # Taking along

    @shown
    def fetch_readings_table(self, session: object, language: str) -> str:
        """Return what was read as a table for spreadsheets."""
        models = ("base", "tuned") if self.has_two(session) else ("text",)
        return self.fetch(session, language, lambda rows: table_bytes(rows, models), "readings.csv")

    @shown
    def fetch_readings_text(self, session: object, language: str) -> str:
        """Return what was read as one text; what the tuned model has read, where there is one."""
        return self.fetch(session, language, text_bytes, "readings.txt")

    @shown
    def fetch_readings_zip(self, session: object, language: str) -> str:
        """Return what was read with a text file for each picture."""
        return self.fetch(session, language, zip_bytes, "readings.zip")

    def has_two(self, session: object) -> bool:
        """Return whether the base model and a tuned one have read."""
        reading = look(self.actions.home, session, "reading")
        return bool(reading.job) and config_of(reading).both

    def fetch(
        self, session: object, language: str, form: Callable[[list[Row]], bytes], name: str
    ) -> str:
        """Return the path of a file that the browser may fetch."""
        rows = told_rows(look(self.actions.home, session, "reading"), language_of(language))
        if not rows:
            raise Refused("no_reading")
        return str(hand_out(form(rows), name))

    # Keeping

    @shown
    def keep_reading(self, words: object, view: object, session: object, language: str) -> str:
        """Make the picture with its corrected text a sample; keep it where there is no dataset."""
        language = language_of(language)
        dataset = look(self.actions.home, session, "dataset")
        reading = look(self.actions.home, session, "reading")
        name, data = picture_of(reading, seen(view))
        right = usable(words)
        if not dataset.usable:
            count = keep_correction(reading.job.folder, data, right)
            key = "kept_for_later" if count < LEAST else "kept_enough"
            return notice(text(language, key, count=count, least=LEAST), "good")
        done, sample = keep_picture(dataset.dataset, name, data, right)
        key = f"kept_{done}"
        split = getattr(sample, "split", "") or "train"
        if done == "edited" and split != "train":
            key = "kept_unseen"
        return notice(text(language, key, name=sample.picture_id), "good")

    @shown
    def start_dataset(self, session: object, language: str) -> dict:
        """Build a dataset of the corrected readings."""
        reading = look(self.actions.home, session, "reading")
        if reading.job is None or len(corrected(reading.job.folder)) < LEAST:
            raise Refused("too_few_corrected", least=LEAST)
        job = jobs.create(self.actions.home)
        source = job.folder / "upload" / FOLDER
        shutil.copytree(reading.job.folder / FOLDER, source)
        config = BuildConfig(source=str(source), output=str(job.folder / "dataset"), confined=True)
        return clean(session) | {"dataset": self.actions.launch(job, "build", config, session)}


def is_unseen(path: Path) -> bool:
    """Return whether a picture is of a kind that browsers do not show, by how it begins."""
    with path.open("rb") as stream:
        start = stream.read(max(map(len, UNSEEN_STARTS)))
    return start.startswith(UNSEEN_STARTS) or bool(NETPBM.match(start))


def given_files(files: object) -> list[Path]:
    """Return the uploaded files; refuse more, or larger ones, than are taken in one go."""
    given = files if isinstance(files, list) else [files]
    if len(given) > MOST_FILES:
        raise Refused("too_many_files", most=MOST_FILES)
    paths = [uploaded(one) for one in given]
    if sum(path.stat().st_size for path in paths) > MOST_BYTES:
        raise Refused("too_large_files", most=MOST_BYTES // MIB)
    return paths


def config_of(reading: Look) -> ReadConfig:
    """Return the settings of a reading."""
    return ReadConfig.load(reading.job.folder / "config.json")


def told_rows(reading: Look, language: str) -> list[Row]:
    """Return what was read so far, with names and reasons as the visitor knows them."""
    if reading.job is None:
        return []
    read = [event for event in reading.job.events() if isinstance(event, Read)]
    return [
        replace(
            row,
            name=shown_name(row.name, reading.job.folder),
            readings=tuple(
                replace(one, failed=failed_words(one, language)) for one in row.readings
            ),
        )
        for row in rows_of(read)
    ]


def picture_of(reading: Look, view: View) -> tuple[str, bytes]:
    """Return the name and the bytes of the picture whose reading is corrected."""
    found = correctable(reading, view)
    if found is None:
        raise Refused("no_reading")
    number, _ = found
    config = config_of(reading)
    batch = batch_of(reading)
    if batch:
        data = kept_picture(batch.kept, number)
        file, mark, page = batch.rows[number - 1].name.replace("/", "_").rpartition(PAGE_MARK)
        stem = f"{Path(file).stem}-{page}" if mark else Path(page).stem
        ending = "png" if data.startswith(b"\x89PNG") else "jpg"
        name = plain_name(f"{stem}.{ending}")
    else:
        [path, *_] = config.pictures
        name = Path(path).name
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise Refused("no_reading") from error
    if not data:
        raise Refused("no_reading")
    return name, data
