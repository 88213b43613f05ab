"""Adapters of the Hub as everything else uses them: fetched, checked, pinned to one commit.

Of a repo only weights in safetensors and three JSON files are ever fetched. What they say is a
stranger's word: it is checked here as far as that takes no model, and where it meets one.
"""

import json
import os
import re
from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import TypeVar

from ocrtune.adapter_names import SharedName, shared_name
from ocrtune.config import Config, TrainConfig
from ocrtune.errors import ConfigError, HubError, ModelError
from ocrtune.events import Emit, Note, silent
from ocrtune.families import FAMILIES
from ocrtune.hub_adapters import (
    HubModel,
    fetch_files,
    find_model,
    is_unreachable,
    kept_folder,
)

CONFIG_FILE, WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"  # peft's names
CONTRACT_FILE, DETAILS_FILE = "contract.json", "details.json"
MOST_BYTES = {  # rank 64 on all experts of DeepSeek-OCR takes 1 GB
    WEIGHTS_FILE: 2_000_000_000,
    CONFIG_FILE: 1_000_000,
    CONTRACT_FILE: 100_000,
    DETAILS_FILE: 1_000_000,
}
HEADER_BYTES = 10_000_000  # of a safetensors file
MOST_TENSORS = 20_000
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
SINGLE, MANY = ("adapter", "start_from", "run"), ("adapters",)  # settings that name adapters
REPO_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")

C = TypeVar("C", bound=Config)


def settle_adapters(config: C, emit: Emit = silent) -> C:
    """Return the settings with every adapter of the Hub fetched and pinned, and the base model.

    A base model that nobody named is the one the first adapter was trained on. Settings without
    adapters come back as they are.
    """
    known = {one.name for one in fields(config)}
    values = {}
    for name in SINGLE:
        if name in known and getattr(config, name):
            values[name] = pin(getattr(config, name), emit)
    for name in MANY:
        if name in known:
            values[name] = tuple(pin(one, emit) for one in getattr(config, name))
    settled = replace(config, **values)
    if "base" in known and not config.base and "merged" not in known:
        settled = replace(settled, base=base_of(adapter_of(settled)))
    return settled


def adapter_of(config: Config) -> str:
    """Return the first adapter that the settings name; empty if they name none."""
    return next((getattr(config, name, "") for name in SINGLE if getattr(config, name, "")), "")


def pin(adapter: str, emit: Emit = silent) -> str:
    """Return the name of an adapter that can only mean one state of it, which is fetched then.

    A folder of this machine is returned as it is. Whoever asks has to be allowed to see the repo;
    only for who works at this machine alone, what was fetched before serves without a network.
    """
    named = shared_name(adapter)
    if named is None:
        return adapter
    try:
        found = find_model(named.repo_id, named.revision)
    except HubError as error:
        commit = kept_commit(named) if is_unreachable(error) else ""
        if not commit:
            raise missing(named, error) from error
        emit(Note(f"The Hub cannot be asked; `{named.repo_id}` is used as it was fetched last."))
        return SharedName(named.repo_id, commit).address
    refuse_other_files(found)
    wanted = [name for name in MOST_BYTES if name in found.sizes]
    pinned = SharedName(found.repo_id, found.commit)
    megabytes = sum(found.sizes[name] for name in wanted) / 1e6
    emit(Note(f"The adapter is `{pinned.shown}` of the Hub, {megabytes:.1f} MB."))
    check_folder(fetch_files(found, named.revision, wanted), pinned)
    return pinned.address


def kept_commit(named: SharedName) -> str:
    """Return the commit of a repo that was fetched before; empty if that may not be used."""
    if os.environ.get("SYSTEM") == "spaces":  # what one visitor may see is not for all
        return ""
    folder = kept_folder(named.repo_id, named.revision, WEIGHTS_FILE)
    return folder.name if folder else ""


def missing(named: SharedName, error: HubError) -> HubError:
    """Return the error for a repo that cannot be had; it may have been meant for a folder."""
    fix = error.fix.replace(", or use `--base tiny`, which needs none", "")
    return HubError(error.problem, f"{fix} There is no such folder here either.")


def folder_of(adapter: str) -> Path:
    """Return the folder of an adapter; of one of the Hub, what was fetched of it."""
    named = shared_name(adapter)
    if named is None:
        return Path(adapter)
    folder = kept_folder(named.repo_id, named.revision, WEIGHTS_FILE)
    if folder is None:
        raise ModelError(
            f"The adapter `{named.shown}` is not on this machine any more.", "Start again."
        )
    return folder


