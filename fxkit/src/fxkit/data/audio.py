"""Audio files: what is in them, and their samples."""

from __future__ import annotations

import atexit
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fxkit.data.rates import Samples, resample
from fxkit.errors import FxkitError

__all__ = [
    "SUFFIXES",
    "Channel",
    "Probe",
    "Samples",
    "clock",
    "forget",
    "probe",
    "read",
    "read_frames",
    "resample",
]

Channel = Literal["left", "right", "mix"] | int

SUFFIXES = (".wav", ".flac", ".aiff", ".aif", ".ogg")
"""Endings of the file types that are read and written."""

_UNKNOWN_LENGTH = 1 << 60
_OPEN_FILES = 32


@dataclass(frozen=True)
class Probe:
    """What an audio file says of itself.

    Attributes
    ----------
    sample_rate
        In Hz.
    channels, frames
        A frame is one sample of every channel.
    kind
        File type and encoding: ``"WAV, PCM_24"``.
    """

    path: Path
    sample_rate: int
    channels: int
    frames: int
    kind: str

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return self.frames / self.sample_rate

    @property
    def random_access(self) -> bool:
        """Whether a seek lands on the exact sample; in OGG it does not (seen in libsndfile 1.2)."""
        return not self.kind.startswith(("OGG", "MP3", "MPEG"))


def clock(seconds: float) -> str:
    """Return a position as one reads it off a player: ``1:02:03.456`` or ``2:03.456``."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:" if hours else f"{minutes}:"
    return (f"{hours}:" if hours else "") + text + f"{rest // 1000:02d}.{rest % 1000:03d}"


def _open(path: Path) -> Any:
    """Open a file for reading, or say in one line why it cannot be."""
    import soundfile

    try:
        if path.is_dir():
            raise FxkitError(f"{path} is a folder, not an audio file")
        with path.open("rb") as handle:
            empty = not handle.read(1)
    except FileNotFoundError:
        raise FxkitError(f"no such file: {path}") from None
    except PermissionError:
        raise FxkitError(f"no permission to read {path}") from None
    except OSError as error:
        raise FxkitError(f"cannot read {path}: {error.strerror or error}") from None
    if empty:
        raise FxkitError(f"{path} is empty (0 bytes)")
    try:
        file = soundfile.SoundFile(str(path))
    except (RuntimeError, TypeError, ValueError):  # LibsndfileError is a RuntimeError
        raise FxkitError(
            f"{path} is not an audio file that can be read: use WAV, FLAC, AIFF or OGG"
        ) from None
    if file.frames <= 0 or file.frames >= _UNKNOWN_LENGTH:
        frames = file.frames
        file.close()
        if frames <= 0:
            raise FxkitError(f"{path} holds no samples")
        raise FxkitError(f"{path} does not say how long it is: save it again in an audio editor")
    return file


class _OpenFiles:
    """The files most recently read, kept open: a data set may have more than a process may hold."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._files: OrderedDict[Path, tuple[Any, object]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: Path, start: int, frames: int) -> Samples:
        """Return ``[frames, channels]``; fewer frames where the file is damaged or has shrunk."""
        key = path.absolute()
        with self._lock:
            file, was = self._files.pop(key, (None, None))
            now = _identity(key)
            if file is not None and now is not None and now != was:
                # Recorded anew since: a notebook lives longer than a take.
                file.close()
                file = None
            if file is None:
                file, was = _open(path), now
            self._files[key] = file, was
            while len(self._files) > self._limit:
                self._files.popitem(last=False)[1][0].close()
            try:
                if file.tell() != start:
                    file.seek(start)
                samples: Samples = file.read(frames, dtype="float32", always_2d=True)
            except RuntimeError as error:
                self._files.pop(key)[0].close()
                raise FxkitError(
                    f"{path} is damaged near {clock(start / file.samplerate)}: {error}"
                ) from None
            return samples

    def forget(self, path: Path) -> None:
        """Close the file if it is open: it was read to its end, or is about to be replaced."""
        with self._lock:
            file, _ = self._files.pop(path.absolute(), (None, None))
            if file is not None:
                file.close()

    def close(self) -> None:
        """Close all files."""
        with self._lock:
            while self._files:
                self._files.popitem()[1][0].close()


