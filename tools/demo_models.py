"""Train the demo models that come with the plug-in: the built-in amplifier at three drives.

They are small (a GRU of 16 units), so that they play on any machine, and are made from synthesised
sound only, so that they may go anywhere.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

PROBE = 0.05
"""Seconds of sound by which a file proves itself."""
LEVELS = ("light", "medium", "heavy")
FOLDER = Path(__file__).resolve().parents[1] / "cpp" / "plugin" / "models"


def make(level: str, minutes: float, folder: Path) -> Path:
    """Train one model on the built-in recordings and put its file into `folder`."""
    import fxkit
    from fxkit import artifact

    with tempfile.TemporaryDirectory() as work:
        settings: dict[str, Any] = {
            "model.hidden": 16,
            "data.level": level,
            "train.minutes": minutes,
            "run.dir": str(Path(work) / "run"),
            "run.name": f"Demo {level}",
            "run.gear": f"built-in amplifier, {level} drive",
            "run.author": "fxkit",
            "run.licence": "MIT",
        }
        run = fxkit.run(task="distort", model="gru", **settings)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"demo-{level}.fxkit"
        # A short probe: the files travel with the plug-in.
        made = artifact.open(run.model_path)
        artifact.save(path, made.model, made.manifest, probe_seconds=PROBE)
    print(f"{path.name}: ESR {run.evaluation.scores.esr:.5f}, {path.stat().st_size:,} bytes")
    return path


def main() -> None:
    """Train all, or those that are named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "levels", nargs="*", default=LEVELS, metavar="LEVEL", help=", ".join(LEVELS)
    )
    parser.add_argument("--minutes", type=float, default=3, help="of training, for each (3)")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder for the files")
    arguments = parser.parse_args()
    for level in arguments.levels:
        if level not in LEVELS:
            parser.error(f"{level} is none of {', '.join(LEVELS)}")
        make(level, arguments.minutes, arguments.out)


if __name__ == "__main__":
    main()
