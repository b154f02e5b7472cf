"""Playing a model through the compiled engine, where the distribution fxkit-engine is installed.

The engine plays any model that has a graph, many times faster than PyTorch and with the same
samples up to rounding. Everything else is played by PyTorch. ``FXKIT_ENGINE=off`` always takes
PyTorch; ``FXKIT_ENGINE=baseline``, ``avx2`` or ``avx512`` picks the instruction set.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fxkit.errors import FxkitError
from fxkit.manifest import GRAPH_ONLY, Control, Manifest

if TYPE_CHECKING:
    from torch import Tensor

    from fxkit.artifact import Artifact
    from fxkit.graph import Spec
    from fxkit.model import Model

__all__ = ["EnginePlayer", "for_artifact", "for_model", "installed"]

VARIABLE = "FXKIT_ENGINE"

PROBE_SECONDS = 0.05
"""The engine proves itself on as much before it plays."""

MAX_CHANNELS = 64


class EnginePlayer:
    """A model in the engine: a `fxkit.realtime.BlockProcessor` that also takes several channels.

    Parameters
    ----------
    engine
        A ``fxkit_engine.Engine``, opened.
    """

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.sample_rate: int = engine.sample_rate
        self.backend = f"fxkit engine, {engine.isa}"

    def process(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Play ``[time]``, or ``[channels, time]`` where it was made for several."""
        played: NDArray[np.float32] = self._engine.process(block)
        return played

    def reset(self) -> None:
        """Go back to silence; the knobs stay where they are."""
        self._engine.reset()


@cache
def _module() -> ModuleType | None:
    try:
        import fxkit_engine
    except ImportError:
        return None
    return fxkit_engine if hasattr(fxkit_engine, "Engine") else None


def installed() -> ModuleType | None:
    """Return the module ``fxkit_engine``; None where it is not installed or turned off."""
    return None if os.environ.get(VARIABLE) == "off" else _module()


def for_artifact(
    artifact: Artifact, *, channels: int = 1, knobs: Sequence[float] | None = None
) -> EnginePlayer | None:
    """Put an artefact into the engine.

    Parameters
    ----------
    artifact
        Its graph is what is played.
    channels
        How many signals to play side by side.
    knobs
        One value in 0..1 for each; None for the defaults.

    Returns
    -------
    EnginePlayer or None
        None if there is no engine, no graph, or too many channels: play it with PyTorch.

    Raises
    ------
    FxkitError
        The engine refuses what it should be able to play.
    """
    if installed() is None or artifact.graph is None:
        return None
    return _open(
        artifact.graph, artifact.tensors, artifact.model, artifact.manifest, channels, knobs
    )


def for_model(model: Model) -> EnginePlayer | None:
    """Put a model that is in memory into the engine, its knobs at 0.5; see `for_artifact`."""
    from fxkit.graph import NotExportableError, export

    on_cpu = all(tensor.device.type == "cpu" for tensor in model.state_dict().values())
    if installed() is None or not on_cpu:
        return None
    try:
        spec, tensors = export(model.eval())
    except NotExportableError:
        return None
    manifest = Manifest(
        name=type(model).__name__,
        model=GRAPH_ONLY,
        sample_rate=model.sample_rate,
        latency=model.latency,
        controls=tuple(Control(f"knob {i + 1}") for i in range(model.controls)),
    )
    return _open(spec, tensors, model, manifest, 1, None)


def _open(
    spec: Spec,
    tensors: Mapping[str, Tensor],
    model: Model,
    manifest: Manifest,
    channels: int,
    knobs: Sequence[float] | None,
) -> EnginePlayer | None:
    from fxkit import artifact, container, probe

    module = installed()
    if module is None or not 1 <= channels <= MAX_CHANNELS:
        return None
    values = [c.default for c in manifest.controls] if knobs is None else list(knobs)
    proof = probe.make(model, seconds=PROBE_SECONDS, peak=0.5, controls=values)
    metadata = {
        artifact.VERSION_KEY: str(artifact.FORMAT),
        artifact.MANIFEST_KEY: manifest.to_json(),
        artifact.GRAPH_KEY: json.dumps(spec.to_plain(), allow_nan=False),
    }
    used = {name: tensors[name] for name in spec.tensors()}
    data = container.pack({**used, **proof}, metadata)
    try:
        engine = module.Engine.from_bytes(
            data, isa=os.environ.get(VARIABLE) or None, channels=channels
        )
    except module.EngineError as error:
        raise FxkitError(
            f"the engine does not play this model: {error}; {VARIABLE}=off uses PyTorch"
        ) from None
    for i, value in enumerate(values):
        engine.set_control(i, value)
    engine.reset()  # the knobs are where they are from the first sample
    return EnginePlayer(engine)