def _identity(path: Path) -> object:
    """Return what changes when a file is replaced or written to; None if it is gone."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


_files = _OpenFiles(_OPEN_FILES)
# soundfile cannot close what is still open once the interpreter takes its module apart.
atexit.register(_files.close)


def probe(path: str | Path) -> Probe:
    """Look at a file's header.

    Raises
    ------
    FxkitError
        The file is missing, a folder, empty, without samples, or not audio.
    """
    path = Path(path)
    with _open(path) as file:
        kind = f"{file.format}, {file.subtype}"
        return Probe(path, file.samplerate, file.channels, file.frames, kind)


def check_channel(info: Probe, channel: Channel | None) -> None:
    """Refuse a channel that the file does not have, and a stereo file without a choice."""
    if info.channels == 1:
        return
    if channel is None:
        raise FxkitError(
            f"{info.path} has {info.channels} channels: choose one with data.channel=left, right, "
            "mix (their mean) or its number, counted from 1"
        )
    if isinstance(channel, int) and not 1 <= channel <= info.channels:
        raise FxkitError(
            f"{info.path} has no channel {channel}: it has {info.channels}, counted from 1"
        )


def read_mono(info: Probe, channel: Channel | None, start: int, stop: int) -> Samples:
    """Read one channel of a file, ``[stop - start]``, and make sure that it is sound.

    Parameters
    ----------
    info
        What `probe` said of the file.
    channel
        Ignored in a mono file, and checked by `check_channel` before.
    start, stop
        In frames of the file.

    Raises
    ------
    FxkitError
        The file ends early, or a sample is NaN or infinite: says where.
    """
    frames = _files.read(info.path, start, stop - start)
    _check_complete(info, start, frames, stop - start)
    if info.channels == 1:
        samples = frames[:, 0]
    elif channel == "mix":
        samples = frames.mean(axis=1, dtype=np.float32)
    else:
        index = {"left": 0, "right": 1}.get(str(channel))
        samples = frames[:, int(channel or 1) - 1 if index is None else index]
    check_finite(samples, str(info.path), start, info.sample_rate)
    return np.ascontiguousarray(samples)


def _check_complete(info: Probe, start: int, frames: Samples, wanted: int) -> None:
    if len(frames) < wanted:
        raise FxkitError(
            f"{info.path} ends at {clock((start + len(frames)) / info.sample_rate)} but says it is "
            f"{clock(info.seconds)} long: it was cut off or is damaged"
        )


def check_finite(samples: Samples, name: str, start: int, sample_rate: int) -> None:
    """Raise `FxkitError` at the first NaN or infinite sample, naming the second it is in."""
    # One sum is several times faster than a test of every sample, and is finite if they all are.
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        total = np.sum(samples, dtype=np.float64)
    if np.isfinite(total):
        return
    bad = np.flatnonzero(~np.isfinite(samples))
    if len(bad):
        first = start + int(bad[0])
        kind = "NaN (not a number)" if np.isnan(samples[bad[0]]) else "infinite"
        raise FxkitError(
            f"{name}: a sample is {kind} at second {first / sample_rate:.3f} (sample {first}): "
            "record or export it again"
        )


def read(path: str | Path, channel: Channel | None = None) -> tuple[Samples, int]:
    """Read one channel of a whole file.

    Returns
    -------
    samples
        float32 ``[time]``, full scale +-1.
    sample_rate
        In Hz.
    """
    info = probe(path)
    check_channel(info, channel)
    samples = read_mono(info, channel, 0, info.frames)
    _files.forget(info.path)
    return samples, info.sample_rate


def forget(path: Path) -> None:
    """Close a file if it is kept open, because it is about to be replaced."""
    _files.forget(path)


def read_frames(info: Probe, block: int) -> Iterator[Samples]:
    """Read all channels of a file in blocks ``[block, channels]``, checked as by `read_mono`."""
    try:
        for start in range(0, info.frames, block):
            wanted = min(block, info.frames - start)
            frames = _files.read(info.path, start, wanted)
            _check_complete(info, start, frames, wanted)
            for channel in frames.T:
                check_finite(channel, str(info.path), start, info.sample_rate)
            yield frames
    finally:
        _files.forget(info.path)
