"""From a model to its graph, proven against the model itself."""

from __future__ import annotations

import torch
from torch import Tensor

from fxkit.graph.build import Graph
from fxkit.graph.errors import GraphError, NotExportableError
from fxkit.graph.play import GraphModel
from fxkit.graph.spec import Spec
from fxkit.model import Model, run_blocks

__all__ = ["TOLERANCE", "export"]

TOLERANCE = 1e-5
"""Largest difference between model and graph, over the largest output sample."""

SAMPLES = 4096


def export(model: Model, *, prefix: str = "model.") -> tuple[Spec, dict[str, Tensor]]:
    """Describe `model` as a graph and make sure that both compute the same.

    The check plays quiet and loud noise through both, the model in one pass and the graph in blocks
    of odd sizes, with the knobs at random.

    Parameters
    ----------
    model
        In eval mode, on the CPU.
    prefix
        What the names of the model's tensors begin with in the file.

    Returns
    -------
    spec
        The layers.
    tensors
        What they refer to, by name: the model's own as ``PREFIX + state-dict name``, those made for
        the graph as ``graph.N``.

    Raises
    ------
    NotExportableError
        The model does not describe itself, or its graph is not the model.
    """
    if isinstance(model, GraphModel):
        return model.spec, model.tensors()
    kind = type(getattr(model, "inner", model)).__name__
    g = Graph(model, controls=model.controls, prefix=prefix)
    try:
        spec = g.finish(model.graph(g, g.x, g.controls))
        player = GraphModel(spec, g.tensors, sample_rate=model.sample_rate)
    except GraphError as error:
        raise NotExportableError(f"{kind}.graph does not fit: {error}") from error
    worst = difference(model, player)
    if not worst <= TOLERANCE:
        raise NotExportableError(
            f"{kind}.graph is not what {kind}.forward computes: they differ by {worst:.2g} of the "
            f"peak; correct {kind}.graph"
        )
    return spec, g.tensors


@torch.no_grad()
def difference(model: Model, other: Model) -> float:
    """Return the largest difference of two models' outputs to noise, over the largest sample."""
    generator = torch.Generator().manual_seed(0)
    level = torch.tensor([0.03, 1.0])[:, None, None]
    x = level * (2 * torch.rand(2, 1, SAMPLES, generator=generator) - 1)
    knobs = torch.rand(2, model.controls, generator=generator) if model.controls else None
    wanted, _ = model(x, model.initial_state(2), knobs)
    got, state = run_blocks(other, x[..., :1024], other.initial_state(2), knobs, 7)
    rest, _ = run_blocks(other, x[..., 1024:], state, knobs, 500)
    error = (wanted - torch.cat((got, rest), dim=-1)).abs().amax(dim=(1, 2))
    peak = wanted.abs().amax(dim=(1, 2)).clamp_min(1e-6)
    return float((error / peak).max())
