"""The text model one token at a time, with little to do beside the arithmetic.

transformers' own loop prepares masks, caches and outputs of every kind at each token, and copies
all keys and values to add one. For a small model that takes longer than the model itself.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import DynamicCache
from transformers.models.deepseek_ocr2.modeling_deepseek_ocr2 import (
    DeepseekOcr2TextAttention,
    DeepseekOcr2TextModel,
    DeepseekOcr2TextRMSNorm,
)

MORE_ROOM = 64  # tokens by which the place for keys and values grows when it is full


class TextSteps:
    """Some rows of tokens that grow by one token at each step."""

    more_room = MORE_ROOM

    def __init__(self, language: DeepseekOcr2TextModel) -> None:
        self.language = language
        self.length = 0  # tokens behind us, padding included
        self.keys: list[Tensor] = []  # of each layer, [rows, heads, room, channels]
        self.values: list[Tensor] = []  # the same

    def read(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """Take in the prompts and return what the model makes of each last token, [rows, width].

        inputs: embeddings [rows, tokens, width]; mask: bool [rows, tokens], padded on the left.
        """
        cache = DynamicCache(config=self.language.config)
        hidden = self.language(
            inputs_embeds=inputs,
            attention_mask=mask,
            position_ids=(mask.long().cumsum(-1) - 1).clamp(min=0),
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state
        self.keys = [layer.keys for layer in cache.layers]
        self.values = [layer.values for layer in cache.layers]
        self.length = mask.shape[1]
        self.positions = mask.sum(-1)  # of the next token of each row
        # Added to the scores; tokens to come are all looked at.
        self.bias = torch.zeros(mask.shape, dtype=hidden.dtype, device=hidden.device)
        self.bias.masked_fill_(~mask, -torch.inf)
        return hidden[:, -1]

    def write(self, tokens: Tensor) -> Tensor:
        """Add a token to each row and return what the model makes of it, [rows, width].

        tokens: int64 [rows].
        """
        if self.length == self.keys[0].shape[2]:
            self.make_room()
        hidden = self.language.embed_tokens(tokens)
        turn = rotation(self.language, hidden, self.positions[:, None])
        end = self.length + 1
        bias = self.bias[:, None, None, :end]
        for index, layer in enumerate(self.language.layers):
            keys, values = self.keys[index][:, :, :end], self.values[index][:, :, :end]
            before = normed(layer.input_layernorm, hidden)
            hidden = hidden + attend(layer.self_attn, before, keys, values, turn, bias)
            hidden = hidden + layer.mlp(normed(layer.post_attention_layernorm, hidden))
        self.length = end
        self.positions = self.positions + 1
        return normed(self.language.norm, hidden)

    def make_room(self, least: int = 0) -> None:
        """Free the place of padding that no row needs, and make more behind the last token.

        Afterwards at least `least` tokens are behind us, if only as padding.
        """
        wanted = max(int(self.positions.max()), least)
        start, padding = max(0, self.length - wanted), max(0, wanted - self.length)
        around = (0, 0, padding, self.more_room)
        self.keys = [F.pad(keys[:, :, start : self.length], around) for keys in self.keys]
        self.values = [F.pad(values[:, :, start : self.length], around) for values in self.values]
        bias = F.pad(self.bias[:, start : self.length], (padding, 0), value=-torch.inf)
        self.bias = F.pad(bias, (0, self.more_room))
        self.length = wanted

    def replace(self, rows: Sequence[int], newcomers: "TextSteps") -> None:
        """Put the rows of `newcomers` into the places of as many rows that have ended."""
        if newcomers.length > self.length:
            self.make_room(newcomers.length)
        chosen = torch.tensor(rows, device=self.bias.device)
        start, end = self.length - newcomers.length, self.length
        ours, theirs = self.keys + self.values, newcomers.keys + newcomers.values
        for place, tensor in zip(ours, theirs, strict=True):
            place[chosen, :, start:end] = tensor
        self.bias[chosen, :start] = -torch.inf
        self.bias[chosen, start:end] = newcomers.bias
        self.positions[chosen] = newcomers.positions

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only."""
        chosen = torch.tensor(rows, device=self.bias.device)
        self.keys = [keys[chosen] for keys in self.keys]
        self.values = [values[chosen] for values in self.values]
        self.bias, self.positions = self.bias[chosen], self.positions[chosen]


def attend(
    attention: DeepseekOcr2TextAttention,
    hidden: Tensor,
    keys: Tensor,
    values: Tensor,
    turn: tuple[Tensor, Tensor],
    bias: Tensor,
) -> Tensor:
    """Return what the layer's attention makes of one new token a row, [rows, width].

    hidden: [rows, width]; keys, values: [rows, heads, tokens, channels], the last place of which is
    filled here; turn: cosines and signed sines of the new token's position; bias: see `TextSteps`.
    """
    by_heads = (len(hidden), -1, 1, attention.head_dim)
    query = turned(attention.q_proj(hidden).view(by_heads), *turn)
    keys[:, :, -1:] = turned(attention.k_proj(hidden).view(by_heads), *turn)
    values[:, :, -1:] = attention.v_proj(hidden).view(by_heads)
    mixed = F.scaled_dot_product_attention(
        query,
        keys,
        values,
        attn_mask=bias,
        scale=attention.scaling,
        enable_gqa=attention.num_key_value_groups > 1,
    )
    return attention.o_proj(mixed.view(len(hidden), -1))


def rotation(
    language: DeepseekOcr2TextModel, hidden: Tensor, positions: Tensor
) -> tuple[Tensor, Tensor]:
    """Return cosines and signed sines of positions, int64 [rows, tokens], for `turned`."""
    cosine, sine = language.rotary_emb(hidden, positions)
    low, high = sine.chunk(2, dim=-1)
    return cosine[:, None], torch.cat([-low, high], dim=-1)[:, None]


def turned(heads: Tensor, cosine: Tensor, signed_sine: Tensor) -> Tensor:
    """Return queries or keys turned to their position.

    heads: [rows, heads, tokens, channels]; the others: the same with one head, and one row if all
    rows stand at the same positions; the first half of the sines is negative.
    """
    return heads * cosine + heads.roll(heads.shape[-1] // 2, -1) * signed_sine


def normed(norm: DeepseekOcr2TextRMSNorm, hidden: Tensor) -> Tensor:
    """Return the hidden states divided by their root mean square and scaled, in one kernel."""
    return F.rms_norm(hidden, norm.weight.shape, norm.weight, norm.variance_epsilon)
