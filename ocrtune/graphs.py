"""A portion's way through the text model and back, recorded once as a CUDA graph.

A step of the 3 B model on eight lines is some thousands of small kernels: a GPU does them faster
than Python can start them. Recording takes the time of one step, compiling would take a minute.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ocrtune.families.deepseek_ocr_model import DeepseekOcrForConditionalGeneration
from ocrtune.families.text_pass import answer_loss, read_rows

MOST_GRAPHS = 8  # kept at a time, one for each shape


@dataclass(frozen=True)
class Portion:
    """Samples that go through the text model together, on its device."""

    embeddings: Tensor  # [rows, tokens, width]
    places: Tensor  # int64 [answers]: the token before each answer, counted over all rows
    answers: Tensor  # int64 [answers]
    weight: Tensor  # fp32 scalar: what a nat of loss counts in the gradient

    def shape(self) -> tuple[int, int, int]:
        """Return what a recorded graph depends on: rows, tokens, answers."""
        return (*self.embeddings.shape[:2], len(self.answers))


@dataclass(frozen=True)
class Recorded:
    """A graph with the tensors it reads and writes."""

    graph: torch.cuda.CUDAGraph
    portion: Portion
    loss: Tensor


class Recorder:
    """Adds the gradients of portions, from recorded graphs where that pays."""

    def __init__(
        self,
        network: DeepseekOcrForConditionalGeneration,
        recompute: bool,
        record: bool,
        read: Callable[..., Tensor] = read_rows,
    ) -> None:
        """recompute: see `read_rows`; record: whether graphs can be used; read: like read_rows."""
        self.network = network
        self.read = read
        self.recompute = recompute
        self.record = record
        self.recorded: OrderedDict[tuple, Recorded] = OrderedDict()
        self.seen: set[tuple] = set()
        self.pool = torch.cuda.graph_pool_handle() if record else None

    def learn(self, portion: Portion) -> Tensor:
        """Add the portion's gradients to those there are, and return its weighted loss."""
        if portion.embeddings.requires_grad or not self.record:
            return self.pass_both_ways(portion)
        shape = portion.shape()
        if shape not in self.recorded:
            if shape not in self.seen:  # the first time a kernel may have to be built
                self.seen.add(shape)
                return self.pass_both_ways(portion)
            try:
                self.recorded[shape] = self.record_graph(portion)
            except torch.OutOfMemoryError:
                raise
            except RuntimeError:  # something in it cannot be recorded on this card
                self.record = False
                return self.pass_both_ways(portion)
            if len(self.recorded) > MOST_GRAPHS:
                self.recorded.popitem(last=False)
        self.recorded.move_to_end(shape)
        recorded = self.recorded[shape]
        for name in ("embeddings", "places", "answers", "weight"):
            getattr(recorded.portion, name).copy_(getattr(portion, name))
        recorded.graph.replay()
        return recorded.loss

    def pass_both_ways(self, portion: Portion) -> Tensor:
        """Return the weighted loss, after its gradients were added."""
        hidden = self.read(self.network.model.language_model, portion.embeddings, self.recompute)
        asked = hidden.flatten(0, 1)[portion.places]
        loss = answer_loss(self.network.lm_head, asked, portion.answers) * portion.weight
        loss.backward()
        return loss.detach()

    def record_graph(self, portion: Portion) -> Recorded:
        """Return a graph for portions of this shape; nothing is computed yet."""
        kept = Portion(
            portion.embeddings.clone(),
            portion.places.clone(),
            portion.answers.clone(),
            portion.weight.clone(),
        )
        torch.cuda.empty_cache()  # what the first pass used; the graph has memory of its own
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self.pool, stream=torch.cuda.current_stream()):
            loss = self.pass_both_ways(kept)
        return Recorded(graph, kept, loss)

    def clear(self) -> None:
        """Give up all graphs and their memory."""
        self.recorded.clear()
        self.seen.clear()
