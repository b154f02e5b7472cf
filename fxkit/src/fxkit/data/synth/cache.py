"""The built-in recording pair on disk: made once, then found again in the user's cache folder."""

from __future__ import annotations

import hashlib
import os
import sys
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from numpy.typing import NDArray

from fxkit.data.synth.drive import GAINS, drive, gain_of
from fxkit.data.synth.guitar import guitar
from fxkit.errors import FxkitError
from fxkit.files import replacing

if TYPE_CHECKING:
    from fxkit.progress import Progress

__all__ = ["SAMPLE_RATE", "SECONDS", "built_in", "cache_directory"]

SECONDS = 180
SAMPLE_RATE = 44_100


def built_in(level: str, seed: int, progress: Progress) -> tuple[Path, Path]:
    """Return the dry and the wet recording of the built-in data set, making them if need be.

    Parameters
    ----------
    level
        ``light``, ``medium`` or ``heavy``.
    seed
        What is played; 0 and up. All levels of one seed share their dry recording.
    progress
        Shows the making, which takes some ten seconds.

    Returns
    -------
    tuple of Path
        Two mono 24-bit WAV files of three minutes at 44.1 kHz, of equal length.

    Raises
    ------
    FxkitError
        The level is unknown, the seed is negative, or the cache cannot be written.
    """
    if level not in GAINS:
        gain_of(level)  # raises for an unknown name
        raise FxkitError(f"the built-in data set has the levels {', '.join(GAINS)}, not {level}")
    if seed < 0:
        raise FxkitError(f"the seed of the built-in data set must be 0 or more, not {seed}")
    folder = cache_directory() / "built-in"
    stem = f"{_version()}-seed{seed}"
    clean, wet = folder / f"{stem}-clean.wav", folder / f"{stem}-{level}.wav"
    if not _complete(clean):
        with progress.task("playing the built-in guitar", total=SECONDS) as step:
            _write(clean, guitar(seed, SECONDS, SAMPLE_RATE, step=step))
    if not _complete(wet):
        # From the file, not from memory: it is the recording in the file that is distorted.
        dry, _ = soundfile.read(clean, dtype="float64")
        with progress.task(f"distorting it ({level})", total=SECONDS * SAMPLE_RATE) as step:
            _write(wet, drive(dry, SAMPLE_RATE, level, step=step))
    return clean, wet


def cache_directory() -> Path:
    """Return where fxkit keeps what it can make again; the folder need not exist yet.

    ``$XDG_CACHE_HOME/fxkit`` where that is set, else the platform's usual place.
    """
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    if chosen and Path(chosen).is_absolute():
        return Path(chosen) / "fxkit"
    try:
        home = Path.home()
    except RuntimeError as error:
        raise FxkitError(
            "there is no home folder to keep the built-in data in: set XDG_CACHE_HOME to a folder"
        ) from error
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "fxkit"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else home / "AppData" / "Local") / "fxkit" / "Cache"
    return home / ".cache" / "fxkit"


@cache
def _version() -> str:
    """Name this synthesiser by its source: a changed one makes new files."""
    digest = hashlib.sha256()
    package = resources.files("fxkit.data.synth")
    for entry in sorted(package.iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".py"):
            digest.update(entry.name.encode())
            digest.update(entry.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:12]


def _complete(path: Path) -> bool:
    """Say whether the file is there and whole."""
    try:
        info = soundfile.info(path)
    except (OSError, soundfile.LibsndfileError):
        return False
    return bool(info.frames == SECONDS * SAMPLE_RATE and info.samplerate == SAMPLE_RATE)


def _write(path: Path, samples: NDArray[np.float32]) -> None:
    """Write all of the file or nothing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            soundfile.write(temporary, samples, SAMPLE_RATE, subtype="PCM_24", format="WAV")
            if not _complete(temporary):  # libsndfile is silent about a disk that fills up
                raise OSError("the file came out short; the disk may be full")
    except (OSError, soundfile.LibsndfileError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise FxkitError(
            f"cannot keep the built-in data set in {path.parent} ({reason}): "
            "free some space, or set XDG_CACHE_HOME to a folder that can be written"
        ) from error
