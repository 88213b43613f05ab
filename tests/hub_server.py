"""A Hub on this machine for the real clients: repos to read, answers on demand, bytes counted.

`serve_hub` starts it; programs that shall use it get `environment()` and need a process of their
own, because the clients read the address when they are imported. How repos are written to
stands in `hub_writing`, how jobs run in `hub_jobs`.
"""

import asyncio
import hashlib
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote

import hub_jobs
import hub_models
import hub_oauth
import hub_spaces
import hub_writing
import pytest
import uvicorn
import yaml
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from page_server import free_port

REPO = r"(?P<id>[\w.-]+(?:/[\w.-]+)?)"
KIND = r"api/(?P<kind>models|datasets|spaces)"
INFO = re.compile(rf"{KIND}/{REPO}(?:/revision/(?P<rev>.+))?")
TREE = re.compile(rf"{KIND}/{REPO}/tree/(?P<rev>[^/]+)(?:/(?P<path>.*))?")
PATHS = re.compile(rf"{KIND}/{REPO}/paths-info/(?P<rev>[^/]+)")
FILE = re.compile(
    rf"(?P<kind>datasets/|spaces/)?{REPO}/resolve/(?P<rev>[^/]+|refs/convert/parquet)/(?P<path>.+)"
)


@dataclass
class Repo:
    """A repo at one commit; `branches` has the commits of all branches, which views share."""

    files: dict[str, bytes]
    private: bool = False  # nobody but `token` may see it
    gated: bool = False
    token: str = "hf_owner"
    kind: str = "datasets"  # or `models`
    oid: str = ""  # of the commit, if it was made by one
    branches: dict[str, list["Repo"]] = field(default_factory=dict)  # the newest commit last

    @property
    def commit(self) -> str:
        """The id of the commit: without an own one the same for the same files."""
        if self.oid:
            return self.oid
        digest = hashlib.sha1()
        for name, data in sorted(self.files.items()):
            digest.update(name.encode() + b"\0" + data)
        return digest.hexdigest()

    def card(self) -> dict:
        """Return what the README says to machines."""
        parts = self.files.get("README.md", b"").decode().split("---")
        return yaml.safe_load(parts[1]) or {} if len(parts) > 2 else {}

    def at(self, revision: str) -> "Repo | None":
        """Return the repo at a branch or commit; None if there is no such one."""
        commits = [one for branch in self.branches.values() for one in branch]
        known = {one.commit: one for one in [*commits, self]}
        known |= {name: branch[-1] for name, branch in self.branches.items()}
        known.setdefault("main", self)
        return known.get(revision)


@dataclass
class Fault:
    """What happens to requests of which method and path match, the next `times` times."""

    request: str  # a pattern, such as `POST .*/commit/.*`
    does: int | str  # a status, or one of: late, cut, lost (it is done, but nobody hears of it)
    times: int = 1_000_000


