from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from fxkit.artifact import Artifact
from fxkit.manifest import Control, Manifest
from fxkit.model import Model, run_blocks
from fxkit.scaled import Scaled

PEERS = Path(__file__).parents[3].parent / "shared" / "peer_models"
Player = Callable[..., np.ndarray]


@pytest.fixture(scope="session")
def peers() -> Path:
    if not PEERS.is_dir():
        pytest.skip("the other players' files are not here")
    return PEERS


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(5).uniform(-0.8, 0.8, 1500).astype(np.float32)


@pytest.fixture
def played() -> Player:
    """Play ``[time]`` through a model in blocks of odd sizes, after some samples of silence."""

    @torch.no_grad()
    def play(
        model: Model, x: np.ndarray, knobs: tuple[float, ...] = (), silence: int = 0
    ) -> np.ndarray:
        signal = torch.from_numpy(np.concatenate((np.zeros(silence, np.float32), x)))[None, None]
        controls = torch.tensor([knobs]) if knobs else None
        y, _ = run_blocks(model, signal, model.initial_state(1), controls, 977)
        return y[0, 0, silence:].numpy()

    return play


@pytest.fixture
def close() -> Callable[[np.ndarray, np.ndarray], None]:
    """Assert that two signals differ by less than 1e-5 of the peak."""

    def check(got: np.ndarray, wanted: np.ndarray) -> None:
        assert got.shape == wanted.shape
        peak = np.abs(wanted).max()
        assert peak > 1e-3
        assert np.abs(got - wanted).max() < 1e-5 * peak

    return check


@pytest.fixture
def trained() -> Callable[..., Artifact]:
    """An artefact of a model of any class, with weights large enough to bend the signal."""

    def make(cls: type[Model], *, sample_rate: int = 8000, controls: int = 0, **config) -> Artifact:
        torch.manual_seed(3)
        inner = cls(cls.Config(**config), sample_rate=sample_rate, controls=controls)
        with torch.no_grad():
            for name, parameter in inner.named_parameters():
                parameter.mul_(1.7)
                if name == "dry":
                    parameter.fill_(0.4)
        output = 1 / 3.0 if inner.unit_dry else 0.7
        model = Scaled(inner, input_gain=3.0, output_gain=output).eval().requires_grad_(False)
        knobs = tuple(Control(f"k{i}") for i in range(controls))
        manifest = Manifest(
            "Bright", cls.__name__.lower(), sample_rate=sample_rate, controls=knobs,
            author="Ann", gear="JCM800", licence="CC0",
        )  # fmt: skip
        return Artifact(manifest, model)

    return make
