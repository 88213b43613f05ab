"""How the local Hub is written to: repos, branches, large files, commits, and their removal.

Rules of the real one that clients meet: a repo begins with a commit, every change of a branch is
one commit, `parentCommit` must be its newest one, and large files come before the commit that
names them. A squashed history takes commits away, and with them what only they had.
"""

import base64
import hashlib
import json
import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import unquote

from fastapi import Request, Response
from fastapi.responses import JSONResponse

if TYPE_CHECKING:
    from hub_server import Hub, Repo

REPO = r"(?P<id>[\w.-]+/[\w.-]+)"
KIND = r"api/(?P<kind>models|datasets|spaces)"
LFS_ENDINGS = (".safetensors", ".parquet", ".png", ".zip")
REGULAR_BYTES = 1_000_000  # from there on every file is a large one


async def respond(hub: "Hub", path: str, request: Request) -> Response | None:
    """Answer a request that is about writing; None if it is about something else."""
    asked = f"{request.method} {path}"
    for pattern, reply in ROUTES.items():
        if match := re.fullmatch(pattern, asked):
            return await reply(hub, match, request)
    return None


def refuse(status: int, code: str = "", words: str = "") -> Response:
    """Return an answer in the Hub's form for what cannot be done."""
    headers = {"X-Error-Code": code, "X-Error-Message": words} if code else {}
    return JSONResponse({"error": words or code or "no"}, status, headers)


def user_of(hub: "Hub", request: Request) -> str:
    """Return the name of who asks; empty for a token that nobody has."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    return "me" if token in hub.readers else hub.users.get(token, "")


def forbidden(hub: "Hub", repo_id: str, request: Request) -> Response | None:
    """Return the refusal for who may not write there."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    user = user_of(hub, request)
    if not user:
        return refuse(401, words="Invalid username or password.")
    groups = {name for name, role in hub.organisations.get(user, {}).items() if role != "read"}
    if token in hub.readers or repo_id.split("/")[0] not in {user, *groups}:
        return refuse(403, words="You do not have the rights to write here.")
    return None


def writable(hub: "Hub", match: re.Match, request: Request) -> "Repo | Response":
    """Return the repo that is to be changed, or the refusal."""
    repo = hub.repos.get(match["id"])
    kind = match.groupdict().get("kind")
    if repo is None or (kind and repo.kind != kind):
        return refuse(404, "RepoNotFound", "Repository not found")
    return forbidden(hub, match["id"], request) or repo


def history(repo: "Repo", branch: str) -> "list[Repo] | None":
    """Return the commits of a branch, oldest first; None if there is no such branch."""
    if branch == "main":
        return repo.branches.setdefault("main", [version(repo, repo.files)])
    return repo.branches.get(branch)


def version(repo: "Repo", files: dict[str, bytes]) -> "Repo":
    """Return a new commit with these files."""
    kind = type(repo)
    return kind(files, kind=repo.kind, oid=secrets.token_hex(20), branches=repo.branches)


