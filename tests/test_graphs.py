"""When a step is recorded, and what is recorded: on a CPU with a stand-in for CUDA's graphs."""

import pytest
import torch

from ocrtune import graphs
from ocrtune.graphs import Portion, Recorded, Recorder


class Counting(Recorder):
    """Counts what a GPU would record, and computes it when it is replayed."""

    def __init__(self) -> None:
        super().__init__(network=None, recompute=False, record=False)
        self.record = True
        self.passes, self.recordings = [], []

    def pass_both_ways(self, portion: Portion) -> torch.Tensor:
        self.passes.append(portion)
        return portion.embeddings.sum() * portion.weight

    def record_graph(self, portion: Portion) -> Recorded:
        self.recordings.append(portion.shape())
        kept = Portion(*(tensor.clone() for tensor in vars(portion).values()))
        loss = torch.zeros(())

        class Graph:
            def replay(self) -> None:
                loss.copy_(kept.embeddings.sum() * kept.weight)

        return Recorded(Graph(), kept, loss)


def portion(rows: int, tokens: int, value: float, gradient: bool = False) -> Portion:
    embeddings = torch.full((rows, tokens, 2), value, requires_grad=gradient)
    places = torch.zeros(3, dtype=torch.long)
    return Portion(embeddings, places, places.clone(), torch.tensor(0.5))


def test_a_shape_is_recorded_the_second_time_and_replayed_with_new_values():
    recorder = Counting()
    for value, passes, recordings in ((1.0, 1, 0), (2.0, 1, 1), (3.0, 1, 1)):
        assert recorder.learn(portion(2, 4, value)).item() == pytest.approx(8 * value)
        assert (len(recorder.passes), len(recorder.recordings)) == (passes, recordings)


def test_other_shapes_and_trained_vision_are_not_replayed():
    recorder = Counting()
    recorder.learn(portion(2, 4, 1.0))
    recorder.learn(portion(2, 5, 1.0))
    assert not recorder.recordings
    for _ in range(3):
        recorder.learn(portion(2, 4, 1.0, gradient=True))
    assert not recorder.recordings, "gradients of pictures leave the text model"


def test_the_longest_unused_graph_goes_first(monkeypatch):
    monkeypatch.setattr(graphs, "MOST_GRAPHS", 2)
    recorder = Counting()
    for tokens in (1, 1, 2, 2, 1, 3, 3):
        recorder.learn(portion(1, tokens, 1.0))
    assert [shape[1] for shape in recorder.recorded] == [1, 3]
    recorder.clear()
    recorder.learn(portion(1, 1, 1.0))
    assert not recorder.recorded, "after clearing, nothing is known"


def test_what_cannot_be_recorded_is_computed(monkeypatch):
    recorder = Counting()

    def fail(portion):
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(recorder, "record_graph", fail)
    for value in (1.0, 2.0, 3.0):
        assert recorder.learn(portion(2, 4, value)).item() == pytest.approx(8 * value)
    assert len(recorder.passes) == 3
    assert not recorder.record


def test_too_little_memory_for_a_graph_is_told(monkeypatch):
    recorder = Counting()

    def fail(portion):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(recorder, "record_graph", fail)
    recorder.learn(portion(2, 4, 1.0))
    with pytest.raises(torch.OutOfMemoryError):
        recorder.learn(portion(2, 4, 1.0))
