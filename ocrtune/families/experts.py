"""The mixture of experts with its LoRA weights, in a few grouped products.

peft adds the low-rank change to the weights of all experts before every product, which moves the
whole mixture through memory, and its gradient again. Here the change stays two narrow products.
"""

from dataclasses import dataclass

import torch
from peft.tuners.lora.layer import ParamWrapper
from torch import Tensor, nn
from transformers.activations import SiLUActivation
from transformers.models.deepseek_ocr2.modeling_deepseek_ocr2 import DeepseekOcr2TextExperts

from ocrtune.families.grouped import (
    Groups,
    best_way,
    gate,
    gate_backward,
    group,
    outer,
    product,
)

GATES = (nn.SiLU, SiLUActivation)
REHEARSED_TOKENS = 64
PARAMETERS = ("gate_up_proj", "down_proj")


@dataclass(frozen=True)
class Change:
    """What LoRA adds to one weight of every expert: scale * up @ down."""

    down: Tensor  # [experts, rank, in]
    up: Tensor  # [experts, out, rank]
    scale: float


class ExpertsProduct(torch.autograd.Function):
    """Each token through its experts: down(silu(gate) * up), weighted and added up."""

    @staticmethod
    def forward(ctx, hidden, shares, weights, groups: Groups, scales, *changes):
        """Return [tokens, width].

        hidden: [tokens, width]; shares: [tokens, chosen]; weights: the experts' two parameters;
        scales: of the two changes, 0 for none; changes: down and up of each of them.
        """
        chosen = shares.shape[1]
        wide, narrow = weights
        row_shares = shares.new_empty(len(groups.tokens))
        row_shares[groups.places] = shares.flatten()
        rows = hidden[groups.tokens]
        low_wide = product(rows, changes[0], groups) if scales[0] else None
        both = product(rows, wide, groups, with_up(low_wide, changes[1], scales[0]))
        inner = gate(both, row_shares)
        low_narrow = product(inner, changes[2], groups) if scales[1] else None
        out = product(inner, narrow, groups, with_up(low_narrow, changes[3], scales[1]))
        ctx.save_for_backward(hidden, row_shares, both, low_wide, low_narrow, *changes)
        ctx.weights, ctx.groups, ctx.scales, ctx.chosen = weights, groups, scales, chosen
        return out[groups.places].unflatten(0, (-1, chosen)).sum(1)

    @staticmethod
    def backward(ctx, gradient):
        """gradient: [tokens, width]; returns those of hidden, shares and the changes."""
        hidden, row_shares, both, low_wide, low_narrow, *changes = ctx.saved_tensors
        (wide, narrow), groups = ctx.weights, ctx.groups
        of_changes: list[Tensor | None] = [None] * 4
        of_out = gradient[groups.tokens]
        low = of_change(of_out, low_narrow, changes[2:], ctx.scales[1], groups)
        of_inner = product(of_out, narrow.mT, groups, low)
        if low:
            inner = gate(both, row_shares)
            of_changes[2] = outer(inner, low[0], groups).mT * low[2]
            of_changes[3] = outer(of_out, low_narrow, groups) * low[2]
        of_both, of_shares = gate_backward(both, row_shares, of_inner)
        low = of_change(of_both, low_wide, changes[:2], ctx.scales[0], groups)
        of_hidden = None
        if ctx.needs_input_grad[0]:
            of_rows = product(of_both, wide.mT, groups, low)
            of_hidden = of_rows[groups.places].unflatten(0, (-1, ctx.chosen)).sum(1)
        if low:
            of_changes[0] = outer(hidden[groups.tokens], low[0], groups).mT * low[2]
            of_changes[1] = outer(of_both, low_wide, groups) * low[2]
        of_shares = of_shares[groups.places].unflatten(0, (-1, ctx.chosen))
        return of_hidden, of_shares, None, None, None, *of_changes


def with_up(low: Tensor | None, up: Tensor | None, scale: float) -> tuple | None:
    """Return what `product` adds for a change; None for none."""
    return None if low is None else (low, up, scale)


def of_change(gradient, low, change, scale, groups) -> tuple[Tensor, Tensor, float] | None:
    """Return the low-rank part of the gradient that goes back through a change; None for none."""
    if low is None:
        return None
    down, up = change
    return product(gradient, up.mT, groups), down.mT, scale


