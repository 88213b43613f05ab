"""The text model over whole rows at once, as training needs it: no cache, no mask, few kernels."""

from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel
from transformers.models.deepseek_ocr2.modeling_deepseek_ocr2 import (
    DeepseekOcr2TextAttention,
    DeepseekOcr2TextDecoderLayer,
    DeepseekOcr2TextModel,
)

from ocrtune.families.deepseek_ocr_model import IGNORE_INDEX
from ocrtune.families.text_steps import normed, rotation, turned

ANSWERS_AT_ONCE = 1024  # of the head's logits, which are wide: 129,280 numbers each


def read_rows(
    language: DeepseekOcr2TextModel, embeddings: Tensor, recompute: bool = False
) -> Tensor:
    """Return what the model makes of every token, [rows, tokens, width].

    embeddings: the same shape, rows padded on the right, where causal attention never looks;
    recompute: keep only what lies between layers for the way back, which takes a third longer.
    """
    positions = torch.arange(embeddings.shape[1], device=embeddings.device)
    turn = rotation(language, embeddings, positions[None])
    hidden = embeddings
    for layer in language.layers:
        if recompute and torch.is_grad_enabled():
            # The same dropout the second time; graphs, which cannot ask for it, have none.
            again = not (hidden.is_cuda and torch.cuda.is_current_stream_capturing())
            hidden = checkpoint(
                pass_layer, layer, hidden, turn, use_reentrant=False, preserve_rng_state=again
            )
        else:
            hidden = pass_layer(layer, hidden, turn)
    return normed(language.norm, hidden)


def read_rows_by_model(
    language: DeepseekOcr2TextModel, embeddings: Tensor, recompute: bool = False
) -> Tensor:
    """Return what `read_rows` does, from the model's own forward, whoever changed that."""
    compute_twice(language, recompute)
    kind, dtype = embeddings.device.type, embeddings.dtype
    with nullcontext() if dtype == torch.float32 else torch.autocast(kind, dtype):
        return language(inputs_embeds=embeddings, use_cache=False).last_hidden_state


def compute_twice(network: PreTrainedModel, wanted: bool) -> None:
    """Let a network of transformers compute its layers again on the way back, or keep them."""
    if wanted and not network.is_gradient_checkpointing:
        network.gradient_checkpointing_enable({"use_reentrant": False})
    elif not wanted and network.is_gradient_checkpointing:
        network.gradient_checkpointing_disable()


def pass_layer(
    layer: DeepseekOcr2TextDecoderLayer, hidden: Tensor, turn: tuple[Tensor, Tensor]
) -> Tensor:
    """Return one layer's output, [rows, tokens, width]; turn: see `turned`."""
    hidden = hidden + attend_rows(layer.self_attn, normed(layer.input_layernorm, hidden), turn)
    return hidden + layer.mlp(normed(layer.post_attention_layernorm, hidden))


def attend_rows(
    attention: DeepseekOcr2TextAttention, hidden: Tensor, turn: tuple[Tensor, Tensor]
) -> Tensor:
    """Return what causal attention makes of every token, [rows, tokens, width]."""
    query, key, value = (
        project(hidden).unflatten(-1, (-1, attention.head_dim)).transpose(1, 2)
        for project in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    mixed = F.scaled_dot_product_attention(
        turned(query, *turn),
        turned(key, *turn),
        value,
        is_causal=True,
        scale=attention.scaling,
        enable_gqa=attention.num_key_value_groups > 1,
    )
    return attention.o_proj(mixed.transpose(1, 2).flatten(2))


def answer_loss(head: nn.Linear, hidden: Tensor, answers: Tensor) -> Tensor:
    """Return the summed loss of the answers in nats, fp32.

    hidden: [places, width], what the model makes of the token before each answer; answers: int64
    [places], IGNORE_INDEX where there is none. Long texts go through the head in portions, whose
    logits are computed again on the way back.
    """
    if len(answers) <= ANSWERS_AT_ONCE:
        return portion_loss(head, hidden, answers)
    parts = zip(hidden.split(ANSWERS_AT_ONCE), answers.split(ANSWERS_AT_ONCE), strict=True)
    losses = [checkpoint(portion_loss, head, *part, use_reentrant=False) for part in parts]
    return torch.stack(losses).sum()


def portion_loss(head: nn.Linear, hidden: Tensor, answers: Tensor) -> Tensor:
    """Return the summed loss of some answers; see `answer_loss`."""
    logits = head(hidden).float()
    return F.cross_entropy(logits, answers, ignore_index=IGNORE_INDEX, reduction="sum")
