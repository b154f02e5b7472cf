"""One mono channel of one file, read at random: from memory if it is small, else from disk."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fxkit.data.audio import (
    Channel,
    Probe,
    Samples,
    check_channel,
    check_finite,
    probe,
    read_mono,
    resample,
)
from fxkit.errors import FxkitError

__all__ = ["Recording", "converted_frames"]

HELD_FRAMES = 1 << 25
"""Recordings up to this length (12 minutes at 44.1 kHz, 128 MiB) are decoded into memory."""

_DECODE = 1 << 18  # frames decoded at a time
_BLOCK = 1 << 16  # least length of a block of converted samples
_CONTEXT = 2048  # samples at the lower rate; soxr's high quality filter reaches less far
_CACHED = 16  # converted blocks kept per recording


class _Source(Protocol):
    """Where the samples of a recording come from."""

    path: Path | None
    sample_rate: int
    frames: int
    held: bool

    def read(self, start: int, stop: int) -> Samples:
        """Return ``[stop - start]``; the caller does not modify it."""


class _Held:
    """Samples in memory; another source is decoded when they are first asked for."""

    held = True

    def __init__(self, source: _Source | Samples, sample_rate: int) -> None:
        self._lock = threading.Lock()
        self._source: _Source | None = None
        self._samples: Samples | None = None
        if isinstance(source, np.ndarray):
            self._samples = source
            self.path, self.frames = None, len(source)
        else:
            self._source = source
            self.path, self.frames = source.path, source.frames
        self.sample_rate = sample_rate

    def read(self, start: int, stop: int) -> Samples:
        with self._lock:
            if self._samples is None:
                self._samples = self._decode()
        return self._samples[start:stop]

    def _decode(self) -> Samples:
        assert self._source is not None
        samples = np.empty(self.frames, np.float32)
        for start in range(0, self.frames, _DECODE):
            stop = min(start + _DECODE, self.frames)
            samples[start:stop] = self._source.read(start, stop)
        self._source = None
        return samples


class _File:
    """One channel of a file, at the file's own rate."""

    held = False

    def __init__(self, info: Probe, channel: Channel | None) -> None:
        self.path: Path | None = info.path
        self.sample_rate = info.sample_rate
        self.frames = info.frames
        self._info = info
        self._channel = channel

    def read(self, start: int, stop: int) -> Samples:
        return read_mono(self._info, self._channel, start, stop)


