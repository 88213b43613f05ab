"""An adapter folded into its base model's own files, a tensor at a time.

The base model's files are read and written again in their own names and order; of the adapter only
what it changes is computed, in fp32, one layer at a time. No model is held in memory.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import PeftModel
from peft.tuners.lora.layer import LoraLayer, ParamWrapper
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from transformers.core_model_loading import revert_weight_conversion

from ocrtune.errors import ModelError
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.weights import refuse_differences

INDEX = "model.safetensors.index.json"
SHARD_BYTES = 5_000_000_000
Shape = tuple[int, ...]


@dataclass(frozen=True)
class LowRank:
    """What an adapter adds to one parameter of the network."""

    name: str  # of the parameter, without peft's additions
    shape: Shape
    down: Tensor  # fp32 [experts * rank, in]
    up: Tensor  # fp32 [out, experts * rank]
    experts: int  # 1: a plain matrix
    scale: float

    def delta(self) -> Tensor:
        """Return what is added, fp32, in the parameter's shape."""
        if self.experts == 1:
            return (self.up @ self.down).mul_(self.scale).view(self.shape)
        down = self.down.view(self.experts, -1, self.down.shape[1])
        up = self.up.view(self.up.shape[0], -1, self.experts)
        product = torch.einsum("ore,eri->eoi", up, down).mul_(self.scale)
        return product if product.shape == self.shape else product.transpose(1, 2)


class Merge:
    """What an adapter changes in its base model, by the names of the base model's files.

    Built from a model that carries the adapter; the model's own weights are let go, so that it can
    be used for nothing else afterwards.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        if not isinstance(loaded.model, PeftModel):
            raise ModelError("There is no adapter to merge.", "Load one first.")
        changes = list(low_ranks(loaded.model))
        # Names and shapes are all that is needed of the network from here on.
        self.network = loaded.network.to("meta")
        shapes = {
            name.replace(".base_layer", ""): tuple(parameter.shape)
            for name, parameter in self.network.named_parameters()
            if "lora_" not in name
        }
        self.groups: dict[str, list[LowRank]] = {}  # that change together, by their common parent
        for change in changes:
            self.groups.setdefault(parent(change.name), []).append(change)
        self.siblings = {
            group: {name: shape for name, shape in shapes.items() if parent(name) == group}
            for group in self.groups
        }
        self.group_of: dict[str, str] = {}  # by the name in the files
        for group, members in self.siblings.items():
            empty = {name: torch.empty(shape, device="meta") for name, shape in members.items()}
            for name in self.named_as_in_files(empty):
                self.group_of[name] = group
        self.at_hand: tuple[str, dict[str, Tensor]] = ("", {})  # the group computed last

    def named_as_in_files(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return parameters of the network as the files have them: renamed, split or joined."""
        return revert_weight_conversion(self.network, tensors)

    def delta(self, name: str) -> Tensor | None:
        """Return what is added to a tensor of the files, fp32; None where nothing is."""
        group = self.group_of.get(name)
        if group is None:
            return None
        if self.at_hand[0] != group:
            self.at_hand = ("", {})  # free the last one first
            self.at_hand = (group, self.named_as_in_files(self.deltas(group)))
        return self.at_hand[1][name]

    def deltas(self, group: str) -> dict[str, Tensor]:
        """Return what is added to each parameter of a group, with zeros where it is nothing."""
        changed = {change.name: change.delta() for change in self.groups[group]}
        return {
            name: changed[name] if name in changed else torch.zeros(shape)
            for name, shape in self.siblings[group].items()
        }


def parent(name: str) -> str:
    """Return the module in which a parameter's module lies: its neighbours may share a tensor."""
    return name.rsplit(".", 2)[0]


def low_ranks(model: PeftModel) -> Iterator[LowRank]:
    """Yield what the adapter in use adds to each parameter."""
    adapter = model.active_adapter
    for path, module in model.get_base_model().named_modules():
        if not isinstance(module, LoraLayer) or adapter not in module.lora_A:
            continue
        if adapter in module.lora_variant or module.lora_bias.get(adapter):
            raise ModelError(
                "The adapter is of a special kind, which cannot be merged here.",
                "Merge it with the program that made it.",
            )
        whole = isinstance(module, ParamWrapper)
        layer = path.replace(".base_layer", "")
        weight = module.get_param() if whole else module.get_base_layer().weight
        yield LowRank(
            name=f"{layer}.{module.parameter_name}" if whole else f"{layer}.weight",
            shape=tuple(weight.shape),
            down=module.lora_A[adapter].weight.detach().float().cpu().clone(),
            up=module.lora_B[adapter].weight.detach().float().cpu().clone(),
            experts=module.num_experts if whole else 1,
            scale=module.scaling[adapter],
        )


