"""All weights that learn, in one flat fp32 tensor: one kernel instead of one for each of them.

The network computes with a copy in its own precision; gradients arrive in that precision and are
added up in fp32. So small steps are never rounded away, whatever the network computes in.
Micikevicius et al., "Mixed Precision Training", arXiv:1710.03740, section 3.1.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class FlatWeights:
    """The weights of some parameters, and their gradients."""

    def __init__(self, parameters: Sequence[nn.Parameter], dtype: torch.dtype) -> None:
        """dtype: what the network computes in; the parameters take it on."""
        self.parameters = list(parameters)
        values = [parameter.data.float().flatten() for parameter in self.parameters]
        self.master = nn.Parameter(torch.cat(values))
        self.master.grad = torch.zeros_like(self.master)
        self.is_split = dtype != torch.float32
        self.copy = self.master.data.to(dtype) if self.is_split else self.master.data
        self.gradient = torch.zeros_like(self.copy) if self.is_split else self.master.grad
        self.point_to(self.copy)
        sizes = [parameter.numel() for parameter in self.parameters]
        for parameter, part in zip(self.parameters, self.gradient.split(sizes), strict=True):
            parameter.grad = part.view_as(parameter)

    def point_to(self, values: Tensor) -> None:
        """Let the parameters share memory with a flat tensor."""
        sizes = [parameter.numel() for parameter in self.parameters]
        for parameter, part in zip(self.parameters, values.split(sizes), strict=True):
            parameter.data = part.view_as(parameter)

    @contextmanager
    def in_full(self) -> Iterator[None]:
        """Let the parameters hold the fp32 weights, to save or to replace them."""
        self.point_to(self.master.data)
        try:
            yield
        finally:
            self.point_to(self.copy)
            self.publish()

    def publish(self) -> None:
        """Bring the network's copy up to the fp32 weights."""
        if self.is_split:
            self.copy.copy_(self.master.data)

    def forget(self) -> None:
        """Set all gradients to zero."""
        self.master.grad.zero_()
        if self.is_split:
            self.gradient.zero_()

    def collect(self) -> None:
        """Add what has arrived to the fp32 gradients."""
        if self.is_split:
            self.master.grad.add_(self.gradient)
            self.gradient.zero_()
