"""Gradio's page, made cheap to start and to poll: what is left alone costs nothing."""

import copy
import functools
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr
from gradio.routes import App
from gradio.state_holder import StateHolder

from ocrtune.ui.accounts import has_sign_in
from ocrtune.ui.open_pages import OpenPages, WholeConfig
from ocrtune.ui.words import language_of, say

ADDRESSES = ("http://", "https://", "ftp://", "//")


class PolledBlocks(gr.Blocks):
    """A page whose handlers fill many outputs and mostly leave them as they are.

    Gradio builds each output's component anew even for `gr.skip()`, most of a millisecond each:
    with a hundred outputs and fifty pages that ask each second, more than a machine has.
    """

    def __init__(self, *args: object, **settings: object) -> None:
        with unserved():
            super().__init__(*args, **settings)
        self.default_config = WholeConfig(self)

    @property
    def state_holder(self) -> StateHolder:
        """What gradio keeps of all open pages."""
        return self._state_holder

    @state_holder.setter
    def state_holder(self, holder: StateHolder) -> None:
        holder.session_data = OpenPages(holder)
        self._state_holder = holder

    def __exit__(self, *error: object) -> None:
        # Gradio describes a page three times until it is served; nothing is added in between.
        self.default_config.get_config = functools.cache(self.default_config.get_config)
        with unserved():
            super().__exit__(*error)

    def queue(self, *args: object, **settings: object) -> gr.Blocks:
        with unserved():
            return super().queue(*args, **settings)

    @property
    def expects_oauth(self) -> bool:
        """Whether gradio serves its routes to sign in and out, which it does for a button of its
        own alone; that one speaks no Chinese, and cannot be made without a network.
        """
        return has_sign_in()

    async def preprocess_data(self, block_fn, inputs, state, explicit_call=False):
        """Return what a handler is given; a file that lies elsewhere is refused, never fetched."""
        if any(is_elsewhere(value) for value in inputs):
            language = language_of(inputs[-1])
            raise gr.Error(say(language, "api_no_address"), print_exception=False)
        return await super().preprocess_data(block_fn, inputs, state, explicit_call)

    async def postprocess_data(self, block_fn, predictions, state):
        """Return what the browser is sent for a handler's outputs; skipped ones are passed by."""
        outputs = block_fn.outputs
        if not isinstance(predictions, list) or len(predictions) != len(outputs):
            return await super().postprocess_data(block_fn, predictions, state)
        told = [number for number, one in enumerate(predictions) if not is_skip(one)]
        if not 1 < len(told) < len(outputs):  # one output alone is given in another form
            return await super().postprocess_data(block_fn, predictions, state)
        part = copy.copy(block_fn)
        part.outputs = [outputs[number] for number in told]
        sent = await super().postprocess_data(part, [predictions[n] for n in told], state)
        whole = [gr.skip() for _ in outputs]
        for number, value in zip(told, sent, strict=True):
            whole[number] = value
        return whole


@contextmanager
def unserved() -> Iterator[None]:
    """Let gradio make no server while a page is only described.

    It makes one when a page is begun, laid out, queued and launched, each with all of its routes;
    only the last one ever serves.
    """
    make = App.__dict__["create_app"]
    App.create_app = staticmethod(lambda blocks, **settings: None)
    try:
        yield
    finally:
        App.create_app = make


def is_skip(prediction: object) -> bool:
    """Return whether an output is left as it is."""
    return isinstance(prediction, dict) and prediction == gr.skip()


def is_elsewhere(value: object) -> bool:
    """Return whether something in what a browser sent is a file at an address.

    Gradio would fetch it: the page would ask anybody's server at anybody's word.
    """
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            path = one.get("path")
            if isinstance(path, str) and path.strip().lower().startswith(ADDRESSES):
                return True
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return False
