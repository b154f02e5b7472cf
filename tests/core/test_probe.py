"""The probe of a model that is steady, and of one in which rounding grows."""

from __future__ import annotations

import pytest
import torch
from fxkit.manifest import Manifest
from fxkit.model import Model
from fxkit.registry import MODELS

from fxkit import artifact, probe

RATE = 8000


class Logistic(Model):
    """A map in which what is left of any difference is doubled by every sample or so."""

    def initial_state(self, batch):
        return {"y": torch.full((batch, 1), 0.3)}

    def forward(self, x, state, controls=None):
        y, out = state["y"].to(x.dtype), []
        for n in range(x.shape[-1]):
            y = 1 - 1.9 * y * y + 1e-3 * x[..., n].clamp(-1, 1)
            out.append(y)
        return torch.stack(out, dim=-1), {"y": y}


class OnlySingle(Logistic):
    """Cannot be played in 64 bits."""

    def forward(self, x, state, controls=None):
        if x.dtype != torch.float32:
            raise RuntimeError("expected scalar type Float but found Double")
        return super().forward(x, state, controls)


def made(model, seconds=0.25):
    return probe.make(model.eval(), seconds=seconds, peak=0.5, controls=[])


def gru(scale):
    torch.manual_seed(0)
    cls = MODELS.get("gru")
    model = cls(cls.Config(hidden=16), sample_rate=RATE)
    with torch.no_grad():
        model.gru.weight_hh_l0 *= scale
    return model.eval()


def test_a_steady_model_is_proved_from_end_to_end():
    tensors = made(gru(1))
    assert len(tensors[probe.INPUT]) == len(tensors[probe.OUTPUT]) == 0.25 * RATE


def test_the_probe_ends_where_rounding_would_be_heard():
    tensors = made(Logistic(None, sample_rate=RATE))
    assert 5 < len(tensors[probe.OUTPUT]) < 100
    assert tensors[probe.INPUT].shape == tensors[probe.OUTPUT].shape
    # As another machine, which rounds differently, would play it.
    exact = probe._play(
        Logistic(None, sample_rate=RATE).double(), {probe.INPUT: tensors[probe.INPUT].double()}
    )
    error = (exact - tensors[probe.OUTPUT]).abs().max()
    assert error <= probe.STEADY * probe.TOLERANCE * tensors[probe.OUTPUT].abs().max()


def test_a_model_of_32_bits_alone_keeps_its_probe():
    tensors = made(OnlySingle(None, sample_rate=RATE), seconds=0.05)
    assert len(tensors[probe.OUTPUT]) == 0.05 * RATE


def test_a_silent_model_keeps_its_probe():
    model = gru(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert len(made(model)[probe.OUTPUT]) == 0.25 * RATE


def test_the_file_of_a_chaotic_model_opens_and_says_how_long_its_proof_is(tmp_path):
    saved = artifact.save(tmp_path / "a.fxkit", gru(40), Manifest("wild", "gru"))
    assert 0 < saved.proven < 0.2
    assert artifact.open(tmp_path / "a.fxkit").proven == saved.proven
    steady = artifact.save(tmp_path / "b.fxkit", gru(1), Manifest("mild", "gru"))
    assert steady.proven == pytest.approx(artifact.PROBE_SECONDS)
