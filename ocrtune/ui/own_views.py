"""What the Fine-tune tab shows beside the run: its link, its log, and the visitor's own jobs."""

import json
import time
from pathlib import Path

from ocrtune.dataset_files import read_build_report
from ocrtune.errors import OcrtuneError
from ocrtune.job_status import TRAININGS
from ocrtune.keeping import Kept, kept_until, users_of
from ocrtune.report_page import percent
from ocrtune.ui.gallery import EVERYTHING, View
from ocrtune.ui.looks import Look, Looks, see
from ocrtune.ui.train_views import measurements
from ocrtune.ui.views import escape, notice, text
from ocrtune.ui.visitors import USER
from ocrtune.ui.words import say

LISTED = 50  # own jobs that are shown at once
LOG_BYTES = 12_000  # of the end of a log, on the page
LISTED_COMMANDS = (*TRAININGS, "build")  # the others are of no use without these


def share(run: Look, language: str) -> str:
    """Return the address under which the run is found again, and for whom it opens."""
    if not run.job:
        return ""
    user = run.owner.removeprefix(USER) if run.owner.startswith(USER) else ""
    words = text(language, "link_user", name=user) if user else text(language, "link_anyone")
    title, copy = text(language, "link"), text(language, "link_copy")
    return (
        f'<div class="ot-share"><label><span>{title}</span>'
        f'<input readonly dir="ltr" data-ot-link="?run={escape(run.id)}" '
        f'value="?run={escape(run.id)}"></label>'
        f'<button type="button" data-ot-copied="{text(language, "link_copied")}">{copy}</button>'
        f'<p class="ot-hint">{words}</p></div>'
    )


def kept_words(looks: Looks, name: str, language: str) -> str:
    """Return until when a dataset or run is kept; empty where it stays or is not made yet."""
    until = looks.kept_until(name)
    if until is None or looks[name].active:
        return ""
    words = text(language, f"kept_{name}", date=day(until, language))
    return f'<p class="ot-hint ot-kept">{words}</p>'


def day(moment: float, language: str) -> str:
    """Return the date of a moment, in UTC, as people say it; with its year if that is another."""
    then, now = time.gmtime(moment), time.gmtime()
    month = say(language, "months").split()[then.tm_mon - 1]
    words = say(language, "date", day=then.tm_mday, month=month)
    if then.tm_year == now.tm_year:
        return words
    return say(language, "date_year", date=words, year=then.tm_year)


def ago(moment: float, language: str) -> str:
    """Return how long ago a moment was, roughly."""
    minutes = max(0.0, time.time() - moment) / 60
    if minutes < 60:
        return say(language, "ago_minutes", count=round(minutes))
    if minutes < 48 * 60:
        return say(language, "ago_hours", count=round(minutes / 60))
    return say(language, "ago_days", count=round(minutes / 60 / 24))


def log(run: Look, language: str) -> str:
    """Return the end of the run's log without secrets."""
    words = run.job.log(LOG_BYTES).strip() if run.job else ""
    if not words:
        return notice(text(language, "log_none"))
    hint = f'<p class="ot-hint">{text(language, "log_hint")}</p>'
    return f'{hint}<pre class="ot-log" tabindex="0" dir="ltr">{escape(words)}</pre>'


def log_size(run: Look) -> int:
    """Return how many bytes the run's worker has printed."""
    try:
        return (run.job.folder / "log.txt").stat().st_size if run.job else 0
    except OSError:
        return 0


def mine(looks: Looks, view: View, language: str) -> str:
    """Return the visitor's own runs and datasets, newest first, each with what can be done."""
    found = [kept for kept in looks.mine() if kept.status.command in LISTED_COMMANDS]
    if not found:
        return notice(text(language, "mine_none"))
    rows = "".join(mine_row(looks, kept, language) for kept in found[:LISTED])
    older = len(found) - LISTED
    more = f'<p class="ot-hint">{text(language, "mine_more", count=older)}</p>' if older > 0 else ""
    return f'<ul class="ot-mine">{rows}</ul>{more}'


def mine_row(looks: Looks, kept: Kept, language: str) -> str:
    """Return one run or dataset of the list."""
    seen = see(kept.job, kept.status)
    is_run = kept.status.command in TRAININGS
    name = text(language, "mine_run" if is_run else "mine_dataset")
    facts = [run_facts(seen, language) if is_run else dataset_facts(seen, language)]
    facts.append(text(language, f"state_{seen.state}"))
    facts.append(escape(ago(kept.status.created, language)))
    until = kept_until(kept.id, looks.all_jobs, looks.limits.keep_days)
    if until is not None:
        facts.append(text(language, "kept_until", date=day(until, language)))
    buttons = [("open", "open_button"), ("resume", "resume_button"), ("delete", "delete_button")]
    pressed = "".join(
        f'<button type="button" data-ot-into="ot-mine-{into}" data-ot-open="{escape(kept.id)}">'
        f"{text(language, words)}</button>"
        for into, words in buttons
        if into != "resume" or (is_run and seen.resumable)
    )
    here = kept.id in (looks["run"].id, looks["dataset"].id)
    chosen = ' class="ot-chosen" aria-current="true"' if here else ""
    told = " · ".join(filter(None, facts))
    return (
        f"<li{chosen}><span><b>{name}</b> <small>{told}</small></span><span>{pressed}</span></li>"
    )


def settings_of(folder: Path) -> dict:
    """Return the settings of a job as they lie there; empty if they cannot be read."""
    try:
        values = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def run_facts(seen: Look, language: str) -> str:
    """Return the base model of a run, its steps and its CER before and after, as HTML."""
    settings = settings_of(seen.job.folder)
    base = Path(str(settings.get("base", ""))).name
    parts = [f"<bdi>{escape(base)}</bdi>"] if base else []
    if seen.total:
        parts.append(text(language, "mine_steps", step=seen.step, total=seen.total))
    measured = measurements(seen.job.events())
    if len(measured) > 1:
        after = min(event.cer for event in measured[1:])
        values = {"before": percent(measured[0].cer), "after": percent(after)}
        parts.append(text(language, "mine_cer", **values))
    return " · ".join(parts)


def dataset_facts(seen: Look, language: str) -> str:
    """Return from what a dataset was built and how many samples it has, as HTML."""
    source = Path(str(settings_of(seen.job.folder).get("source", ""))).name
    parts = [f"<bdi>{escape(source)}</bdi>"] if source else []
    if seen.usable:
        try:
            counts = read_build_report(seen.dataset)["splits"]
            parts.append(text(language, "mine_samples", count=sum(counts.values())))
        except (OcrtuneError, KeyError):
            pass  # a damaged dataset can still be deleted
    return " · ".join(parts)


def doomed(looks: Looks, view: View, language: str) -> str:
    """Return what is asked before something is deleted, as HTML; empty if nothing is."""
    own = {kept.id: kept for kept in looks.mine()}
    if view.doomed == EVERYTHING and own:
        return notice(text(language, "delete_everything_ask", count=len(own)), "bad")
    kept = own.get(view.doomed)
    if kept is None:
        return ""
    key = "delete_run_ask" if kept.status.command in TRAININGS else "delete_dataset_ask"
    words = [text(language, key)]
    if count := sum(user.id in own for user in users_of(kept.id, looks.all_jobs)):
        words.append(text(language, "delete_users", count=count))
    if kept.active:
        words.append(text(language, "delete_active"))
    return notice(" ".join(words), "bad")
