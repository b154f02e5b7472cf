"""A window model played from the program in its file, where its class is not installed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fxkit import allowed, backend
from fxkit.errors import ProgramNotAllowed
from fxkit.options import NoOptions
from fxkit.program import Program
from fxkit.window import WindowModel

__all__ = ["ProgramModel"]


class ProgramModel(WindowModel):
    """Windows computed by a back end; without weights, so it cannot be trained.

    Parameters
    ----------
    program
        The program; opened only if the user allows it.
    sample_rate
        In Hz.

    Raises
    ------
    ProgramNotAllowed
        The user has not allowed it.
    FxkitError
        The back end is not installed, or the program is damaged.
    """

    def __init__(self, program: Program, *, sample_rate: int) -> None:
        info = program.info
        super().__init__(
            NoOptions(),
            sample_rate=sample_rate,
            controls=info.controls,
            window=info.window,
            hop=info.hop,
        )
        if not allowed.contains(info.sha256):
            raise ProgramNotAllowed(info.sha256)
        self._loaded = backend.LoadedProgram(backend.find(info.backend), program.data)
        self._loaded.expect(info.window, info.controls)

    def process(self, x: Tensor, controls: Tensor | None = None) -> Tensor:
        """Run the windows one after the other."""
        made = [
            self._loaded.run(row[0], None if controls is None else controls[i])
            for i, row in enumerate(x)
        ]
        return torch.stack(made)[:, None] if made else torch.empty_like(x)

    def __deepcopy__(self, memo: dict[int, Any]) -> ProgramModel:
        """Return itself: it has no weights that could differ."""
        return self
