"""What stands before gradio's own routes: doors that are shut, and the one for assistants."""

import re
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ocrtune.ui.picture_tool import PictureTool
from ocrtune.ui.visitors import is_foreign

MCP = "/gradio_api/mcp"
# Gradio compresses what its name calls text. The page has no name and is its largest text by far:
# a tenth of it goes to a phone.
NAMELESS = ("/", "/config", "/gradio_api/info")
# Of gradio's routes these fetch what anybody names from elsewhere, or serve what the page has not:
# recordings, pages that are edited by a model, links that hold a visitor's values, lists of runs.
SHUT = re.compile(
    r"/+gradio_api/(?:file=\s*/*(?:[a-z][a-z0-9+.-]*:|//)|file=https?|proxy=|vibe-|undo-vibe-"
    r"|process_recording|deep_link|dev/|run-history|runs|profiling|custom_component)"
    r"|/+monitoring",
    re.IGNORECASE,
)
# The browser itself refuses everything from elsewhere; gradio's page needs scripts of its own text.
POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'"
)
HEADERS = {"content-security-policy": POLICY, "x-content-type-options": "nosniff"}
HEADERS |= {"referrer-policy": "same-origin"}


@dataclass
class Doors:
    """Answers before gradio does where it must not, and adds what browsers shall refuse."""

    app: ASGIApp
    tool: PictureTool | None = None

    def __post_init__(self) -> None:
        self.compressed = GZipMiddleware(self.app, minimum_size=1000, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if SHUT.match(path):
            await JSONResponse({"detail": "Not found"}, 404)(scope, receive, send)
            return
        if self.tool and path.rstrip("/") == MCP:
            await self.answer_assistant(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        app = self.compressed if path in NAMELESS else self.app
        await app(scope, receive, guarded)

    async def answer_assistant(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the tool answer, unless the page of somebody else asks out of a browser."""
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        if is_foreign(headers):
            words = {"detail": "Pages of other addresses are not answered."}
            await JSONResponse(words, 403)(scope, receive, send)
            return
        await self.tool(scope, receive, send)
