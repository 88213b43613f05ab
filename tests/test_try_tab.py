"""The Try OCR tab: several pictures at once, what is taken along, corrections that are kept."""

import csv
import io
import json
import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from line_samples import draw_line, paged
from page_server import serve_page
from page_visitors import Visitor
from PIL import Image
from test_pdf_files import pdf
from test_ui import ATTACK, make_job, upload, visit  # noqa: F401

from ocrtune import jobs
from ocrtune.config import ReadConfig
from ocrtune.dataset_files import read_build_report
from ocrtune.events import Brought, Done, Progress, Read, append_event
from ocrtune.kept_pictures import KeptPictures
from ocrtune.picture_sources import find_pictures
from ocrtune.ui import watching
from ocrtune.ui.corrections import corrected
from ocrtune.ui.gallery import View
from ocrtune.ui.looks import look_at_all
from ocrtune.ui.readings import batch_of, progress, show_readings, table
from ocrtune.ui.try_actions import MOST_FILES, TryActions, picture_of, told_rows

SECONDS = 300  # for a job on a busy machine
ARABIC = "السلام عليكم"


def go(visit, reads, state="done", names=("a.png", "b.png", "c.pdf#page=2"), left_out=0):  # noqa: F811
    """Return the session of a visitor who gave these files, of which this has been read."""

    def config(folder):
        return ReadConfig(
            pictures=(str(folder / "upload" / "1"),),
            kept=str(folder / "pictures"),
            adapter="x",
            both=True,
        )

    job = make_job(visit.home, "read", config, [], state=state)
    ids = [f"{job.folder}/upload/{n}/{name}" for n, name in enumerate(names, start=1)]
    keeper = KeptPictures(job.folder / "pictures")
    for number, _ in enumerate(ids, start=1):
        keeper.keep(number, draw_line(f"line {number}"))
    events = [Brought(ids, left_out)]
    for number, base, tuned, more in reads:
        for model, text in (("base", base), ("tuned", tuned)):
            if text is not None:
                known = {"looped": False, "failed": ""} | more
                events.append(Read(ids[number], text, 0.5, model, **known))
    events.append(Done("") if state == "done" else Progress("read", 1, 6))
    for event in events:
        append_event(job.folder / "events.jsonl", event)
    return {"reading": job.id}


WHY = {"key": "picture_foreign", "values": {}}
READS = [
    (0, "hallo", "hello", {}),
    (1, ATTACK, ATTACK, {"looped": True}),
    (2, "", "", {"failed": "It is broken.", "why": WHY}),
]


def batch(visit, session):  # noqa: F811
    return batch_of(look_at_all(visit.home, session)["reading"])


def test_the_table_shows_what_was_read_and_what_is_odd(visit):  # noqa: F811
    shown = batch(visit, go(visit, READS))
    html = table(shown, View(), "en")
    assert [row.name for row in shown.rows] == ["a.png", "b.png", "c.pdf#page=2"]
    assert 'h<mark class="ot-wrong">e</mark>llo' in html
    assert "<script" not in html
    assert "repeats itself" in html
    assert "not a picture that can be read. Save it as JPEG or PNG." in html
    assert "请另存为" in table(shown, View(), "zh")
    assert html.count("data:image/jpeg") == 3
    words = progress(shown, "en")
    assert "2 of 3 pictures were read. Not read: 1. The models differ on 1." in words


@pytest.mark.parametrize(
    ("show", "names"),
    [("differ", ["a.png"]), ("flagged", ["b.png"]), ("failed", ["c.pdf#page=2"])],
)
def test_the_table_is_filtered(visit, show, names):  # noqa: F811
    html = table(batch(visit, go(visit, READS)), View(readings=show), "en")
    assert re.findall(r"<bdi>(.*?)</bdi>", html) == names


