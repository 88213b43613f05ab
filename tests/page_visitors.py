"""Visitors of a served page who speak HTTP themselves, as honest browsers and as forgers do."""

import json
import secrets
from dataclasses import dataclass, field

import httpx

SECONDS = 60.0  # that an answer may take on a busy machine


def handler_name(handler: dict) -> str:
    """Return what a handler is called here: a program's endpoint with a slash, a button without."""
    name = handler["api_name"]
    if handler["api_visibility"] == "public":
        return f"/{name}"
    return name.removeprefix("press_") if isinstance(name, str) else name


@dataclass
class Visitor:
    """One browser: what it remembers, and its place in gradio's queue."""

    address: str
    session: object = field(default_factory=dict)
    login: tuple[str, str] | None = None
    cookie: str = ""  # as a browser sends it
    language: str = "en"
    heard: list[str] = field(default_factory=list)  # every answer, as it came
    hash: str = field(default_factory=lambda: secrets.token_hex(6))

    def __post_init__(self) -> None:
        at_once = httpx.Limits(max_keepalive_connections=0)  # nobody has to say goodbye
        self.http = httpx.Client(base_url=self.address, timeout=SECONDS, limits=at_once)
        if self.cookie:
            self.http.headers["cookie"] = self.cookie
        if self.login:
            name, password = self.login
            answer = self.http.post("/login", data={"username": name, "password": password})
            assert answer.status_code == 200
        config = self.http.get("/config").json()
        self.handlers = {handler_name(one): one for one in config["dependencies"]}
        self.components = {one["id"]: one for one in config["components"]}

    def value_of(self, component: int, given: list[object]) -> object:
        """Return what the browser sends for one input; `given` fills what people fill in."""
        part = self.components[component]
        if part["type"] == "browserstate":
            return self.session
        if part["type"] == "state":
            return None
        if "ot-language" in (part["props"].get("elem_classes") or ()):
            return self.language
        return given.pop(0) if given else part["props"].get("value")

    def call(self, name: str, *given: object, query: str = "") -> tuple[bool, list]:
        """Return whether a handler of the page answered, and its outputs or what it said."""
        handler, values = self.handlers[name], list(given)
        body = {
            "data": [self.value_of(component, values) for component in handler["inputs"]],
            "fn_index": handler["id"],
            "session_hash": self.hash,
        }
        joined = self.http.post(f"/gradio_api/queue/join{query}", json=body)
        self.heard.append(joined.text)
        if joined.status_code != 200:
            return False, [joined.text]
        events = self.http.stream(
            "GET", "/gradio_api/queue/data", params={"session_hash": self.hash}
        )
        with events as stream:
            for line in stream.iter_lines():
                self.heard.append(line)
                if "process_completed" in line:
                    said = json.loads(line.removeprefix("data: "))
                    output = said["output"]
                    return said["success"], output.get("data") or [output.get("error")]
        raise AssertionError(f"`{name}` never answered.")

    def act(self, name: str, *given: object) -> bool:
        """Press a button: remember the session that comes back, and return whether it worked."""
        good, outputs = self.call(name, *given)
        outputs_of = [self.components[one]["type"] for one in self.handlers[name]["outputs"]]
        if good and "browserstate" in outputs_of:
            self.session = outputs[outputs_of.index("browserstate")]
        return good

    def arrive(self, query: str = "") -> "Visitor":
        """Open the page; a `query` is what stands in its address."""
        good, outputs = self.call("arrive", query=query)
        assert good
        self.session = outputs[0]
        return self

    def sees(self) -> str:
        """Return everything that the page shows."""
        good, outputs = self.call("watch")
        assert good, outputs
        return json.dumps(outputs, ensure_ascii=False)

    def upload(self, name: str, data: bytes) -> dict:
        """Return an uploaded file as gradio's own client names it."""
        answer = self.http.post("/gradio_api/upload", files={"files": (name, data)})
        [path] = answer.json()
        self.heard.append(answer.text)
        return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}
