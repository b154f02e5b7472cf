"""A pair of recordings that trains in no time."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

RATE = 8000


@pytest.fixture
def pair(tmp_path, monkeypatch):
    """Write clean.wav and wet.wav into an empty working directory and go there."""
    monkeypatch.chdir(tmp_path)
    time = np.arange(12 * RATE) / RATE
    noise = np.random.default_rng(0).standard_normal(len(time))
    clean = (0.1 * noise * np.exp(-4.0 * (time % 0.5))).astype(np.float32)
    soundfile.write("clean.wav", clean, RATE, subtype="FLOAT")
    soundfile.write("wet.wav", np.tanh(3 * clean), RATE, subtype="FLOAT")
    return tmp_path


@pytest.fixture
def quick() -> tuple[str, ...]:
    """Return the settings of a search whose trials take a moment each."""
    return (
        *("data.clean=clean.wav", "data.wet=wet.wav", "data.align=off", "run.device=cpu"),
        *("train.threads=1", "train.batch=4", "train.warm_up=64", "model.layers=1"),
        *("search.model.hidden=1,2", "search.train.window=256,512", "tune.epochs=2"),
    )
