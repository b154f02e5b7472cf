"""A learned model of an amplifier, which makes new pairs while another model learns from them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import numpy as np
import torch

from fxkit import artifact as artifacts
from fxkit.data.audio import Samples
from fxkit.data.augment import RUN_IN
from fxkit.errors import FxkitError
from fxkit.rendering import Renderer

if TYPE_CHECKING:
    from fxkit.artifact import Artifact

__all__ = ["Amplifier", "load"]


class Amplifier:
    """Plays stretches of dry guitar through a model file, each from silence.

    The compiled engine plays them where it is installed, several at once on as many threads as
    PyTorch has; else PyTorch plays them side by side, which is slower.

    Parameters
    ----------
    artifact
        The model.
    sha256
        Of its file, in hexadecimal digits; empty if there is none.

    Attributes
    ----------
    description
        Which model it is: its name, and the SHA-256 of its file.
    sample_rate
        In Hz.
    run_in
        Samples that it has to hear before what it makes counts.
    peak
        The loudest sample that it has learned from, linear; infinity if that is not known.
    """

    def __init__(self, artifact: Artifact, sha256: str = "") -> None:
        manifest, model = artifact.manifest, artifact.model
        self.description = manifest.name or manifest.model
        if sha256:
            self.description += f", SHA-256 {sha256}"
        self.sample_rate = model.sample_rate
        self.run_in = max(round(RUN_IN * model.sample_rate), model.warm_up)
        self.peak = manifest.input.peak if manifest.input and manifest.input.peak else math.inf
        self._artifact = artifact
        # Asked here: in another thread PyTorch may say something else.
        self._threads = torch.get_num_threads()
        first = Renderer(artifact, self.sample_rate)
        self._has_engine = first.backend != "PyTorch"
        self._idle: SimpleQueue[Renderer] = SimpleQueue()
        self._idle.put(first)
        self._made = 1

    def play(self, stretches: Sequence[Samples]) -> list[Samples]:
        """Play ``[time]`` stretches of one length; each comes back as long and not delayed.

        What comes out depends on nothing that was played before, nor, up to rounding, on how many
        there are.

        Raises
        ------
        FxkitError
            The model makes NaN or infinite samples.
        """
        if not stretches:
            return []
        if not self._has_engine:
            player = Renderer(self._artifact, self.sample_rate, len(stretches))
            return list(_through(player, np.stack(stretches, axis=1)).T)
        workers = min(self._threads, len(stretches))
        while self._made < workers:
            self._idle.put(Renderer(self._artifact, self.sample_rate))
            self._made += 1
        if workers == 1:
            return [self._play(stretch) for stretch in stretches]
        with ThreadPoolExecutor(workers, thread_name_prefix="fxkit-amplifier") as pool:
            return list(pool.map(self._play, stretches))

    def _play(self, stretch: Samples) -> Samples:
        player = self._idle.get()
        try:
            player.restart()
            return _through(player, stretch[:, None])[:, 0]
        finally:
            self._idle.put(player)


def load(path: str) -> Amplifier:
    """Open the model that ``task.amplifier`` names: a run's folder, or a model file.

    Raises
    ------
    FxkitError
        There is none, it is damaged, it does not go from dry to wet, or it has knobs.
    """
    what = f"task.amplifier={path}"
    file = Path(path)
    if file.is_dir():
        file /= "model.fxkit"
        if not file.is_file():
            raise FxkitError(f"{what}: a folder without a model.fxkit")
    elif not file.is_file():
        raise FxkitError(f"{what}: no such file or folder")
    artifact = artifacts.open(file)
    manifest = artifact.manifest
    if manifest.task != "distort":
        raise FxkitError(
            f"{what}: a model for {manifest.made_for}; needed is one of task=distort, trained on "
            "the same recordings"
        )
    if artifact.model.controls:
        names = ", ".join(control.name for control in manifest.controls)
        raise FxkitError(
            f"{what}: a model with knobs ({names}); needed is one without, of one setting"
        )
    return Amplifier(artifact, hashlib.sha256(file.read_bytes()).hexdigest())


def _through(player: Renderer, signal: Samples) -> Samples:
    """Play ``[time, channels]`` from start to end; as long, and not delayed."""
    return np.concatenate((player.process(signal), player.finish()))
