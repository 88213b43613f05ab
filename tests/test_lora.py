"""LoRA the short way: peft's own values and gradients, and peft itself where more is asked."""

import copy

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from ocrtune.families.lora import QuickLinear, quicken


class Tower(nn.Module):
    """Two layers, one of which LoRA leaves alone."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Linear(12, 20, bias=False)
        self.narrow = nn.Linear(20, 6)

    def forward(self, x):
        return self.narrow(self.wide(x).relu())


def pair(dropout: float = 0.0, targets: str = "wide|narrow") -> tuple[nn.Module, nn.Module]:
    """Return a model under LoRA as peft computes it, and the same made quick."""
    torch.manual_seed(0)
    lora = LoraConfig(r=4, lora_alpha=10, target_modules=targets, lora_dropout=dropout)
    slow = get_peft_model(Tower(), lora)
    for name, parameter in slow.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter)
    quick = copy.deepcopy(slow)
    quicken(quick)
    return slow, quick


@pytest.mark.parametrize("targets", ["wide|narrow", "narrow"])
def test_values_and_gradients_are_pefts(targets):
    slow, quick = pair(targets=targets)
    inputs = torch.randn(3, 5, 12)
    seen = [inputs.clone().requires_grad_() for _ in range(2)]
    for model, x in zip((slow, quick), seen, strict=True):
        model(x).square().mean().backward()
    torch.testing.assert_close(quick(inputs), slow(inputs))
    torch.testing.assert_close(seen[1].grad, seen[0].grad, atol=1e-6, rtol=1e-4)
    for (name, mine), theirs in zip(quick.named_parameters(), slow.parameters(), strict=True):
        assert (mine.grad is None) == (theirs.grad is None), name
        if mine.grad is not None:
            torch.testing.assert_close(mine.grad, theirs.grad, atol=1e-6, rtol=1e-4, msg=name)


def test_the_derivative_is_the_one_of_differences():
    layer = pair()[1].get_base_model().wide.double()
    assert isinstance(layer, QuickLinear)
    x = torch.randn(4, 12, dtype=torch.double, requires_grad=True)
    assert layer.is_plain(x)
    assert torch.autograd.gradcheck(layer, (x,))


@torch.no_grad()
def test_an_adapter_switched_off_or_folded_in_is_not_counted_again():
    slow, quick = pair()
    x = torch.randn(2, 12)
    tuned = quick(x)
    with quick.disable_adapter(), slow.disable_adapter():
        base = quick(x)
        torch.testing.assert_close(base, slow(x))
    assert not torch.allclose(base, tuned)
    quick.merge_adapter()
    torch.testing.assert_close(quick(x), tuned)
    quick.unmerge_adapter()
    torch.testing.assert_close(quick(x), tuned)


def test_what_is_special_is_left_to_peft():
    slow, quick = pair(dropout=0.5)
    x = torch.randn(64, 12)
    results = []
    for model in (slow, quick):
        torch.manual_seed(1)
        results.append(model(x))
    torch.testing.assert_close(*results)
    assert not torch.allclose(quick(x), results[1]), "dropout must take part"
    slow, quick = pair()
    with torch.autocast("cpu", torch.bfloat16):
        found = quick(x)
        torch.testing.assert_close(found, slow(x))
    assert found.dtype == torch.bfloat16
