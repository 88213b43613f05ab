"""What the buttons do about sharing a dataset: where it would go is said before it goes there.

The visitor's own token is asked for at the click and handed to the worker, and kept nowhere.
"""

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from ocrtune.config import REPO_NAME, PushDatasetConfig
from ocrtune.licenses import LICENSES
from ocrtune.ui.accounts import namespaces
from ocrtune.ui.actions import Actions, plain, shown, trained
from ocrtune.ui.looks import clean, look
from ocrtune.ui.share_views import destination, gate
from ocrtune.ui.words import Refused, language_of, say

SEEN_BY = ("private", "public")


@dataclass(frozen=True)
class ShareActions:
    """The buttons about sharing, for visitors who can sign in at all."""

    actions: Actions

    @property
    def offered(self) -> bool:
        return self.actions.account is not None

    @shown
    def open_sharing(self, session: object, language: str) -> list:
        """Return what is missing before anything can be shared, the fields, and whose it may be."""
        signed_in = bool(self.offered and self.actions.account())
        usable = look(self.actions.home, session, "dataset").usable
        names = namespaces(self.actions.account) if signed_in else []
        owners = [(name, name) for name in names] or [(say(language, "share_own"), "")]
        missing = gate(signed_in, usable, language_of(language))
        return [
            gr.HTML(missing, visible=bool(missing)),
            gr.Column(visible=signed_in and usable),
            gr.Dropdown(choices=owners, value=owners[0][1]),
        ]

    def preview(self, owner: object, name: object, seen_by: object, language: object) -> list:
        """Return where the dataset would go, and the consent that this asks for."""
        language, public = language_of(language), seen_by == SEEN_BY[1]
        return [
            destination(plain(owner), plain(name), public, language),
            gr.Checkbox(visible=public, value=False),
        ]

    @shown
    def share(
        self,
        owner: object,
        name: object,
        seen_by: object,
        license_: object,
        consent: object,
        session: object,
        language: str,
    ) -> dict:
        """Start to push the visitor's dataset."""
        dataset = self.actions.need(session, "dataset", "no_dataset")
        public = seen_by == SEEN_BY[1]
        if public and consent is not True:
            raise Refused("share_no_consent")
        config = PushDatasetConfig(
            data=str(dataset.dataset),
            repo_id=repo_id(owner, name),
            private=not public,
            license=license_ if isinstance(license_, str) and license_ in LICENSES else "",
            run=self.run_on(dataset.dataset, session),
        )
        if look(self.actions.home, session, "shared").active:
            raise Refused("share_under_way")
        token = self.actions.token()
        known = clean(session)
        return known | {
            "shared": self.actions.launch_once("push-dataset", lambda _: config, session, token)
        }

    def run_on(self, dataset: Path, session: object) -> str:
        """Return the folder of the visitor's run on this dataset; empty if there is none."""
        run = look(self.actions.home, session, "run")
        return str(run.run) if run.usable and trained(run).data == str(dataset) else ""

    @shown
    def stop_sharing(self, session: object, language: str) -> dict:
        """Ask the push to end; what people see on the Hub stays as it was."""
        shared = look(self.actions.home, session, "shared")
        if shared.active:
            shared.job.stop()
        return clean(session)


def repo_id(owner: object, name: object) -> str:
    """Return what a visitor wants to call the dataset; refuse what the Hub would refuse."""
    owner, name = plain(owner), plain(name).strip("/")
    whole = f"{owner}/{name}" if owner and "/" not in name else name
    if not name:
        raise Refused("share_no_name")
    if not REPO_NAME.fullmatch(whole):
        raise Refused("share_bad_name")
    return whole
