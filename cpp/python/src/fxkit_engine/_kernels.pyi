from collections.abc import Sequence
from typing import Any

def available_isas() -> list[str]: ...
def keep_freed_memory() -> bool: ...
def saved_size(
    cell: str,
    batch: int,
    time: int,
    features: int,
    hidden: int,
    layers: int,
    outputs: int,
    threads: int,
    isa: str,
) -> int: ...
def forward(
    cell: str,
    x: Any,
    hidden_state: Any,
    cell_state: Any | None,
    weights: Sequence[Any],
    bias: bool,
    readout: Any | None,
    readout_bias: Any | None,
    y: Any,
    last_hidden: Any,
    last_cell: Any | None,
    saved: Any | None,
    threads: int,
    isa: str,
) -> None: ...
def backward(
    cell: str,
    x: Any,
    weights: Sequence[Any],
    bias: bool,
    readout: Any | None,
    readout_bias: Any | None,
    saved: Any,
    y_gradient: Any,
    last_hidden_gradient: Any,
    last_cell_gradient: Any | None,
    x_gradient: Any | None,
    hidden_state_gradient: Any,
    cell_state_gradient: Any | None,
    weight_gradients: Sequence[Any],
    readout_gradient: Any | None,
    readout_bias_gradient: Any | None,
    threads: int,
    isa: str,
) -> None: ...
