"""The text model one token at a time on a GPU: the step is recorded once as a CUDA graph.

Some 400 small kernels a token take Python ten times as long to start as they run.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ocrtune.families.text_steps import TextSteps, normed, rotation, turned

LARGEST_DIFFERENCE = 0.02  # of a recorded step from a plain one, by the norm of what they give
ROOM = 256  # tokens by which the place for keys and values grows: each time is a new recording


class RecordedSteps(TextSteps):
    """TextSteps whose tensors keep their places, so that a recording of one step fits the next.

    Attention looks at all places there are, and the bias hides those that hold nothing yet.
    """

    more_room = ROOM
    is_trusted = True  # until a recording gives something else than the step it was made of
    graph: torch.cuda.CUDAGraph | None = None
    is_tried = False  # whether a step was computed with these tensors

    def write(self, tokens: Tensor) -> Tensor:
        """Add a token to each row and return what the model makes of it, [rows, width].

        tokens: int64 [rows].
        """
        if self.length == self.keys[0].shape[2]:
            self.make_room()
        if not self.is_tried:
            self.tokens = tokens.clone()
            self.place = torch.full((1,), self.length, device=tokens.device)
            self.hidden = self.advance()
            self.is_tried = True
        else:
            self.tokens.copy_(tokens)
            self.place.fill_(self.length)
            if self.graph is None and self.is_trusted:
                self.record_and_check()
            elif self.graph is None:
                self.hidden = self.advance()
            else:
                self.graph.replay()
        self.length += 1
        return self.hidden.clone()

    def record_and_check(self) -> None:
        """Compute one step and record it; a recording that gives something else is not used.

        A wrong recording, on a card or driver nobody tried, would only show as worse texts.
        """
        positions = self.positions.clone()
        plain = self.advance()
        self.positions.copy_(positions)
        try:
            self.record()
            self.graph.replay()
            difference = (self.hidden - plain).norm()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError:  # something in it cannot be recorded here
            difference = plain.norm()
            self.positions.copy_(positions + 1)
        if not difference <= LARGEST_DIFFERENCE * plain.norm():
            RecordedSteps.is_trusted = False
            self.graph, self.hidden = None, plain

    def record(self) -> None:
        """Record one step; nothing is computed yet."""
        torch.cuda.synchronize()
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.hidden = self.advance()

    def advance(self) -> Tensor:
        """Compute one step from what the tensors hold, and bring them up to it."""
        hidden = self.language.embed_tokens(self.tokens)
        turn = rotation(self.language, hidden, self.positions[:, None])
        self.bias.index_fill_(1, self.place, 0.0)
        for index, layer in enumerate(self.language.layers):
            before = normed(layer.input_layernorm, hidden)
            hidden = hidden + self.attend(layer.self_attn, before, index, turn)
            hidden = hidden + layer.mlp(normed(layer.post_attention_layernorm, hidden))
        self.positions.add_(1)
        return normed(self.language.norm, hidden)

    def attend(self, attention, hidden: Tensor, index: int, turn: tuple[Tensor, Tensor]) -> Tensor:
        """Return what a layer's attention makes of one new token a row, [rows, width]."""
        by_heads = (len(hidden), -1, 1, attention.head_dim)
        query = turned(attention.q_proj(hidden).view(by_heads), *turn)
        key = turned(attention.k_proj(hidden).view(by_heads), *turn)
        self.keys[index].index_copy_(2, self.place, key)
        self.values[index].index_copy_(2, self.place, attention.v_proj(hidden).view(by_heads))
        mixed = F.scaled_dot_product_attention(
            query,
            self.keys[index],
            self.values[index],
            attn_mask=self.bias[:, None, None],
            scale=attention.scaling,
            enable_gqa=attention.num_key_value_groups > 1,
        )
        return attention.o_proj(mixed.view(len(hidden), -1))

    def make_room(self, least: int = 0) -> None:
        """See `TextSteps`; what was recorded fits no longer."""
        super().make_room(least)
        self.bias[:, self.length :] = -torch.inf
        self.forget()

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only; what was recorded fits no longer."""
        super().keep(rows)
        self.forget()

    def forget(self) -> None:
        """Give up the recording."""
        self.graph, self.is_tried = None, False
