"""Writing audio files, whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from fxkit.data.audio import SUFFIXES, forget
from fxkit.errors import FxkitError
from fxkit.files import replacing

__all__ = ["Writer", "write"]

_FORMATS = {
    ".wav": ("WAV", "PCM_24"),
    ".flac": ("FLAC", "PCM_24"),
    ".aiff": ("AIFF", "PCM_24"),
    ".aif": ("AIFF", "PCM_24"),
    ".ogg": ("OGG", "VORBIS"),
}
_WAV_LIMIT = (1 << 32) - (1 << 16)  # bytes; a plain WAV file counts them in 32 bits


class Writer:
    """Writes an audio file block by block; it appears under its name only when it is complete.

    Parameters
    ----------
    path
        Its ending says the file type, one of `SUFFIXES`.
    sample_rate
        In Hz.
    channels
        How many.
    encoding
        A subtype of libsndfile (``"FLOAT"``, ``"PCM_16"``); 24 bits, or Vorbis for OGG, if None.
        Encodings of whole numbers clip what is beyond full scale.
    frames
        How long the file will be, if known: a WAV that would pass 4 GiB is made an RF64.

    Use it as a context manager: leaving it by an exception leaves nothing behind.
    """

    def __init__(
        self,
        path: str | Path,
        sample_rate: int,
        *,
        channels: int = 1,
        encoding: str | None = None,
        frames: int | None = None,
    ) -> None:
        import soundfile

        self.path = Path(path)
        try:
            kind, usual = _FORMATS[self.path.suffix.lower()]
        except KeyError:
            raise FxkitError(
                f"cannot write {self.path}: its name must end in one of {', '.join(SUFFIXES)}"
            ) from None
        if kind == "WAV" and frames is not None and frames * channels * 8 > _WAV_LIMIT:
            kind = "RF64"
        self._place = replacing(self.path)
        try:
            temporary = self._place.__enter__()
        except OSError as error:
            raise FxkitError(f"cannot write {self.path}: {error.strerror}") from None
        try:
            self._file = soundfile.SoundFile(
                str(temporary), "w", sample_rate, channels, encoding or usual, format=kind
            )
        except (RuntimeError, TypeError, ValueError) as error:
            self._drop()
            raise FxkitError(f"cannot write {self.path}: {error}") from None

    def write(self, samples: npt.NDArray[Any]) -> None:
        """Append ``[time]`` or ``[time, channels]``."""
        try:
            self._file.write(np.ascontiguousarray(samples, dtype=np.float32))
        except (RuntimeError, AssertionError, OSError):
            raise self._failure() from None

    def _failure(self) -> FxkitError:
        free = None
        with contextlib.suppress(OSError, AttributeError):
            status = os.statvfs(self.path.parent)
            free = status.f_bavail * status.f_frsize
        why = os.strerror(errno.ENOSPC) if free is not None and free < 1 << 20 else "writing failed"
        return FxkitError(f"cannot write {self.path}: {why}")

    def close(self) -> None:
        """Finish the file and move it to its name."""
        try:
            self._file.close()
            forget(self.path)
            self._place.__exit__(None, None, None)
        except OSError as error:
            self._drop()
            raise FxkitError(f"cannot write {self.path}: {error.strerror or error}") from None
        except RuntimeError:
            self._drop()
            raise self._failure() from None

    def discard(self) -> None:
        """Drop what was written."""
        with contextlib.suppress(RuntimeError, OSError):
            self._file.close()
        self._drop()

    def _drop(self) -> None:
        """Remove what was written, which has not got its name."""
        self._place.__exit__(_DroppedError, _DroppedError(), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self.discard()


class _DroppedError(Exception):
    """Tells `replacing` that the file is not to take its name."""


def write(
    path: str | Path, samples: npt.NDArray[Any], sample_rate: int, *, encoding: str | None = None
) -> None:
    """Write ``[time]`` or ``[time, channels]`` to a file, complete or not at all; see `Writer`."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    with Writer(
        path, sample_rate, channels=channels, encoding=encoding, frames=len(samples)
    ) as out:
        out.write(samples)
