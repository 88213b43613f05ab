"""Parts of the Compare tab: what else is compared, and the lines to look through."""

from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from ocrtune.config import LEAVE_OUT_SEEN
from ocrtune.other_engines import ENDINGS
from ocrtune.report_filter import KINDS
from ocrtune.ui.compare_actions import LONGEST_NAME, MOST_RUNS, CompareActions
from ocrtune.ui.editor import PICKED, pick_button
from ocrtune.ui.gallery import LONGEST_SEARCH
from ocrtune.ui.gallery_part import TO_CARD, GalleryPart
from ocrtune.ui.parts import Shared, section
from ocrtune.ui.shared_part import adapter_part
from ocrtune.ui.words import label

TO_LINES = "() => window.ocrtune.show('#ot-lines')"
TO_LINE = "() => window.ocrtune.showNext('#ot-line-here')"
COMPARED_SPLITS = ("test", "validation", "train")


@dataclass(frozen=True)
class MorePart:
    """The choice of what is compared."""

    inputs: list[Component]  # what the button needs, in the order of `CompareActions.compare`
    outputs: list[Component]  # in the order in which the panel fills them
    changes: list


def more_part(compare: CompareActions, shared: Shared) -> MorePart:
    """Lay out which lines are compared and what else reads them; folded away."""
    with gr.Accordion(label("more_title"), open=False, elem_id="ot-more") as fold:
        with gr.Row(elem_classes="ot-filters"):
            split = gr.Dropdown(
                [(label(f"compared_{one}"), one) for one in COMPARED_SPLITS],
                value=COMPARED_SPLITS[0],
                label=label("more_split"),
                elem_id="ot-compare-split",
            )
            leave_out = gr.Dropdown(
                [(label(f"leave_out_{one}"), one) for one in LEAVE_OUT_SEEN],
                value=LEAVE_OUT_SEEN[0],
                label=label("more_leave_out"),
                info=label("more_leave_out_info"),
                elem_id="ot-leave-out",
            )
        others = gr.Dropdown(
            [],
            multiselect=True,
            max_choices=MOST_RUNS,
            label=label("more_runs"),
            info=label("more_runs_info"),
            elem_id="ot-other-runs",
            elem_classes="ot-filters",
        )
        adapters = adapter_part(compare.actions, shared, "compare", many=True)
        with gr.Row(elem_classes="ot-even"):
            texts = gr.File(
                label=label("more_texts"),
                file_types=list(ENDINGS),
                height=120,
                elem_classes="ot-drop ot-texts",
            )
            with gr.Column():
                called = gr.Textbox(
                    label=label("more_called"),
                    info=label("more_called_info"),
                    max_length=LONGEST_NAME,
                    elem_id="ot-engine-name",
                    elem_classes="ot-filters",
                )
                gr.Markdown(label("more_texts_hint"), elem_classes="ot-hint")
    inputs, private = [shared.view, *shared.inputs], shared.private
    changes = [
        fold.expand(compare.open_more, inputs, shared.view, **private),
        fold.collapse(compare.close_more, inputs, shared.view, **private),
    ]
    return MorePart([split, leave_out, others, texts, called, adapters], [others], changes)


def lines_part(compare: CompareActions, shared: Shared) -> GalleryPart:
    """Lay out the lines of a comparison; return what it shows and which clicks change it."""
    pick, picked = pick_button("ot-line-open")
    with gr.Column(visible=False, elem_id="ot-lines", elem_classes="ot-part") as whole:
        section("compare_step_lines")
        with gr.Row(elem_classes="ot-filters"):
            kind = gr.Dropdown(
                [(label("lines_all"), KINDS[0])],
                value=KINDS[0],
                label=label("lines_kind"),
                elem_id="ot-line-kind",
            )
            search = gr.Textbox(
                label=label("filter_search"), max_length=LONGEST_SEARCH, elem_id="ot-line-search"
            )
        shown = gr.HTML(padding=False, elem_id="ot-lines-shown")
        with gr.Row(elem_classes="ot-buttons"):
            back = gr.Button(label("page_back"), visible=False, elem_id="ot-lines-back")
            on = gr.Button(label("page_on"), visible=False, elem_id="ot-lines-on")
            loop = gr.Button(label("next_loop"), visible=False, elem_id="ot-next-loop")
    inputs, view, private = [shared.view, *shared.inputs], shared.view, shared.private
    latest = private | {"trigger_mode": "always_last"}
    turned = [
        back.click(compare.lines_back, inputs, view, **private),
        on.click(compare.lines_on, inputs, view, **private),
    ]
    jumped = loop.click(compare.jump_to_loop, inputs, view, **private)
    opened = pick.click(
        compare.correct_line, [picked, *inputs], [view, shared.tabs], js=PICKED, **private
    )
    changes = [
        kind.input(compare.narrow_lines, [kind, search, *inputs], view, **private),
        search.change(compare.narrow_lines, [kind, search, *inputs], view, **latest),
        *turned,
        jumped,
        opened,
    ]
    for event in turned:
        event.success(None, None, None, js=TO_LINES)
    jumped.success(None, None, None, js=TO_LINE)
    opened.success(None, None, None, js=TO_CARD)
    return GalleryPart([whole, kind, shown, back, on, loop], changes)
