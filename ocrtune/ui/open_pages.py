"""What the server keeps of each open page, made small, and forgotten once the page is closed.

Gradio describes every widget anew for each page that is opened, for links that bring a page back as
it was; ours follows from the visitor's jobs, so there are none. And it keeps ten thousand pages,
closed or not.
"""

import copy
from collections import OrderedDict

from gradio.blocks import BlocksConfig
from gradio.state_holder import SessionState, StateHolder

MOST_PAGES = 1000  # open ones; who has not been heard of for longest begins anew
CLOSED_PAGES = 20  # a phone that was asleep comes back to its own


class PageConfig(BlocksConfig):
    """The widgets of one open page."""

    @staticmethod
    def config_for_block(*about: object, **more: object) -> dict:
        """Return nothing: no link brings back what a page showed."""
        return {}


class WholeConfig(BlocksConfig):
    """The widgets of the page as everybody gets it first."""

    def __copy__(self) -> PageConfig:
        page = PageConfig(self.root_block)
        page.blocks, page.fns = copy.copy(self.blocks), copy.copy(self.fns)
        page.fn_id, page.renderables = self.fn_id, copy.copy(self.renderables)
        return page


class OpenPages(OrderedDict[str, SessionState]):
    """The pages that are open, by their names; and a few that were closed lately."""

    def __init__(self, holder: StateHolder) -> None:
        super().__init__(holder.session_data)
        self.holder = holder

    def __setitem__(self, name: str, page: SessionState) -> None:
        super().__setitem__(name, page)
        closed = [name for name, page in list(self.items()) if page.is_closed]
        for old in closed[:-CLOSED_PAGES]:
            self.pop(old, None)
            self.holder.time_last_used.pop(old, None)
