from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from fxkit.artifact import Artifact
from fxkit.errors import FxkitError
from fxkit.graph import Graph, GraphModel
from fxkit.manifest import Control, Manifest
from fxkit.progress import SilentProgress
from fxkit.rendering import Renderer, knob_values, render_array, render_file
from torch import nn

RATE = 48_000


def artifact(
    gain: float = 0.5, *, latency: int = 0, rate: int = RATE, knob: bool = False
) -> Artifact:
    """An echo of its past, `latency` late, plus its knob: anything out of place shows."""
    g = Graph(nn.Module(), controls=int(knob))
    y = g.conv(g.delay(g.x, latency), torch.tensor([[[0.25 * gain, 0.0, gain]]]))
    if g.controls is not None:
        y = g.add(y, g.controls)
    model = GraphModel(g.finish(y), g.tensors, sample_rate=rate, latency=latency)
    controls = (Control("drive", 0.25),) if knob else ()
    return Artifact(Manifest("echo", "graph", sample_rate=rate, controls=controls), model)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, shape).astype(np.float32)


def echo(x: np.ndarray, gain: float = 0.5) -> np.ndarray:
    late = np.concatenate((np.zeros_like(x[:2]), x[:-2]))
    return gain * x + 0.25 * gain * late


@pytest.mark.parametrize("latency", [0, 1, 1000, 10_000])
@pytest.mark.parametrize("length", [1, 2, 4096, 9001])
def test_latency_is_cut_and_length_kept(latency: int, length: int) -> None:
    x = noise(length)
    y = render_array(artifact(latency=latency), x, RATE)
    np.testing.assert_allclose(y, echo(x) if length > 2 else 0.5 * x, atol=1e-6)
    assert y.dtype == np.float32


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 96_000, 192_000])
def test_any_rate_stays_in_place(rate: int) -> None:
    t = np.arange(rate // 2) / rate
    x = 0.5 * np.sin(2 * np.pi * 500 * t) * np.sin(np.pi * t / t[-1]) ** 2
    y = render_array(artifact(1.0, latency=333), x, rate)
    assert y.shape == x.shape
    # The echo is two samples at the model's rate, whatever the file's.
    late = 0.5 * np.sin(2 * np.pi * 500 * (t - 2 / RATE)) * np.sin(np.pi * t / t[-1]) ** 2
    assert np.abs(y - x - 0.25 * late)[100:-100].max() < 1e-3


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("length", [1, 3, 777, 5000])
def test_length_is_kept_at_any_rate(rate: int, length: int) -> None:
    assert render_array(artifact(latency=7), noise(length), rate).shape == (length,)
    assert render_array(artifact(), noise(0), rate).shape == (0,)


@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_blocks_equal_whole(rate: int) -> None:
    x = noise(20_000, 2)
    whole = render_array(artifact(latency=50), x, rate)
    player = Renderer(artifact(latency=50), rate, 2)
    parts = [player.process(x[i : i + 700]) for i in range(0, len(x), 700)]
    np.testing.assert_allclose(np.concatenate([*parts, player.finish()]), whole, atol=1e-6)


@pytest.mark.parametrize("engine", ["", "off"])
@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_restarted_it_plays_as_one_that_was_made_anew(
    rate: int, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FXKIT_ENGINE", engine)
    x, played = noise(5000, 2), artifact(latency=50, knob=True)
    fresh = Renderer(played, rate, 2)
    wanted = np.concatenate((fresh.process(x), fresh.finish()))
    player = Renderer(played, rate, 2)
    player.process(noise(777, 2)[::-1])
    player.restart()
    np.testing.assert_array_equal(np.concatenate((player.process(x), player.finish())), wanted)


def test_channels_do_not_mix() -> None:
    x = noise(500, 3)
    y = render_array(artifact(), x, RATE)
    for i in range(3):
        np.testing.assert_allclose(y[:, i], render_array(artifact(), x[:, i], RATE), atol=1e-6)


def test_knobs_have_defaults_names_and_bounds() -> None:
    played = artifact(knob=True)
    for given, value in [(None, 0.25), ([0.75], 0.75), ({"drive": 1.0}, 1.0), ({}, 0.25)]:
        y = render_array(played, np.zeros(9), RATE, controls=given)  # type: ignore[arg-type]
        np.testing.assert_allclose(y, value)
    with pytest.raises(FxkitError, match="no knob 'tone'; it has drive"):
        knob_values(played.manifest, {"tone": 0.5})
    with pytest.raises(FxkitError, match="2 knob values for a model with 1: drive"):
        knob_values(played.manifest, [0.1, 0.2])
    for bad in (-0.1, 1.1, float("nan")):
        with pytest.raises(FxkitError, match="from 0 to 1"):
            knob_values(played.manifest, [bad])


def test_samples_that_are_no_signal_are_refused() -> None:
    with pytest.raises(FxkitError, match="finite"):
        render_array(artifact(), np.array([0.0, np.nan]), RATE)
    with pytest.raises(FxkitError, match="finite"):
        render_array(artifact(), np.zeros((2, 2, 2)), RATE)


@pytest.mark.parametrize(
    ("name", "subtype", "kept"),
    [
        ("a.wav", "PCM_24", "PCM_24"),
        ("a.wav", "FLOAT", "FLOAT"),
        ("a.wav", "PCM_16", "PCM_16"),
        ("a.flac", "PCM_16", "PCM_16"),
        ("a.flac", "FLOAT", "PCM_24"),
        ("a.aiff", "PCM_24", "PCM_24"),
        ("a.ogg", "PCM_16", "VORBIS"),
    ],
)
def test_file_type_and_encoding(tmp_path: Path, name: str, subtype: str, kept: str) -> None:
    source = tmp_path / "in.wav"
    soundfile.write(source, noise(3000, 2), 44_100, subtype=subtype)
    done = render_file(artifact(), source, tmp_path / name)
    info = soundfile.info(tmp_path / name)
    assert (info.frames, info.channels, info.samplerate) == (3000, 2, 44_100)
    assert info.subtype == kept
    assert (done.frames, done.channels, done.sample_rate, done.clipped) == (3000, 2, 44_100, 0)


@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_a_file_equals_the_array(tmp_path: Path, rate: int) -> None:
    x = noise(10_001, 2)
    soundfile.write(tmp_path / "in.wav", x, rate, subtype="FLOAT")
    render_file(artifact(latency=20), tmp_path / "in.wav", tmp_path / "out.wav", block=1000)
    y, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    np.testing.assert_allclose(y, render_array(artifact(latency=20), x, rate), atol=1e-6)


def test_clipping_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = np.array([0.1, 0.3, -0.3, 0.1])
    soundfile.write(tmp_path / "in.wav", x, RATE, subtype="PCM_24")
    done = render_file(
        artifact(4.0), tmp_path / "in.wav", tmp_path / "out.wav", progress=SilentProgress()
    )
    assert done.clipped == 2
    assert "out.wav clips: 50 %" in capsys.readouterr().err
    soundfile.write(tmp_path / "in.wav", x, RATE, subtype="FLOAT")
    assert render_file(artifact(4.0), tmp_path / "in.wav", tmp_path / "out.wav").clipped == 0
    assert soundfile.read(tmp_path / "out.wav")[0].max() > 1.1


def test_bad_input_leaves_nothing_behind(tmp_path: Path) -> None:
    good = tmp_path / "good.wav"
    soundfile.write(good, noise(100), RATE)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("not audio at all, but long enough to be read")
    soundfile.write(tmp_path / "nan.wav", np.array([0.0, np.nan]), RATE, subtype="FLOAT")
    before = sorted(tmp_path.iterdir())
    for source, target, said in [
        ("missing.wav", "o.wav", "no such file"),
        ("empty.wav", "o.wav", "empty"),
        ("text.wav", "o.wav", "not an audio file"),
        ("nan.wav", "o.wav", "NaN"),
        (".", "o.wav", "folder"),
        ("good.wav", "o.mp3", "must end in"),
        ("good.wav", "nowhere/o.wav", "No such file"),
        ("good.wav", "good.wav", "choose another name"),
    ]:
        with pytest.raises(FxkitError, match=said) as caught:
            render_file(artifact(), tmp_path / source, tmp_path / target)
        assert "\n" not in str(caught.value)
    with pytest.raises(FxkitError, match="knob values"):
        render_file(artifact(), good, tmp_path / "o.wav", controls=[1.0])
    loud = artifact(3e38)
    soundfile.write(good, np.ones(100), RATE, subtype="FLOAT")
    with pytest.raises(FxkitError, match="the model makes NaN or infinite"):
        render_file(loud, good, tmp_path / "o.wav")
    assert sorted(tmp_path.iterdir()) == before


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    import tracemalloc

    peaks = []
    for seconds in (4, 16):
        path = tmp_path / "in.wav"
        soundfile.write(path, np.zeros(seconds * RATE, np.float32), RATE, subtype="PCM_16")
        tracemalloc.start()
        render_file(artifact(), path, tmp_path / "out.wav", block=8192)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
