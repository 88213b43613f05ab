"""Spaces of the local Hub: variables, secrets, volumes, machines and what they cost, buckets.

Rules of the real one that clients meet: nobody reads a secret back, the list of volumes is replaced
as a whole, a machine that costs money needs an account that pays, free ones sleep when they like.
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import hub_writing
from fastapi import Request, Response
from fastapi.responses import JSONResponse

if TYPE_CHECKING:
    from hub_server import Hub

SPACE = rf"api/spaces/{hub_writing.REPO}"
MICRO_DOLLARS_A_MINUTE = {"cpu-basic": 0, "t4-small": 6667, "l4x1": 13333}


@dataclass
class Space:
    """What a Space has beside its files."""

    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    volumes: list[dict] = field(default_factory=list)
    hardware: str | None = None
    sleep_time: int | None = None


@dataclass
class Spaces:
    """What the server knows of Spaces; accounts in `poor` cannot pay."""

    known: dict[str, Space] = field(default_factory=dict)
    buckets: dict[str, bool] = field(default_factory=dict)  # whether each one is private
    poor: bool = False

    def of(self, repo_id: str) -> Space:
        """Return what a Space has."""
        return self.known.setdefault(repo_id, Space())


async def respond(hub: "Hub", path: str, request: Request) -> Response | None:
    """Answer a request that is about Spaces; None if it is about something else."""
    asked = f"{request.method} {path}"
    for pattern, reply in ROUTES.items():
        match = re.fullmatch(pattern, asked)
        if not match:
            continue
        if "id" in match.groupdict():
            repo = hub_writing.writable(hub, match, request)
            if isinstance(repo, Response):
                return repo
        return await reply(hub, match, request)
    return None


async def list_hardware(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Answer which machines there are."""
    listed = [
        {"name": name, "prettyName": name, "cpu": "4 vCPU", "ram": "15 GB", "accelerator": None}
        | {"unitCostMicroUSD": cost, "unitCostUSD": cost / 1e6, "unitLabel": "minute"}
        for name, cost in MICRO_DOLLARS_A_MINUTE.items()
    ]
    return JSONResponse(listed)


def runtime_of(space: Space) -> Response:
    """Answer how a Space is doing."""
    machine = {"current": space.hardware, "requested": space.hardware}
    told = {"stage": "RUNNING", "hardware": machine, "gcTimeout": space.sleep_time}
    return JSONResponse(told | {"volumes": space.volumes})


async def runtime(hub: "Hub", match: re.Match, request: Request) -> Response:
    return runtime_of(hub.spaces.of(match["id"]))


async def variables(hub: "Hub", match: re.Match, request: Request) -> Response:
    """List, set or remove variables."""
    known = hub.spaces.of(match["id"]).variables
    if request.method != "GET":
        told = await request.json()
        known.pop(told["key"], None)
        if request.method == "POST":
            known[told["key"]] = told["value"]
    return JSONResponse({name: {"key": name, "value": value} for name, value in known.items()})


async def secrets(hub: "Hub", match: re.Match, request: Request) -> Response:
    """List the names of secrets, or set one."""
    known = hub.spaces.of(match["id"]).secrets
    if request.method == "POST":
        told = await request.json()
        known[told["key"]] = told["value"]
    return JSONResponse({name: {"key": name} for name in known})


async def volumes(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Replace all volumes."""
    wanted = (await request.json())["volumes"]
    if any(one["type"] == "bucket" and one["source"] not in hub.spaces.buckets for one in wanted):
        return hub_writing.refuse(404, words="Bucket not found")
    hub.spaces.of(match["id"]).volumes = wanted
    return JSONResponse({})


async def hardware(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Change the machine."""
    wanted = (await request.json())["flavor"]
    if wanted not in MICRO_DOLLARS_A_MINUTE:
        return hub_writing.refuse(400, words="Unknown flavor")
    if MICRO_DOLLARS_A_MINUTE[wanted] and hub.spaces.poor:
        return hub_writing.refuse(402, words="Please add a payment method")
    space = hub.spaces.of(match["id"])
    space.hardware = wanted
    return runtime_of(space)


async def sleep_time(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Change after how long it sleeps."""
    space = hub.spaces.of(match["id"])
    space.sleep_time = (await request.json())["seconds"]
    return runtime_of(space)


async def settings(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Change who sees it."""
    repo = hub.repos[match["id"]]
    repo.private = (await request.json())["visibility"] == "private"
    return JSONResponse({"private": repo.private})


async def make_bucket(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Make a bucket."""
    name = match["bucket"]
    if denied := hub_writing.forbidden(hub, name, request):
        return denied
    if hub.spaces.poor:
        return hub_writing.refuse(402, words="Storage buckets need a plan")
    if name in hub.spaces.buckets:
        return JSONResponse({"error": "exists", "url": f"{hub.address}/buckets/{name}"}, 409)
    hub.spaces.buckets[name] = bool((await request.json()).get("private"))
    return JSONResponse({"url": f"{hub.address}/buckets/{name}"})


ROUTES = {
    r"GET api/spaces/hardware": list_hardware,
    rf"GET {SPACE}/runtime": runtime,
    rf"(?:GET|POST|DELETE) {SPACE}/variables": variables,
    rf"(?:GET|POST) {SPACE}/secrets": secrets,
    rf"PUT {SPACE}/volumes": volumes,
    rf"POST {SPACE}/hardware": hardware,
    rf"POST {SPACE}/sleeptime": sleep_time,
    rf"PUT {SPACE}/settings": settings,
    r"POST api/buckets/(?P<bucket>[\w.-]+/[\w.-]+)": make_bucket,
}
