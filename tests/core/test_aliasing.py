from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from fxkit.aliasing import ANALYSED, aliasing_ratio, exact_frequency, measure_aliasing
from fxkit.model import Model

RATE = 44_100


class Shaper(Model):
    """A memoryless curve, so that harmonics and what folds back can be worked out by hand."""

    def __init__(self, curve, latency=0):
        super().__init__(None, sample_rate=RATE)
        self.curve = curve
        self._latency = latency

    @property
    def latency(self):
        return self._latency

    def initial_state(self, batch):
        return {"past": torch.zeros(batch, 1, self._latency)}

    def forward(self, x, state, controls=None):
        y = torch.cat([state["past"], self.curve(x)], dim=-1)
        cut = y.shape[-1] - self._latency
        return y[..., :cut], {"past": y[..., cut:]}


def sine(frequency: float) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * np.arange(ANALYSED) / RATE)


@pytest.mark.parametrize("frequency", [220.0, 1000.0, 5274.0])
def test_a_frequency_fits_an_odd_number_of_times(frequency):
    exact = exact_frequency(frequency, RATE)
    cycles = exact * ANALYSED / RATE
    assert cycles == pytest.approx(round(cycles))
    assert round(cycles) % 2 == 1
    assert exact == pytest.approx(frequency, abs=RATE / ANALYSED)


def test_a_sine_and_its_harmonics_are_clean_at_any_offset():
    frequency = exact_frequency(1000.0, RATE)
    rich = sum(sine(k * frequency) / k for k in range(1, 20)) + 5.0
    assert aliasing_ratio(rich, frequency, RATE) < -90


def test_a_foreign_sine_counts_by_its_energy():
    frequency = exact_frequency(1000.0, RATE)
    assert aliasing_ratio(sine(frequency) + 0.1 * sine(3456.7), frequency, RATE) == pytest.approx(
        10 * math.log10(0.01 / 1.01), abs=0.01
    )


def test_of_silence_is_none():
    assert aliasing_ratio(np.zeros(ANALYSED), 1000.0, RATE) is None
    assert aliasing_ratio(np.full(ANALYSED, 0.3), exact_frequency(1000.0, RATE), RATE) is None


def test_the_length_is_fixed():
    with pytest.raises(ValueError, match="samples are needed"):
        aliasing_ratio(np.zeros(10), 1000.0, RATE)


@pytest.mark.parametrize("latency", [0, 100])
def test_a_cube_folds_its_third_harmonic_back(latency):
    # sin^3 = 3/4 sin - 1/4 sin(3 .): a tenth of the energy is at 3 f, beyond Nyquist from 7.35 kHz.
    model = Shaper(lambda x: x**3, latency)
    found = measure_aliasing(model, frequencies=(5000.0, 9000.0), levels=(0.0, -20.0))
    assert [round(p.frequency, -1) for p in found.points] == [5000, 9000, 5000, 9000]
    assert [p.level for p in found.points] == [0.0, 0.0, -20.0, -20.0]
    low, high, low_soft, high_soft = (p.ratio for p in found.points)
    assert high == pytest.approx(-10.0, abs=0.01)
    assert high_soft == pytest.approx(-10.0, abs=0.01)
    assert max(low, low_soft) < -80
    assert found.worst == pytest.approx(-10.0, abs=0.01)
    assert found.mean == pytest.approx(-13.01, abs=0.01)


def test_a_linear_model_does_not_alias():
    assert measure_aliasing(Shaper(lambda x: 0.5 * x)).worst < -90


def test_harder_clipping_aliases_more():
    soft, hard = (
        measure_aliasing(Shaper(lambda x, g=gain: torch.tanh(g * x))) for gain in (1.0, 30.0)
    )
    assert hard.mean > soft.mean + 10


def test_a_silent_model_has_no_aliasing():
    assert measure_aliasing(Shaper(torch.zeros_like)) is None


def test_frequencies_near_half_the_rate_are_left_out():
    found = measure_aliasing(Shaper(torch.tanh), frequencies=(1000.0, 21_000.0), levels=(0.0,))
    assert len(found.points) == 1
