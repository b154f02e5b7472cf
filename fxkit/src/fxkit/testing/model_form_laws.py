"""What every model keeps of how it is made, saved and described."""

# ruff: noqa: D401 - a law is stated, not commanded
from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from unittest import SkipTest

import safetensors.torch
import torch

from fxkit.artifact import save
from fxkit.config import build
from fxkit.errors import FxkitError
from fxkit.graph import NotExportableError, export
from fxkit.manifest import Control, Manifest
from fxkit.model import Model
from fxkit.testing.signals import knobs, noise, probe_length, rebuilt, run, shaken, worst
from fxkit.train_config import TrainConfig

__all__ = [
    "law_artifact_equals_model",
    "law_declarations",
    "law_graph_equals_model",
    "law_initial_state",
    "law_saves_and_opens",
]


def law_declarations(model: Model) -> None:
    """`trains_on`, `train_defaults`, `warm_up`, `granularity`, ... are what the contract says."""
    if model.trains_on not in ("streams", "crops"):
        raise AssertionError(f"trains_on is {model.trains_on!r}; it is 'streams' or 'crops'")
    try:
        build(TrainConfig, model.train_defaults, prefix="train")
    except FxkitError as error:
        raise AssertionError(f"train_defaults are no settings of training: {error}") from None
    for name in ("warm_up", "sample_rate", "controls", "granularity"):
        value = getattr(model, name)
        if not isinstance(value, int) or value < (name in ("sample_rate", "granularity")):
            raise AssertionError(f"{name} is {value!r}; it has to be an int that is not negative")


def law_initial_state(model: Model) -> None:
    """The initial state is named tensors of the batch, on the device and of the type of weights."""
    for batch in (1, 3):
        state = model.initial_state(batch)
        for name, leaf in state.items():
            if not isinstance(leaf, torch.Tensor) or leaf.shape[:1] != (batch,):
                raise AssertionError(
                    f"state {name!r} has to be a tensor whose first axis is the batch of {batch}"
                )
    for name, leaf in copy.deepcopy(model).to("meta").initial_state(2).items():
        if leaf.device.type != "meta":
            raise AssertionError(
                f"state {name!r} is made on {leaf.device} while the model is elsewhere: make it "
                "with new_zeros of a parameter"
            )
    for name, leaf in copy.deepcopy(model).double().initial_state(2).items():
        if leaf.is_floating_point() and leaf.dtype != torch.float64:
            raise AssertionError(
                f"state {name!r} is {leaf.dtype} while the weights are float64: make it with "
                "new_zeros of a parameter"
            )


def law_saves_and_opens(model: Model) -> None:
    """A new model with the same settings and the saved weights computes the same."""
    model = shaken(model)
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    read = safetensors.torch.load(safetensors.torch.save(weights))
    twin = rebuilt(model)
    twin.load_state_dict(read)
    _same(model, twin, "a model made anew from its settings and saved weights")


def law_artifact_equals_model(model: Model) -> None:
    """What is saved as a model file opens as the same model."""
    model = shaken(model)
    controls = tuple(Control(name=f"knob {k + 1}") for k in range(model.controls))
    manifest = Manifest(name="law", model="law", controls=controls)
    with tempfile.TemporaryDirectory() as folder:
        opened = save(Path(folder) / "law.fxkit", model, manifest, probe_seconds=0.05)
    _same(model, opened.model, "the model opened from a model file")


def _same(model: Model, twin: Model, what: str) -> None:
    x, controls = noise(2, probe_length(model)), knobs(model, 2)
    with torch.no_grad():
        difference = worst(run(twin, x, controls), run(model, x, controls))
    if not difference <= 1e-5:
        raise AssertionError(
            f"{what} differs by {difference:.1e} of the peak: whatever the output depends on "
            "belongs in Config, a parameter or a buffer"
        )


def law_graph_equals_model(model: Model) -> None:
    """The graph that the engine runs computes what the model does.

    Raises
    ------
    unittest.SkipTest
        The model does not describe itself as a graph, which it need not.
    """
    # Not `type(model).graph is Model.graph`: a wrapper has a graph only if what it wraps has one.
    try:
        export(shaken(model))
    except NotExportableError as error:
        if "does not describe itself" in str(error):
            raise SkipTest("no graph: it plays through PyTorch, not in the engine") from None
        raise AssertionError(str(error)) from error
