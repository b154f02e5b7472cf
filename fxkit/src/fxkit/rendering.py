"""Playing recordings through a model: any sample rate, any length, in constant memory.

The signal is converted to the model's rate, played, and converted back; the model's latency is cut
from the front and silence is played behind the end, so that the output lies sample on sample over
the input and is exactly as long. Channels are played side by side, each with its own memory. Rates
are converted as the plug-in does, so that both give the same samples.

A model with a graph is played by the compiled engine where that is installed, others by PyTorch;
`Renderer.backend` says which.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from fxkit import engine
from fxkit.data import audio
from fxkit.data.writer import Writer
from fxkit.errors import FxkitError
from fxkit.manifest import Manifest
from fxkit.polyphase import Polyphase
from fxkit.progress import Progress, SilentProgress

if TYPE_CHECKING:
    from fxkit.artifact import Artifact

__all__ = ["Rendered", "Renderer", "render_array", "render_file"]

Samples = NDArray[np.float32]

BLOCK = 4096
"""Samples that are played at once; no output depends on it."""
STEP = 256
"""Samples of silence, at least, that are played at once behind the end."""

_KEPT = ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")
"""Encodings that the output takes over from the input, if its file type has them."""


@dataclass(frozen=True)
class Rendered:
    """What was written."""

    path: Path
    sample_rate: int
    channels: int
    frames: int
    peak: float
    """Largest sample before encoding, linear, full scale 1."""
    clipped: int
    """Samples beyond full scale that the encoding cut off; 0 for floating point."""
    backend: str = "PyTorch"
    """What computed the samples."""


class Renderer:
    """Plays a signal block by block.

    Parameters
    ----------
    artifact
        The model.
    sample_rate
        Of the signal, Hz.
    channels
        How many signals to play side by side.
    controls
        Knob values in 0..1 in the manifest's order, or by name; what is not given is at its
        default.

    Raises
    ------
    FxkitError
        A knob is unknown or out of range.
    """

    def __init__(
        self,
        artifact: Artifact,
        sample_rate: int,
        channels: int = 1,
        *,
        controls: Sequence[float] | Mapping[str, float] | None = None,
    ) -> None:
        self._model = artifact.model
        self._sample_rate = sample_rate
        knobs = knob_values(artifact.manifest, controls)
        self._knobs = torch.tensor([knobs]).expand(channels, -1) if knobs else None
        self._engine = engine.for_artifact(artifact, channels=channels, knobs=knobs)
        self.backend = "PyTorch" if self._engine is None else self._engine.backend
        """What computes the samples."""
        self._channels = channels
        self._begin()

    def restart(self) -> None:
        """Go back to silence: what is processed next is the beginning of another signal."""
        if self._engine is not None:
            self._engine.reset()
        self._begin()

    def _begin(self) -> None:
        given, rate, channels = self._sample_rate, self._model.sample_rate, range(self._channels)
        self._before = [Polyphase(given, rate) for _ in channels if given != rate]
        self._after = [Polyphase(rate, given) for _ in channels if given != rate]
        self._state = {} if self._engine else self._model.initial_state(self._channels)
        self._skip = self._model.latency
        self._taken = self._given = 0

    def process(self, block: Samples) -> Samples:
        """Take ``[time, channels]`` and return what is ready, ``[time, channels]``; maybe none."""
        self._taken += len(block)
        return self._cut(self._play(self._convert(self._before, block)))

    def finish(self) -> Samples:
        """Return the rest: together, as many samples have come out as went in."""
        parts = [np.zeros((0, self._channels), np.float32)]
        while (left := self._taken - self._given) > 0:
            silence = np.zeros((min(max(left, STEP), BLOCK), self._channels), np.float32)
            parts.append(self._cut(self._play(self._convert(self._before, silence))))
        return np.concatenate(parts)

    @torch.no_grad()
    def _play(self, block: Samples) -> Samples:
        """Play ``[time, channels]`` at the model's rate; return it at the signal's."""
        parts = []
        for start in range(0, len(block), BLOCK):
            x = np.ascontiguousarray(block[start : start + BLOCK].T)
            if self._engine is not None:
                parts.append(self._engine.process(x).T)
                continue
            y, self._state = self._model(torch.from_numpy(x)[:, None], self._state, self._knobs)
            parts.append(y[:, 0].numpy().T)
        played = np.concatenate(parts) if parts else np.zeros((0, self._channels), np.float32)
        if not np.isfinite(played).all():
            raise FxkitError("the model makes NaN or infinite samples of this recording")
        late = min(self._skip, len(played))
        self._skip -= late
        return self._convert(self._after, played[late:])

    def _convert(self, converters: list[Polyphase], block: Samples) -> Samples:
        if not converters:
            return block
        return np.stack([c.process(block[:, i]) for i, c in enumerate(converters)], axis=1)

    def _cut(self, played: Samples) -> Samples:
        """Leave out what would make the output longer than the input."""
        cut = played[: self._taken - self._given]
        self._given += len(cut)
        return cut


def knob_values(
    manifest: Manifest, controls: Sequence[float] | Mapping[str, float] | None
) -> list[float]:
    """Return one checked value per knob of the model, in the manifest's order.

    Raises
    ------
    FxkitError
        A knob is unknown or out of range, or there are too many or too few.
    """
    values = {control.name: control.default for control in manifest.controls}
    names = list(values)
    if isinstance(controls, Mapping):
        for name in controls.keys() - values.keys():
            raise FxkitError(f"the model has no knob {name!r}; it has {', '.join(names) or 'none'}")
        values |= controls
    elif controls is not None:
        if len(controls) != len(names):
            raise FxkitError(
                f"{len(controls)} knob values for a model with {len(names)}"
                + (f": {', '.join(names)}" if names else "")
            )
        values = dict(zip(names, controls, strict=True))
    for name, value in values.items():
        if not 0 <= value <= 1:
            raise FxkitError(f"knob {name} must be from 0 to 1, not {value}")
    return [float(value) for value in values.values()]


def render_array(
    artifact: Artifact,
    samples: NDArray[np.floating[Any]],
    sample_rate: int,
    *,
    controls: Sequence[float] | Mapping[str, float] | None = None,
) -> Samples:
    """Play a signal in memory.

    Parameters
    ----------
    artifact
        The model.
    samples
        ``[time]`` or ``[time, channels]``, full scale +-1.
    sample_rate
        Of the signal, Hz.
    controls
        See `Renderer`.

    Returns
    -------
    NDArray
        float32, shaped like `samples`, not delayed against it.
    """
    signal = np.asarray(samples, np.float32)
    if signal.ndim not in (1, 2) or not np.isfinite(signal).all():
        raise FxkitError(
            "samples must be [time] or [time, channels] of finite numbers, "
            f"not {list(signal.shape)}"
        )
    if len(signal) == 0:
        return signal.copy()
    columns = signal.reshape(len(signal), -1)
    player = Renderer(artifact, sample_rate, columns.shape[1], controls=controls)
    return np.concatenate((player.process(columns), player.finish())).reshape(signal.shape)


def render_file(
    artifact: Artifact,
    source: str | Path,
    destination: str | Path,
    *,
    controls: Sequence[float] | Mapping[str, float] | None = None,
    progress: Progress | None = None,
    block: int = 1 << 16,
) -> Rendered:
    """Play a recording of any length, rate and number of channels, and write what comes out.

    Parameters
    ----------
    artifact
        The model.
    source
        A WAV, FLAC, AIFF or OGG file.
    destination
        Its ending says the file type. The encoding is the source's where the type has it, else the
        type's usual one. The file appears when it is complete.
    controls
        See `Renderer`.
    progress
        Shows how far it is, and warns if the output clips.
    block
        Samples that are read at once.

    Raises
    ------
    FxkitError
        In one line: what is wrong with the source, the destination or a knob.
    """
    progress = progress or SilentProgress()
    source, destination = Path(source), Path(destination)
    info = audio.probe(source)
    if destination.exists() and destination.samefile(source):
        raise FxkitError(f"{destination} is the recording itself: choose another name")
    player = Renderer(artifact, info.sample_rate, info.channels, controls=controls)
    encoding = _encoding(info, destination)
    limited = encoding not in ("FLOAT", "DOUBLE")
    peak, clipped = 0.0, 0
    with (
        progress.task(f"rendering ({player.backend})", info.frames) as step,
        Writer(
            destination,
            info.sample_rate,
            channels=info.channels,
            encoding=encoding,
            frames=info.frames,
        ) as out,
    ):

        def write(samples: Samples) -> None:
            nonlocal peak, clipped
            if len(samples):
                peak = max(peak, float(np.abs(samples).max()))
                clipped += int(np.count_nonzero(np.abs(samples) > 1)) if limited else 0
                out.write(samples)

        for frames in audio.read_frames(info, block):
            write(player.process(frames))
            step.advance(len(frames))
        write(player.finish())
    if clipped:
        share = 100 * clipped / (info.frames * info.channels)
        progress.warn(
            f"{destination} clips: {share:.2g} % of its samples, by up to "
            f"{20 * math.log10(peak):.1f} dB; render a quieter recording"
        )
    return Rendered(
        destination, info.sample_rate, info.channels, info.frames, peak, clipped, player.backend
    )


def _encoding(info: audio.Probe, destination: Path) -> str | None:
    import soundfile

    subtype = info.kind.rpartition(", ")[2]
    kind = {".wav": "WAV", ".flac": "FLAC", ".aiff": "AIFF", ".aif": "AIFF"}
    target = kind.get(destination.suffix.lower())
    if subtype in _KEPT and target and soundfile.check_format(target, subtype):
        return subtype
    return None
