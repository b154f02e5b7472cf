"""Every metric on cases that can be solved by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fxkit.metrics import (
    Meter,
    best_gain,
    dc,
    esr,
    mrstft,
    octave_bands,
    pre_emphasis,
    si_sdr,
)
from fxkit.metrics.energy import decibels
from fxkit.metrics.spectral import FLOOR, Spectra

RATE = 44_100


def sine(frequency: float, seconds: float = 1.0, peak: float = 1.0) -> np.ndarray:
    return peak * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(count)


def orthogonal(signal: np.ndarray, power: float) -> np.ndarray:
    """Noise at right angles to `signal`, of `power` times its energy."""
    other = noise(len(signal), seed=7)
    other -= (other @ signal) / (signal @ signal) * signal
    return other * math.sqrt(power * (signal @ signal) / (other @ other))


TARGET = noise(20_000)


class TestESR:
    def test_is_zero_when_equal(self):
        assert esr(TARGET, TARGET) == 0.0

    @pytest.mark.parametrize(("gain", "expected"), [(0.0, 1.0), (0.5, 0.25), (-1.0, 4.0)])
    def test_of_a_scaled_target(self, gain, expected):
        assert esr(gain * TARGET, TARGET) == pytest.approx(expected)

    def test_of_orthogonal_noise_is_its_power(self):
        assert esr(TARGET + orthogonal(TARGET, 0.01), TARGET) == pytest.approx(0.01)

    def test_of_a_delay_by_a_quarter_period(self):
        # sin and cos are orthogonal and equally strong: the error has twice the energy.
        target = sine(441.0)
        assert esr(np.roll(target, 25), target) == pytest.approx(2.0)

    def test_of_a_delay_by_half_a_period_is_that_of_the_inverted_target(self):
        target = sine(441.0)
        assert esr(np.roll(target, 50), target) == pytest.approx(4.0)


class TestPreEmphasis:
    def test_of_a_constant_is_one_minus_the_coefficient(self):
        assert pre_emphasis(np.ones(5), 0.85) == pytest.approx(np.full(4, 0.15))

    def test_continues_from_the_sample_before(self):
        signal = noise(100)
        whole = pre_emphasis(signal)
        parts = [pre_emphasis(signal[:40]), pre_emphasis(signal[40:], before=signal[39])]
        assert np.array_equal(np.concatenate(parts), whole)

    def test_is_the_mixture_of_signal_and_slope(self):
        signal, a = noise(50), 0.85
        mixture = (1 - a) * signal[1:] + a * np.diff(signal)
        assert pre_emphasis(signal, a) == pytest.approx(mixture)

    def test_makes_an_error_in_the_treble_count_more(self):
        target = noise(RATE)
        low, high = (
            esr(pre_emphasis(target + sine(f, peak=0.1)), pre_emphasis(target))
            for f in (100.0, 10_000.0)
        )
        # |1 - 0.85 exp(-iw)|^2 at the two frequencies.
        power = [1 + 0.85**2 - 1.7 * math.cos(2 * math.pi * f / RATE) for f in (100, 10_000)]
        assert high / low == pytest.approx(power[1] / power[0], rel=0.01)


class TestDC:
    def test_of_an_offset(self):
        target = sine(441.0)  # mean square 1/2, mean 0
        assert dc(target + 0.1, target) == pytest.approx(0.01 / 0.5)
        assert dc(target - 0.1, target) == pytest.approx(0.01 / 0.5)

    def test_ignores_an_error_without_offset(self):
        target = sine(441.0)
        assert dc(-target, target) == pytest.approx(0.0, abs=1e-20)


class TestSISDR:
    @pytest.mark.parametrize("gain", [1.0, 0.01, 30.0, -1.0])
    def test_of_a_target_at_any_gain_and_polarity_is_the_highest(self, gain):
        assert si_sdr(gain * TARGET, TARGET) == 100.0

    @pytest.mark.parametrize("power", [0.01, 1.0, 10.0])
    def test_of_orthogonal_noise_is_its_level(self, power):
        estimate = 3.0 * (TARGET + orthogonal(TARGET, power))
        assert si_sdr(estimate, TARGET) == pytest.approx(-10 * math.log10(power), abs=1e-6)

    def test_of_something_else_altogether_is_the_lowest(self):
        a, b = np.zeros(100), np.zeros(100)
        a[::2], b[1::2] = 1.0, 1.0
        assert si_sdr(a, b) == -100.0


class TestBestGain:
    @pytest.mark.parametrize("gain", [0.2, -1.4])
    def test_finds_gain_and_polarity(self, gain):
        assert best_gain(TARGET, gain * TARGET + orthogonal(TARGET, 0.3)) == pytest.approx(gain)

    def test_no_other_gain_has_a_lower_esr(self):
        signal = TARGET + noise(len(TARGET), 3)
        gain = best_gain(signal, TARGET)
        best = esr(gain * signal, TARGET)
        assert best < min(esr((gain + d) * signal, TARGET) for d in (-0.01, 0.01))

    def test_of_silence_is_zero(self):
        assert best_gain(np.zeros(10), np.ones(10)) == 0.0


class TestMRSTFT:
    def test_is_zero_when_equal_and_blind_to_polarity(self):
        assert mrstft(TARGET, TARGET) == 0.0
        assert mrstft(-TARGET, TARGET) == pytest.approx(0.0, abs=1e-6)

    def test_of_a_scaled_target(self):
        # Convergence is 1 - g; every bin of loud noise is far above the floor, so the log part
        # is -ln g.
        target = 100 * noise(RATE)
        assert mrstft(0.5 * target, target) == pytest.approx(0.5 + math.log(2), rel=1e-3)

    def test_of_silence(self):
        # Convergence is 1; a bin in which the target has magnitude m adds ln(m / floor + 1).
        target = 0.1 * noise(RATE)
        expected = []
        for length in (512, 1024, 2048):
            spectra = Spectra(length, 1)
            parts = [spectra.push(target[None].astype(np.float32)), spectra.finish()]
            magnitude = np.abs(np.concatenate(parts, axis=1)) * 2 / spectra.window.sum()
            expected.append(1 + np.log1p(magnitude / FLOOR).mean())
        assert mrstft(np.zeros(RATE), target) == pytest.approx(np.mean(expected), rel=1e-4)

    def test_agrees_with_the_loss_of_that_name(self):
        torch = pytest.importorskip("torch")
        stft = pytest.importorskip("fxkit_losses.stft")
        estimate, target = (0.1 * noise(4 * RATE, seed) for seed in (1, 2))
        loss = stft.MRSTFT(stft.MRSTFT.Config())
        tensors = (torch.from_numpy(s).float()[None, None] for s in (estimate, target))
        # The frames lie elsewhere, and the ends are padded further.
        assert mrstft(estimate, target) == pytest.approx(loss(*tensors).item(), rel=0.01)


class TestSpectra:
    @pytest.mark.parametrize("length", [64, 512])
    @pytest.mark.parametrize("time", [1, 63, 1000])
    def test_the_energy_of_the_bins_is_that_of_the_signal(self, length, time):
        signal = noise(time)
        spectra = Spectra(length, 1)
        power = np.abs(np.concatenate([spectra.push(signal[None]), spectra.finish()], axis=1)) ** 2
        weights = np.full(length // 2 + 1, 2.0)
        weights[[0, -1]] = 1.0
        # The squared Hann window at a hop of a quarter adds up to 3/2.
        assert (power * weights).sum() / length == pytest.approx(1.5 * (signal @ signal), rel=1e-5)

    def test_chunks_do_not_matter(self):
        signal = noise(5000)[None]
        whole, parts = Spectra(256, 1), Spectra(256, 1)
        expected = np.concatenate([whole.push(signal), whole.finish()], axis=1)
        cut = [parts.push(part) for part in np.split(signal, [1, 70, 71, 3000], axis=1)]
        assert np.array_equal(np.concatenate([*cut, parts.finish()], axis=1), expected)


class TestOctaveBands:
    def test_of_a_scaled_target_are_alike(self):
        bands = octave_bands(0.9 * TARGET, TARGET, RATE)
        assert list(bands) == ["63", "125", "250", "500", "1000", "2000", "4000", "8000", "16000"]
        assert list(bands.values()) == pytest.approx([-20.0] * 9, abs=1e-3)

    def test_an_error_is_found_in_its_band(self):
        target = sum(sine(f, 2.0) for f in (62.5, 125, 250, 500, 1000, 2000, 4000, 8000, 16_000))
        bands = octave_bands(target + sine(1000.0, 2.0, 0.1), target, RATE)
        assert bands.pop("1000") == pytest.approx(-20.0, abs=0.01)
        assert max(bands.values()) < -55

    def test_an_inverted_band_is_6_db(self):
        low, high = sine(250.0, 2.0), sine(4000.0, 2.0)
        bands = octave_bands(low - high, low + high, RATE)
        assert bands["4000"] == pytest.approx(6.02, abs=0.01)
        assert bands["250"] < -50  # what the hard edges of the sine spill

    def test_bands_beyond_the_rate_and_empty_ones_are_left_out(self):
        assert "8000" not in octave_bands(TARGET, TARGET, 12_000)
        assert octave_bands(np.zeros(5000), np.zeros(5000), RATE) == {}


@pytest.mark.parametrize("metric", [esr, dc, si_sdr, mrstft])
def test_a_silent_target_is_none_and_not_nan(metric):
    assert metric(np.ones(1000), np.zeros(1000)) is None
    assert metric(np.zeros(0), np.zeros(0)) is None


def test_si_sdr_of_a_silent_estimate_is_none():
    assert si_sdr(np.zeros(1000), np.ones(1000)) is None


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="one length"):
        esr(np.zeros(3), np.zeros(4))


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [((1, 10), -10.0), ((0, 1), -100.0), ((1, 0), 100.0), ((0, 0), 0.0), ((1, 1e-30), 100.0)],
)
def test_decibels_are_clamped(ratio, expected):
    assert decibels(*ratio) == pytest.approx(expected)


class TestMeter:
    def measured(self, estimate, target, cuts, attack=None):
        meter = Meter(RATE)
        attack = np.zeros(len(target), bool) if attack is None else attack
        for part in zip(*(np.split(s, cuts) for s in (estimate, target, attack)), strict=True):
            meter.add(*part)
        meter.finish()
        return meter.scores()

    def test_equals_the_functions_however_the_recording_is_cut(self):
        target = noise(3 * RATE)
        estimate = 0.8 * target + 0.2 * noise(len(target), 5) + 0.01
        scores = self.measured(estimate, target, [1, 2, 5000, 5000, 70_001])
        assert scores.esr == pytest.approx(esr(estimate, target))
        assert scores.dc == pytest.approx(dc(estimate, target))
        assert scores.si_sdr == pytest.approx(si_sdr(estimate, target))
        assert scores.mrstft == pytest.approx(mrstft(estimate, target), rel=1e-5)
        assert scores.bands == pytest.approx(octave_bands(estimate, target, RATE), abs=1e-4)
        emphasised = esr(pre_emphasis(estimate), pre_emphasis(target))
        assert scores.esr_pre_emphasised == pytest.approx(emphasised)

    def test_attacks_apart_from_the_rest(self):
        target = np.ones(1000)
        estimate, attack = target.copy(), np.zeros(1000, bool)
        attack[200:300] = True
        estimate[200:300] = 0.5
        estimate[500:545] = 0.0
        scores = self.measured(estimate, target, [250], attack)
        assert scores.esr_attack == pytest.approx(0.25)
        assert scores.esr_elsewhere == pytest.approx(45 / 900)
        assert scores.esr == pytest.approx((25 + 45) / 1000)

    def test_without_attacks_there_is_no_score_for_them(self):
        assert self.measured(TARGET, TARGET, []).esr_attack is None

    def test_recordings_are_pooled_by_energy(self):
        meter = Meter(RATE)
        for level, gain in ((1.0, 0.5), (0.001, -1.0)):
            meter.add(gain * level * TARGET, level * TARGET, np.zeros(len(TARGET), bool))
            meter.finish()
        # The mean of the two ratios would be 2.1.
        assert meter.scores().esr == pytest.approx(0.25, rel=1e-4)

    def test_of_nothing_is_none(self):
        scores = Meter(RATE).scores()
        assert scores.esr is None
        assert scores.mrstft is None
        assert scores.bands == {}
