"""The Triton kernels give what the plain loop gives.

They need a GPU, or Triton's interpreter on a CPU: install triton and set TRITON_INTERPRET=1.
"""

import os

import pytest
import torch

from ocrtune.families import grouped
from ocrtune.families.grouped import gate, gate_backward, group, outer, product

pytest.importorskip("triton", reason="Triton comes with CUDA builds of torch only")
if not (torch.cuda.is_available() or os.environ.get("TRITON_INTERPRET")):
    pytest.skip("there is no GPU, and TRITON_INTERPRET is not set", allow_module_level=True)

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
EXPERTS = 6


def noise(*shape: int, dtype: torch.dtype = torch.float16) -> torch.Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=generator).to(DEVICE, dtype)


def chosen(tokens: int) -> torch.Tensor:
    """Return two experts for each token, all but the last expert."""
    generator = torch.Generator().manual_seed(tokens)
    return torch.randint(0, EXPERTS - 1, (tokens, 2), generator=generator).to(DEVICE)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
@pytest.mark.parametrize("tokens", [1, 70])
@pytest.mark.parametrize("rank", [0, 8, 16, 24])
def test_products_are_those_of_the_loop(tokens, rank, dtype):
    weight, rows = noise(EXPERTS, 160, 96, dtype=dtype), noise(2 * tokens, 96, dtype=dtype)
    wide = noise(2 * tokens, 160, dtype=dtype)
    up, down = noise(EXPERTS, 160, rank, dtype=dtype), noise(EXPERTS, rank, 96, dtype=dtype)
    between = noise(2 * tokens, rank, dtype=dtype)
    results = []
    for way in ("triton", "loop"):
        groups = group(chosen(tokens), EXPERTS, way)
        forward = (between, up, 0.5) if rank else None
        back = (between, down.mT, 0.5) if rank else None
        found = [product(rows, weight, groups, forward), product(wide, weight.mT, groups, back)]
        results.append([*found, outer(rows, between, groups)] if rank else found)
    for mine, right in zip(*results, strict=True):
        size = right.abs().max().item()
        torch.testing.assert_close(mine, right, rtol=0.01, atol=0.002 * size)


def test_the_gate_and_its_gradient_are_those_of_torch():
    both, share = noise(50, 48, dtype=torch.float32), noise(50, dtype=torch.float32)
    gradient = noise(50, 24, dtype=torch.float32)
    kernels = grouped.kernels
    torch.testing.assert_close(kernels.gate(both, share), gate(both.cpu(), share.cpu()).to(DEVICE))
    found = kernels.gate_backward(both, share, gradient)
    wanted = gate_backward(both.cpu(), share.cpu(), gradient.cpu())
    for mine, right in zip(found, wanted, strict=True):
        torch.testing.assert_close(mine, right.to(DEVICE), rtol=1e-4, atol=1e-5)