@dataclass(frozen=True)
class Entry:
    """One tensor of a model's files."""

    file: Path
    shape: Shape
    dtype: str  # as safetensors spells it: `BF16`, `F32`, `I64`


def list_tensors(folder: Path) -> dict[str, Entry]:
    """Return every tensor in a model's files by name, without reading any."""
    found = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, "pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118 - it is no dictionary
                part = tensors.get_slice(name)
                found[name] = Entry(file, tuple(part.get_shape()), part.get_dtype())
    return found


def write_merged(
    merge: Merge,
    base: Path,
    folder: Path,
    dtype: torch.dtype,
    tell: Callable[[int, int], None],
    shard_bytes: int = SHARD_BYTES,
) -> None:
    """Write the base model's tensors with the adapter added, as 16-bit weights in shards.

    tell: is called with how many tensors there are so far, and in all.
    """
    entries = list_tensors(base)
    refuse_differences(
        f"the weights in `{base}`", merge.group_of.keys() - entries.keys(), frozenset()
    )
    # What is computed together is asked for together.
    names = sorted(entries, key=lambda name: (merge.group_of.get(name, ""), name))
    shards = divide(names, entries, shard_bytes)
    done, places = 0, {}
    for number, shard in enumerate(shards, start=1):
        file = "model.safetensors"
        if len(shards) > 1:
            file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        tensors = {}
        for name in shard:
            tensors[name] = merged_tensor(merge, name, entries[name], dtype)
            done += 1
            tell(done, len(names))
        save_file(tensors, folder / file, metadata={"format": "pt"})
        places |= dict.fromkeys(shard, file)
    if len(shards) > 1:
        total = sum(size_of(entry) for entry in entries.values())
        index = {"metadata": {"total_size": total}, "weight_map": places}
        (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", "utf-8")


def merged_tensor(merge: Merge, name: str, entry: Entry, dtype: torch.dtype) -> Tensor:
    """Return a tensor of the base model's file with what the adapter adds, in `dtype`."""
    with safe_open(entry.file, "pt") as tensors:
        tensor = tensors.get_tensor(name)
    if not tensor.is_floating_point():
        return tensor
    delta = merge.delta(name)
    summed = tensor if delta is None else tensor.float().add_(delta.view(entry.shape))
    merged = summed.to(dtype).contiguous()
    if not merged.isfinite().all():
        raise ModelError(
            f"`{name}` holds values that {str(dtype).removeprefix('torch.')} cannot.",
            "Use `--dtype bfloat16`; if you did, the adapter is damaged: train it again.",
        )
    return merged


def size_of(entry: Entry) -> int:
    """Return the bytes of a tensor once it is written, or a little more."""
    width = 8 if entry.dtype.startswith(("I", "U")) else 2
    return width * torch.Size(entry.shape).numel()


def divide(names: list[str], entries: dict[str, Entry], shard_bytes: int) -> list[list[str]]:
    """Return the names in files of at most `shard_bytes` each."""
    shards: list[list[str]] = [[]]
    filled = 0
    for name in names:
        size = size_of(entries[name])
        if shards[-1] and filled + size > shard_bytes:
            shards.append([])
            filled = 0
        shards[-1].append(name)
        filled += size
    return shards


def check_files(base: Path, folder: Path, dtype: torch.dtype) -> int:
    """Return how many tensors were written; a ModelError unless they are those of the base model.

    Names and shapes must be the base model's; fractions are in `dtype`, all others as they were.
    """
    wanted, found = list_tensors(base), list_tensors(folder)
    refuse_differences(
        f"the export `{folder}`", wanted.keys() - found.keys(), found.keys() - wanted.keys()
    )
    spelt = {torch.bfloat16: "BF16", torch.float16: "F16"}[dtype]
    for name, entry in wanted.items():
        kind = spelt if "F" in entry.dtype else entry.dtype
        if (found[name].shape, found[name].dtype) != (entry.shape, kind):
            raise ModelError(
                f"`{name}` was written as {found[name].dtype} {found[name].shape}, not as {kind} "
                f"{entry.shape}.",
                "This is a fault of ocrtune: report it, and do not use the export.",
            )
    return len(found)
