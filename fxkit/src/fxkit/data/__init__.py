"""Recording pairs: found, checked, aligned, divided, and cut into what training is fed with."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fxkit.data.config import DataConfig
    from fxkit.data.crops import Crops
    from fxkit.data.level import levels
    from fxkit.data.loader import load
    from fxkit.data.pairs import Dataset, Segment, Split, Take
    from fxkit.data.recording import Recording
    from fxkit.data.splits import split
    from fxkit.data.streams import Streams
    from fxkit.data.window import Window

__all__ = [
    "Crops",
    "DataConfig",
    "Dataset",
    "Recording",
    "Segment",
    "Split",
    "Streams",
    "Take",
    "Window",
    "levels",
    "load",
    "split",
]

# Imported on first use: the settings alone must not cost the seconds that torch takes.
_HOMES = {
    "Crops": "crops",
    "DataConfig": "config",
    "Dataset": "pairs",
    "Recording": "recording",
    "Segment": "pairs",
    "Split": "pairs",
    "Streams": "streams",
    "Take": "pairs",
    "Window": "window",
    "levels": "level",
    "load": "loader",
    "split": "splits",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
