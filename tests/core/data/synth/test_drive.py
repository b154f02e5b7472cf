import importlib

import numpy as np
import pytest
from fxkit.data.synth import GAINS, drive
from fxkit.errors import FxkitError
from scipy import signal

RATE = 44_100
# The package exports the function of the same name.
MODULE = importlib.import_module("fxkit.data.synth.drive")


def noise(seconds: float = 0.5, level: float = 0.3) -> np.ndarray:
    return level * np.random.default_rng(0).uniform(-1, 1, round(seconds * RATE))


def nonlinear_share(level: str | float) -> float:
    """Energy that is not a scaled copy of what a very quiet guitar would give."""
    time = np.arange(RATE // 2) / RATE
    x = 0.4 * np.sin(2 * np.pi * 110 * time) * np.exp(-4 * time)
    wet = drive(x, RATE, level).astype(float)
    linear = drive(1e-3 * x, RATE, level).astype(float)
    rest = wet - linear * (wet @ linear) / (linear @ linear)
    return float(rest @ rest / (wet @ wet))


def test_levels_are_ordered_from_breakup_to_saturation():
    light, medium, heavy = (nonlinear_share(level) for level in ("light", "medium", "heavy"))
    assert 1e-4 < light < 0.05 < medium < heavy
    assert heavy > 0.2


def test_a_continuous_gain_joins_the_levels():
    x = noise()
    for level, gain in GAINS.items():
        np.testing.assert_array_equal(drive(x, RATE, level), drive(x, RATE, gain))
    shares = [nonlinear_share(float(gain)) for gain in (0, 12, 24, 36, 48)]
    assert shares == sorted(shares)


def test_no_output_depends_on_a_later_input():
    x = noise()
    other = x.copy()
    cut = 7001
    other[cut:] = 0
    np.testing.assert_allclose(drive(x, RATE)[:cut], drive(other, RATE)[:cut], atol=1e-7)
    assert np.abs(drive(x, RATE)[cut:] - drive(other, RATE)[cut:]).max() > 0.01


def test_blocks_inside_do_not_show(monkeypatch):
    x = noise()
    whole = drive(x, RATE, "heavy")
    monkeypatch.setattr(MODULE, "_CHUNK", 5000)
    np.testing.assert_allclose(drive(x, RATE, "heavy"), whole, atol=1e-6)


@pytest.mark.parametrize("frequency", [1244.5, 4978.1])
@pytest.mark.parametrize(("level", "below"), [("light", 1e-6), ("medium", 1e-6), ("heavy", 1e-5)])
def test_a_sine_hardly_aliases(frequency, level, below):
    x = 0.5 * np.sin(2 * np.pi * frequency * np.arange(2 * RATE) / RATE)
    wet = drive(x, RATE, level)[RATE:].astype(float)
    power = np.abs(np.fft.rfft(wet * signal.windows.blackmanharris(RATE))) ** 2
    bins = np.arange(len(power))  # one hertz each
    harmonic = bins < 20
    for multiple in np.arange(frequency, RATE / 2, frequency):
        harmonic |= np.abs(bins - multiple) < 8
    assert power[~harmonic].sum() < below * power.sum()


def test_oversampling_is_what_keeps_aliases_low(monkeypatch):
    def alias(x):
        wet = drive(x, RATE, "heavy")[RATE:].astype(float)
        power = np.abs(np.fft.rfft(wet * signal.windows.blackmanharris(RATE))) ** 2
        bins = np.arange(len(power))
        return power[(np.abs(bins % 4978 - 2489) < 2400) & (bins > 20)].sum() / power.sum()

    x = 0.5 * np.sin(2 * np.pi * 4978 * np.arange(2 * RATE) / RATE)
    with_it = alias(x)
    monkeypatch.setattr(MODULE, "OVERSAMPLING", 2)
    monkeypatch.setattr(MODULE, "_LEAST_OVERSAMPLED", 1.0)
    assert alias(x) > 10 * with_it


def test_it_stays_within_full_scale_even_for_a_square_wave_at_full_gain():
    x = np.sign(np.sin(2 * np.pi * 97 * np.arange(RATE) / RATE))
    assert 0.3 < np.abs(drive(x, RATE, 60.0)).max() < 1
    assert np.abs(drive(noise(level=1.0), RATE, 60.0)).max() < 1


def test_silence_and_emptiness():
    assert not drive(np.zeros(500), RATE, "heavy").any()
    assert drive(np.zeros(0), RATE).shape == (0,)


@pytest.mark.parametrize("rate", [22_050, 48_000, 96_000])
def test_other_rates_sound_alike(rate):
    tone = 0.4 * np.sin(2 * np.pi * 220 * np.arange(rate) / rate)
    level = np.std(drive(tone, rate, "medium"))
    reference = np.std(
        drive(0.4 * np.sin(2 * np.pi * 220 * np.arange(RATE) / RATE), RATE, "medium")
    )
    assert level == pytest.approx(reference, rel=0.03)


def test_output_has_no_offset():
    assert abs(drive(noise(2.0), RATE, "heavy").mean()) < 1e-3


@pytest.mark.parametrize("level", ["loud", 61.0, -30, float("nan")])
def test_an_unknown_level_is_an_error(level):
    with pytest.raises(FxkitError, match=r"choose one of light|outside"):
        drive(noise(), RATE, level)