async def whoami(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Answer whose token it is."""
    user = user_of(hub, request)
    if not user:
        return refuse(401, words="Invalid credentials in Authorization header")
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    roles = hub.organisations.get(user, {})
    groups = [{"type": "org", "name": name, "roleInOrg": role} for name, role in roles.items()]
    role = "read" if token in hub.readers else "write"
    about = {"type": "access_token", "accessToken": {"displayName": "mine", "role": role}}
    told = {"type": "user", "id": "1", "name": user, "fullname": user, "orgs": groups}
    return JSONResponse(told | {"auth": about})


async def create_repo(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Make a repo with its first commit."""
    wanted = await request.json()
    owner = wanted.get("organization") or user_of(hub, request)
    repo_id = f"{owner}/{wanted['name']}"
    kind = f"{wanted.get('type') or 'model'}s"
    address = f"{hub.address}/{'' if kind == 'models' else f'{kind}/'}{repo_id}"
    if denied := forbidden(hub, repo_id, request):
        return denied
    if repo_id in hub.repos:
        return JSONResponse({"error": "You already created this repo", "url": address}, 409)
    token = request.headers["authorization"].removeprefix("Bearer ")
    first = {".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"}
    repo = hub.add_repo(repo_id, first, kind, wanted.get("visibility") == "private", token)
    history(repo, "main")
    return JSONResponse({"url": address, "name": repo_id, "id": repo_id})


async def delete_repo(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Remove a repo."""
    wanted = await request.json()
    repo_id = f"{wanted.get('organization') or user_of(hub, request)}/{wanted['name']}"
    if denied := forbidden(hub, repo_id, request):
        return denied
    if hub.repos.pop(repo_id, None) is None:
        return refuse(404, "RepoNotFound", "Repository not found")
    return JSONResponse({})


async def validate_yaml(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Say that a card is sound, unless its licence says that it is not."""
    if "license: refused" in (await request.json())["content"]:
        told = {"message": '"license" must be one of [apache-2.0, mit]'}
        return JSONResponse({"errors": [told], "warnings": []}, 400)
    return JSONResponse({"errors": [], "warnings": []})


async def list_refs(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Answer which branches there are."""
    repo = writable(hub, match, request)
    if isinstance(repo, Response):
        return repo
    history(repo, "main")
    branches = [
        {"name": name, "ref": f"refs/heads/{name}", "targetCommit": commits[-1].commit}
        for name, commits in repo.branches.items()
    ]
    return JSONResponse({"branches": branches, "converts": [], "tags": []})


async def create_branch(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Begin a branch where another one, or a commit, stands."""
    repo = writable(hub, match, request)
    if isinstance(repo, Response):
        return repo
    history(repo, "main")
    name = unquote(match["branch"])
    start = repo.at((await request.json()).get("startingPoint", "main"))
    if start is None:
        return refuse(404, "RevisionNotFound", "Invalid rev id")
    if name in repo.branches:
        return refuse(409, words="Reference already exists")
    repo.branches[name] = [start]
    return JSONResponse({})


async def delete_branch(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Remove a branch."""
    repo = writable(hub, match, request)
    if isinstance(repo, Response):
        return repo
    if repo.branches.pop(unquote(match["branch"]), None) is None:
        return refuse(404, "RevisionNotFound", "Invalid rev id")
    forget_unused(hub)
    return JSONResponse({})


async def preupload(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Answer how each file shall be sent, and which one is there already."""
    repo = writable(hub, match, request)
    if isinstance(repo, Response):
        return repo
    commits = history(repo, unquote(match["rev"]))
    if commits is None:
        return refuse(404, "RevisionNotFound", "Invalid rev id")
    there = commits[-1].files
    answers = []
    for file in (await request.json())["files"]:
        name, sample = file["path"], base64.b64decode(file["sample"])
        large = is_large(name, sample, file["size"])
        told = {"path": name, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
        if name in there:
            told["oid"] = digest(there[name], large)
        answers.append(told)
    return JSONResponse({"files": answers})


def is_large(name: str, data: bytes, size: int) -> bool:
    """Return whether the Hub keeps a file as a large one, aside from git; data: its beginning."""
    odd = b"\0" in data[:512]
    return size > 0 and (name.endswith(LFS_ENDINGS) or odd or size > REGULAR_BYTES)


def digest(data: bytes, large: bool) -> str:
    """Return by what the Hub tells one file from another."""
    if large:
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


async def lfs_batch(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Answer where each large file goes; one that is there already goes nowhere."""
    repo = writable(hub, match, request)
    if isinstance(repo, Response):
        return repo
    objects = []
    for one in (await request.json())["objects"]:
        answer = {"oid": one["oid"], "size": one["size"]}
        if one["oid"] not in hub.stored:
            answer["actions"] = {"upload": {"href": f"{hub.address}/storage/{one['oid']}"}}
        objects.append(answer)
    return JSONResponse({"transfer": "basic", "objects": objects})


async def put_large(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Keep a large file."""
    data = await request.body()
    if hashlib.sha256(data).hexdigest() != match["oid"]:
        return refuse(400, words="The digest does not match")
    hub.stored[match["oid"]] = data
    hub.sent_in.append(match["oid"])
    return Response(status_code=200, headers={"ETag": match["oid"]})


async def commit(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Change a branch, all at once."""
    repo = writable(hub, match, request)
    if isinstance(repo, Response):
        return repo
    branch = unquote(match["rev"])
    commits = history(repo, branch)
    if commits is None:
        return refuse(404, "RevisionNotFound", "Invalid rev id")
    lines = [json.loads(line) for line in (await request.body()).splitlines() if line.strip()]
    parent = lines[0]["value"].get("parentCommit")
    if parent and parent != commits[-1].commit:
        return refuse(412, words="A commit has happened since. Please refresh and try again.")
    files = dict(commits[-1].files)
    for line in lines[1:]:
        told = change(hub, files, line["key"], line["value"])
        if told is not None:
            return told
    commits.append(version(repo, files))
    if branch == "main":
        repo.files, repo.oid = files, commits[-1].commit
    address = f"{hub.address}/{match['id']}/commit/{commits[-1].commit}"
    return JSONResponse({"success": True, "commitOid": commits[-1].commit, "commitUrl": address})


def change(hub: "Hub", files: dict[str, bytes], key: str, value: dict) -> Response | None:
    """Make one change of a commit; return the refusal if it cannot be made."""
    path = value["path"]
    if key == "file":
        files[path] = base64.b64decode(value["content"])
    elif key == "lfsFile":
        if value["oid"] not in hub.stored:
            return refuse(400, words=f"LFS pointer pointed to a file that does not exist: {path}")
        files[path] = hub.stored[value["oid"]]
    elif key in ("deletedFile", "deletedFolder"):
        gone = [name for name in files if name == path or name.startswith(path.rstrip("/") + "/")]
        if not gone:
            return refuse(404, "EntryNotFound", "A file with this name doesn't exist")
        for name in gone:
            del files[name]
    return None


async def squash(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Leave a single commit of a branch."""
    repo = writable(hub, match, request)
    if isinstance(repo, Response):
        return repo
    branch = unquote(match["branch"])
    commits = history(repo, branch)
    if commits is None:
        return refuse(404, "RevisionNotFound", "Invalid rev id")
    repo.branches[branch] = [version(repo, commits[-1].files)]
    if branch == "main":
        repo.oid = repo.branches[branch][-1].commit
    forget_unused(hub)
    return JSONResponse({})


def forget_unused(hub: "Hub") -> None:
    """Drop large files that no commit has, as the Hub does within a day or two."""
    used = {
        hashlib.sha256(data).hexdigest()
        for repo in hub.repos.values()
        for commits in repo.branches.values()
        for one in commits
        for data in one.files.values()
    }
    for oid in set(hub.stored) - used:
        del hub.stored[oid]


ROUTES = {
    r"GET api/whoami-v2": whoami,
    r"POST api/repos/create": create_repo,
    r"DELETE api/repos/delete": delete_repo,
    r"POST api/validate-yaml": validate_yaml,
    rf"GET {KIND}/{REPO}/refs": list_refs,
    rf"POST {KIND}/{REPO}/branch/(?P<branch>[^/]+)": create_branch,
    rf"DELETE {KIND}/{REPO}/branch/(?P<branch>[^/]+)": delete_branch,
    rf"POST {KIND}/{REPO}/preupload/(?P<rev>[^/]+)": preupload,
    rf"POST (?:datasets/|spaces/)?{REPO}\.git/info/lfs/objects/batch": lfs_batch,
    r"PUT storage/(?P<oid>[0-9a-f]{64})": put_large,
    rf"POST {KIND}/{REPO}/commit/(?P<rev>[^/]+)": commit,
    rf"POST {KIND}/{REPO}/super-squash/(?P<branch>[^/]+)": squash,
}