class _Converted:
    """Another source at another rate, converted on the fly.

    The converted signal is cut into blocks on a fixed grid whose lines fall on whole samples at
    both rates. Each block is converted by itself, with enough context on either side, so a sample
    has one value however it is reached.
    """

    held = False

    def __init__(self, source: _Source, sample_rate: int) -> None:
        self.path = source.path
        self.sample_rate = sample_rate
        self.frames = converted_frames(source.frames, source.sample_rate, sample_rate)
        self._source = source
        divisor = math.gcd(source.sample_rate, sample_rate)
        # `_from` samples of the source last as long as `_to` converted ones.
        self._from, self._to = source.sample_rate // divisor, sample_rate // divisor
        self._cells = -(-_BLOCK // self._to)
        reach = _CONTEXT * max(1.0, source.sample_rate / sample_rate)
        self._context = math.ceil(reach / self._from)
        self._cache: OrderedDict[int, Samples] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, start: int, stop: int) -> Samples:
        size = self._cells * self._to
        out = np.empty(stop - start, np.float32)
        with self._lock:
            for index in range(start // size, -(-stop // size)):
                first = index * size
                left, right = max(start, first), min(stop, first + size)
                out[left - start : right - start] = self._block(index)[left - first : right - first]
        return out

    def _block(self, index: int) -> Samples:
        block = self._cache.pop(index, None)
        if block is None:
            block = self._convert(index)
        self._cache[index] = block
        while len(self._cache) > _CACHED:
            self._cache.popitem(last=False)
        return block

    def _convert(self, index: int) -> Samples:
        first = (index * self._cells - self._context) * self._from
        last = ((index + 1) * self._cells + self._context) * self._from
        left, right = max(0, first), min(self._source.frames, last)
        samples = np.zeros(last - first, np.float32)
        samples[left - first : right - first] = self._source.read(left, right)
        converted = resample(samples, self._source.sample_rate, self.sample_rate)
        skip = self._context * self._to
        return converted[skip : skip + self._cells * self._to].copy()


def converted_frames(frames: int, source_rate: int, target_rate: int) -> int:
    """Return the length of a recording after conversion to another rate."""
    return (2 * frames * target_rate + source_rate) // (2 * source_rate)


class Recording:
    """One mono channel of one file, at one rate. Make one with `open` or `from_array`.

    Attributes
    ----------
    path
        The file; None for a signal made in memory.
    sample_rate
        In Hz; the file's own, or what it is converted to as it is read.
    frames
        The length in samples at that rate.
    """

    path: Path | None
    sample_rate: int
    frames: int

    def __init__(self, source: _Source, start: int, stop: int) -> None:
        self._source = source
        self._start = start
        self.path = source.path
        self.sample_rate = source.sample_rate
        self.frames = stop - start

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        channel: Channel | None = None,
        sample_rate: int | None = None,
        hold: bool | None = None,
    ) -> Recording:
        """Open a file; nothing but its header is read yet.

        Parameters
        ----------
        path
            A WAV, FLAC, AIFF or OGG file.
        channel
            Which channel of a stereo file; needed there, ignored in a mono file.
        sample_rate
            Convert to this rate; the file's own if None.
        hold
            Decode it into memory at the first read. If None: where it is short (`HELD_FRAMES`).

        Raises
        ------
        FxkitError
            The file cannot be read, or has several channels and none was chosen.
        """
        info = probe(path)
        check_channel(info, channel)
        source: _Source = _File(info, channel)
        if not info.random_access:
            if hold is False:
                raise FxkitError(
                    f"{info.path} is too large to be held in memory, and its type can only be read "
                    "from start to end: convert it to FLAC or WAV, or raise data.memory"
                )
            source, hold = _Held(source, source.sample_rate), True
        if sample_rate is not None and sample_rate != info.sample_rate:
            source = _Converted(source, sample_rate)
        if not source.held and (hold or (hold is None and source.frames <= HELD_FRAMES)):
            source = _Held(source, source.sample_rate)
        return cls(source, 0, source.frames)

    @classmethod
    def from_array(cls, samples: npt.NDArray[Any], sample_rate: int) -> Recording:
        """Make a recording of a ``[time]`` signal at full scale +-1; it is copied.

        Raises
        ------
        FxkitError
            A sample is NaN or infinite.
        """
        copy = np.array(samples, np.float32)
        if copy.ndim != 1:
            raise ValueError(f"a recording is mono, [time]; this array is {copy.shape}")
        check_finite(copy, "recording", 0, sample_rate)
        return cls(_Held(copy, sample_rate), 0, len(copy))

    @property
    def held(self) -> bool:
        """Whether reading comes from memory, or will after the first read."""
        return self._source.held

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self.path.name if self.path else "recording"

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return self.frames / self.sample_rate

    def read(self, start: int, stop: int) -> Samples:
        """Return the samples from `start` up to, not including, `stop`.

        Returns
        -------
        samples
            float32 ``[stop - start]``, full scale +-1, the caller's own copy.

        Raises
        ------
        FxkitError
            The file is damaged there, or holds a NaN or infinite sample: says where.
        """
        return self._view(start, stop).copy()

    def read_into(self, start: int, out: Samples) -> None:
        """Fill `out`, of any shape whose last axes are time, from `start` on, without a copy."""
        out[...] = self._view(start, start + out.size).reshape(out.shape)

    def part(self, start: int, stop: int) -> Recording:
        """Return the stretch from `start` to `stop` as a recording; shares the samples."""
        self._check(start, stop)
        return Recording(self._source, self._start + start, self._start + stop)

    def _view(self, start: int, stop: int) -> Samples:
        self._check(start, stop)
        return self._source.read(self._start + start, self._start + stop)

    def _check(self, start: int, stop: int) -> None:
        if not 0 <= start <= stop <= self.frames:
            raise IndexError(f"{self.name}: [{start}, {stop}) is not within [0, {self.frames})")

    def __repr__(self) -> str:
        where = self.path or "array"
        return f"Recording({where}, {self.seconds:.1f} s at {self.sample_rate} Hz)"