def test_rows_appear_as_they_are_read_and_the_time_left_is_told(visit, monkeypatch):  # noqa: F811
    names = [f"{n}.png" for n in range(8)]
    reads = [(n, "x", "x", {}) for n in range(4)] + [(4, "half", None, {})]
    session = go(visit, reads, "running", names, left_out=7)
    shown = batch(visit, session)
    assert len(shown.done) == 4
    html = table(shown, View(), "en")
    assert html.count("waiting") == 1 + 3 * 2
    assert html.count("data-ot-open") == 4, "what is not read cannot be opened"
    words = progress(shown, "en")
    assert "4 of 8 pictures are read." in words
    assert "7 more were left out" in words
    monkeypatch.setattr(
        type(shown.reading.job), "status", lambda self: SimpleNamespace(began=time.time() - 60)
    )
    assert "About 60 s left." in progress(shown, "en")


def test_a_picture_is_opened_large_with_both_readings(visit):  # noqa: F811
    session, trying = go(visit, READS), TryActions(visit.actions)
    looks = look_at_all(visit.home, session)
    view = trying.open_reading("1", View(), session, "en")
    outputs = show_readings(looks, "en", view)
    assert outputs[5].visible
    assert "Base model" in outputs[6]
    assert "Tuned model" in outputs[6]
    assert 'data-ot-text="hello"' in outputs[6]
    assert trying.next_reading(view, session, "en").reading == 2
    assert trying.close_reading(view, session, "en").reading == 0
    for picked in ("0", "4", "x", None, "99999999999999999999"):
        with pytest.raises(gr.Error):
            trying.open_reading(picked, View(), session, "en")
    assert trying.narrow_readings("differ", view, session, "en") == View(readings="differ")
    assert trying.narrow_readings(["x"], None, session, "en") == View()


def test_right_to_left_readings_run_right_to_left(visit):  # noqa: F811
    session = go(visit, [(0, ARABIC, ARABIC, {})], names=("a.png", "b.png"))
    shown = batch(visit, session)
    assert table(shown, View(), "en").count('dir="rtl"') == 2
    outputs = show_readings(look_at_all(visit.home, session), "en", View(reading=1))
    assert outputs[6].count('dir="rtl"') == 2


def test_a_long_page_is_cut_in_the_table_and_whole_on_the_card(visit):  # noqa: F811
    words = "lorem ipsum " * 500
    session = go(visit, [(0, words, words, {})], names=("a.png", "b.png"))
    assert len(table(batch(visit, session), View(), "en")) < 8_000
    outputs = show_readings(look_at_all(visit.home, session), "en", View(reading=1))
    assert outputs[6].count(words) >= 2


def test_the_texts_can_be_taken_along(visit):  # noqa: F811
    session, trying = go(visit, READS), TryActions(visit.actions)
    data = Path(trying.fetch_readings_table(session, "zh")).read_bytes()
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert [(row["picture"], row["tuned"]) for row in rows[:2]] == [
        ("a.png", "hello"),
        ("b.png", ATTACK),
    ]
    assert "请另存为" in rows[2]["tuned_failed"]
    text = Path(trying.fetch_readings_text(session, "en")).read_text("utf-8")
    assert text.startswith("=== a.png ===\nhello\n")
    with zipfile.ZipFile(trying.fetch_readings_zip(session, "en")) as archive:
        assert archive.namelist() == ["a.txt", "b.txt"]
    with pytest.raises(gr.Error, match="no finished reading"):
        trying.fetch_readings_table({}, "en")


def test_files_of_one_name_stay_apart(visit):  # noqa: F811
    reads = [(0, "x", "one", {}), (1, "x", "two", {})]
    session = go(visit, reads, names=("1.png", "1.png"))
    rows = told_rows(look_at_all(visit.home, session)["reading"], "en")
    assert [(row.name, row.text) for row in rows] == [("1.png", "one"), ("1.png", "two")]


def test_a_picture_of_several_becomes_a_sample(visit):  # noqa: F811
    trying = TryActions(visit.actions)
    session = {"dataset": visit.session["dataset"]} | go(visit, READS)
    assert "added/a.png" in trying.keep_reading("right", View(reading=1), session, "en")
    assert "already" in trying.keep_reading("better", View(reading=1), session, "en")
    with pytest.raises(gr.Error, match="no finished reading"):
        trying.keep_reading("right", View(), session, "en")


