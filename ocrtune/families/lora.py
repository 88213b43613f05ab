"""LoRA in fewer passes over memory: on a CPU they cost as much as the products themselves."""

import torch
import torch.nn.functional as F
from peft.tuners.lora import Linear
from torch import Tensor, nn

from ocrtune.families.experts import quicken_experts


class LoraProduct(torch.autograd.Function):
    """A frozen linear layer plus its low-rank change, x W' + b + scale * x A' B'."""

    @staticmethod
    def forward(
        ctx,
        inputs: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        down: Tensor,
        up: Tensor,
        scale: float,
    ) -> Tensor:
        """inputs: [rows, in]; weight: [out, in]; down: [rank, in]; up: [out, rank]."""
        between = inputs @ down.T
        ctx.save_for_backward(inputs, weight, down, up, between)
        ctx.scale = scale
        return F.linear(inputs, weight, bias).addmm_(between, up.T, alpha=scale)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """gradient: [rows, out]; returns those of inputs, down and up."""
        inputs, weight, down, up, between = ctx.saved_tensors
        of_between = (gradient @ up).mul_(ctx.scale)
        of_inputs = None
        if ctx.needs_input_grad[0]:
            of_inputs = (gradient @ weight).addmm_(of_between, down)
        of_up = (gradient.T @ between).mul_(ctx.scale)
        return of_inputs, None, None, of_between.T @ inputs, of_up, None


class QuickLinear(Linear):
    """peft's LoRA layer, which takes the short way where nothing special is asked of it."""

    def forward(self, x: Tensor, *args, **kwargs) -> Tensor:
        """x: [..., in]; returns [..., out]."""
        if args or kwargs or not self.is_plain(x):
            return super().forward(x, *args, **kwargs)
        [name] = self.active_adapters
        rows = x.reshape(-1, x.shape[-1])
        base, down, up = self.base_layer, self.lora_A[name].weight, self.lora_B[name].weight
        out = LoraProduct.apply(rows, base.weight, base.bias, down, up, self.scaling[name])
        return out.view(*x.shape[:-1], -1)

    def is_plain(self, x: Tensor) -> bool:
        """Return whether one adapter without dropout works in the precision of a frozen layer."""
        if self.disable_adapters or self.merged or len(self.active_adapters) != 1:
            return False
        [name] = self.active_adapters
        if name not in self.lora_A or name in self.lora_variant:
            return False
        weight, down, dropout = self.base_layer.weight, self.lora_A[name], self.lora_dropout[name]
        return (
            isinstance(dropout, nn.Identity)
            and not weight.requires_grad
            and weight.dtype == down.weight.dtype == x.dtype
            and not torch.is_autocast_enabled(x.device.type)
        )


def quicken(model: nn.Module) -> None:
    """Let peft's LoRA layers in the model, and its experts, take the short way."""
    quicken_experts(model)
    for module in model.modules():
        if type(module) is Linear and isinstance(module.base_layer, nn.Linear):
            module.__class__ = QuickLinear
