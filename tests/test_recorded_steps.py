"""Steps whose tensors keep their places: what plain steps write, with a stand-in for the graph."""

from dataclasses import replace

import pytest
import torch
from small_models import write_model

from ocrtune import decoding
from ocrtune.decoding import decode
from ocrtune.families.loading import load_base
from ocrtune.families.recorded_steps import RecordedSteps


class Replayed(RecordedSteps):
    """Computes again what a GPU would replay: from the same tensors, into the same ones."""

    more_room = 8
    recordings = 0
    error = 0.0  # of what is replayed
    impossible = 0  # which recording fails

    def record(self) -> None:
        Replayed.recordings += 1
        if Replayed.recordings == self.impossible:
            raise RuntimeError("operation not permitted when stream is capturing")
        self.graph = self
        self.kept = [tensor.data_ptr() for tensor in self.tensors()]

    def replay(self) -> None:
        assert [tensor.data_ptr() for tensor in self.tensors()] == self.kept
        self.hidden = self.advance() + self.error

    def tensors(self) -> list[torch.Tensor]:
        return [*self.keys, *self.values, self.bias, self.positions, self.tokens, self.place]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    loaded = load_base(str(write_model(tmp_path_factory.mktemp("model"))), "tiny", "cpu")
    loaded.contract = replace(loaded.contract, max_new_tokens=40)
    return loaded


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_recorded_steps_write_what_plain_steps_write(base, monkeypatch, at_once):
    generator = torch.Generator().manual_seed(3)
    features = [torch.randn(tokens, 64, generator=generator) for tokens in (73, 20, 41, 73, 8)]
    plain = decode(base, features, at_once)
    Replayed.recordings = 0
    monkeypatch.setattr(decoding, "TextSteps", Replayed)
    recorded = decode(base, features, at_once)
    assert [row.ids for row in recorded] == [row.ids for row in plain]
    assert max(len(row.ids) for row in plain) > Replayed.more_room, "there was a new recording"
    assert Replayed.recordings > 1


@pytest.mark.parametrize("fault", [{"error": 0.5}, {"impossible": 1}])
def test_a_wrong_recording_is_noticed_and_never_used(base, monkeypatch, fault):
    features = [torch.randn(30, 64, generator=torch.Generator().manual_seed(1))] * 2
    plain = decode(base, features)
    monkeypatch.setattr(decoding, "TextSteps", Replayed)
    monkeypatch.setattr(RecordedSteps, "is_trusted", True)
    for name, value in fault.items():
        monkeypatch.setattr(Replayed, name, value)
    Replayed.recordings = 0
    assert [row.ids for row in decode(base, features)] == [row.ids for row in plain]
    assert Replayed.recordings == 1, "one trial is enough"
    assert not RecordedSteps.is_trusted