def test_without_a_dataset_corrections_are_collected_and_become_one(visit):  # noqa: F811
    trying = TryActions(visit.actions)
    session = go(visit, READS[:2], names=("a.png", "b.png"))
    assert "1 of 3" in trying.keep_reading("one", View(reading=1), session, "en")
    assert "1 of 3" in trying.keep_reading("better", View(reading=1), session, "en")
    assert "2 of 3" in trying.keep_reading("two", View(reading=2), session, "en")
    with pytest.raises(gr.Error, match="Correct 3 pictures first"):
        trying.start_dataset(session, "en")
    folder = visit.home / "jobs" / session["reading"]
    texts = [path.read_text("utf-8") for path in corrected(folder)]
    assert texts == ["better", "two"]
    outputs = watching.editor.show_keep(look_at_all(visit.home, session), "en", View(reading=1))
    assert "Kept so far: 2." in outputs[1]
    assert outputs[3].visible is False
    with pytest.raises(gr.Error, match="Write a text"):
        trying.keep_reading("  ", View(reading=1), session, "en")


def test_the_next_reading_takes_the_corrections_along(visit, upload):  # noqa: F811
    trying = TryActions(visit.actions)
    session = go(visit, READS[:2], names=("a.png", "b.png"))
    trying.keep_reading("one", View(reading=1), session, "en")
    picture = {"path": upload("next.png", draw_line("next"))}
    after, view = trying.read(picture, "", "own", "", None, None, "", session, "en")
    assert after["reading"] != session["reading"]
    assert view == View()
    [text] = corrected(visit.home / "jobs" / after["reading"])
    assert text.read_text("utf-8") == "one"


def test_what_somebody_types_is_not_put_back_while_others_are_read(visit):  # noqa: F811
    session = go(visit, READS[:1], "running")
    panel = watching.PANELS["keep_text"]
    view = View(reading=1)
    before = panel.moment(look_at_all(visit.home, session), "en", view)
    job = visit.home / "jobs" / session["reading"]
    append_event(job / "events.jsonl", Read("other", "x", 0.1, "base", False, ""))
    assert panel.moment(look_at_all(visit.home, session), "zh", view) == before


def test_every_page_of_the_one_picture_is_read(visit, upload):  # noqa: F811
    trying = TryActions(visit.actions)
    for name, count in (("scan.tif", 3), ("one.tif", 1)):
        data = paged([draw_line(f"line {number}") for number in range(count)])
        given = upload(name, data)
        after, _ = trying.read(given, "", "own", "", None, None, "", visit.session, "en")
        config = ReadConfig.load(visit.home / "jobs" / after["reading"] / "config.json")
        assert config.kept, "a table, for browsers cannot show it"
        assert len(find_pictures(config.pictures).pictures) == count


def test_pictures_that_browsers_cannot_show_move_to_the_files(visit, upload):  # noqa: F811
    trying = TryActions(visit.actions)
    shown = io.BytesIO(draw_line("line"))
    for kind, moves in (("TIFF", 1), ("JPEG2000", 1), ("PPM", 1), ("WEBP", 0), ("BMP", 0)):
        data = io.BytesIO()
        Image.open(shown).convert("RGB").save(data, kind)
        path = upload(f"a.{kind}", data.getvalue())
        words, files, picture = trying.bring_one(path, "en")
        assert (words, files) == ("", [path] if moves else None), kind
        assert (picture is None) == bool(moves), kind
    with pytest.raises(gr.Error):
        trying.bring_one("/etc/passwd", "en")


def test_a_corrected_page_is_called_like_its_file(visit):  # noqa: F811
    session = go(visit, READS[:2], names=("in/a.tif#page=1", "in/a.tif#page=2"))
    reading = look_at_all(visit.home, session)["reading"]
    names = [picture_of(reading, View(reading=number))[0] for number in (1, 2)]
    assert names == ["in_a-1.png", "in_a-2.png"]


