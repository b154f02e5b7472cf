from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fxkit.data import audio
from fxkit.data.writer import write
from fxkit.errors import FxkitError


def noise(frames: int, channels: int = 1) -> np.ndarray:
    values = np.random.default_rng(0).uniform(-0.9, 0.9, (frames, channels)).astype(np.float32)
    return values[:, 0] if channels == 1 else values


def test_channels(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    x = noise(1000, 2)
    write(path, x, 48_000, encoding="FLOAT")
    with pytest.raises(FxkitError, match=r"2 channels: choose one with data\.channel=left"):
        audio.read(path)
    with pytest.raises(FxkitError, match="no channel 3: it has 2"):
        audio.read(path, 3)
    for channel, expected in {
        "left": x[:, 0],
        "right": x[:, 1],
        1: x[:, 0],
        2: x[:, 1],
        "mix": x.mean(axis=1),
    }.items():
        np.testing.assert_array_equal(audio.read(path, channel)[0], expected)  # type: ignore[arg-type]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("this is no audio")
    empty = tmp_path / "empty.wav"
    empty.touch()
    none = tmp_path / "none.wav"
    soundfile.write(none, np.zeros(0), 44_100)
    for path, message in {
        tmp_path / "missing.wav": "no such file",
        tmp_path: "is a folder",
        text: "not an audio file",
        empty: "is empty",
        none: "holds no samples",
    }.items():
        with pytest.raises(FxkitError, match=message) as caught:
            audio.probe(path)
        assert str(path) in str(caught.value)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user without all rights")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write(path, noise(10), 44_100)
    path.chmod(0)
    with pytest.raises(FxkitError, match="no permission"):
        audio.probe(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_bad_sample_is_named_with_its_second(tmp_path: Path, value: float) -> None:
    x = noise(44_100)
    x[22_050] = value
    write(tmp_path / "bad.wav", x, 44_100, encoding="FLOAT")
    with pytest.raises(FxkitError, match=r"bad\.wav.*second 0\.500 \(sample 22050\)"):
        audio.read(tmp_path / "bad.wav")


def test_blocks_equal_whole(tmp_path: Path) -> None:
    write(tmp_path / "a.flac", noise(10_001), 44_100)
    blocks = list(audio.read_frames(audio.probe(tmp_path / "a.flac"), 4096))
    assert [len(block) for block in blocks] == [4096, 4096, 1809]
    whole, _ = audio.read(tmp_path / "a.flac")
    np.testing.assert_array_equal(np.concatenate(blocks)[:, 0], whole)


def test_infinities_that_cancel_are_found() -> None:
    x = np.array([1.0, np.inf, -np.inf], np.float32)
    with pytest.raises(FxkitError, match="infinite"):
        audio.check_finite(x, "x", 0, 1)


def test_resampling_keeps_a_sine_in_time() -> None:
    x = np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000).astype(np.float32)
    y = audio.resample(x, 48_000, 44_100)
    expected = np.sin(2 * np.pi * 440 * np.arange(len(y)) / 44_100)
    np.testing.assert_allclose(y[2000:-2000], expected[2000:-2000], atol=1e-4)


def test_more_files_than_are_kept_open(tmp_path: Path) -> None:
    for i in range(audio._OPEN_FILES + 5):
        write(tmp_path / f"{i}.wav", np.full(10, i / 100, np.float32), 8000)
    infos = [audio.probe(tmp_path / f"{i}.wav") for i in range(audio._OPEN_FILES + 5)]
    for i, info in [*enumerate(infos), *enumerate(infos)]:
        assert audio.read_mono(info, None, 2, 4)[0] == pytest.approx(i / 100, abs=1e-6)
    assert len(audio._files._files) <= audio._OPEN_FILES


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00.000"), (63.5, "1:03.500"), (3723.0004, "1:02:03.000")]
)
def test_clock(seconds: float, text: str) -> None:
    assert audio.clock(seconds) == text
