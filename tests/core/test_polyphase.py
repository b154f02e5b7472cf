from __future__ import annotations

import math

import numpy as np
import pytest
from fxkit.errors import FxkitError
from fxkit.polyphase import Polyphase

EXACT = [(48_000, 44_100), (44_100, 48_000), (44_100, 96_000), (192_000, 44_100), (96_000, 48_000)]
INTERPOLATED = [(44_100, 44_101), (48_000, 44_101), (999_983, 44_100)]
EXTREME = [(1000, 1_000_000), (1_000_000, 1000)]


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, count).astype(np.float32)


def formula(x: np.ndarray, rate_in: int, rate_out: int, k: int) -> float:
    """One output in 64 bits, as the module's docstring defines it."""
    attenuation, edge = 120, 0.907
    beta = 0.1102 * (attenuation - 8.7)
    half = (attenuation - 7.95) / (2.285 * 2 * math.pi * (1 - edge)) / 2
    scale = min(1.0, rate_out / rate_in)
    whole, rest = divmod(k * rate_in, rate_out)
    reach = int(half / scale) + 1
    j = np.arange(-reach, reach + 1)
    t = scale * (rest / rate_out - j)
    j, t = j[np.abs(t) < half], t[np.abs(t) < half]
    angles = 2 * np.pi * np.arange(64) / 64
    u = beta * np.sqrt(1 - (t / half) ** 2)
    h = np.sinc(t) * np.exp(u[:, None] * np.cos(angles)).mean(axis=1)
    here = (whole + j >= 0) & (whole + j < len(x))
    return float((h[here] * x[(whole + j)[here]]).sum() / h.sum())


@pytest.mark.parametrize(("rate_in", "rate_out"), EXACT + INTERPOLATED + EXTREME)
def test_every_sample_is_that_of_the_formula(rate_in: int, rate_out: int) -> None:
    x = noise(max(3000, 120 * (rate_in // rate_out)))
    y = Polyphase(rate_in, rate_out).process(x)
    reach = math.ceil(42 * max(1, rate_in / rate_out))
    assert abs(len(y) - (len(x) - reach) * rate_out / rate_in) <= 1 + 2 * rate_out / rate_in
    for k in range(0, len(y), max(len(y) // 200, 1)):
        assert y[k] == pytest.approx(formula(x, rate_in, rate_out, k), abs=1e-6)


@pytest.mark.parametrize(("rate_in", "rate_out"), EXACT + INTERPOLATED)
def test_blocks_equal_whole(rate_in: int, rate_out: int) -> None:
    x = noise(9000)
    whole = Polyphase(rate_in, rate_out).process(x)
    for size in (1, 7, 1000):
        converter = Polyphase(rate_in, rate_out)
        cut = x[:3000] if size == 1 else x
        parts = [converter.process(cut[i : i + size]) for i in range(0, len(cut), size)]
        y = np.concatenate([*parts, converter.process(x[:0])])
        np.testing.assert_allclose(y, whole[: len(y)], rtol=0, atol=1e-7)
        assert 0 < len(y) <= len(whole)
        assert len(y) == len(whole) or size == 1


@pytest.mark.parametrize(("rate_in", "rate_out"), EXACT)
def test_a_sine_of_the_band_passes_unchanged(rate_in: int, rate_out: int) -> None:
    frequency = 0.9 * min(rate_in, rate_out) / 2
    x = np.sin(2 * np.pi * frequency / rate_in * np.arange(10 * rate_in)).astype(np.float32)
    y = Polyphase(rate_in, rate_out).process(x)
    # Also after ten seconds: there is no drift.
    k = np.arange(len(y) - 500, len(y))
    expected = np.sin(2 * np.pi * frequency / rate_out * k)
    np.testing.assert_allclose(y[k], expected, rtol=0, atol=3e-6)


@pytest.mark.parametrize(("rate_in", "rate_out"), [(96_000, 44_100), (192_000, 48_000)])
def test_what_would_fold_into_the_band_is_gone(rate_in: int, rate_out: int) -> None:
    for share in (1.1, 1.3, 1.7):
        frequency = share * rate_out / 2
        x = np.sin(2 * np.pi * frequency / rate_in * np.arange(rate_in // 4)).astype(np.float32)
        y = Polyphase(rate_in, rate_out).process(x)
        assert np.abs(y[200:]).max() < 10 ** (-110 / 20)


@pytest.mark.parametrize("rates", [(999, 48_000), (48_000, 1_000_001)])
def test_rates_out_of_range_are_refused(rates: tuple[int, int]) -> None:
    with pytest.raises(FxkitError, match="Hz cannot be converted"):
        Polyphase(*rates)
