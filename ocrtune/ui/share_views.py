"""What the page shows about sharing a dataset: where it would go, how far it is, where it is."""

import gradio as gr

from ocrtune.config import PushDatasetConfig
from ocrtune.errors import ConfigError
from ocrtune.events import Saved
from ocrtune.ui.looks import Look, Looks, trouble, waiting
from ocrtune.ui.views import escape, notice, sentence, text
from ocrtune.ui.words import say

SHARED = "shared_"  # how the kinds of what a push saved begin; what had changed follows


def gate(signed_in: bool, has_dataset: bool, language: str) -> str:
    """Return what is missing before a dataset can be shared, as HTML; empty if nothing is."""
    if not signed_in:
        return notice(sentence(say(language, "sign_in_first")))
    return "" if has_dataset else notice(text(language, "share_no_dataset"))


def destination(owner: str, name: str, public: bool, language: str) -> str:
    """Return where a dataset would go and who would see it, as HTML."""
    if not name:
        return notice(text(language, "share_name_first"))
    whole = f"{owner}/{name}" if owner and "/" not in name else name
    if "/" not in whole:
        whole = f"{say(language, 'share_own')}/{name}"
    where = text(language, "share_where")
    seen = text(language, "share_seen_public" if public else "share_seen_private")
    return notice(
        f"{where} <b><bdi>{escape(whole)}</bdi></b><br>{seen}", "busy" if public else "quiet"
    )


def show_shared(looks: Looks, language: str) -> list:
    """Return how far the push of the visitor's dataset is, or where it is now; and the buttons."""
    shared = looks["shared"]
    return [
        shared_words(shared, looks["dataset"], language),
        gr.Button(interactive=not shared.active),
        gr.Button(visible=shared.state in ("queued", "running")),
    ]


def shared_words(shared: Look, dataset: Look, language: str) -> str:
    """Return the words on a push; empty if it was of another dataset than the one that is shown."""
    if not shared.job or not is_of(shared, dataset):
        return ""
    if shared.active:
        return waiting(shared, language, text(language, "sharing"))
    if shared.state == "stopped":
        return notice(text(language, "share_stopped"))
    if told := trouble(shared, language):
        return told + f'<p class="ot-hint">{text(language, "share_again")}</p>'
    saved = [one for one in shared.job.events() if isinstance(one, Saved)]
    where = [one for one in saved if one.kind.startswith(SHARED)]
    if not where:
        return ""
    address = escape(where[-1].path)
    link = f'<a href="{address}" target="_blank" rel="noopener noreferrer">{address}</a>'
    return notice(f"{text(language, f'share_{where[-1].kind}')} {link}", "good")


def is_of(shared: Look, dataset: Look) -> bool:
    """Return whether a push was of this dataset."""
    try:
        config = PushDatasetConfig.load(shared.job.folder / "config.json")
    except (ConfigError, TypeError):
        return False
    return bool(dataset.job) and config.data == str(dataset.dataset)
