"""Where the pages of the Hub are, for people: on the mirror that HF_ENDPOINT names, if it does."""

import os

PUBLIC = "https://huggingface.co"
PLACES = {"model": "", "dataset": "datasets/", "space": "spaces/"}  # of repos, in addresses


def endpoint() -> str:
    """Return the address that the Hub's clients talk to."""
    return os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or PUBLIC


def hub_page(repo_id: str, kind: str = "model", revision: str = "") -> str:
    """Return the address of a repo's page; kind: model, dataset or space."""
    there = f"/tree/{revision}" if revision else ""
    return f"{endpoint()}/{PLACES[kind]}{repo_id}{there}"
