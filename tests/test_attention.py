"""SAM's attention: what transformers computes with a bias for every pair of patches."""

import pytest
import torch
from transformers.models.deepseek_ocr2.configuration_deepseek_ocr2 import (
    DeepseekOcr2SamVisionConfig,
)
from transformers.models.deepseek_ocr2.modeling_deepseek_ocr2 import DeepseekOcr2SamVisionLayer

from ocrtune.families import attention
from ocrtune.families.attention import SamLayer

# (window, rows and columns of the tables, rows and columns of the view)
SHAPES = {
    "a whole line": (0, (6, 48), (6, 48)),
    "windows of a line": (6, (6, 6), (6, 48)),
    "a whole page": (0, (16, 16), (16, 16)),
    "a page of another size": (0, (16, 16), (10, 12)),
    "windows beyond the edge": (5, (5, 5), (12, 13)),
}


def both_layers(shape: str) -> tuple[SamLayer, DeepseekOcr2SamVisionLayer, torch.Tensor]:
    """Return our layer and transformers' with the same weights, and what they shall look at."""
    window, tables, (rows, columns) = SHAPES[shape]
    config = DeepseekOcr2SamVisionConfig(
        hidden_size=48, num_attention_heads=3, image_size=256, patch_size=16
    )
    config._attn_implementation = "sdpa"
    ours, theirs = SamLayer(config, window), DeepseekOcr2SamVisionLayer(config, window)
    torch.manual_seed(3)
    for name, size in zip(("rel_pos_h", "rel_pos_w"), tables, strict=True):
        for layer in (ours, theirs):
            setattr(layer.attn, name, torch.nn.Parameter(torch.zeros(2 * size - 1, 16)))
    for parameter in ours.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs, torch.randn(2, rows, columns, 48)


@pytest.fixture(params=["portions", "a few at once", "fused"])
def way(request, monkeypatch):
    """Each way to compute it, whatever suits this machine."""
    monkeypatch.setattr(attention, "cache_is_scarce", lambda query: request.param != "fused")
    if request.param == "a few at once":
        monkeypatch.setattr(attention, "SCORES_AT_ONCE", 2 * 288**2)


@pytest.mark.parametrize("shape", SHAPES)
@torch.no_grad()
def test_the_result_is_transformers(shape, way):
    ours, theirs, hidden = both_layers(shape)
    expected = theirs(hidden)
    torch.testing.assert_close(ours(hidden), expected, atol=1e-5, rtol=1e-5)
    ours.attn.rel_pos_w[0] += 1
    assert (ours(hidden) - expected).abs().max() > 0.01, "positions must matter"


@pytest.mark.parametrize("shape", SHAPES)
def test_so_are_the_gradients(shape, way):
    ours, theirs, hidden = both_layers(shape)
    for layer in (ours, theirs):
        layer(hidden).square().mean().backward()
    for (name, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, atol=1e-5, rtol=1e-4, msg=name)
        assert mine.grad.any(), name


@pytest.mark.parametrize("shape", ["a whole line", "windows beyond the edge"])
def test_half_precision_loses_no_more_than_transformers_does(shape, way):
    ours, theirs, hidden = both_layers(shape)
    exact = theirs(hidden)
    with torch.autocast("cpu", torch.bfloat16):
        errors = [(layer(hidden) - exact).abs().mean() for layer in (ours, theirs)]
    assert 0 < errors[0] < 1.2 * errors[1]


def test_no_score_of_a_large_view_is_stored():
    """64 x 64 patches of 3 heads would make a bias of 192 MiB, and as many scores."""
    query = torch.zeros(1, 3, 64 * 64, 16)
    assert not attention.cache_is_scarce(query)
    assert attention.cache_is_scarce(torch.zeros(1, 6, 6 * 48, 32))
    assert not attention.cache_is_scarce(torch.zeros(1, 6, 6 * 48, 32, dtype=torch.bfloat16))


def test_it_compiles_in_one_piece(monkeypatch):
    monkeypatch.setattr(attention, "cache_is_scarce", lambda query: False)
    ours, _, hidden = both_layers("windows beyond the edge")
    compiled = torch.compile(ours, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(hidden), ours(hidden))
