"""Where the built plug-in is: below $FXKIT_PLUGIN, or where `make plugin` builds it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LV2_URI = "https://github.com/fxkit/fxkit/plugin"

_PLACES = {
    "VST3": "VST3/fxkit.vst3",
    "LV2": "LV2/fxkit.lv2",
    "Standalone": "Standalone/fxkit",
}


def find(kind: str) -> Path:
    """Return the VST3 or LV2 bundle, or the Standalone program; skip the test without it."""
    folder = os.environ.get("FXKIT_PLUGIN")
    base = Path(folder) if folder else ROOT / "build" / "plugin" / "fxkit_artefacts" / "Release"
    path = (base / _PLACES[kind]).resolve()
    if not path.exists():
        if folder:
            pytest.fail(f"$FXKIT_PLUGIN holds no {_PLACES[kind]}: {base}")
        pytest.skip(f"the {kind} is not built (make plugin)")
    return path
