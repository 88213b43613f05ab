"""How the local Hub lets people sign in to a Space: OpenID Connect, as gradio's routes ask for it.

Whoever comes to `/oauth/authorize` is the user of `hub.sign_ins.next_token`, and agrees at once.
"""

import re
import secrets
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode

from fastapi import Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import RSAKey

if TYPE_CHECKING:
    from hub_server import Hub

CLIENT, SECRET = "ocrtune-space", "the-secret-of-the-space"
SCOPES = "openid profile contribute-repos"


@dataclass
class SignIns:
    """Who signs in next, for how long, and what was handed out."""

    next_token: str = "hf_owner"
    seconds: int = 28_800
    scope: str = SCOPES
    granted: tuple[str, ...] = ()  # organisations that the user lets the app into
    codes: dict[str, dict] = field(default_factory=dict)

    @cached_property
    def key(self) -> RSAKey:
        return RSAKey.generate_key(2048, parameters={"kid": "local"}, private=True)


async def respond(hub: "Hub", path: str, request: Request) -> Response | None:
    """Answer a request that is about signing in; None if it is about something else."""
    for pattern, reply in ROUTES.items():
        if re.fullmatch(pattern, f"{request.method} {path}"):
            return await reply(hub, request)
    return None


async def metadata(hub: "Hub", request: Request) -> Response:
    """Answer where everything is."""
    return JSONResponse(
        {
            "issuer": hub.address,
            "authorization_endpoint": f"{hub.address}/oauth/authorize",
            "token_endpoint": f"{hub.address}/oauth/token",
            "userinfo_endpoint": f"{hub.address}/oauth/userinfo",
            "jwks_uri": f"{hub.address}/oauth/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
    )


async def jwks(hub: "Hub", request: Request) -> Response:
    """Answer with the key that signs what is told of users."""
    return JSONResponse({"keys": [hub.sign_ins.key.as_dict(private=False)]})


async def authorize(hub: "Hub", request: Request) -> Response:
    """Send the user back with a code, which stands for their consent."""
    asked = dict(request.query_params)
    if asked.get("client_id") != CLIENT:
        return JSONResponse({"error": "invalid_client"}, 400)
    code = secrets.token_urlsafe(8)
    hub.sign_ins.codes[code] = asked | {"token": hub.sign_ins.next_token}
    back = urlencode({"code": code, "state": asked["state"]})
    joint = "&" if "?" in asked["redirect_uri"] else "?"
    return RedirectResponse(f"{asked['redirect_uri']}{joint}{back}", 302)


def about(hub: "Hub", token: str) -> dict:
    """Return what is told of a user; a role only in organisations that the app is let into."""
    name = hub.users[token]
    groups = [
        {"sub": group, "name": group.title(), "preferred_username": group}
        | ({"roleInOrg": role} if group in hub.sign_ins.granted else {})
        for group, role in hub.organisations.get(name, {}).items()
    ]
    profile = f"{hub.address}/{name}"
    told = {"sub": f"id-{name}", "name": name.title(), "preferred_username": name}
    return told | {"profile": profile, "picture": f"{profile}.png", "orgs": groups}


async def token(hub: "Hub", request: Request) -> Response:
    """Give the token for a code, once."""
    form = parse_qs((await request.body()).decode())
    asked = hub.sign_ins.codes.pop(form.get("code", [""])[0], None)
    if asked is None:
        return JSONResponse({"error": "invalid_grant"}, 400)
    now = int(time.time())
    claims = about(hub, asked["token"]) | {"iss": hub.address, "aud": CLIENT}
    claims |= {"iat": now, "exp": now + 3600, "nonce": asked.get("nonce")}
    signed = jwt.encode({"alg": "RS256", "kid": "local"}, claims, hub.sign_ins.key)
    return JSONResponse(
        {
            "access_token": asked["token"],
            "token_type": "bearer",
            "expires_in": hub.sign_ins.seconds,
            "scope": hub.sign_ins.scope,
            "id_token": signed,
        }
    )


async def userinfo(hub: "Hub", request: Request) -> Response:
    """Answer whose token it is."""
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if given not in hub.users:
        return JSONResponse({"error": "invalid_token"}, 401)
    return JSONResponse(about(hub, given))


ROUTES = {
    r"GET \.well-known/openid-configuration": metadata,
    r"GET oauth/jwks": jwks,
    r"GET oauth/authorize": authorize,
    r"POST oauth/token": token,
    r"GET oauth/userinfo": userinfo,
}
