from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from fxkit.data import audio
from fxkit.data.writer import Writer, write
from fxkit.errors import FxkitError


def noise(frames: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.9, 0.9, frames).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "encoding", "tolerance"),
    [
        ("a.wav", "FLOAT", 0.0),
        ("a.wav", "PCM_16", 1 / 32768),
        ("a.wav", None, 1 / 2**23),
        ("a.flac", "PCM_16", 1 / 32768),
        ("a.flac", None, 1 / 2**23),
        ("a.aiff", "PCM_24", 1 / 2**23),
        ("a.AIF", "PCM_16", 1 / 32768),
    ],
)
@pytest.mark.parametrize("rate", [8000, 44_100, 192_000])
def test_write_then_read(
    tmp_path: Path, name: str, encoding: str | None, tolerance: float, rate: int
) -> None:
    x = noise(5000)
    write(tmp_path / name, x, rate, encoding=encoding)
    y, found = audio.read(tmp_path / name)
    assert found == rate
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, x, rtol=0, atol=tolerance)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_ogg(tmp_path: Path) -> None:
    x = (0.5 * np.sin(np.arange(44_100) * 0.05)).astype(np.float32)
    write(tmp_path / "a.ogg", x, 44_100)
    y, _ = audio.read(tmp_path / "a.ogg")
    assert len(y) == len(x)
    assert np.corrcoef(x, y)[0, 1] > 0.999


def test_failed_write_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "a.wav"
    target.write_bytes(b"old")

    def interrupted() -> None:
        with Writer(target, 44_100) as out:
            out.write(noise(100))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(FxkitError, match="must end in one of"):
        write(tmp_path / "a.xyz", noise(3), 44_100)
    with pytest.raises(FxkitError, match="cannot write"):
        write(tmp_path / "no" / "a.wav", noise(3), 44_100)
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = Writer(tmp_path / "a.wav", 44_100, encoding="FLOAT")
    out._file.close()
    full = soundfile.SoundFile("/dev/full", "w", 44_100, 1, "FLOAT", format="RAW")
    monkeypatch.setattr(out, "_file", full)
    with pytest.raises(FxkitError, match=r"cannot write .*a\.wav"):
        out.write(noise(1 << 16))
    out.discard()
    assert list(tmp_path.iterdir()) == []
