"""SAM's attention with its relative positions, without a bias for every pair of patches.

SAM adds to the score of a query at (y, x) and a key at (y', x') what the query says to the two
distances y - y' and x - x'. That is the product of a short vector of the query, its answers to
all rows and all columns, with one that holds two ones, at y' and at x'. Written so, the bias joins
the product of queries and keys, and a fused kernel computes both without storing any score.

Li et al., "MViTv2", arXiv:2112.01526, section 4.1, has the decomposition into rows and columns.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers.models.deepseek_ocr2.configuration_deepseek_ocr2 import (
    DeepseekOcr2SamVisionConfig,
)
from transformers.models.deepseek_ocr2.modeling_deepseek_ocr2 import (
    DeepseekOcr2SamPatchEmbeddings,
    DeepseekOcr2SamVisionAttention,
    DeepseekOcr2SamVisionLayer,
)

SCORES_AT_ONCE = 1 << 19  # 2 MiB in fp32: on a CPU they should not leave the cache
ALIGNMENT = 8  # fused kernels want head sizes divisible by this


class SamLayer(DeepseekOcr2SamVisionLayer):
    """transformers' layer, with the same parameters; its attention cuts the windows itself."""

    def __init__(self, config: DeepseekOcr2SamVisionConfig, window_size: int) -> None:
        super().__init__(config, window_size)
        self.attn = SamAttention(config, window_size)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """hidden_states: [views, rows, columns, width]; returns the same shape."""
        hidden_states = hidden_states + self.attn(self.layer_norm1(hidden_states))
        return hidden_states + self.mlp(self.layer_norm2(hidden_states))


class SamPatches(DeepseekOcr2SamPatchEmbeddings):
    """transformers' patches, with the same parameters, as one product instead of a convolution.

    A patch shares no pixel with the next one, and the result has its channels together, as all
    layers want them.
    """

    def forward(self, pixel_values: Tensor) -> Tensor:
        """pixel_values: [views, 3, height, width]; returns [views, rows, columns, width]."""
        weight = self.projection.weight
        high, wide = weight.shape[2:]
        rows, columns = (
            size // by for size, by in zip(pixel_values.shape[2:], (high, wide), strict=True)
        )
        inside = pixel_values[:, :, : rows * high, : columns * wide]
        patches = inside.unflatten(3, (columns, wide)).unflatten(2, (rows, high))
        patches = patches.permute(0, 2, 4, 1, 3, 5).flatten(3)
        return F.linear(patches, weight.flatten(1), self.projection.bias)


