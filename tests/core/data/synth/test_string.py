import numpy as np
import pytest
from fxkit.data.synth.string import Loop, Pluck, loop_for, pluck

RATE = 44_100


def sound(frequency, seconds=1.5, **options) -> np.ndarray:
    loop = options.pop("loop", Loop(6.0, 1.2))
    stroke = Pluck(frequency, seconds, loop, **options)
    return pluck(stroke, RATE, np.random.default_rng(0))


def peak_near(x: np.ndarray, frequency: float) -> float:
    size = 1 << 20
    power = np.abs(np.fft.rfft(x * np.hanning(len(x)), size))
    bins = np.fft.rfftfreq(size, 1 / RATE)
    near = np.abs(bins / frequency - 1) < 0.04
    return float(bins[near][power[near].argmax()])


def cents(a: float, b: float) -> float:
    return 1200 * np.log2(a / b)


def amplitude(x: np.ndarray, frequency: float) -> float:
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x)), 1 << 19))
    bins = np.fft.rfftfreq(1 << 19, 1 / RATE)
    return float(spectrum[np.abs(bins - frequency) < 0.03 * frequency].max())


@pytest.mark.parametrize(("string", "midi"), [(0, 40), (0, 47), (2, 50), (3, 60), (5, 64), (5, 81)])
def test_fundamental_is_in_tune(string, midi):
    frequency = 440 * 2 ** ((midi - 69) / 12)
    x = sound(frequency, loop=loop_for(string, 5))[: int(1.5 * RATE)]
    assert abs(cents(peak_near(x, frequency), frequency)) < 3


def test_harmonics_are_multiples_and_stiffness_stretches_them():
    flexible, stiff = (sound(110.0, loop=Loop(6, 2, s)) for s in (0.0, 0.6))
    for k in (2, 5, 12):
        assert abs(cents(peak_near(flexible, k * 110.0), k * 110.0)) < 1.5
    stretch = [cents(peak_near(stiff, k * 110.0), k * 110.0) for k in (5, 12, 25)]
    assert 0 < stretch[0] < stretch[1] < stretch[2] < 30


def test_decay_is_what_the_loop_says():
    x = sound(196.0, seconds=3.0, loop=Loop(2.0, 0.5))
    early, late = (x[int(t * RATE) : int((t + 0.4) * RATE)] for t in (0.5, 1.5))
    # 60 dB in 2 s is 30 dB in the second that lies between.
    lost = 20 * np.log10(amplitude(early, 196.0) / amplitude(late, 196.0))
    assert lost == pytest.approx(30, abs=1)
    early, late = (x[int(t * RATE) : int((t + 0.2) * RATE)] for t in (0.1, 0.3))
    high = 20 * 196.0  # about 4 kHz: 60 dB in 0.5 s, 24 dB in 0.2 s
    assert 20 * np.log10(amplitude(early, high) / amplitude(late, high)) == pytest.approx(24, abs=2)


def test_pick_position_silences_the_harmonics_with_a_node_there():
    x = sound(110.0, position=0.25, pick_noise=0.0, loop=Loop(6, 4))[: RATE // 2]
    assert amplitude(x, 440) < 0.05 * amplitude(x, 330)
    assert amplitude(x, 880) < 0.1 * amplitude(x, 770)


def test_hard_strokes_are_louder_and_brighter():
    soft, hard = (sound(110.0, strength=s, pick_noise=0.0) for s in (0.3, 0.9))
    assert amplitude(hard, 110) > 2 * amplitude(soft, 110)
    assert amplitude(hard, 2200) / amplitude(hard, 110) > 1.5 * (
        amplitude(soft, 2200) / amplitude(soft, 110)
    )


def test_a_palm_mute_is_short_and_dull():
    def rms(x, start, stop):
        return np.sqrt(np.mean(x[int(start * RATE) : int(stop * RATE)] ** 2))

    open_, muted = (sound(82.4, loop=loop_for(0, 0, mute=m)) for m in (0.0, 0.8))
    assert rms(muted, 0.3, 0.4) < 0.1 * rms(open_, 0.3, 0.4)
    assert rms(muted, 0, 0.05) > 0.2 * rms(open_, 0, 0.05)


def test_a_bend_ends_where_it_should_and_a_flat_curve_is_no_bend():
    time = np.arange(int(1.5 * RATE)) / RATE
    curve = 220 * 2 ** (2 * np.clip(time / 0.3, 0, 1) / 12)
    bent = sound(curve)[RATE // 2 : int(1.5 * RATE)]
    assert abs(cents(peak_near(bent, 220 * 2 ** (2 / 12)), 220 * 2 ** (2 / 12))) < 4
    np.testing.assert_allclose(sound(np.full(len(time), 220.0)), sound(220.0), atol=1e-12)


def test_a_damped_string_is_silent_at_its_end():
    x = sound(110.0, seconds=0.3)
    assert abs(x[-1]) < 1e-12
    assert np.abs(x[-int(0.02 * RATE) :]).max() < 0.05 * np.abs(x).max()


@pytest.mark.parametrize("rate", [8000, 48_000, 192_000])
def test_every_rate_is_in_tune_and_stable(rate):
    stroke = Pluck(196.0, 1.0, loop_for(3, 0))
    x = pluck(stroke, rate, np.random.default_rng(0))
    assert np.isfinite(x).all()
    assert np.abs(x).max() < 2
    size = 1 << 20
    spectrum = np.abs(np.fft.rfft(x[:rate] * np.hanning(rate), size))
    bins = np.fft.rfftfreq(size, 1 / rate)
    near = np.abs(bins - 196) < 8
    assert abs(cents(float(bins[near][spectrum[near].argmax()]), 196.0)) < 4
