"""The page: four tabs around one visitor's jobs, and how it is served."""

import os
import secrets
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware

from ocrtune import jobs
from ocrtune.config import BASES, USUAL_PRESET
from ocrtune.errors import JobError
from ocrtune.home import home_folder
from ocrtune.limits import NO_LIMITS, Limits
from ocrtune.offsite import await_copies
from ocrtune.ui.accounts import THIS_MACHINE, accounts_of
from ocrtune.ui.actions import Actions, choice
from ocrtune.ui.api import Api
from ocrtune.ui.blocks import PolledBlocks
from ocrtune.ui.compare_tab import compare_tab
from ocrtune.ui.copies import Copies
from ocrtune.ui.dataset_tab import dataset_tab
from ocrtune.ui.doors import Doors
from ocrtune.ui.gallery import View
from ocrtune.ui.guide import guide_part
from ocrtune.ui.open_pages import MOST_PAGES
from ocrtune.ui.parts import Shared, TabParts
from ocrtune.ui.picture_tool import PictureTool
from ocrtune.ui.sign_in import sign_in_bar
from ocrtune.ui.sweeping import Sweeper
from ocrtune.ui.terms import CARDS
from ocrtune.ui.theme import head, style, theme
from ocrtune.ui.train_tab import train_tab
from ocrtune.ui.try_tab import try_tab
from ocrtune.ui.uploads import use_own_cache
from ocrtune.ui.watching import Watching, name_tabs
from ocrtune.ui.words import label, translations
from ocrtune.whole_files import put_in_place

POLL_SECONDS = 1.0
COPY_SECONDS = 8.0  # of what is left then, for a last copy on the Hub
GRACE_SECONDS = 20.0  # a container has before it is killed: 30 s are usual
ARRIVE = "(session) => window.ocrtune.arrive(session)"
ARRIVED = "() => window.ocrtune.arrived()"
TAB_LAYOUTS = (dataset_tab, train_tab, try_tab, compare_tab)
SWITCH = "(language) => window.ocrtune.switchLanguage(language)"


def build_page(
    home: Path,
    worker: tuple[str, ...] = jobs.WORKER,
    folders: bool = False,
    account: Callable[[], str] | None = None,
    limits: Limits = NO_LIMITS,
) -> gr.Blocks:
    """Return the page for the jobs in `home`; nothing is served yet.

    folders: whether visitors may name folders of this machine, as its owner may.
    account: returns the Hub's token of who asks, empty if nobody signed in; None: nobody can.
    limits: of this machine, where many share it.
    """
    secret = state_secret(home)
    watching = Watching(home, limits)
    with PolledBlocks(title="ocrtune", analytics_enabled=False, delete_cache=(3600, 21600)) as page:
        session = gr.BrowserState({}, storage_key="ocrtune_jobs", secret=secret)
        place = gr.Textbox(visible=False)  # the tab that was open last
        seen, view = gr.State({}), gr.State(View())
        understood, terms = gr.State(choice(BASES[0], USUAL_PRESET)), gr.State({})
        timer = gr.Timer(POLL_SECONDS, active=False)
        language, signed = header(account)
        with gr.Tabs(selected="dataset", overflow_behavior="wrap", elem_id="ot-tabs") as tabs:
            shared = Shared(session, language, tabs, view, understood, terms)
            actions = Actions(home, worker, folders, account, limits)
            parts = [make(actions, shared) for make in TAB_LAYOUTS]
        gr.Markdown(label("footer"), elem_classes="ot-footer")
        guide = guide_part()
        again = gr.Button(visible="hidden", elem_id="ot-look")  # pressed when a tab is seen again
        explained = {name: html for part in parts for name, html in part.terms.items()}
        watched = {
            "fn": watching.watch,
            "inputs": [session, language, seen, view],
            "outputs": [
                *(output for part in parts for output in part.outputs),
                *(explained[name] for name in CARDS),
                guide,
                timer,
                seen,
            ],
            **shared.private,
        }
        arrived = wire(page, parts, shared, watching, watched, place)
        copies = Copies(home, account, actions.lent)
        arrived.then(**signed).then(copies.come_back, shared.inputs, None, **shared.private)
        timer.tick(**watched)
        again.click(**watched)
        Api(actions).offer(page)
    return page


