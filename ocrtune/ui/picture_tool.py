"""The one tool that assistants are offered over MCP: read this picture. It changes nothing.

gradio's own MCP server would make a tool of every endpoint, fetch pictures from addresses, and
cannot say that a tool only reads; so the library behind it is asked directly.
"""

import base64
import binascii
import logging
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import anyio
import gradio as gr
from mcp import types
from mcp.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from ocrtune.ui.api import Api
from ocrtune.ui.uploads import hand_out, uploaded
from ocrtune.ui.words import Refused, say

NAME = "read_picture"
LARGEST_MB = 20  # of a picture, before it is written as text
LARGEST_BODY = LARGEST_MB * 1_400_000  # bytes of a request: Base64 takes a third more
AT_ONCE = 4  # pictures that are read for assistants
UPLOADED = "/gradio_api/file="  # before the path of what was uploaded to this page
DATA = re.compile(r"data:[\w.+/-]*(?:;[\w=.+-]+)*;base64,", re.ASCII)
LOG = logging.getLogger(__name__)

DESCRIPTION = (
    "Read the text in one picture (OCR): a line or a page, printed or handwritten, in Chinese, "
    "English, German and other languages. Nothing is kept, and nothing is changed."
)
PICTURE = (
    f"The picture, at most {LARGEST_MB} MB: its bytes as Base64 or as a data: address; or the path "
    "or address that an upload to this page's /gradio_api/upload returned. Other addresses are not "
    "fetched."
)
RUN = "Reads with this tuned model too: what stands behind ?run= in the link of a run. Optional."
INPUT = {
    "type": "object",
    "properties": {
        "picture": {"type": "string", "description": PICTURE},
        "run": {"type": "string", "description": RUN, "default": ""},
    },
    "required": ["picture"],
    "additionalProperties": False,
}
READING = {
    "type": "object",
    "properties": {
        "model": {"type": "string", "enum": ["base", "tuned"]},
        "text": {"type": "string"},
        "seconds": {"type": "number"},
        "looped": {"type": "boolean", "description": "It repeats itself."},
        "cut": {"type": "boolean", "description": "It was ended at the longest length."},
        "failed": {"type": "boolean"},
    },
}
OUTPUT = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "Of the tuned model, else of the base model."},
        "readings": {"type": "array", "items": READING},
    },
    "required": ["text", "readings"],
}
TOOL = types.Tool(
    name=NAME,
    title="Read this picture",
    description=DESCRIPTION,
    inputSchema=INPUT,
    outputSchema=OUTPUT,
    annotations=types.ToolAnnotations(
        title="Read this picture",
        readOnlyHint=True,
        destructiveHint=False,
        idempotentHint=True,
        openWorldHint=False,
    ),
)


@dataclass
class PictureTool:
    """Answers assistants that speak MCP over HTTP: each request alone, for nobody in particular."""

    api: Api

    @cached_property
    def turns(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(AT_ONCE)

    @cached_property
    def server(self) -> Server:
        server = Server("ocrtune", instructions=DESCRIPTION)

        @server.list_tools()
        async def list_tools() -> list[types.Tool]:
            return [TOOL]

        @server.call_tool()
        async def call_tool(name: str, arguments: dict[str, Any]) -> types.CallToolResult:
            if name != NAME:
                return refusal("There is no such tool.")
            return await anyio.to_thread.run_sync(self.read, arguments, limiter=self.turns)

        return server

    def read(self, arguments: dict[str, Any]) -> types.CallToolResult:
        """Return the reading of a picture, or in our own words why there is none."""
        path = None
        try:
            file, path = brought(arguments.get("picture"))
            told = self.api.read_for_program(file, arguments.get("run") or "", "", "", "en")
        except Refused as error:
            return refusal(str(error))
        except gr.Error as error:
            return refusal(str(error.message))
        except Exception:
            LOG.exception("A picture could not be read for an assistant.")
            return refusal(say("en", "api_ended"))
        finally:
            if path:
                path.unlink(missing_ok=True)
        del told["owner"]  # nothing is kept that it could open
        words = types.TextContent(type="text", text=told["text"])
        return types.CallToolResult(content=[words], structuredContent=told)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] != "POST":
            words = "This address is for programs that speak MCP: they send POST."
            await JSONResponse({"error": words}, 405, {"Allow": "POST"})(scope, receive, send)
            return
        body = await body_of(scope, receive)
        if body is None:
            words = say("en", "tool_large", most=LARGEST_MB)
            await JSONResponse({"error": words}, 413)(scope, receive, send)
            return
        parts = [body]

        async def again() -> Message:
            if parts:
                return {"type": "http.request", "body": parts.pop(), "more_body": False}
            return await receive()

        manager = StreamableHTTPSessionManager(self.server, json_response=True, stateless=True)
        async with manager.run():
            await manager.handle_request(scope, again, send)


def refusal(words: str) -> types.CallToolResult:
    """Return an answer that says what went wrong."""
    return types.CallToolResult(content=[types.TextContent(type="text", text=words)], isError=True)


async def body_of(scope: Scope, receive: Receive) -> bytes | None:
    """Return what a request brings; None where that is more than a picture takes."""
    told = dict(scope["headers"]).get(b"content-length", b"0")
    if not told.isdigit() or int(told) > LARGEST_BODY:
        return None
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            return None
        if not message.get("more_body"):
            return bytes(body)


def brought(picture: object) -> tuple[dict, Path | None]:
    """Return a picture as an upload, and the file that was written for it alone.

    Nothing is ever fetched for it, and no file of this machine is looked at that was not uploaded.
    """
    words = picture.strip() if isinstance(picture, str) else ""
    if not words:
        raise Refused("tool_picture")
    before, found, path = words.partition(UPLOADED)
    if found:
        return {"path": str(uploaded(unquote(path)))}, None
    if words.startswith("/"):
        return {"path": str(uploaded(words))}, None
    data = decoded(DATA.sub("", words, count=1))
    if not data:
        raise Refused("tool_picture")
    if len(data) > LARGEST_MB * 1_000_000:
        raise Refused("tool_large", most=LARGEST_MB)
    written = hand_out(data, "picture")
    return {"path": str(written)}, written


def decoded(words: str) -> bytes:
    """Return what stands in Base64; empty if it is none."""
    try:
        return base64.b64decode("".join(words.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
