"""How an adapter is called: a folder of this machine, or a repo of the Hub at some revision."""

import re
from dataclasses import dataclass
from pathlib import Path

HUB = "hf://"  # begins a name that is never a folder
SHARED = re.compile(
    r"(?P<id>[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})(?:@(?P<revision>\w[\w./-]{0,99}))?"
)
COMMIT = re.compile(r"[0-9a-f]{40}")
SHORT = 7  # digits of a commit that people are shown
RUN_PART = "adapter"  # of a run's folder: who types RUN/adapter means no repo


@dataclass(frozen=True)
class SharedName:
    """An adapter on the Hub, as somebody named it."""

    repo_id: str
    revision: str = ""  # a branch, tag or commit; empty: `main`

    @property
    def is_pinned(self) -> bool:
        """Whether it can only mean one state of the repo."""
        return bool(COMMIT.fullmatch(self.revision))

    @property
    def address(self) -> str:
        """The name by which configs have it, which no folder can be mistaken for."""
        return f"{HUB}{self.repo_id}" + (f"@{self.revision}" if self.revision else "")

    @property
    def shown(self) -> str:
        """The name for people."""
        short = self.revision[:SHORT] if self.is_pinned else self.revision
        return self.repo_id + (f"@{short}" if short else "")


def shared_name(adapter: str) -> SharedName | None:
    """Return which repo of the Hub an adapter's name means; None if it means a folder.

    A folder that is there goes before a repo of the same name, unless the name begins with hf://.
    """
    explicit = adapter.startswith(HUB)
    found = SHARED.fullmatch(adapter.removeprefix(HUB))
    if found is None or ".." in adapter or "--" in found["id"]:
        return None
    if not explicit and (found["id"].endswith(f"/{RUN_PART}") or Path(adapter).exists()):
        return None
    return SharedName(found["id"], found["revision"] or "")


def shown_name(adapter: str) -> str:
    """Return an adapter's name for people: a folder as it was given."""
    found = shared_name(adapter)
    return found.shown if found else adapter
