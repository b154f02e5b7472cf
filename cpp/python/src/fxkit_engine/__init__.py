"""The compiled parts of fxkit: training kernels for recurrent models on a CPU.

`fxkit_engine.recurrent` wraps them for PyTorch; it is the only module that imports torch.
"""

from __future__ import annotations

from fxkit_engine._kernels import available_isas

__all__ = ["available_isas"]
