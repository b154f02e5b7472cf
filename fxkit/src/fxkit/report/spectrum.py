"""Power spectra and spectrograms, on axes like those of an ear."""

from __future__ import annotations

import base64
import itertools
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from scipy import signal

__all__ = ["power_spectrum", "spectrogram", "spectrogram_uri"]

Floats = NDArray[np.float64]
Samples = NDArray[np.float32]
SILENT = 1e-14


def power_spectrum(
    samples: Samples, sample_rate: int, *, low: float, high: float, per_octave: int = 24
) -> tuple[Floats, Floats]:
    """Return frequencies in Hz, evenly spaced in octaves, and the power density there.

    Welch's method with Hann windows of about 0.19 s; each point is the mean over 1/12 octave, so
    that treble is as legible as bass, or is interpolated where that holds less than two bins.
    """
    window = min(len(samples), 2 ** round(np.log2(0.19 * sample_rate)))
    if window < 16:
        return np.zeros(0), np.zeros(0)
    bins, power = signal.welch(samples.astype(np.float64), sample_rate, "hann", window)
    count = int(np.log2(high / low) * per_octave) + 1
    centres = low * 2 ** (np.arange(count) / per_octave)
    first = np.searchsorted(bins, centres * 2 ** (-1 / 24))
    last = np.maximum(np.searchsorted(bins, centres * 2 ** (1 / 24)), first + 1)
    between = np.interp(centres, bins, power)
    total = np.concatenate(([0.0], np.cumsum(power)))
    last = np.minimum(last, len(power))
    first = np.minimum(first, last - 1)
    mean = np.maximum((total[last] - total[first]) / (last - first), 0.0)
    return centres, np.where(last - first < 2, between, mean)


def spectrogram(
    samples: Samples,
    sample_rate: int,
    *,
    low: float,
    high: float,
    rows: int = 176,
    columns: int = 720,
) -> Floats:
    """Return energy ``[rows, columns]``, high frequencies first, spaced evenly in octaves.

    Bass has few bins for many rows and is interpolated; in the treble each row holds the loudest
    of its bins.
    """
    size = 2 ** round(np.log2(0.046 * sample_rate))
    x = samples.astype(np.float64)
    x = np.pad(x, (0, max(0, size - len(x))))
    hop = max(1, (len(x) - size) // columns)
    window = signal.get_window("hann", size)
    frames = np.lib.stride_tricks.sliding_window_view(x, size)[::hop]
    energy = np.concatenate(
        [np.square(np.abs(np.fft.rfft(part * window, 2 * size))) for part in _parts(frames)]
    )
    bins = np.fft.rfftfreq(2 * size, 1 / sample_rate)
    edges = np.geomspace(low, high, rows + 1)
    centres = np.sqrt(edges[:-1] * edges[1:])
    smooth = np.stack([np.interp(centres, bins, row) for row in energy])
    start = np.searchsorted(bins, edges)
    for row, (a, b) in enumerate(itertools.pairwise(start)):
        if b - a >= 2:
            smooth[:, row] = energy[:, a:b].max(axis=1)
    return np.ascontiguousarray(smooth.T[::-1])


def spectrogram_uri(energy: Floats, *, reference: float, span: float = 80.0) -> str:
    """Return a picture of energies as a ``data:`` address.

    Parameters
    ----------
    energy
        ``[rows, columns]``, the first row on top.
    reference
        The energy that gets the brightest colour.
    span
        How many dB below it the darkest colour lies.
    """
    import matplotlib as mpl

    level = 10 * np.log10((energy + SILENT) / (reference + SILENT))
    index = np.clip((level / span + 1) * 127, 0, 127).astype(np.uint8)
    palette = (mpl.colormaps["magma"](np.linspace(0, 1, 128))[:, :3] * 255).round().astype(np.uint8)
    return "data:image/png;base64," + base64.b64encode(_png(index, palette)).decode("ascii")


def _parts(frames: Floats) -> list[Floats]:
    return [frames[i : i + 128] for i in range(0, len(frames), 128)]


def _png(index: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """Write a PNG of palette colours: a third of the size of one in full colour."""
    height, width = index.shape
    rows = np.concatenate((np.zeros((height, 1), np.uint8), index), axis=1)  # filter 0: none
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