@dataclass
class Hub:
    """What the server has, and what it was asked for."""

    address: str
    repos: dict[str, Repo] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)  # method and path
    sent: dict[str, int] = field(default_factory=dict)  # bytes of each file
    status: int = 0  # answer every request with this one
    cut: bool = False  # break the connection in the middle of a file
    faults: list[Fault] = field(default_factory=list)
    users: dict[str, str] = field(default_factory=lambda: {"hf_owner": "me", "hf_other": "other"})
    readers: set[str] = field(default_factory=lambda: {"hf_reader"})  # tokens that write nothing
    stored: dict[str, bytes] = field(default_factory=dict)  # large files by their digest
    sent_in: list[str] = field(default_factory=list)  # digests of large files as they came
    tokens: set[str] = field(default_factory=set)  # that were shown to it
    late_seconds: float = 5.0
    organisations: dict[str, dict[str, str]] = field(default_factory=dict)  # roles by user
    sign_ins: hub_oauth.SignIns = field(default_factory=hub_oauth.SignIns)
    machines: hub_jobs.HubJobs = field(default_factory=hub_jobs.HubJobs)
    spaces: hub_spaces.Spaces = field(default_factory=hub_spaces.Spaces)

    def next_fault(self, request: str) -> int | str:
        """Return what shall go wrong with this request; 0 for nothing."""
        for fault in self.faults:
            if fault.times and re.fullmatch(fault.request, request):
                fault.times -= 1
                return fault.does
        return self.status

    def add(self, repo_id: str, files: dict[str, bytes], **settings: object) -> Repo:
        """Keep a dataset, and count anew."""
        self.repos[repo_id] = Repo(files, **settings)
        self.forget()
        return self.repos[repo_id]

    def add_repo(
        self, repo_id: str, files: dict[str, bytes], kind: str, private: bool, token: str
    ) -> Repo:
        """Keep a repo that a client made."""
        self.repos[repo_id] = Repo(files, private, token=token, kind=kind)
        return self.repos[repo_id]

    def forget(self) -> None:
        """Count anew."""
        self.requests.clear()
        self.sent.clear()
        self.sent_in.clear()

    def counted(self, pattern: str) -> int:
        """Return how many requests match."""
        return sum(bool(re.fullmatch(pattern, request)) for request in self.requests)

    def sent_bytes(self) -> int:
        """Return how many bytes of files were sent."""
        return sum(self.sent.values())

    def environment(self, home: Path, token: str = "") -> dict[str, str]:
        """Return the environment of a program that shall take this for the Hub."""
        # A machine may be told to stay offline or to ask a proxy for everything: neither is meant
        # for a Hub that runs here.
        clean = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("HF_")
            and not key.lower().endswith("_proxy")
            and key != "TRANSFORMERS_OFFLINE"
        }
        return clean | {
            "HF_ENDPOINT": self.address,
            "NO_PROXY": "*",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HOME": str(home),
            **({"HF_TOKEN": token} if token else {}),
        }

    def surround(self, patch: pytest.MonkeyPatch, home: Path, token: str = "") -> None:
        """Make this process, and every program it starts, take this for the Hub."""
        wanted = self.environment(home, token)
        for name in os.environ.keys() - wanted.keys():
            patch.delenv(name)
        for name, value in wanted.items():
            patch.setenv(name, value)


def refuse(status: int, code: str = "", words: str = "") -> Response:
    """Return an answer in the Hub's form for what cannot be had."""
    headers = {"X-Error-Code": code, "X-Error-Message": words} if code else {}
    return JSONResponse({"error": words or code or "no"}, status, headers)


def make_app(hub: Hub) -> FastAPI:
    """Return the server's routes."""
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "HEAD", "POST", "PUT", "DELETE"])
    async def answer(path: str, request: Request) -> Response:
        asked = f"{request.method} {path}"
        hub.requests.append(asked)
        hub.tokens.add(token_of(request))
        fault = hub.next_fault(asked)
        if isinstance(fault, int) and fault:
            headers = {"Retry-After": "30"} if fault == 429 else {}
            return JSONResponse({"error": "on demand"}, fault, headers)
        if fault == "late":
            await asyncio.sleep(hub.late_seconds)
        if fault == "cut":
            return broken()
        reply = await respond(hub, path, request)
        return broken() if fault == "lost" else reply

    return app


def broken() -> Response:
    """Return an answer that ends before it is whole."""
    return Response(b"{", 200, {"Content-Length": "1000"})


async def respond(hub: Hub, path: str, request: Request) -> Response:
    """Answer a request that nothing happens to."""
    for topic in (hub_models, hub_writing, hub_oauth, hub_jobs, hub_spaces):
        if answered := await topic.respond(hub, path, request):
            return answered
    for pattern, reply in ((TREE, tree), (PATHS, paths_info), (INFO, info), (FILE, file)):
        match = pattern.fullmatch(path)
        if match is None or request.method not in ("GET", "HEAD", "POST"):
            continue
        found = find(hub, match, request)
        if isinstance(found, Response):
            return found
        return await reply(hub, found, match, request)
    return refuse(404)


def token_of(request: Request) -> str:
    """Return who asks, as the token says."""
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def find(hub: Hub, match: re.Match, request: Request) -> Repo | Response:
    """Return the repo at the revision in a path, or the refusal that a stranger gets."""
    repo_id, revision = match["id"], unquote(match["rev"] or "main")
    kind = (match["kind"] or "models").rstrip("/")
    token = token_of(request)
    repo = hub.repos.get(repo_id)
    if token.startswith("hf_expired"):
        return refuse(401, words="Invalid credentials in Authorization header")
    if repo is None or repo.kind != kind or (repo.private and token != repo.token):
        return refuse(404 if token else 401, "RepoNotFound", "Repository not found")
    converted = hub.repos.get(f"{repo_id}@converted")  # the Hub's own copy in parquet
    if converted and revision in ("refs/convert/parquet", converted.commit):
        return converted
    if repo.gated and token != repo.token and "/resolve/" in request.url.path:
        return refuse(403 if token else 401, "GatedRepo", "Access is restricted")
    found = repo.at(revision)
    if found is None:
        return refuse(404, "RevisionNotFound", "Invalid rev id")
    return replace(found, private=repo.private, gated=repo.gated, token=repo.token)


