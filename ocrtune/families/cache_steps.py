"""Any text model of transformers one token at a time, behind prompts with pictures in them."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import GenerationMixin


class CacheSteps:
    """Some rows of tokens that grow by one token at each step; see `text_steps.TextSteps`."""

    def __init__(self, network: GenerationMixin) -> None:
        self.network = network

    def read(self, inputs: dict[str, Tensor]) -> Tensor:
        """Take in the prompts and return the logits behind each, [rows, vocabulary].

        inputs: what the network's forward takes, padded on the left, `position_ids` included.
        """
        out = self.network(**inputs, use_cache=True, logits_to_keep=1)
        self.cache = out.past_key_values
        self.mask = inputs["attention_mask"]
        self.positions = inputs["position_ids"][..., -1:]  # some have several kinds in front
        return out.logits[:, -1].float()

    def write(self, tokens: Tensor) -> Tensor:
        """Add a token to each row and return the logits behind it, [rows, vocabulary].

        tokens: int64 [rows].
        """
        self.mask = torch.cat([self.mask, self.mask.new_ones(len(tokens), 1)], dim=1)
        self.positions = self.positions + 1
        out = self.network(
            input_ids=tokens[:, None],
            attention_mask=self.mask,
            position_ids=self.positions,
            past_key_values=self.cache,
            use_cache=True,
        )
        return out.logits[:, -1].float()

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only."""
        chosen = torch.tensor(rows, device=self.mask.device)
        self.cache.batch_select_indices(chosen)
        self.mask, self.positions = self.mask[chosen], self.positions[..., chosen, :]
