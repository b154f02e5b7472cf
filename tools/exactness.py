"""How near each player comes to what is known of other players' files: a table of docs/formats.md.

DIR holds model files, a recording ``input_48k.wav``, and under ``expected`` what an independent
implementation makes of it. Each file is imported and played by the engine, by PyTorch as it is, by
PyTorch without oneDNN (whose LSTM adds up in another order), and in 64 bits, which is as good as
exact. Distances are the largest over the recording, as a share of the peak.

    python tools/exactness.py ../shared/peer_models
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import torch
from fxkit_engine import Engine
from numpy.typing import NDArray

import fxkit
from fxkit import artifact

Signal = NDArray[np.float64]


def by_pytorch(model: Path, x: NDArray[np.float32], kind: torch.dtype, one_dnn: bool) -> Signal:
    """Play through PyTorch, in 32 or 64 bits."""
    network = artifact.open(model).model.to(kind).eval()
    with torch.inference_mode(), torch.backends.mkldnn.flags(enabled=one_dnn):
        # Knobs in the middle, where the engine has them by itself.
        knobs = torch.full((1, network.controls), 0.5, dtype=kind) if network.controls else None
        y, _ = network(torch.from_numpy(x).to(kind)[None, None], network.initial_state(1), knobs)
    return y.double().numpy()[0, 0]


def main() -> None:
    """Play every file and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("peers", type=Path, metavar="DIR")
    peers = parser.parse_args().peers
    x, _ = soundfile.read(peers / "input_48k.wav", dtype="float32")
    players: dict[str, Callable[[Path], Signal]] = {
        "engine": lambda model: np.asarray(Engine.open(model).process(x), np.float64),
        "PyTorch": lambda model: by_pytorch(model, x, torch.float32, True),
        "PyTorch without oneDNN": lambda model: by_pytorch(model, x, torch.float32, False),
    }
    heads = ["file", "what is known, from 64 bits"]
    heads += [f"{name}, from {what}" for name in players for what in ("64 bits", "what is known")]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for file in sorted((peers / "expected").glob("*.wav")):
        known, _ = soundfile.read(file)
        peak = np.abs(known).max()
        with tempfile.TemporaryDirectory() as scratch:
            model = Path(scratch) / "model.fxkit"
            fxkit.import_model(peers / file.stem, model)
            exact = by_pytorch(model, x, torch.float64, True)
            cells = [file.stem, np.abs(known - exact).max() / peak]
            for play in players.values():
                played = play(model)
                cells += [np.abs(played - other).max() / peak for other in (exact, known)]
        print("| " + " | ".join(c if isinstance(c, str) else f"{c:.1e}" for c in cells) + " |")


if __name__ == "__main__":
    main()