@pytest.mark.parametrize("pages", ["x", "3-1", "0"])
def test_wrong_pages_are_refused_in_the_visitors_language(visit, upload, pages):  # noqa: F811
    trying, files = TryActions(visit.actions), [{"path": upload("a.pdf", b"%PDF")}]
    with pytest.raises(gr.Error, match="不是页码"):
        trying.read(None, "", "own", "", None, files, pages, {}, "zh")


def test_too_many_files_and_files_of_others_are_refused(visit, upload):  # noqa: F811
    trying = TryActions(visit.actions)
    one = {"path": upload("a.png", b"x")}
    with pytest.raises(gr.Error, match="too many files"):
        trying.read(None, "", "own", "", None, [one] * (MOST_FILES + 1), "", {}, "en")
    for bad in ([{"path": "/etc/passwd"}], "/etc/passwd", [None], {"path": 7}):
        with pytest.raises(gr.Error):
            trying.read(None, "", "own", "", None, bad, "", {}, "en")


def test_a_picture_of_the_sample_is_one_click_away(visit):  # noqa: F811
    picture, words = TryActions(visit.actions).take_sample_picture({}, "en")
    assert Path(picture).read_bytes().startswith(b"\xff\xd8\xff")
    assert words.strip()
    outputs = watching.show_try(look_at_all(visit.home, {}), "en")
    assert (outputs[3].visible, outputs[4].visible) == (False, True)


# The real page


@pytest.fixture(scope="module")
def served_page(tmp_path_factory) -> Iterator[SimpleNamespace]:
    home = tmp_path_factory.mktemp("try") / "home"
    with serve_page(home) as address:
        yield SimpleNamespace(home=home, address=address)


def finished(place: SimpleNamespace, visitor: Visitor, name: str) -> jobs.Job:
    job = jobs.Job(place.home / "jobs" / visitor.session[name])
    deadline = time.monotonic() + SECONDS
    while not job.ended() and time.monotonic() < deadline:
        time.sleep(0.3)
    assert job.state() == "done", job.log()
    return job


def test_several_pictures_are_read_corrected_and_become_a_dataset(served_page):
    visitor = Visitor(served_page.address).arrive()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("in/3.png", draw_line("line three"))
        archive.writestr("in/broken.png", b"no picture")
    files = [
        visitor.upload("1.png", draw_line("line one")),
        visitor.upload("book.pdf", pdf(3)),
        visitor.upload("more.zip", packed.getvalue()),
    ]
    name = "press_read" if "press_read" in visitor.handlers else "read"
    assert visitor.act(name, None, "own", "", None, files, "2-3")
    job = finished(served_page, visitor, "reading")
    seen = visitor.sees()
    for words in ("1.png", "book.pdf#page=3", "more.zip/in/broken.png"):
        assert words in seen
    assert "book.pdf#page=1" not in seen
    assert str(served_page.home) not in seen
    assert "Save it as JPEG or PNG." in seen
    assert "4 of 5 pictures were read. Not read: 1." in seen
    good, [file] = visitor.call("fetch_readings_table")
    assert good
    table = visitor.http.get(
        f"/gradio_api/file={file['value']['path']}"
        if "value" in file
        else f"/gradio_api/file={file['path']}"
    )
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert len(rows) == 5
    for number, words in ((1, "line one"), (2, "page two"), (4, "line three")):
        assert visitor.act("open_reading", str(number))
        good, said = visitor.call("keep_reading", words)
        assert good, said
    assert "3 corrected pictures" in json.dumps(said)
    assert visitor.act("start_dataset")
    built = finished(served_page, visitor, "dataset")
    report = read_build_report(built.folder / "dataset")
    assert report["splits"] == {"train": 1, "validation": 1, "test": 1}
    assert len(corrected(job.folder)) == 3
    assert visitor.act("open_reading", "3")
    good, said = visitor.call("keep_reading", "page three")
    assert good
    assert "Added as added/" in json.dumps(said)
