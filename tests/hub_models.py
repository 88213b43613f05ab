"""How models on the local Hub are searched: by tags, which follow from the cards."""

from typing import TYPE_CHECKING

from fastapi import Request, Response
from fastapi.responses import JSONResponse

if TYPE_CHECKING:
    from hub_server import Hub, Repo


async def respond(hub: "Hub", path: str, request: Request) -> Response | None:
    """Answer a search; None for a request that is about something else."""
    if (request.method, path) != ("GET", "api/models"):
        return None
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    wanted = set(request.query_params.getlist("filter"))
    found = [
        {
            "id": repo_id,
            "private": repo.private,
            "downloads": len(repo_id),
            "lastModified": "2026-11-20T08:00:00.000Z",
            "tags": tags_of(repo),
        }
        for repo_id, repo in hub.repos.items()
        if repo.kind == "models"
        and wanted <= set(tags_of(repo))
        and (not repo.private or token == repo.token)
    ]
    return JSONResponse(found[: int(request.query_params.get("limit", 30))])


def tags_of(repo: "Repo") -> list[str]:
    """Return the tags of a repo, with those that the Hub makes from its base model."""
    card = repo.card()
    base = card.get("base_model")
    made = [f"base_model:{base}", f"base_model:adapter:{base}"] if base else []
    return [*(card.get("tags") or ()), *made]
