"""Every file is played against its model before it is handed out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from fxkit import probe
from fxkit.artifact import Artifact
from fxkit.container import replacing
from fxkit.errors import FxkitError
from fxkit.model import Model, State, run_blocks

__all__ = ["TOLERANCE", "difference", "hand_out", "settle"]

TOLERANCE = 1e-5
"""Largest difference between the model and its file, over the largest sample."""

SILENCE = 48_000
"""Samples of silence before the comparison, at most: other players start from a settled state."""

STEADY = 1e-7
"""Change of a state over `STEP` samples below which it is settled."""

STEP, SAMPLES = 1000, 6000


@torch.no_grad()
def difference(model: Model, other: Model, multiple: int = 1) -> float:
    """Return how far two settled models are apart on noise, over the largest sample.

    Both hear silence first, then quiet noise and loud chords in blocks of different sizes, with
    random knobs; those of `other` are multiples of `multiple`.
    """
    generator = torch.Generator().manual_seed(0)
    samples = -(-SAMPLES // multiple) * multiple
    quiet = 0.03 * (2 * torch.rand(samples, generator=generator) - 1)
    # Not loud noise: in a high-gain network even the rounding of two exact players then differs.
    x = torch.stack((quiet, probe.signal(samples, model.sample_rate, 0.5)))[:, None]
    knobs = torch.rand(2, model.controls, generator=generator) if model.controls else None
    before = settle((model, other), knobs, multiple)
    wanted, _ = run_blocks(model, x, before[0], knobs, 4096)
    got, _ = run_blocks(other, x, before[1], knobs, max(1700 // multiple, 1) * multiple)
    # Of the loud one's peak: over that of a quiet signal, rounding alone can be more than 1e-5.
    return float((wanted - got).abs().max() / wanted.abs().max().clamp_min(1e-6))


@torch.no_grad()
def settle(models: Sequence[Model], knobs: Tensor | None, multiple: int = 1) -> list[State]:
    """Play silence through models until all are settled; return the state of each.

    Parameters
    ----------
    models
        All hear equally many samples.
    knobs
        ``[batch, K]``; None for models without knobs, which hear two streams.
    multiple
        The number of samples is a multiple of this.
    """
    batch = 2 if knobs is None else len(knobs)
    block = torch.zeros(batch, 1, max(STEP // multiple, 1) * multiple)
    states = [model.initial_state(batch) for model in models]
    for _ in range(-(-SILENCE // block.shape[-1])):
        new = [m(block, state, knobs)[1] for m, state in zip(models, states, strict=True)]
        change = max((_change(a, b) for a, b in zip(states, new, strict=True)), default=0.0)
        states = new
        if change < STEADY:
            break
    return states


def _change(before: State, after: State) -> float:
    moved = [
        float((after[name] - leaf).abs().max())
        for name, leaf in before.items()
        if leaf.is_floating_point() and leaf.numel()
    ]
    return max(moved, default=0.0)


def hand_out(
    artifact: Artifact,
    path: Path,
    data: bytes,
    back: Callable[[Path], Model],
    title: str,
    multiple: int = 1,
    tolerance: float = TOLERANCE,
) -> None:
    """Write a file, read it back, and give it its name only if it plays what the model plays.

    Parameters
    ----------
    artifact
        The model.
    path
        Where to; replaced, complete or not at all.
    data
        The file.
    back
        Makes a model of a file.
    title
        What the file type is, for the message.
    multiple
        Its blocks are multiples of this.
    tolerance
        Largest difference, over the peak.

    Raises
    ------
    FxkitError
        The file cannot be written, or is not the model.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(data)
        worst = difference(artifact.model, back(temporary), multiple)
        if not worst <= tolerance:
            raise FxkitError(
                f"{path} is not written: as {title} it would play {worst:.1e} of the peak away "
                "from the model; if it magnifies rounding, another run.seed may do better"
            )
