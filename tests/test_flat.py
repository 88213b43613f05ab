"""Weights that learn in one flat tensor: fp32 for the optimizer, the network's precision for it."""

import pytest
import torch
from torch import nn

from ocrtune.families.flat import FlatWeights


def layers() -> list[nn.Parameter]:
    torch.manual_seed(0)
    return [nn.Parameter(torch.randn(3, 4)), nn.Parameter(torch.randn(5))]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_step_on_the_flat_tensor_is_a_step_on_each_parameter(dtype):
    mine, theirs = layers(), layers()
    flat = FlatWeights(mine, dtype)
    assert [p.dtype for p in mine] == [dtype] * 2
    optimizers = [torch.optim.AdamW(p, lr=0.01) for p in ([flat.master], theirs)]
    for step in range(3):
        flat.forget()
        (sum(p.square().sum() for p in mine) * (1 + step)).backward()
        flat.collect()
        for parameter in theirs:
            parameter.grad = None
        (sum(p.square().sum() for p in theirs) * (1 + step)).backward()
        for optimizer in optimizers:
            optimizer.step()
        flat.publish()
    for ours, right in zip(mine, theirs, strict=True):
        tolerance = 1e-6 if dtype == torch.float32 else 2e-2
        torch.testing.assert_close(ours.float(), right, atol=tolerance, rtol=tolerance)


def test_steps_too_small_for_bf16_are_not_lost():
    [parameter] = ours = [nn.Parameter(torch.ones(8))]
    flat = FlatWeights(ours, torch.bfloat16)
    for _ in range(100):
        flat.master.data.add_(1e-4)  # bf16 has nothing between 1 and 1.0078
        flat.publish()
    assert parameter.float().tolist() == pytest.approx([1.0078125] * 8)


def test_portions_add_up_in_fp32():
    ours = [nn.Parameter(torch.ones(2))]
    flat = FlatWeights(ours, torch.bfloat16)
    for value in (256.0, 1.0):  # their sum is no bf16 number
        (ours[0] * value).sum().backward()
        flat.collect()
    assert flat.master.grad.tolist() == [257.0, 257.0]
    flat.forget()
    assert flat.master.grad.tolist() == [0.0, 0.0]


def test_in_full_the_parameters_are_the_fp32_weights_and_changes_stay():
    ours = [nn.Parameter(torch.full((2,), 1.001))]
    flat = FlatWeights(ours, torch.bfloat16)
    assert ours[0].float().tolist() == [1.0, 1.0]
    with flat.in_full():
        assert ours[0].dtype == torch.float32
        assert ours[0].tolist() == pytest.approx([1.001, 1.001])
        ours[0].data.fill_(3.0)
    assert ours[0].dtype == torch.bfloat16
    assert ours[0].tolist() == [3.0, 3.0]
