"""The mixture of experts in grouped products: peft's own values and gradients, every way."""

import copy

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers.models.deepseek_ocr2.configuration_deepseek_ocr2 import DeepseekOcr2TextConfig
from transformers.models.deepseek_ocr2.modeling_deepseek_ocr2 import DeepseekOcr2TextMoe

from ocrtune.families import experts, grouped
from ocrtune.families.experts import (
    QuickExperts,
    QuickWrapper,
    can_be_recorded,
    quicken_experts,
    rehearse,
)
from ocrtune.families.grouped import best_way, group, is_modern, is_right, outer, product

PARAMETERS = ["mixture.experts.gate_up_proj", "mixture.experts.down_proj"]


class Layer(nn.Module):
    """A mixture of eight small experts."""

    def __init__(self) -> None:
        super().__init__()
        sizes = {"hidden_size": 12, "moe_intermediate_size": 10, "n_routed_experts": 8}
        sizes |= {"num_attention_heads": 2, "num_experts_per_tok": 3, "n_shared_experts": 1}
        config = DeepseekOcr2TextConfig(**sizes)
        config._experts_implementation = "eager"
        self.mixture = DeepseekOcr2TextMoe(config)

    def forward(self, hidden):
        return self.mixture(hidden)


def pair(targets: list[str]) -> tuple[nn.Module, nn.Module]:
    """Return a mixture as transformers and peft compute it, and the same made quick."""
    torch.manual_seed(0)
    slow = Layer()
    for parameter in slow.parameters():
        nn.init.normal_(parameter, std=0.3)
    if targets:
        lora = LoraConfig(r=2, lora_alpha=5, target_modules=[], target_parameters=targets)
        slow = get_peft_model(slow, lora)
        for name, parameter in slow.named_parameters():
            if "lora_B" in name:
                nn.init.normal_(parameter)
    quick = copy.deepcopy(slow)
    quicken_experts(quick)
    return slow, quick


@pytest.mark.parametrize("targets", [[], PARAMETERS[:1], PARAMETERS[1:], PARAMETERS])
def test_values_and_gradients_are_those_of_the_library(targets):
    slow, quick = pair(targets)
    kinds = {type(module) for module in quick.modules()}
    assert QuickExperts in kinds
    assert (QuickWrapper in kinds) == bool(targets)
    inputs = torch.randn(2, 5, 12)
    seen = [inputs.clone().requires_grad_() for _ in range(2)]
    for model, x in zip((slow, quick), seen, strict=True):
        model(x).square().mean().backward()
    torch.testing.assert_close(quick(inputs), slow(inputs))
    torch.testing.assert_close(seen[1].grad, seen[0].grad, atol=1e-6, rtol=1e-4)
    for (name, mine), theirs in zip(quick.named_parameters(), slow.parameters(), strict=True):
        if "lora_" in name or "gate" in name.split("."):
            torch.testing.assert_close(mine.grad, theirs.grad, atol=1e-6, rtol=1e-4, msg=name)


def test_autocast_and_inputs_in_fp32_do_not_mix_precisions():
    """As Unsloth's modules hand them on."""
    _, quick = pair(PARAMETERS)
    quick.to(torch.bfloat16)
    hidden = torch.randn(4, 12, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        chosen = torch.tensor([[0, 1]]).expand(4, 2)
        experts = quick.get_base_model().mixture.experts
        out = experts(hidden, chosen, torch.full((4, 2), 0.5))
    assert out.dtype == torch.float32
    out.sum().backward()
    assert hidden.grad.dtype == torch.float32
    assert hidden.grad.abs().sum() > 0


@torch.no_grad()
def test_switched_off_and_merged_adapters_are_not_counted_again():
    slow, quick = pair(PARAMETERS)
    x = torch.randn(1, 4, 12)
    tuned = quick(x)
    with quick.disable_adapter(), slow.disable_adapter():
        torch.testing.assert_close(quick(x), slow(x))
        assert not torch.allclose(quick(x), tuned)
    quick.merge_adapter()
    torch.testing.assert_close(quick(x), tuned, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_experts_that_nobody_chose_are_no_trouble():
    _, quick = pair([])
    experts = quick.mixture.experts
    hidden, chosen = torch.randn(4, 12), torch.zeros(4, 1, dtype=torch.long)
    found = experts(hidden, chosen, torch.ones(4, 1))
    gate, up = (hidden @ experts.gate_up_proj[0].T).chunk(2, dim=-1)
    wanted = (nn.functional.silu(gate) * up) @ experts.down_proj[0].T
    torch.testing.assert_close(found, wanted)


def test_rows_stand_by_expert_and_find_back():
    chosen = torch.tensor([[2, 0], [1, 2], [0, 2]])
    groups = group(chosen, 4, "loop")
    assert groups.ends.tolist() == [2, 3, 6, 6]
    assert groups.tokens.tolist() == [0, 2, 1, 0, 1, 2]
    assert groups.bounds == [(0, 0, 2), (1, 2, 3), (2, 3, 6)]
    assert chosen.flatten()[groups.places.argsort()].tolist() == [0, 0, 1, 2, 2, 2]


def test_torchs_grouped_product_gives_what_the_loop_gives():
    """On a CPU it takes bf16 as well, so that this way is tested without a GPU."""
    torch.manual_seed(1)
    chosen = torch.randint(0, 3, (20, 2))
    weight, up = torch.randn(4, 16, 32).bfloat16(), torch.randn(4, 16, 16).bfloat16()
    rows, low = torch.randn(40, 32).bfloat16(), torch.randn(40, 16).bfloat16()
    results = []
    for way in ("torch", "loop"):
        groups = group(chosen, 4, way)
        results.append((product(rows, weight, groups, (low, up, 0.5)), outer(rows, low, groups)))
    for mine, right in zip(*results, strict=True):
        torch.testing.assert_close(mine, right, atol=0.25, rtol=0.05)


def test_a_way_that_gives_wrong_products_is_not_taken(monkeypatch):
    cpu = torch.device("cpu")
    assert is_right("loop", cpu, torch.float32)
    assert not is_right("triton", cpu, torch.float32), "there is none on a CPU"
    real = grouped.outer
    monkeypatch.setattr(
        grouped, "outer", lambda *args: real(*args) * (2 if args[2].way == "torch" else 1)
    )
    assert not is_right("torch", cpu, torch.bfloat16)
    assert best_way(cpu, torch.float32) == "loop"


def test_an_older_card_can_be_imitated(monkeypatch):
    monkeypatch.setenv("OCRTUNE_CAPABILITY", "7.5")
    assert not is_modern(torch.device("cuda"))
    monkeypatch.setenv("OCRTUNE_CAPABILITY", "8.6")
    assert is_modern(torch.device("cuda"))


def test_the_plain_loop_is_not_recorded(monkeypatch):
    _, quick = pair([])
    assert not can_be_recorded(quick), "it asks the device how many rows there are"
    assert can_be_recorded(nn.Linear(2, 2))
    monkeypatch.setattr(experts, "best_way", lambda *args: "triton")
    assert can_be_recorded(quick)


def test_a_rehearsal_reaches_the_adapters_of_the_first_mixture():
    _, quick = pair(PARAMETERS)
    rehearse(quick)
    touched = [name for name, p in quick.named_parameters() if p.grad is not None]
    assert sum("lora_" in name for name in touched) == 4
    rehearse(nn.Linear(2, 2))  # nothing to do
