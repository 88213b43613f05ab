"""Whether the Hub answers, and as whom it knows us."""

import httpx
from huggingface_hub import constants
from huggingface_hub.utils import build_hf_headers, get_session

PATIENCE_SECONDS = 10.0


def greet_hub(token: str) -> tuple[str, str]:
    """Return how the Hub answers, and the user's name, or why there is no answer.

    One of: signed_in (with the name), anonymous, refused, away (with the reason), offline.
    """
    if constants.is_offline_mode():
        return "offline", ""
    address = f"{constants.ENDPOINT.rstrip('/')}/api/whoami-v2"
    try:
        answer = get_session().get(
            address, headers=build_hf_headers(token=token or False), timeout=PATIENCE_SECONDS
        )
    except httpx.TimeoutException:
        return "away", f"no answer within {PATIENCE_SECONDS:.0f} s"
    except (httpx.HTTPError, OSError, ValueError) as error:
        return "away", type(error).__name__
    if answer.status_code in (401, 403):  # it knows who we are not
        return "refused" if token else "anonymous", ""
    try:
        return "signed_in", str(answer.json()["name"])
    except (ValueError, KeyError, TypeError):
        return "away", f"it answers {answer.status_code}"