def entry(name: str, data: bytes) -> dict:
    """Return a file as the Hub lists it."""
    listed = {
        "type": "file",
        "oid": hub_writing.digest(data, False),
        "size": len(data),
        "path": name,
    }
    if hub_writing.is_large(name, data, len(data)):
        oid = hashlib.sha256(data).hexdigest()
        listed["lfs"] = {"oid": oid, "size": len(data), "pointerSize": 130}
    return listed


async def info(hub: Hub, repo: Repo, match: re.Match, request: Request) -> Response:
    """Answer what a repo is."""
    files = [{"rfilename": name, "size": len(data)} for name, data in sorted(repo.files.items())]
    return JSONResponse(
        {
            "id": match["id"],
            "sha": repo.commit,
            "private": repo.private,
            "gated": "auto" if repo.gated else False,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": hub_models.tags_of(repo),
            "siblings": files,
            "cardData": repo.card(),
        }
    )


async def tree(hub: Hub, repo: Repo, match: re.Match, request: Request) -> Response:
    """Answer what lies in a folder."""
    folder = (match["path"] or "").strip("/")
    inside = {
        name: data
        for name, data in sorted(repo.files.items())
        if not folder or name.startswith(f"{folder}/")
    }
    if folder and not inside:
        return refuse(404, "EntryNotFound", f"{folder} does not exist")
    if request.query_params.get("recursive", "").lower() in ("true", "1"):
        return JSONResponse([entry(name, data) for name, data in inside.items()])
    start = len(folder) + 1 if folder else 0
    listed = {}
    for name, data in inside.items():
        first, slash, _ = name[start:].partition("/")
        path = name[:start] + first
        directory = {"type": "directory", "oid": "0" * 40, "size": 0, "path": path}
        listed[path] = directory if slash else entry(name, data)
    return JSONResponse(list(listed.values()))


async def paths_info(hub: Hub, repo: Repo, match: re.Match, request: Request) -> Response:
    """Answer what lies at some paths."""
    form = await request.form()
    sent = form.getlist("paths") if form else (await request.json())["paths"]
    found = []
    for path in sent:
        if path in repo.files:
            found.append(entry(path, repo.files[path]))
        elif any(name.startswith(f"{path}/") for name in repo.files):
            found.append({"type": "directory", "oid": "0" * 40, "size": 0, "path": path})
    return JSONResponse(found)


async def file(hub: Hub, repo: Repo, match: re.Match, request: Request) -> Response:
    """Answer with a file, or the part of it that was asked for."""
    data = repo.files.get(match["path"])
    if data is None:
        return refuse(404, "EntryNotFound", "Entry not found")
    headers = {
        "ETag": f'"{hashlib.sha1(data).hexdigest()}"',
        "X-Repo-Commit": repo.commit,
        "Accept-Ranges": "bytes",
    }
    if hub_writing.is_large(match["path"], data, len(data)):
        headers["ETag"] = f'"{hashlib.sha256(data).hexdigest()}"'
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    status = 206 if asked else 200
    if asked:
        start = int(asked[1])
        end = min(int(asked[2] or len(data) - 1), len(data) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
        data = data[start : end + 1]
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers | {"Content-Length": str(len(data))})
    hub.sent[match["path"]] = hub.sent.get(match["path"], 0) + len(data)
    if hub.cut:
        return Response(
            data[: len(data) // 2], status, headers | {"Content-Length": str(len(data))}
        )
    return Response(data, status, headers, media_type="application/octet-stream")


@contextmanager
def serve_hub() -> Iterator[Hub]:
    """Start a Hub without any dataset, and yield it."""
    port = free_port()
    hub = Hub(f"http://127.0.0.1:{port}")
    server = uvicorn.Server(
        uvicorn.Config(make_app(hub), port=port, log_level="critical", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.started, "The local Hub did not start."
    try:
        yield hub
    finally:
        hub.machines.end()
        server.should_exit = True
        thread.join(timeout=10)