def refuse_other_files(found: HubModel) -> None:
    """Raise a ModelError unless the repo holds an adapter that may be fetched."""
    where = f"`{found.repo_id}`"
    if WEIGHTS_FILE not in found.sizes and any(name.endswith(PICKLES) for name in found.sizes):
        raise ModelError(
            f"{where} has its weights in a format that can run code when it is opened.",
            f"Such files are never fetched: ask its owner for {WEIGHTS_FILE}.",
        )
    if CONFIG_FILE not in found.sizes or WEIGHTS_FILE not in found.sizes:
        whole = "config.json" in found.sizes and CONFIG_FILE not in found.sizes
        raise ModelError(
            f"{where} holds no adapter: it lacks "
            f"{CONFIG_FILE if CONFIG_FILE not in found.sizes else WEIGHTS_FILE}.",
            f"It is a whole model: name it as the base model, `--base {found.repo_id}`."
            if whole
            else "Name a repository that `ocrtune push-adapter` or peft has written.",
        )
    for name, most in MOST_BYTES.items():
        if found.sizes.get(name, 0) > most:
            raise ModelError(
                f"`{name}` of {where} has {found.sizes[name]:,} bytes, more than the {most:,} that "
                "any adapter needs.",
                "It is not fetched. Choose another adapter.",
            )


def check_folder(folder: Path, named: SharedName) -> None:
    """Raise a ModelError unless the JSON and the header of the weights are sound."""
    for name in (CONFIG_FILE, CONTRACT_FILE, DETAILS_FILE):
        path = folder / name
        if path.is_file():
            read_values(path, f"`{name}` of `{named.shown}`")
    try:
        tensors = read_header(folder / WEIGHTS_FILE)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"`{WEIGHTS_FILE}` of `{named.shown}` is damaged: {error}.",
            "Ask its owner to push it again, or choose another adapter.",
        ) from error
    if len(tensors) > MOST_TENSORS:
        raise ModelError(
            f"`{named.shown}` has {len(tensors):,} tensors, more than any adapter needs.",
            "Choose another adapter.",
        )


def read_header(path: Path) -> dict:
    """Return what a safetensors file says of its tensors; a ValueError if that is not sound."""
    with path.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        if not 2 <= size <= HEADER_BYTES:
            raise ValueError(f"its header would take {size:,} bytes")
        values = json.loads(stream.read(size).decode("utf-8"))
    if not isinstance(values, dict):
        raise ValueError("its header is no table")
    return {name: one for name, one in values.items() if name != "__metadata__"}


def read_values(path: Path, what: str) -> dict:
    """Return a JSON file's object; a ModelError if it holds none."""
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{what} cannot be read: {error}.", "Choose another adapter.") from error
    if not isinstance(values, dict):
        raise ModelError(f"{what} holds no settings.", "Choose another adapter.")
    return values


def base_of(adapter: str) -> str:
    """Return the base model to load for an adapter, as `--base` takes it.

    A folder of a run knows it from its settings. What a shared adapter names is taken only if it
    cannot be mistaken for a folder of this machine.
    """
    if not adapter:
        return "tiny"
    folder, named = folder_of(adapter), shared_name(adapter)
    settings = folder.parent / "config.json"
    if named is None and folder.name == "adapter" and settings.is_file():
        return TrainConfig.load(settings).base
    said = said_base(folder)
    for family in FAMILIES.values():
        if said.casefold() in (family.name, family.base_model.casefold()):
            return family.name
    if REPO_ID.fullmatch(said) and not Path(said).exists():
        return said
    if named is None:
        return "tiny"  # which then tells what it does not fit
    raise ConfigError(
        f"`{named.shown}` was trained on a folder `{said}` of another machine."
        if said
        else f"`{named.shown}` does not say on what it was trained.",
        "Name the same base model with `--base`.",
    )


def said_base(folder: Path) -> str:
    """Return what an adapter's files call its base model; empty if they do not say."""
    for name, key in ((CONTRACT_FILE, "base_model"), (CONFIG_FILE, "base_model_name_or_path")):
        try:
            said = json.loads((folder / name).read_text("utf-8")).get(key)
        except (OSError, ValueError, AttributeError, RecursionError):
            continue
        if isinstance(said, str) and said:
            return said
    return ""


def revision_of(adapter: str) -> str:
    """Return what stands in reports for the state of a shared adapter; empty for a folder."""
    named = shared_name(adapter)
    return f"{named.repo_id}@{named.revision}" if named else ""


def names_shared(config: Config) -> bool:
    """Return whether the settings have an adapter of the Hub, or leave the base model open."""
    return any(shared_name(one) for one in named_adapters(config)) or not getattr(
        config, "base", "-"
    )


def named_adapters(config: Config) -> Iterable[str]:
    """Return every adapter that the settings name."""
    single = [getattr(config, name, "") for name in SINGLE]
    return [one for one in (*single, *getattr(config, "adapters", ())) if one]
