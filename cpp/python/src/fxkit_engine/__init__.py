"""The compiled parts of fxkit: the real-time engine, and training kernels for a CPU.

`Engine` plays a model file. `fxkit_engine.recurrent` wraps the kernels for PyTorch; it is the only
module that imports torch.
"""

from __future__ import annotations

from fxkit_engine._engine import Engine, EngineError
from fxkit_engine._kernels import available_isas

__all__ = ["Engine", "EngineError", "available_isas"]
