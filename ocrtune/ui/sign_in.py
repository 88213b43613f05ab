"""The line in the header that says who is signed in, and leads to signing in and out."""

import gradio as gr

from ocrtune.ui.accounts import Accounts, has_expired, has_sign_in
from ocrtune.ui.views import sentence, text
from ocrtune.ui.visitors import sign_in
from ocrtune.ui.words import language_of, say

ASKING_SECONDS = 2.0  # between two looks for the Hub's answer
ENDING_SECONDS = 60.0  # between two looks whether a sign-in has ended
LOGIN, LOGOUT = "login/huggingface", "logout"  # gradio's own routes


class SignIn:
    """What the line shows; `accounts` is None where nobody can sign in."""

    def __init__(self, accounts: object) -> None:
        self.accounts = accounts if isinstance(accounts, Accounts) else None

    def show_account(self, language: object) -> list:
        """Return the line, and when to look again."""
        language = language_of(language)
        if self.accounts is None:
            return ["", gr.Timer(active=False)]
        if has_sign_in():
            return self.on_space(language)
        return self.at_home(language)

    def on_space(self, language: str) -> list:
        """Return the line for a visitor of a Space."""
        account = self.accounts.asking()
        if account:
            out = link(LOGOUT, text(language, "sign_out"))
            words = text(language, "signed_in_as", name=account.name)
            if not account.may_write:
                words += f" {text(language, 'sign_in_read_only')}"
            return [line(f"{words} {out}"), gr.Timer(ENDING_SECONDS, active=True)]
        if has_expired():
            name = str((sign_in().get("userinfo") or {}).get("preferred_username") or "")
            words = text(language, "sign_in_ended", name=name)
            again = link(LOGIN, text(language, "sign_in_repeat"), "ot-sign-in")
            return [line(f"{words} {again}", "alert"), gr.Timer(active=False)]
        enter = link(LOGIN, text(language, "sign_in_button"), "ot-sign-in")
        return [line(f"{enter} {text(language, 'sign_in_why')}"), gr.Timer(active=False)]

    def at_home(self, language: str) -> list:
        """Return the line for whoever sits at this machine."""
        if not self.accounts():
            return [line(sentence(say(language, "sign_in_here"))), gr.Timer(active=False)]
        account = self.accounts.asking()
        if account:
            key = "pushing_as" if account.namespaces else "pushing_not"
            words = sentence(say(language, key, name=account.name))
            return [line(words), gr.Timer(active=False)]
        trouble = self.accounts.trouble()
        key = "pushing_unknown" if trouble else "pushing_asked"
        return [line(text(language, key)), gr.Timer(ASKING_SECONDS, active=trouble is None)]


def link(route: str, words: str, kind: str = "ot-sign-out") -> str:
    """Return a link to one of gradio's routes; `words` is HTML already."""
    return f'<a class="{kind}" data-ot-sign href="{route}?_target_url=/">{words}</a>'


def line(words: str, role: str = "status") -> str:
    """Return the line; `words` is HTML already."""
    return f'<p class="ot-signed" role="{role}">{words}</p>'


def sign_in_bar(accounts: object, language: gr.Radio) -> dict:
    """Lay out the line where this is called; return how it is filled, once the language is known.

    From then on it keeps itself up to date.
    """
    bar = SignIn(accounts)
    shown = gr.HTML(padding=False, elem_id="ot-signed")
    timer = gr.Timer(ENDING_SECONDS, active=False)
    filled = {"fn": bar.show_account, "inputs": language, "outputs": [shown, timer]}
    filled |= {"api_visibility": "private", "show_progress": "hidden"}
    language.input(**filled)
    timer.tick(**filled)
    return filled
