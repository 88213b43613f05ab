"""GPU kernels for products in which every row belongs to one of many experts; needs Triton.

PyTorch's own grouped product wants bf16 and a recent card. These take fp16 as well, so that an
older card need not start one product for every expert of every layer. Rows are ordered by expert.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

ROWS = 64  # of one block of a product; an expert's last block may be partly empty
COLUMNS, DEPTH = 128, 64
STAGES = 3  # blocks loaded ahead
SMALLEST_RANK = 16  # what `tl.dot` takes


@triton.jit
def product_kernel(
    rows, weight, low, up, out,
    block_starts, block_experts, ends,
    experts, columns, depth, rank, scale,
    weight_expert, weight_column, weight_depth,
    up_expert, up_column, up_rank,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, DEPTH: tl.constexpr, RANK: tl.constexpr,
):  # fmt: skip
    """out[row] = weight[expert of row] rows[row] + scale * up[expert of row] low[row]."""
    block = tl.program_id(0)
    expert = tl.load(block_experts + block)
    if expert >= experts:
        return
    row = tl.load(block_starts + block) + tl.arange(0, ROWS)
    here = row < tl.load(ends + expert)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    inside = column < columns
    place = tl.arange(0, DEPTH)
    left = rows + row[:, None].to(tl.int64) * depth
    right = weight + expert.to(tl.int64) * weight_expert + column[None, :] * weight_column
    total = tl.zeros((ROWS, COLUMNS), tl.float32)
    for start in range(0, depth, DEPTH):
        at = start + place
        a = tl.load(left + at[None, :], here[:, None] & (at < depth)[None, :], 0.0)
        b = tl.load(
            right + at[:, None] * weight_depth, inside[None, :] & (at < depth)[:, None], 0.0
        )
        total = tl.dot(a, b, total)
    if RANK:
        at = tl.arange(0, RANK)
        a = tl.load(
            low + row[:, None].to(tl.int64) * rank + at[None, :],
            here[:, None] & (at < rank)[None, :],
            0.0,
        )
        b = tl.load(
            up + expert.to(tl.int64) * up_expert + column[None, :] * up_column
            + at[:, None] * up_rank,
            inside[None, :] & (at < rank)[:, None],
            0.0,
        )  # fmt: skip
        total += tl.dot(a, b) * scale
    target = out + row[:, None].to(tl.int64) * columns + column[None, :]
    tl.store(target, total.to(out.dtype.element_ty), here[:, None] & inside[None, :])


@triton.jit
def outer_kernel(
    left, right, out, ends, columns, rank, out_expert, out_column, out_rank,
    COLUMNS: tl.constexpr, RANK: tl.constexpr, DEPTH: tl.constexpr,
):  # fmt: skip
    """out[expert] = sum of left[row]' right[row] over the expert's rows."""
    expert = tl.program_id(1)
    start = tl.load(ends + expert - 1, expert > 0, 0)
    end = tl.load(ends + expert)
    column = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    place = tl.arange(0, RANK)
    inside, real = column < columns, place < rank
    total = tl.zeros((COLUMNS, RANK), tl.float32)
    for first in range(start, end, DEPTH):
        row = first + tl.arange(0, DEPTH)
        here = row < end
        a = tl.load(
            left + row[None, :].to(tl.int64) * columns + column[:, None],
            inside[:, None] & here[None, :],
            0.0,
        )
        b = tl.load(
            right + row[:, None].to(tl.int64) * rank + place[None, :],
            here[:, None] & real[None, :],
            0.0,
        )
        total = tl.dot(a, b, total)
    target = out + expert.to(tl.int64) * out_expert
    target += column[:, None] * out_column + place[None, :] * out_rank
    tl.store(target, total.to(out.dtype.element_ty), inside[:, None] & real[None, :])


@triton.jit
def gate_kernel(both, share, out, width, WIDTH: tl.constexpr):
    """out = silu(first half) * second half * share of the row."""
    row = tl.program_id(0).to(tl.int64)
    place = tl.arange(0, WIDTH)
    real = place < width
    gate = tl.load(both + row * 2 * width + place, real, 0.0).to(tl.float32)
    up = tl.load(both + row * 2 * width + width + place, real, 0.0).to(tl.float32)
    value = gate * tl.sigmoid(gate) * up * tl.load(share + row).to(tl.float32)
    tl.store(out + row * width + place, value.to(out.dtype.element_ty), real)


@triton.jit
def gate_backward_kernel(both, share, gradient, of_both, of_share, width, WIDTH: tl.constexpr):
    """The gradients of gate_kernel's inputs."""
    row = tl.program_id(0).to(tl.int64)
    place = tl.arange(0, WIDTH)
    real = place < width
    gate = tl.load(both + row * 2 * width + place, real, 0.0).to(tl.float32)
    up = tl.load(both + row * 2 * width + width + place, real, 0.0).to(tl.float32)
    given = tl.load(gradient + row * width + place, real, 0.0).to(tl.float32)
    bend = tl.sigmoid(gate)
    smooth = gate * bend
    tl.store(of_share + row, tl.sum(given * smooth * up, 0).to(of_share.dtype.element_ty))
    given *= tl.load(share + row).to(tl.float32)
    of_gate = given * up * bend * (1 + gate * (1 - bend))
    kind = of_both.dtype.element_ty
    tl.store(of_both + row * 2 * width + place, of_gate.to(kind), real)
    tl.store(of_both + row * 2 * width + width + place, (given * smooth).to(kind), real)


