"""The only door to the Hugging Face Hub."""

from collections.abc import Sequence
from pathlib import Path

import httpx
from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from ocrtune.errors import HubError

# Weights, sizes and words; never code, never pickles.
BASE_FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
    "preprocessor_config.json",
    "processor_config.json",
    "*.safetensors",
    "*.safetensors.index.json",
)


def fetch_base(repo_id: str, revision: str, files: Sequence[str] = BASE_FILES) -> Path:
    """Return the folder of a base model's files, downloaded unless they are there already.

    The folder's name is the commit that `revision` (a branch, tag or commit) stands for.
    """
    try:
        return Path(snapshot_download(repo_id, revision=revision, allow_patterns=list(files)))
    except GatedRepoError as error:  # a RepositoryNotFoundError too, so it comes first
        raise HubError(
            f"`{repo_id}` asks its users to accept conditions.",
            f"Accept them on https://huggingface.co/{repo_id} and sign in with `hf auth login`.",
        ) from error
    except RepositoryNotFoundError as error:
        raise HubError(
            f"There is no model `{repo_id}` on the Hub, or this account may not see it.",
            "Check the spelling; sign in with `hf auth login` if it is private.",
        ) from error
    except RevisionNotFoundError as error:
        raise HubError(
            f"`{repo_id}` has no revision `{revision}`.", "Use `main` or a commit of that model."
        ) from error
    except HFValidationError as error:
        raise HubError(
            f"`{repo_id}` is not a repo id.", "Use the form `name/model`, as in the page's address."
        ) from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise _unreachable(repo_id) from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "an unknown status"
        raise HubError(
            f"The Hub answered {status} when asked for `{repo_id}`.", "Try again in a few minutes."
        ) from error
    except (httpx.TransportError, ConnectionError) as error:
        raise _unreachable(repo_id) from error
    except OSError as error:
        raise HubError(
            f"`{repo_id}` cannot be stored: {error.strerror or error}.",
            "Make room on the disk (a 3 B model takes 7 GB) or point HF_HOME to another one.",
        ) from error


def fetch_config(repo_id: str, revision: str) -> Path:
    """Return the folder of a model of which only `config.json` is sure to be there."""
    return fetch_base(repo_id, revision, ("config.json",))


def _unreachable(repo_id: str) -> HubError:
    return HubError(
        f"The Hub cannot be reached, and `{repo_id}` is not on this machine yet.",
        "Check the connection, or use `--base tiny`, which needs none.",
    )
