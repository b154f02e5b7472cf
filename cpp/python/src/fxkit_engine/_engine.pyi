import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

class EngineError(ValueError):
    """A model file that the engine refuses; the message says why, in one line."""

class Engine:
    """Plays an exported model in real time, block after block.

    Attributes
    ----------
    sample_rate
        Of the model, in Hz: the audio must have it.
    latency
        By how many samples the output lags the input.
    channels
        How many signals are played side by side.
    controls
        Name and default (0..1) of every knob.
    isa
        The instruction set in use: ``avx512``, ``avx2`` or ``baseline``.
    manifest
        What the file says about itself, JSON.
    probe_error
        How far the probe came out from what was recorded, over its largest sample.
    """

    @staticmethod
    def open(path: str | os.PathLike[str], isa: str | None = None, channels: int = 1) -> Engine:
        """Open a model file and check its probe.

        Parameters
        ----------
        path
            The ``.fxkit`` file.
        isa
            ``avx512``, ``avx2`` or ``baseline``; None for the best that this machine has.
        channels
            How many signals to play side by side, 1 to 64.

        Raises
        ------
        EngineError
            The file is damaged, newer, or has no layers for the engine.
        """

    @staticmethod
    def from_bytes(data: bytes, isa: str | None = None, channels: int = 1) -> Engine:
        """Open a model file that is in memory; see `open`."""

    def process(self, samples: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Play ``[time]`` or ``[channels, time]`` and return as much; memory carries over."""

    def prepare(self, channels: int) -> None:
        """Play so many channels from now on, and start afresh."""

    def reset(self) -> None:
        """Forget what was played: the next sample is the first one."""

    def set_control(self, index: int, value: float) -> None:
        """Turn a knob to a value in 0..1; it gets there in 20 ms."""

    @property
    def sample_rate(self) -> int: ...
    @property
    def latency(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def controls(self) -> list[tuple[str, float]]: ...
    @property
    def isa(self) -> str: ...
    @property
    def manifest(self) -> str: ...
    @property
    def probe_error(self) -> float: ...
