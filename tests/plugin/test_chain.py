"""Every stage around the model does what its parameter says, measured through the VST3."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from fxkit.manifest import Level, Manifest
from hosting.models import Made, shipped
from hosting.pedals import play, stream
from hosting.signals import decibels, gain_at, guitar, slope
from hosting.state import change

from fxkit import artifact

RATE = 48_000


def noise(frames: int, channels: int = 2) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((channels, frames)).astype(np.float32)


@pytest.mark.parametrize(("name", "db"), [("input_db", 6.0), ("output_db", -9.5)])
def test_gains_without_a_model(plugin: Any, name: str, db: float) -> None:
    setattr(plugin, name, db)
    x = guitar(RATE, 9_600, 2)
    np.testing.assert_allclose(play(plugin, x, RATE), x * 10 ** (db / 20), rtol=1e-5, atol=1e-7)


def test_the_input_gain_is_before_the_model_and_the_output_gain_behind(
    plugin: Any, made: Callable[[str], Made]
) -> None:
    model = made("lstm")
    change(plugin, model=model.path, confirmed="1")
    plugin.input_db, plugin.output_db = 9.0, -3.0
    x = guitar(RATE, 9_600, 2)
    expected = model.render(x * np.float32(10 ** (9 / 20)), RATE) * 10 ** (-3 / 20)
    assert np.abs(play(plugin, x, RATE) - expected).max() <= 1e-4


@pytest.mark.parametrize("share", [0.0, 30.0, 100.0])
def test_mix_is_a_share_of_effect_and_aligned_dry_sound(
    plugin: Any, made: Callable[[str], Made], share: float
) -> None:
    model = made("gru")  # of another rate: late
    change(plugin, model=model.path, confirmed="1")
    plugin.mix = share
    x = guitar(RATE, 24_000, 2)
    wet = model.render(x, RATE)
    expected = x + share / 100 * (wet - x)
    assert np.abs(play(plugin, x, RATE) - expected).max() <= 1e-5


def test_the_gate_silences_what_is_quieter_than_its_threshold(plugin: Any) -> None:
    plugin.gate_db = "-50"
    loud, quiet = 10 ** (-20 / 20), 10 ** (-70 / 20)
    tone = np.sin(2 * np.pi * 220 / RATE * np.arange(2 * RATE)).astype(np.float32)
    level = np.where(np.arange(2 * RATE) < RATE, loud, quiet).astype(np.float32)
    x = np.stack((tone * level, -tone * level))
    y = play(plugin, x, RATE)
    opened = slice(RATE // 10, RATE)
    np.testing.assert_array_equal(y[:, opened], x[:, opened])
    assert not y[:, RATE + RATE // 2 :].any()
    assert slope(y) <= 1.01 * slope(x)
    plugin.gate_db = "Off"
    np.testing.assert_array_equal(play(plugin, x, RATE), x)


@pytest.mark.parametrize(
    ("band", "inside", "outside"),
    [
        ("bass_db", 30, (3_000, 12_000)),
        ("mid_db", 700, (20, 15_000)),
        ("treble_db", 15_000, (60, 300)),
    ],
)
@pytest.mark.parametrize("db", [-12.0, 6.0])
def test_equaliser(
    plugin: Any, band: str, inside: int, outside: tuple[int, int], db: float
) -> None:
    impulse = np.zeros((2, RATE), np.float32)
    impulse[:, 0] = 0.5
    setattr(plugin, band, db)
    for response in play(plugin, impulse, RATE):
        assert gain_at(2 * response, RATE, inside) == pytest.approx(db, abs=1.0)
        for frequency in outside:
            assert gain_at(2 * response, RATE, frequency) == pytest.approx(0, abs=1.0)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_cabinet(plugin: Any, tmp_path: Path, rate: int) -> None:
    decay = np.exp(-np.arange(2_400) / 300)
    response = (noise(2_400, 1)[0] * decay * 0.3).astype(np.float32)
    response[0] = 1
    path = tmp_path / "cabinet.wav"
    soundfile.write(path, response, 48_000, subtype="FLOAT")
    x = guitar(rate, rate, 2)
    change(plugin, cabinet=path)
    y = play(plugin, x, rate)
    if rate == 48_000:  # elsewhere the response is converted first
        expected = np.stack([np.convolve(row, response)[: len(row)] for row in x])
        factor = float(np.sum(y * expected) / np.sum(expected * expected))
        assert np.abs(y - factor * expected).max() <= 1e-4 * np.abs(y).max()
    # A cabinet makes pink noise neither louder nor softer.
    spectrum = np.fft.rfft(noise(1 << 17, 1)[0])
    frequencies = np.fft.rfftfreq(1 << 17, 1 / rate)
    inside = (frequencies > 80) & (frequencies < 5_000)
    pink = np.fft.irfft(np.where(inside, spectrum / np.sqrt(np.maximum(frequencies, 1)), 0))
    pink = np.stack((pink, pink)).astype(np.float32)
    pink *= 0.1 / np.abs(pink).max()
    assert decibels(play(plugin, pink, rate)) == pytest.approx(decibels(pink), abs=0.7)
    change(plugin, cabinet="")
    np.testing.assert_array_equal(play(plugin, x, rate), x)


def test_a_cabinet_that_cannot_be_read_changes_nothing(plugin: Any, tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(100), RATE)
    x = guitar(RATE, 4_800, 2)
    for path in (tmp_path / "missing.wav", text, silent):
        change(plugin, cabinet=path)
        np.testing.assert_array_equal(play(plugin, x, RATE), x)


def test_normalised_levels_make_models_equally_loud(plugin: Any, tmp_path: Path) -> None:
    model = shipped("gru", rate=RATE, hidden=8)
    level = Level(rms=0.02, peak=0.2, loudness=-30.0)
    manifest = Manifest(name="quiet", model="graph", output=level)
    saved = artifact.save(tmp_path / "quiet.fxkit", model, manifest, probe_seconds=0.05)
    change(plugin, model=tmp_path / "quiet.fxkit", confirmed="1")
    x = guitar(RATE, 9_600, 2)
    raw = saved.render(x.T, RATE).T
    assert np.abs(play(plugin, x, RATE) - raw).max() <= 1e-4
    plugin.level = "Normalised"
    assert np.abs(play(plugin, x, RATE) - raw * 10 ** (12 / 20)).max() <= 4e-4


def test_turning_anything_while_it_plays_does_not_click(
    plugin: Any, made: Callable[[str], Made]
) -> None:
    change(plugin, model=made("lstm").path, confirmed="1")
    x = guitar(RATE, 48_000, 2)
    calm = slope(stream(plugin, x, RATE, [480] * 100))
    settings = {
        "output_db": (-24.0, 0.0),
        "mix": (0.0, 100.0),
        "bypass": (True, False),
        "input_db": (-24.0, 0.0),
        "treble_db": (-12.0, 0.0),
    }
    largest = max(calm, slope(x))
    for name, (there, back) in settings.items():
        parts = []
        plugin.reset()
        for block in range(100):
            if block in (20, 60):
                setattr(plugin, name, there if block == 20 else back)
            at = 480 * block
            parts.append(plugin.process(x[:, at : at + 480], RATE, buffer_size=480, reset=False))
        # A glide of 20 ms adds to the slope at most the way between two sounds over its length.
        assert slope(np.concatenate(parts, axis=1)) <= 1.1 * largest + 2 / (0.02 * RATE), name