class QuickExperts(DeepseekOcr2TextExperts):
    """transformers' experts, with the same parameters, computed as told above."""

    def forward(
        self, hidden_states: Tensor, top_k_index: Tensor, top_k_weights: Tensor, changes=None
    ) -> Tensor:
        """hidden_states: [tokens, width]; changes: name of a parameter -> Change."""
        given, dtype = hidden_states.dtype, self.gate_up_proj.dtype
        hidden_states = hidden_states.to(dtype)  # Unsloth hands on fp32
        found = [(changes or {}).get(name) for name in PARAMETERS]
        factors = [part for one in found for part in ((one.down, one.up) if one else (None, None))]
        way = best_way(hidden_states.device, dtype)
        # Autocast, which Unsloth's modules want, would make sums fp32 and mix the precisions.
        with torch.autocast(hidden_states.device.type, enabled=False):
            mixed = ExpertsProduct.apply(
                hidden_states,
                top_k_weights.to(dtype),
                (self.gate_up_proj, self.down_proj),
                group(top_k_index, self.num_experts, way),
                tuple(one.scale if one else 0.0 for one in found),
                *factors,
            )
        return mixed.to(given)


class QuickWrapper(ParamWrapper):
    """peft's wrapper of such experts, which hands them their changes instead of new weights."""

    def forward(self, x: Tensor, *args, **kwargs) -> Tensor:
        """x: [tokens, width]; returns the same shape."""
        experts = self.get_base_layer()
        if kwargs or type(experts) is not QuickExperts:
            return super().forward(x, *args, **kwargs)
        dtype = experts.gate_up_proj.dtype
        changes = None if self.disable_adapters else changes_of(self, dtype)
        if changes == {}:
            return super().forward(x, *args, **kwargs)
        return experts(x, *args, changes=changes)


def changes_of(wrapper: nn.Module, dtype: torch.dtype) -> dict[str, Change]:
    """Return the changes of a nest of wrappers by parameter; none where something is special."""
    changes = {}
    while isinstance(wrapper, ParamWrapper):
        if wrapper.merged or len(wrapper.active_adapters) != 1:
            return {}
        [name] = wrapper.active_adapters
        if name in wrapper.lora_A:
            down, up = wrapper.lora_A[name].weight, wrapper.lora_B[name].weight
            changes[wrapper.parameter_name] = Change(
                down.view(wrapper.num_experts, -1, down.shape[1]).to(dtype),
                up.view(len(up), -1, wrapper.num_experts).permute(2, 0, 1).to(dtype).contiguous(),
                wrapper.scaling[name],
            )
        wrapper = wrapper.base_layer
    return changes


def can_be_recorded(model: nn.Module) -> bool:
    """Return whether no mixture of experts waits for the device, as the plain loop must."""
    mixtures = (module for module in model.modules() if isinstance(module, QuickExperts))
    mixture = next(mixtures, None)
    if mixture is None:
        return True
    weight = mixture.down_proj
    return best_way(weight.device, weight.dtype) != "loop"


def rehearse(model: nn.Module) -> None:
    """Send a few tokens through the first mixture of experts and back, so that kernels are built.

    The gradients of its weights are then to be forgotten.
    """
    mixtures = (
        module for module in model.modules() if isinstance(module, QuickExperts | QuickWrapper)
    )
    mixture = next(mixtures, None)  # with its wrappers, which come before it
    if mixture is None:
        return
    weight = (mixture.get_base_layer() if isinstance(mixture, QuickWrapper) else mixture).down_proj
    hidden = weight.new_zeros(REHEARSED_TOKENS, weight.shape[1], requires_grad=True)
    chosen = torch.arange(2 * REHEARSED_TOKENS, device=weight.device).view(-1, 2) % len(weight)
    mixture(hidden, chosen, torch.ones_like(chosen, dtype=torch.float32)).sum().backward()


def quicken_experts(model: nn.Module) -> None:
    """Let all experts of the model, and peft's wrappers of them, take the short way."""
    for module in model.modules():
        if type(module) is DeepseekOcr2TextExperts and type(module.act_fn) in GATES:
            module.__class__ = QuickExperts
        elif type(module) is ParamWrapper:
            module.__class__ = QuickWrapper


def restore_wrappers(model: nn.Module) -> None:
    """Give peft's wrappers their own class back: by its name peft knows where another one goes."""
    for module in model.modules():
        if type(module) is QuickWrapper:
            module.__class__ = ParamWrapper
