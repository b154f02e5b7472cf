"""From a model to its graph, proven against the model itself."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from fxkit import probe
from fxkit.graph.build import Graph
from fxkit.graph.errors import GraphError, NotExportableError
from fxkit.graph.play import GraphModel
from fxkit.graph.spec import Spec
from fxkit.model import Model, State, run_blocks

__all__ = ["TOLERANCE", "export"]

TOLERANCE = 1e-5
"""Largest difference between model and graph, over the largest output sample."""

SAMPLES = 4096
BURST = 64
"""Samples of noise at the beginning."""


def export(model: Model, *, prefix: str = "model.") -> tuple[Spec, dict[str, Tensor]]:
    """Describe `model` as a graph and make sure that both compute the same.

    The check plays chords and noise, quiet and loud, through both, the model in one pass and the
    graph in blocks of odd sizes, with the knobs at random.

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
    """Return the largest difference of two models' outputs, over the largest sample.

    In 64 bits, to chords with a burst of noise before them: a recurrent model that was trained at a
    high learning rate can be chaotic where no guitar goes. There two correct ways to add in 32 bits
    part within a hundred samples, which says nothing about the layers.
    """
    model, other = (copy.deepcopy(m).double() for m in (model, other))
    generator = torch.Generator().manual_seed(0)
    level = torch.tensor([0.03, 1.0], dtype=torch.float64)[:, None, None]
    x = probe.signal(SAMPLES, model.sample_rate, 1.0).double().expand(2, 1, -1).clone()
    x[..., :BURST] = 2 * torch.rand(2, 1, BURST, generator=generator, dtype=torch.float64) - 1
    x = level * x
    knobs = None
    if model.controls:
        knobs = torch.rand(2, model.controls, generator=generator, dtype=torch.float64)
    wanted, _ = model(x, _doubled(model.initial_state(2)), knobs)
    got, state = run_blocks(other, x[..., :1024], _doubled(other.initial_state(2)), knobs, 7)
    rest, _ = run_blocks(other, x[..., 1024:], state, knobs, 500)
    error = (wanted - torch.cat((got, rest), dim=-1)).abs().amax(dim=(1, 2))
    peak = wanted.abs().amax(dim=(1, 2)).clamp_min(1e-6)
    return float((error / peak).max())


def _doubled(state: State) -> State:
    return {k: leaf.double() if leaf.is_floating_point() else leaf for k, leaf in state.items()}
