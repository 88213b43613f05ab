"""Products in which every row belongs to one of many experts, by the quickest way at hand."""

import os
from dataclasses import dataclass
from functools import cache, cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

try:
    from ocrtune.families import kernels
except ImportError:  # no Triton: no GPU, or a system it does not know
    kernels = None

LowRank = tuple[Tensor, Tensor, float]  # [rows, rank], [experts, out, rank], scale


@dataclass(frozen=True)
class Groups:
    """The rows of a product ordered by expert: one row for each token and expert chosen for it."""

    tokens: Tensor  # int64 [rows]: which token each row is
    places: Tensor  # int64 [tokens * chosen]: at which row each choice stands
    ends: Tensor  # int32 [experts]: behind the last row of each expert
    way: str  # `torch`, `triton` or `loop`

    @cached_property
    def blocks(self) -> tuple[Tensor, Tensor]:
        """Which rows and expert each block of a Triton product has."""
        return kernels.block_tables(self.ends, len(self.tokens))

    @cached_property
    def bounds(self) -> list[tuple[int, int, int]]:
        """(expert, first row, end) of each expert that has rows; waits for the device."""
        ends = self.ends.tolist()
        starts = [0, *ends[:-1]]
        return [
            (expert, start, end)
            for expert, (start, end) in enumerate(zip(starts, ends, strict=True))
            if end > start
        ]


def group(chosen: Tensor, experts: int, way: str) -> Groups:
    """Return the groups of tokens whose experts are `chosen`, int64 [tokens, chosen].

    Nothing in it waits for the device.
    """
    ordered, order = chosen.flatten().sort(stable=True)
    places = torch.empty_like(order)
    places[order] = torch.arange(len(order), device=order.device)
    numbers = torch.arange(experts, device=order.device)
    ends = torch.searchsorted(ordered, numbers, right=True).int()
    return Groups(order // chosen.shape[1], places, ends, way)


def product(rows: Tensor, weight: Tensor, groups: Groups, low: LowRank | None = None) -> Tensor:
    """Return each row times its expert's weight, and what LoRA adds to it, [rows, out].

    rows: [rows, in]; weight: [experts, out, in], a transposed view is fine.
    """
    if groups.way == "triton":
        return kernels.product(rows, weight, groups.ends, groups.blocks, low)
    if groups.way == "torch":
        out = F.grouped_mm(rows, weight.mT, offs=groups.ends)
        if low:
            between, up, scale = low
            out += F.grouped_mm(between * scale, up.mT, offs=groups.ends)
        return out
    out = rows.new_empty(len(rows), weight.shape[1])
    for expert, start, end in groups.bounds:
        part = torch.mm(rows[start:end], weight[expert].mT, out=out[start:end])
        if low:
            between, up, scale = low
            part.addmm_(between[start:end], up[expert].mT, alpha=scale)
    return out


def outer(left: Tensor, right: Tensor, groups: Groups) -> Tensor:
    """Return the sum of left' right over each expert's rows, [experts, columns, rank].

    left: [rows, columns]; right: [rows, rank].
    """
    if groups.way == "triton":
        return kernels.outer(left, right, groups.ends)
    if groups.way == "torch":
        return F.grouped_mm(left.mT, right, offs=groups.ends)
    out = left.new_zeros(len(groups.ends), left.shape[1], right.shape[1])
    for expert, start, end in groups.bounds:
        torch.mm(left[start:end].mT, right[start:end], out=out[expert])
    return out


def gate(both: Tensor, share: Tensor) -> Tensor:
    """Return silu(gate) * up * share, [rows, width]; both: [rows, 2 width]; share: [rows]."""
    if kernels and both.is_cuda:
        return kernels.gate(both, share)
    first, second = both.chunk(2, dim=-1)
    return F.silu(first) * second * share[:, None]


def gate_backward(both: Tensor, share: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of `gate`'s inputs, given the one of what it returned."""
    if kernels and both.is_cuda:
        return kernels.gate_backward(both, share, gradient)
    first, second = both.chunk(2, dim=-1)
    bend = torch.sigmoid(first)
    smooth = first * bend
    of_share = (gradient * smooth * second).sum(-1)
    gradient = gradient * share[:, None]
    of_first = gradient * second * bend * (1 + first * (1 - bend))
    return torch.cat([of_first, gradient * smooth], dim=-1), of_share


def is_modern(device: torch.device) -> bool:
    """Return whether the GPU has compute capability 8.0, from which on it computes in bf16.

    OCRTUNE_CAPABILITY, such as `7.5`, makes a newer card take the path of an older one.
    """
    pretended = os.environ.get("OCRTUNE_CAPABILITY")
    if pretended:
        return float(pretended) >= 8
    return torch.cuda.get_device_capability(device) >= (8, 0)


def best_way(device: torch.device, dtype: torch.dtype) -> str:
    """Return the quickest way that gives right results on this device.

    On an H200 the products of a training step took 8.8 ms by Triton, 10.5 ms by torch in bf16.
    """
    if device.type != "cuda":
        return "loop"
    return _best_way(device.index or 0, dtype)


@cache
def _best_way(index: int, dtype: torch.dtype) -> str:
    device = torch.device("cuda", index)
    fit = is_modern(device) and dtype == torch.bfloat16
    ways = ("triton", "torch") if fit else ("triton",)
    return next((way for way in ways if is_right(way, device, dtype)), "loop")


def is_right(way: str, device: torch.device, dtype: torch.dtype) -> bool:
    """Return whether a way runs on this device and gives what the plain loop gives.

    Triton's compiler knows old cards less well from version to version, and a wrong product would
    only show as a model that learns nothing.
    """
    if way == "triton" and kernels is None:
        return False
    source = torch.Generator(device=device).manual_seed(0)

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=source, device=device, dtype=dtype)

    experts = 16  # Triton builds other kernels for numbers that 16 does not divide
    chosen = torch.randint(0, experts - 1, (70, 2), generator=source, device=device)
    weight, up, down = noise(experts, 160, 96), noise(experts, 160, 16), noise(experts, 16, 96)
    narrow, wide, low = noise(140, 96), noise(140, 160), noise(140, 16)
    try:
        found, wanted = (
            (
                product(narrow, weight, groups),
                product(narrow, weight, groups, (low, up, 0.5)),
                product(wide, weight.mT, groups),
                product(wide, weight.mT, groups, (low, down.mT, 0.5)),
                outer(narrow, low, groups),
            )
            for groups in (group(chosen, experts, way), group(chosen, experts, "loop"))
        )
    except Exception:  # whatever a compiler or a driver has against it
        return False
    return all(
        torch.allclose(mine.float(), right.float(), rtol=0.02, atol=0.02 * right.abs().max().item())
        for mine, right in zip(found, wanted, strict=True)
    )
