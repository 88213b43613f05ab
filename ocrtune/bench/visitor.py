"""A visitor of the served page, for measuring: asks over HTTP what a browser asks."""

import json
import secrets
import socket
import urllib.request
from urllib.parse import urlsplit

SECONDS = 120.0  # that an answer may take
KEY = '__i18n__{"__type__": "translation_metadata", "key": "'


class Visitor:
    """One open page: what its browser remembers, and its name at the server."""

    def __init__(self, address: str, session: object = None) -> None:
        self.address = address
        self.session = session or {}
        self.name = secrets.token_hex(6)
        self.bytes = len(self.get("/"))
        config = json.loads(self.get("/config"))
        self.handlers = {one["api_name"]: one for one in config["dependencies"]}
        self.parts = {one["id"]: one for one in config["components"]}
        # While this line is open the server takes the page for open.
        place = urlsplit(address)
        self.line = socket.create_connection((place.hostname, place.port), SECONDS)
        ask = f"GET /gradio_api/heartbeat/{self.name} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n"
        self.line.sendall(ask.encode())
        self.line.recv(1)

    def close(self) -> None:
        """Close the page."""
        self.line.close()

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"{self.address}{path}", timeout=SECONDS) as answer:
            return answer.read()

    def arrive(self) -> None:
        """Open the page, and be shown everything."""
        self.session = self.act("arrive")[0]
        self.act("watch")

    def act(self, name: str, settings: dict[str, object] | None = None) -> list:
        """Press a button; return what the page fills in then.

        settings: what the visitor has set otherwise, by the names of its labels.
        """
        handler = self.handlers[name]
        body = {
            "data": [self.value_of(self.parts[one], settings or {}) for one in handler["inputs"]],
            "fn_index": handler["id"],
            "session_hash": self.name,
        }
        request = urllib.request.Request(
            f"{self.address}/gradio_api/queue/join",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=SECONDS).close()
        where = f"{self.address}/gradio_api/queue/data?session_hash={self.name}"
        with urllib.request.urlopen(where, timeout=SECONDS) as events:
            for line in events:
                if b"process_completed" in line:
                    return self.taken(handler, json.loads(line.removeprefix(b"data: ")))
        raise OSError(f"`{name}` was never answered")

    def taken(self, handler: dict, said: dict) -> list:
        """Return a handler's outputs, of which a browser remembers the session."""
        if not said["success"]:
            raise OSError(f"`{handler['api_name']}` failed: {said['output']}")
        outputs = said["output"]["data"]
        for part, value in zip(handler["outputs"], outputs, strict=False):
            if self.parts[part]["type"] == "browserstate" and isinstance(value, dict):
                self.session = value if VALUE not in value else self.session
        return outputs

    def value_of(self, part: dict, settings: dict[str, object]) -> object:
        """Return what a browser sends for one widget."""
        if part["type"] == "browserstate":
            return self.session
        if part["type"] == "state":
            return None
        label = str(part["props"].get("label") or "").removeprefix(KEY).removesuffix('"}')
        return settings.get(label, part["props"].get("value"))


VALUE = "__type__"  # marks what is told to a widget, as "leave it as it is"
