"""What the page shows of a push of the visitor's adapter."""

import gradio as gr

from ocrtune.events import Saved
from ocrtune.ui.looks import Looks, remarks, trouble, waiting
from ocrtune.ui.views import escape, notice, text


def show_push(looks: Looks, language: str) -> list:
    """Return whether there is an adapter to push, the button, and what became of the push."""
    run, push = looks["run"], looks["push"]
    ready = run.usable and not run.active
    button = gr.Button(interactive=not push.active)
    return [gr.Column(visible=ready), button, outcome(looks, language)]


def outcome(looks: Looks, language: str) -> str:
    """Return how far the push is, or where the adapter is now, as HTML."""
    push = looks["push"]
    if not push.job:
        return ""
    events = push.job.events()
    if push.active:
        return waiting(push, language, text(language, "push_working")) + remarks(events, language)
    shared = [event.path for event in events if isinstance(event, Saved) and event.kind == "shared"]
    if push.state == "done" and shared:
        page = escape(shared[-1])
        link = f'<a href="{page}" target="_blank" rel="noopener">{page}</a>'
        return notice(f"{text(language, 'push_done')} {link}", "good")
    return trouble(push, language) or notice(text(language, "stopped"))
