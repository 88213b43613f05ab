"""Gradio's page, made cheap to start and to poll: what is left alone costs nothing."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr
from gradio.routes import App

from ocrtune.ui.accounts import has_sign_in


class PolledBlocks(gr.Blocks):
    """A page whose handlers fill many outputs and mostly leave them as they are.

    Gradio builds each output's component anew even for `gr.skip()`, most of a millisecond each:
    with a hundred outputs and fifty pages that ask each second, more than a machine has.
    """

    def __init__(self, *args: object, **settings: object) -> None:
        with unserved():
            super().__init__(*args, **settings)

    def __exit__(self, *error: object) -> None:
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
