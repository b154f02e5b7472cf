"""Other players' files, imported and played through the engine: what is known of them comes out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

pytest.importorskip("fxkit_engine", reason="fxkit-engine is not installed")

from fxkit_engine import Engine

import fxkit
from fxkit import artifact

PEERS = Path(__file__).resolve().parents[3] / "shared" / "peer_models"
FILES = sorted(p.stem for p in (PEERS / "expected").glob("*.wav"))

# They magnify rounding: what their players made in 32 bits is itself 1.3e-5 away from 64 bits.
ROUGH = ("BossLSTM-1x16.nam", "wright_ht1.json")


def in_64_bits(model: Path, x: np.ndarray) -> np.ndarray:
    network = artifact.open(model).model.double().eval()
    with torch.no_grad():
        y, _ = network(torch.from_numpy(x).double()[None, None], network.initial_state(1))
    return y.numpy()[0, 0]


@pytest.mark.parametrize("name", FILES)
def test_an_imported_file_sounds_as_it_is_known_to(name: str, tmp_path: Path) -> None:
    x, _ = soundfile.read(PEERS / "input_48k.wav", dtype="float32")
    wanted, _ = soundfile.read(PEERS / "expected" / f"{name}.wav", dtype="float32")
    fxkit.import_model(PEERS / name, tmp_path / "model.fxkit")
    played = np.asarray(Engine.open(tmp_path / "model.fxkit").process(x))
    peak = np.abs(wanted).max()
    if name in ROUGH:
        # As near to the truth as their players are, or within the tolerance.
        truth = in_64_bits(tmp_path / "model.fxkit", x)
        bound = max(1e-5 * peak, np.abs(wanted - truth).max())
        assert np.abs(played - truth).max() <= bound
    else:
        assert np.abs(played - wanted).max() < 1e-5 * peak
    assert fxkit.bench(tmp_path / "model.fxkit", blocks=[64], seconds=0.05)[0].backend.startswith(
        "fxkit engine"
    )
