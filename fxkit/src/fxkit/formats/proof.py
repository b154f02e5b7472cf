"""Every file is played against its model before it is handed out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from fxkit.artifact import Artifact
from fxkit.container import replacing
from fxkit.errors import FxkitError
from fxkit.model import Model, run_blocks

__all__ = ["TOLERANCE", "difference", "hand_out"]

TOLERANCE = 1e-5
"""Largest difference between the model and its file, over the largest sample."""

SILENCE = 48_000
"""Samples of silence before the comparison: players of other files start from a settled state."""

SAMPLES = 6000


@torch.no_grad()
def difference(model: Model, other: Model, multiple: int = 1) -> float:
    """Return how far two settled models are apart on noise, over the largest sample.

    Both hear silence first, then quiet and loud noise in blocks of different sizes, with random
    knobs; those of `other` are multiples of `multiple`.
    """
    generator = torch.Generator().manual_seed(0)
    level = torch.tensor([0.03, 1.0])[:, None, None]
    samples = -(-(SILENCE + SAMPLES) // multiple) * multiple - SILENCE
    noise = level * (2 * torch.rand(2, 1, samples, generator=generator) - 1)
    x = torch.cat((noise.new_zeros(2, 1, SILENCE), noise), dim=-1)
    knobs = torch.rand(2, model.controls, generator=generator) if model.controls else None
    wanted, _ = run_blocks(model, x, model.initial_state(2), knobs, 4096)
    block = max(3000 // multiple, 1) * multiple
    got, _ = run_blocks(other, x, other.initial_state(2), knobs, block)
    wanted, got = wanted[..., SILENCE:], got[..., SILENCE:]
    error = (wanted - got).abs().amax(dim=(1, 2))
    return float((error / wanted.abs().amax(dim=(1, 2)).clamp_min(1e-6)).max())


def hand_out(
    artifact: Artifact,
    path: Path,
    data: bytes,
    back: Callable[[Path], Model],
    title: str,
    multiple: int = 1,
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

    Raises
    ------
    FxkitError
        The file cannot be written, or is not the model.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(data)
        worst = difference(artifact.model, back(temporary), multiple)
        if not worst <= TOLERANCE:
            raise FxkitError(
                f"{path} is not written: as {title} it would play {worst:.1e} of the peak away "
                "from the model"
            )
