"""What the buttons do about adapters on the Hub: share the run's own, find and use others'.

A name here may be a stranger's: it never means a folder of this machine.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import gradio as gr

from ocrtune.adapter_names import HUB, SharedName, shared_name
from ocrtune.config import LICENSE, REPO_ID, PushAdapterConfig
from ocrtune.families import FAMILIES
from ocrtune.hub_adapters import Searches
from ocrtune.hub_pages import hub_page
from ocrtune.ui.actions import Actions, plain, shown, trained
from ocrtune.ui.looks import clean, look
from ocrtune.ui.views import sentence
from ocrtune.ui.words import Refused, language_of, say

PRIVATE, PUBLIC = "private", "public"
MOST_SHARED = 4  # that are compared at once
SEARCHES = Searches()  # holds what the Hub told, by whose account: nothing of a visitor's own


def named_one(value: object) -> SharedName | None:
    """Return the adapter of the Hub that a visitor named; None for nothing, refuse what is none."""
    words = plain(value)
    if not words:
        return None
    named = shared_name(HUB + words.removeprefix(HUB).removeprefix("https://huggingface.co/"))
    if named is None:
        raise Refused("shared_bad_name")
    return named


def named_many(value: object) -> list[SharedName]:
    """Return the adapters of the Hub that a visitor named, each once."""
    given = value if isinstance(value, list) else []
    if len(given) > MOST_SHARED:
        raise Refused("shared_too_many", most=MOST_SHARED)
    return list(dict.fromkeys(one for one in map(named_one, given) if one))


@dataclass(frozen=True)
class SharedActions:
    """The buttons about adapters on the Hub."""

    actions: Actions

    def base_repo(self, session: object) -> str:
        """Return the base model whose adapters suit the visitor's run; empty: any."""
        run = look(self.actions.home, session, "run")
        base = trained(run).base if run.usable else ""
        return FAMILIES[base].base_model if base in FAMILIES else base if "/" in base else ""

    @shown
    def search(self, session: object, language: str) -> list:
        """Return the adapters that are shared for the visitor's base model, and how many."""
        language = language_of(language)
        base = self.base_repo(session)
        found = SEARCHES.find(base, self.actions.own_token())
        choices = [(found_words(one, language), one.repo_id) for one in found]
        key = "shared_found" if found else "shared_found_none"
        named = base or say(language, "shared_any_base")
        words = say(language, key, count=len(found), base=named)
        return [gr.Dropdown(choices=choices), sentence(words)]

    @shown
    def describe(self, repo_id: object, visibility: object, session: object, language: str) -> str:
        """Return where a push would go, and who would see it there, as HTML."""
        language, name = language_of(language), plain(repo_id)
        if not REPO_ID.fullmatch(name):
            return sentence(say(language, "push_name_first"))
        key = "push_goes_public" if visibility == PUBLIC else "push_goes_private"
        return sentence(say(language, key, page=hub_page(name, "model")))

    @shown
    def push(
        self,
        repo_id: object,
        visibility: object,
        examples: object,
        license_name: object,
        dataset: object,
        session: object,
        language: str,
    ) -> dict:
        """Push the visitor's adapter to a repo of theirs."""
        token = self.actions.token()
        run = self.actions.need(session, "run", "no_adapter")
        if run.active or look(self.actions.home, session, "push").active:
            raise Refused("already_pushing")
        name, linked, terms = plain(repo_id), plain(dataset), plain(license_name)
        if not REPO_ID.fullmatch(name) or (linked and not REPO_ID.fullmatch(linked)):
            raise Refused("push_bad_name")
        if terms and not LICENSE.fullmatch(terms):
            raise Refused("push_bad_license")
        comparison = look(self.actions.home, session, "comparison")
        if examples is True and not comparison.usable:
            raise Refused("push_no_examples")

        def settle(folder: Path) -> PushAdapterConfig:
            return PushAdapterConfig(
                run=str(run.run),
                repo_id=name,
                public=visibility == PUBLIC,
                report=str(comparison.report) if comparison.usable else "",
                examples=examples is True,
                license=terms,
                dataset=linked,
            )

        pushed = self.actions.launch_once("push-adapter", settle, session, token)
        return clean(session) | {"push": pushed}

    @shown
    def read(
        self,
        picture: object,
        reference: object,
        prompt: object,
        words: object,
        adapter: object,
        session: object,
        language: str,
    ) -> dict:
        """Read a picture with a shared adapter and its base model, or as without one."""
        named = named_one(adapter)
        if named is None:
            return self.actions.read_own(picture, reference, prompt, words, session)
        return self.actions.read_shared(picture, reference, named.address, session)

    @shown
    def check(self, *settings_and_visitor: object) -> dict:
        """Find out what a run would take; before the visitor comes what it begins with."""
        *settings, adapter, session, language = settings_and_visitor
        named = named_one(adapter)
        config = self.actions.run_settings(*settings, session, language)
        if named:
            config = replace(config, start_from=named.address)
        return self.actions.begin_check(config, session)


def found_words(found: object, language: str) -> str:
    """Return what tells an adapter from others, in plain text."""
    words = [found.repo_id, say(language, "shared_downloads", count=found.downloads)]
    if found.changed:
        words.append(found.changed)
    if found.private:
        words.append(say(language, "shared_private"))
    return " · ".join(words)