def header(account: Callable[[], str] | None) -> tuple[gr.Radio, dict]:
    """Lay out the name, the language switch and who is signed in.

    Return the switch, and how the line on who is signed in is filled.
    """
    with gr.Row(elem_classes="ot-header"):
        with gr.Column(scale=4, min_width=220):
            gr.HTML('<h1 class="ot-name">ocr<b>tune</b></h1>', padding=False)
            gr.Markdown(label("tagline"), elem_classes="ot-tagline")
        language = gr.Radio(
            [("中文", "zh"), ("English", "en")],
            value="en",
            label=label("language"),
            show_label=False,
            container=False,
            scale=1,
            min_width=180,
            elem_classes="ot-language",
        )
    return language, sign_in_bar(account, language)


def wire(
    page: gr.Blocks,
    parts: list[TabParts],
    shared: Shared,
    watching: Watching,
    watched: dict,
    place: gr.Textbox,
) -> gr.events.Dependency:
    """Connect what the visitor does with what is shown; return what happens last on arrival."""
    session, language, names = shared.session, shared.language, [part.tab for part in parts]
    arrived = (
        page.load(
            watching.arrive,
            [session, place, language],
            [session, shared.tabs, language, *names],
            js=ARRIVE,
            **shared.private,
        )
        .then(**watched)
        .then(None, None, None, js=ARRIVED)
    )
    switched = language.input(name_tabs, language, names, js=SWITCH, **shared.private)
    switched.then(**watched)
    for part in parts:
        for change in part.changes:
            change.success(**watched)
    return arrived


def state_secret(home: Path) -> str:
    """Return the key of what browsers remember: `OCRTUNE_STATE_SECRET`, or one kept in `home`."""
    if given := os.environ.get("OCRTUNE_STATE_SECRET"):
        return given
    path = home / "state_secret"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            put_in_place(path, secrets.token_urlsafe(32).encode(), 0o600)
        return path.read_text("utf-8")
    except OSError as error:
        raise JobError(
            f"Nothing can be kept in `{home}`: {error.strerror}.",
            "Set OCRTUNE_HOME to a folder that can be written to.",
        ) from error


def launch_arguments(share: bool = False, tool: PictureTool | None = None) -> dict:
    """Return how the page is served: nothing recorded, nothing listed, nothing from elsewhere.

    tool: what assistants are offered over MCP; gradio's own server would offer every endpoint.
    """
    return {
        "theme": theme(),
        "css": style(),
        "head": head(),
        "i18n": translations(),
        "max_file_size": "300mb",
        "footer_links": [],
        "show_error": False,
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "share": share,
        "mcp_server": False,
        "app_kwargs": {"middleware": [Middleware(Doors, tool=tool)]},
        "quiet": True,
        "state_session_capacity": MOST_PAGES,
        "ssl_verify": False,  # gradio greets itself, without TLS: no need to read certificates
    }


def launch(
    host: str | None = None, port: int | None = None, wait: bool = True, share: bool = False
) -> gr.Blocks:
    """Serve the page, on a Space to everybody; return only when it ends unless `wait` is False.

    `OCRTUNE_HOST` and `OCRTUNE_PORT` stand in for arguments that are not given. share: let those
    who get to know a public address come too, through gradio's servers; they are strangers then,
    who name no folder of this machine and act with nobody's account.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    home = home_folder()
    jobs.reconcile(home)
    use_own_cache()
    limits = Limits.from_environment()
    usual = "0.0.0.0" if os.environ.get("SYSTEM") == "spaces" else "127.0.0.1"
    host = host or os.environ.get("OCRTUNE_HOST") or usual
    own = host in THIS_MACHINE and not share
    account = accounts_of(own)
    page = build_page(home, folders=own, account=account, limits=limits)
    Copies(home, account).go_on()
    tool = PictureTool(Api(Actions(home, limits=limits)))  # which acts with nobody's account
    port = port or int(os.environ.get("OCRTUNE_PORT") or 0) or None
    try:
        page.queue(default_concurrency_limit=8, max_size=200).launch(
            server_name=host,
            server_port=port,
            prevent_thread_lock=True,
            **launch_arguments(share, tool),
        )
    except OSError as error:
        raise JobError(
            f"The page cannot be served: {error}", "Choose another port with `--port`."
        ) from error
    Sweeper(home, limits.keep_days).start()
    end_with_workers(home)
    if wait:
        page.block_thread()
    return page


def end_with_workers(home: Path) -> None:
    """Let workers save what they have when a container ends, which ends them with this process.

    Elsewhere they outlive the page.
    """
    alone = os.getpid() != 1 and os.environ.get("SYSTEM") != "spaces"
    if alone or threading.current_thread() is not threading.main_thread():
        return

    def end(number: int, frame: object) -> None:
        jobs.go_down(home, GRACE_SECONDS)
        await_copies(COPY_SECONDS)
        os._exit(0)  # threads of the server would hold up an ordinary exit

    signal.signal(signal.SIGTERM, end)