def block_tables(ends: Tensor, rows: int) -> tuple[Tensor, Tensor]:
    """Return (first row, expert) of every block of a product, int32, computed on the device.

    There are as many blocks as there could be; those too many belong to the expert behind the last.
    """
    starts = torch.cat([ends.new_zeros(1), ends[:-1]])
    blocks = (ends - starts + ROWS - 1) // ROWS
    block_ends = blocks.cumsum(0)
    number = torch.arange(-(-rows // ROWS) + len(ends), device=ends.device)
    expert = torch.searchsorted(block_ends, number, right=True)
    known = expert.clamp(max=len(ends) - 1)
    first = starts[known] + (number - (block_ends - blocks)[known]) * ROWS
    return first.int(), expert.int()


def product(
    rows: Tensor,
    weight: Tensor,
    ends: Tensor,
    blocks: tuple[Tensor, Tensor],
    low: tuple[Tensor, Tensor, float] | None,
) -> Tensor:
    """Return each row times its expert's weight, [rows, out].

    rows: [rows, in], contiguous; weight: [experts, out, in] with any strides; ends: int32, behind
    each expert's last row; blocks: see `block_tables`; low: what LoRA adds, ([rows, rank],
    [experts, out, rank], scale).
    """
    rows = rows.contiguous()
    experts, columns, depth = weight.shape
    out = rows.new_empty(len(rows), columns)
    between, up, scale = low if low else (rows, weight, 0.0)
    rank = up.shape[2] if low else 0
    first, expert = blocks
    product_kernel[(len(first), triton.cdiv(columns, COLUMNS))](
        rows, weight, between.contiguous(), up, out, first, expert, ends,
        experts, columns, depth, rank, scale, *weight.stride(), *up.stride(),
        ROWS=ROWS, COLUMNS=COLUMNS, DEPTH=DEPTH,
        RANK=max(SMALLEST_RANK, triton.next_power_of_2(rank)) if low else 0,
        num_warps=4, num_stages=STAGES,
    )  # fmt: skip
    return out


def outer(left: Tensor, right: Tensor, ends: Tensor) -> Tensor:
    """Return the sum of left' right over each expert's rows, [experts, columns, rank].

    left: [rows, columns]; right: [rows, rank], narrow; ends: see `product`.
    """
    left, right = left.contiguous(), right.contiguous()
    columns, rank = left.shape[1], right.shape[1]
    out = left.new_empty(len(ends), columns, rank)
    outer_kernel[(triton.cdiv(columns, 64), len(ends))](
        left, right, out, ends, columns, rank, *out.stride(),
        COLUMNS=64, RANK=max(SMALLEST_RANK, triton.next_power_of_2(rank)), DEPTH=64,
        num_warps=4, num_stages=STAGES,
    )  # fmt: skip
    return out


def gate(both: Tensor, share: Tensor) -> Tensor:
    """Return silu(gate) * up * share, [rows, width], of [rows, 2 width] and [rows]."""
    width = both.shape[1] // 2
    out = both.new_empty(len(both), width)
    gate_kernel[(len(both),)](both, share, out, width, WIDTH=triton.next_power_of_2(width))
    return out


def gate_backward(both: Tensor, share: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of `gate`'s inputs, given the one of what it returned."""
    width = both.shape[1] // 2
    of_both, of_share = torch.empty_like(both), torch.empty_like(share)
    gate_backward_kernel[(len(both),)](
        both, share, gradient.contiguous(), of_both, of_share, width,
        WIDTH=triton.next_power_of_2(width),
    )  # fmt: skip
    return of_both, of_share
