"""Small models with random weights: every kind that ships, an outside one, other players' files."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from fxkit.manifest import Control, Manifest
from fxkit.model import Model
from fxkit.registry import MODELS

import fxkit
from fxkit import artifact

from .bundles import ROOT
from .signals import Samples

PEERS = ROOT.parent / "shared" / "peer_models"


@dataclass(frozen=True)
class Made:
    """A model file that the plug-in loads, and what fxkit makes of a signal with it."""

    path: Path
    artifact: artifact.Artifact

    @property
    def rate(self) -> int:
        return self.artifact.manifest.sample_rate

    def render(self, x: Samples, rate: int, *, silence: int = 0, **knobs: float) -> Samples:
        """Play ``[channels, frames]``, after `silence` frames of silence that are cut off again."""
        padded = np.concatenate((np.zeros((len(x), silence), np.float32), x), axis=1)
        return self.artifact.render(padded.T, rate, knobs or None).T[:, silence:]


def shipped(name: str, *, rate: int, knobs: tuple[Control, ...] = (), **config: object) -> Model:
    """Make a model of the registry, drawn so that its output has about the level of its input."""
    cls = MODELS.get(name)
    model = cls(cls.Config(**config), sample_rate=rate, controls=len(knobs))
    scale(model, {"weight_ih": 3, "readout.weight": 4, "readout.bias": 0})
    return model


@torch.no_grad()
def scale(model: Model, factors: dict[str, float]) -> None:
    """Multiply the parameters whose names contain a key."""
    for name, p in model.named_parameters():
        for part, factor in factors.items():
            if part in name:
                p.mul_(factor)


def save(path: Path, model: Model, *, name: str, knobs: tuple[Control, ...] = ()) -> Made:
    manifest = Manifest(name=name, model="graph", controls=knobs)
    return Made(path, artifact.save(path, model, manifest, probe_seconds=0.05))


def wavenet(rate: int) -> Model:
    """Make the WaveNet of examples/third_party, whether it is installed or not."""
    module = _outside()
    model: Model = module.WaveNet(module.WaveNet.Config(), sample_rate=rate)
    scale(model, {"readout.weight": 4})
    return model


def _outside() -> ModuleType:
    name = "fxkit_wavenet_of_the_examples"
    if name not in sys.modules:
        source = ROOT / "examples" / "third_party" / "src" / "fxkit_wavenet" / "wavenet.py"
        spec = importlib.util.spec_from_file_location(name, source)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


KNOBS = (Control("drive", 0.3), Control("tone", 0.8))


def _fresh(
    build: Callable[[], Model], name: str, knobs: tuple[Control, ...] = ()
) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            return save(folder / f"{name}.fxkit", build(), name=name, knobs=knobs)

    return make


def _peer(name: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        path = PEERS / name
        if not path.is_file():
            pytest.skip(f"{path} is not here")
        there = folder / name
        there.write_bytes(path.read_bytes())
        return Made(there, fxkit.import_model(there, folder / f"{name}.fxkit"))

    return make


KINDS: dict[str, Callable[[Path], Made]] = {
    "gru": _fresh(lambda: shipped("gru", rate=44_100, hidden=16), "gru"),
    "lstm": _fresh(lambda: shipped("lstm", rate=48_000, hidden=12, layers=2), "lstm"),
    "nn-gru": _fresh(lambda: shipped("nn-gru", rate=44_100, hidden=24), "nn-gru"),
    "knobs": _fresh(lambda: shipped("gru", rate=48_000, knobs=KNOBS, hidden=16), "knobs", KNOBS),
    "wavenet": _fresh(lambda: wavenet(48_000), "wavenet"),
    "nam": _peer("BossWN-feather.nam"),
    "aida-x": _peer("tw40_blues_deluxe_deerinkstudios.json"),
    "proteus": _peer("wright_ht1.json"),
}