class SamAttention(DeepseekOcr2SamVisionAttention):
    """transformers' attention, with the same parameters, computed as told above."""

    def __init__(self, config: DeepseekOcr2SamVisionConfig, window_size: int) -> None:
        """window_size: in patches; 0 if all patches of a view see each other."""
        super().__init__(config, window_size)
        self.window_size = window_size

    def forward(self, hidden_states: Tensor) -> Tensor:
        """hidden_states: [views, rows, columns, width]; returns the same shape."""
        views, rows, columns, width = hidden_states.shape
        high, wide = self.window_size or rows, self.window_size or columns
        beyond = (0, 0, 0, -columns % wide, 0, -rows % high)  # that windows reach; zeros there
        padded = F.pad(hidden_states, beyond) if any(beyond) else hidden_states
        down, across = padded.shape[1] // high, padded.shape[2] // wide
        heads = self.num_attention_heads
        qkv = self.qkv(padded).view(views, down, high, across, wide, 3, heads, width // heads)
        qkv = qkv.permute(5, 0, 1, 3, 6, 2, 4, 7)
        mixed = self.mix(qkv, (high, wide))
        mixed = mixed.view(views, down, across, heads, high, wide, -1).permute(0, 1, 4, 2, 5, 3, 6)
        inside = mixed.reshape(padded.shape)[:, :rows, :columns]
        return self.proj(inside.reshape(-1, width)).view(hidden_states.shape)

    def mix(self, qkv: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the values that each query is to see, [windows, heads, patches, channels].

        qkv: queries, keys and values, [3, views, down, across, heads, rows, columns, channels];
        size: rows and columns of a window, together its patches.
        """
        rows, columns = size
        query = qkv[0].reshape(-1, qkv.shape[4], rows * columns, qkv.shape[-1])
        places = places_of_keys(rows, columns, query)
        if cache_is_scarce(query):
            answers = answers_to_distances(
                query.unflatten(2, size),
                distance_table(self.rel_pos_h, rows),
                distance_table(self.rel_pos_w, columns),
            )
            key, value = (part.reshape(query.shape) for part in qkv[1:])
            return attend_in_portions(query * self.scale, key, value, answers, places)
        to_rows = answers_to_all(query.unflatten(2, size), resized(self.rel_pos_h, rows), 2)
        to_columns = answers_to_all(query.unflatten(2, size), resized(self.rel_pos_w, columns), 3)
        return attend_fused(query, qkv[1], qkv[2], (to_rows, to_columns), places, self.scale)


def cache_is_scarce(query: Tensor) -> bool:
    """Return whether explicit products of small portions are quicker than the fused kernel.

    query: [windows, heads, patches, channels].
    """
    on_cpu = query.device.type == "cpu" and query.dtype == torch.float32
    return on_cpu and query.shape[2] ** 2 <= SCORES_AT_ONCE


def distance_table(vectors: Tensor, size: int) -> Tensor:
    """Return [size, channels, size]: for each query's place, the vectors of all keys' places.

    vectors: see `resized`.
    """
    return resized(vectors, size).unfold(0, size, 1).flip(-1)


def resized(vectors: Tensor, size: int) -> Tensor:
    """Return one vector for each distance between two of `size` places, [2 * size - 1, channels].

    vectors: [distances, channels], from the most negative one on.
    """
    distances = 2 * size - 1
    if len(vectors) == distances:
        return vectors
    between = F.interpolate(vectors.T.unsqueeze(0).float(), distances, mode="linear")
    return between[0].T.to(vectors.dtype)


def answers_to_all(query: Tensor, vectors: Tensor, axis: int) -> Tensor:
    """Return what a key's row (axis 2) or column (axis 3) adds to each score, a view.

    query: [windows, heads, rows, columns, channels]; vectors: see `resized`; returns [windows,
    heads, rows, columns, places of keys]. Every query answers to all distances in one product; a
    query one place further on then begins to read one distance earlier.
    """
    size = query.shape[axis]
    answers = query @ vectors.flip(0).T
    strides = list(answers.stride())
    strides[axis] -= strides[-1]
    shape = (*query.shape[:-1], size)
    return answers.as_strided(shape, strides, (size - 1) * strides[-1])


def answers_to_distances(query: Tensor, row_table: Tensor, column_table: Tensor) -> Tensor:
    """Return [windows, heads, queries, rows + columns]: what a key's place adds to each score.

    query: [windows, heads, rows, columns, channels]; tables: see `distance_table`.
    """
    to_rows = torch.einsum("nhyxc,ycj->nhyxj", query, row_table)
    to_columns = torch.einsum("nhyxc,xcj->nhyxj", query, column_table)
    return torch.cat([to_rows, to_columns], dim=-1).flatten(2, 3)


def places_of_keys(rows: int, columns: int, like: Tensor) -> Tensor:
    """Return [rows + columns, keys] in the dtype and on the device of `like`: two ones a key."""
    key = torch.arange(rows * columns, device=like.device)
    row = torch.arange(rows, device=like.device)[:, None] == key // columns
    column = torch.arange(columns, device=like.device)[:, None] == key % columns
    return torch.cat([row, column]).to(like.dtype)


def attend_in_portions(
    query: Tensor, key: Tensor, value: Tensor, answers: Tensor, places: Tensor
) -> Tensor:
    """Return the mixed values [windows, heads, queries, channels], a few heads at a time.

    query, key, value: [windows, heads, patches, channels]; answers, places: see the functions.
    """
    at_once = SCORES_AT_ONCE // places.shape[1] ** 2
    if query.requires_grad:  # then all scores are kept anyway
        at_once = query.shape[0] * query.shape[1]
    parts = (part.flatten(0, 1).split(at_once) for part in (query, key, value, answers))
    mixed = []
    for some_query, some_key, some_value, some_answers in zip(*parts, strict=True):
        scores = (some_answers @ places).baddbmm_(some_query, some_key.transpose(1, 2))
        mixed.append(torch.bmm(scores.softmax(-1), some_value))
    return torch.cat(mixed).view(query.shape)


def attend_fused(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    answers: tuple[Tensor, Tensor],
    places: Tensor,
    scale: float,
) -> Tensor:
    """Return what `attend_in_portions` does, from one call of torch's fused attention.

    key, value: in any shape and order that reshapes to the query's; answers: to rows and to
    columns, see `answers_to_all`; scale: of the query. All three become longer, and are written to
    their new place at once.
    """
    windows, heads, patches, channels = query.shape
    rows, columns = (part.shape[-1] for part in answers)
    reach = rows + columns
    width = channels + reach + -(channels + reach) % ALIGNMENT
    long = torch.zeros if width > channels + reach else torch.empty
    long_query = long((windows, heads, patches, width), dtype=query.dtype, device=query.device)
    long_query[..., :channels] = query * scale
    by_places = long_query.unflatten(2, (rows, columns))
    by_places[..., channels : channels + rows] = answers[0]
    by_places[..., channels + rows : channels + reach] = answers[1]
    long_key = long((*key.shape[:-1], width), dtype=key.dtype, device=key.device)
    long_key[..., :channels] = key
    long_key = long_key.view(windows, heads, patches, width)
    long_key[..., channels : channels + reach] = places.T
    long_value = value.new_zeros(*value.shape[:-1], width)  # flash attention wants one size
    long_value[..., :channels] = value
    long_value = long_value.view(windows, heads, patches, width)
    mixed = F.scaled_dot_product_attention(long_query, long_key, long_value, scale=1.0)
    return mixed[..., :channels]
