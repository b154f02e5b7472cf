"""The model file, ``.fxkit``: weights, manifest, graph and probe in one safetensors file.

``docs/artifact.md`` defines the format. It holds no pickle, and no code but a program that
nobody runs unless the user allows it: a file from a stranger is checked, entry by entry, before
anything is made from it, and then has to reproduce its own probe.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from fxkit import container, probe
from fxkit import program as programs
from fxkit.config import build, to_plain
from fxkit.errors import ArtifactError, FxkitError, PluginError, ProgramNotAllowed
from fxkit.graph import GraphError, GraphModel, NotExportableError, Spec, export
from fxkit.manifest import FORMAT, GRAPH_ONLY, Control, Level, Manifest, fxkit_version
from fxkit.model import Model
from fxkit.program import Program
from fxkit.program_model import ProgramModel
from fxkit.registry import MODELS
from fxkit.scaled import Scaled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FORMAT", "Artifact", "Control", "Level", "Manifest", "open", "save"]

VERSION_KEY, MANIFEST_KEY, GRAPH_KEY = "fxkit.format", "fxkit.manifest", "fxkit.graph"
PREFIX = "model."
PROBE_SECONDS = 0.25
MAX_EXTRA = 1 << 26
"""Numbers that a model may hold beside its weights: buffers it computes, and its state."""


@dataclass(frozen=True)
class Artifact:
    """A model that was opened, or is about to be saved.

    Attributes
    ----------
    manifest
        What the file says about the model.
    model
        In eval mode, on the CPU, its level gains included.
    graph
        The layers that the engine runs; None if there are none (``manifest.no_graph`` says why).
    tensors
        What the graph refers to, by name.
    program
        What a back end runs where there is no graph; None if there is none.
    proven
        Length of the probe in seconds. `save` cuts it short where rounding begins to be heard.
    """

    manifest: Manifest
    model: Model
    graph: Spec | None = None
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    program: Program | None = None
    proven: float = 0.0

    def render(
        self,
        audio: NDArray[np.floating[Any]],
        sample_rate: int,
        controls: Sequence[float] | Mapping[str, float] | None = None,
    ) -> NDArray[np.float32]:
        """Play a signal through the model; see `fxkit.rendering.render_array`."""
        from fxkit.rendering import render_array

        return render_array(self, audio, sample_rate, controls=controls)


def save(
    path: str | Path,
    model: Model,
    manifest: Manifest,
    *,
    probe_seconds: float = PROBE_SECONDS,
    program: Program | None = None,
) -> Artifact:
    """Write a model file, complete or not at all, and make sure that it opens.

    Parameters
    ----------
    path
        Where to; an existing file is replaced.
    model
        Not changed. One that is neither a `Scaled` nor a `GraphModel` is put between gains of 1.
    manifest
        ``name``, ``model`` and whatever else is known; what the model knows itself is filled in.
    probe_seconds
        Length of the probe; twice the model's latency is added. It ends sooner where the model is
        so chaotic that rounding alone changes what it plays.
    program
        A program that computes the model's windows, its gains included.

    Returns
    -------
    Artifact
        As `open` would return it.

    Raises
    ------
    ArtifactError
        The file cannot be written, the model makes NaN, or the file would not open again.
    """
    path = Path(path)
    if not isinstance(model, Scaled | GraphModel):
        model = Scaled(model)
    model = copy.deepcopy(model).cpu().float().eval()
    manifest = _completed(manifest, model)
    graph: Spec | None = None
    try:
        graph, tensors = export(model, prefix=PREFIX)
    except NotExportableError as error:
        tensors = {}
        manifest = replace(manifest, no_graph=str(error))
    if not isinstance(model, GraphModel):
        tensors = {**tensors, **{PREFIX + k: v for k, v in model.state_dict().items()}}
    peak = manifest.input.peak if manifest.input and manifest.input.peak > 0 else 0.5
    knobs = [control.default for control in manifest.controls]
    tensors |= probe.make(model, seconds=probe_seconds, peak=peak, controls=knobs)
    metadata = {VERSION_KEY: str(FORMAT), MANIFEST_KEY: manifest.to_json()}
    if graph is not None:
        metadata[GRAPH_KEY] = json.dumps(graph.to_plain(), allow_nan=False)
    if program is not None:
        metadata |= program.metadata()
        tensors |= program.tensors()
    data = container.pack(tensors, metadata)
    cls = type(model.inner) if isinstance(model, Scaled) else None
    with container.replacing(path) as temporary:
        temporary.write_bytes(data)
        try:
            return _open(temporary, cls)
        except ArtifactError as error:
            raise ArtifactError(f"{path} is not written, it would not open: {error}") from error


def open(path: str | Path, *, from_graph: bool = False) -> Artifact:  # noqa: A001 - as gzip.open
    """Open a model file and let it prove itself.

    Parameters
    ----------
    path
        The file.
    from_graph
        Play the layers of the file even if the model's package is installed.

    Returns
    -------
    Artifact
        Its output for the probe is within 1e-4 of the peak of what was recorded.

    Raises
    ------
    ArtifactError
        One line: what is wrong with the file, or which package to install.
    """
    path = Path(path)
    try:
        return _open(path, None, from_graph=from_graph)
    except ProgramNotAllowed as error:
        raise ProgramNotAllowed(error.hash, f"{path}: {error}") from error
    except ArtifactError as error:
        raise ArtifactError(f"{path}: {error}") from error


def _completed(manifest: Manifest, model: Model) -> Manifest:
    """Fill in what the model itself knows."""
    if len(manifest.controls) != model.controls:
        raise ArtifactError(
            f"the manifest names {len(manifest.controls)} controls, the model has {model.controls}"
        )
    from_graph = isinstance(model, GraphModel)
    name = GRAPH_ONLY if from_graph else manifest.model
    owners = [entry for entry in MODELS.entries() if entry.name == name]
    return replace(
        manifest,
        model=name,
        config={} if from_graph else to_plain(model.config),
        distribution=owners[0].distribution if owners else "",
        distribution_version=owners[0].version if owners else "",
        fxkit=fxkit_version(),
        sample_rate=model.sample_rate,
        latency=model.latency,
        no_graph="",
    )


def _open(path: Path, cls: type[Model] | None, *, from_graph: bool = False) -> Artifact:
    metadata, tensors = container.read(path)
    _check_version(metadata)
    if MANIFEST_KEY not in metadata:
        raise ArtifactError("damaged: it has no manifest")
    manifest = Manifest.from_json(metadata[MANIFEST_KEY])
    spec = _graph(metadata, tensors, manifest)
    program = programs.read(metadata, tensors)
    if program is not None:
        del tensors[programs.TENSOR]
    if program is not None and program.info.controls != len(manifest.controls):
        raise ArtifactError("damaged: program and manifest differ in the number of controls")
    if cls is None and manifest.model != GRAPH_ONLY and not from_graph:
        cls = _class(manifest, spec or program)
    if cls is not None:
        model: Model = _model(cls, manifest, tensors, spec)
    elif spec is None and program is not None:
        model = _from_program(program, manifest)
    elif spec is None:
        raise ArtifactError(f"it has no graph: {manifest.no_graph or 'and says not why'}")
    else:
        model = GraphModel(
            spec, tensors, sample_rate=manifest.sample_rate, latency=manifest.latency
        )
    model.eval().requires_grad_(False)
    try:
        probe.verify(model, tensors)
    except ArtifactError:
        raise
    except Exception as error:  # a stranger's numbers in a stranger's model: anything can happen
        raise ArtifactError(f"the model does not run: {_short(error)}") from error
    used = {} if spec is None else {name: tensors[name] for name in spec.tensors()}
    proven = len(tensors[probe.INPUT]) / model.sample_rate
    return Artifact(manifest, model, spec, used, program, proven)


def _check_version(metadata: Mapping[str, str]) -> None:
    found = metadata.get(VERSION_KEY, "")
    if not (found.isascii() and found.isdigit() and len(found) < 10):
        raise ArtifactError("is a safetensors file, but not a model file of fxkit")
    if int(found) > FORMAT:
        raise ArtifactError(
            f"its format is version {int(found)}, this fxkit reads up to {FORMAT}: "
            "pip install --upgrade fxkit"
        )
    if int(found) < 1:
        raise ArtifactError(f"its format is version {int(found)}, which never was")


def _graph(
    metadata: Mapping[str, str], tensors: Mapping[str, Tensor], manifest: Manifest
) -> Spec | None:
    if GRAPH_KEY not in metadata:
        return None
    try:
        spec = Spec.from_plain(json.loads(metadata[GRAPH_KEY]))
        spec.check({name: tuple(t.shape) for name, t in tensors.items()})
    except GraphError as error:
        raise ArtifactError(str(error)) from None
    except (ValueError, RecursionError):
        raise ArtifactError("damaged: its graph is not JSON") from None
    if spec.controls != len(manifest.controls):
        raise ArtifactError("damaged: graph and manifest differ in the number of controls")
    for name in spec.tensors():
        if tensors[name].dtype != torch.float32:
            raise ArtifactError(f"tensor {name[:60]!r} of the graph must be of 32-bit floats")
    return spec


def _from_program(program: Program, manifest: Manifest) -> ProgramModel:
    """Play from the program, if the user allows it; its back end may be missing."""
    try:
        model = ProgramModel(program, sample_rate=manifest.sample_rate)
    except ArtifactError:
        raise
    except FxkitError as error:
        raise ArtifactError(str(error)) from None
    if model.latency != manifest.latency:
        raise ArtifactError("damaged: program and manifest differ in latency")
    return model


def _class(manifest: Manifest, other: Spec | Program | None) -> type[Model] | None:
    """Return the model's class; None where it is not installed but the file can do without."""
    name = manifest.model
    if not any(entry.name == name for entry in MODELS.entries()):
        if other is not None:
            return None
        package = manifest.distribution
        hint = f"pip install {package}" if package else "install the package that has it"
        raise ArtifactError(f"model {name!r} is not installed: {hint}")
    try:
        found: type[Model] = MODELS.get(name)
    except PluginError as error:
        raise ArtifactError(str(error)) from None
    return found


def _model(
    cls: type[Model], manifest: Manifest, tensors: Mapping[str, Tensor], spec: Spec | None
) -> Scaled:
    """Make the model, but only once it is known to be of the size of the file."""
    name = manifest.model
    weights = {k.removeprefix(PREFIX): t for k, t in tensors.items() if k.startswith(PREFIX)}
    others = tensors.keys() - {PREFIX + k for k in weights}
    others -= set(spec.tensors() if spec else ()) | {probe.INPUT, probe.OUTPUT, probe.CONTROLS}
    if others:
        raise ArtifactError(f"damaged: tensor {min(others)[:60]!r} has no place in the file")
    try:
        config: Any = build(cls.Config, manifest.config, prefix="model")
        knobs = len(manifest.controls)

        def construct() -> Scaled:
            return Scaled(cls(config, sample_rate=manifest.sample_rate, controls=knobs))

        with torch.random.fork_rng(devices=[]):  # the caller's random numbers are not ours to use
            with torch.device("meta"):
                shadow = construct()
                state = shadow.initial_state(1)
            _compare(name, shadow, weights)
            _bound(shadow, state)
            model = construct()
        model.load_state_dict(weights)
    except ArtifactError:
        raise
    except FxkitError as error:
        raise ArtifactError(f"model {name!r} has other settings: {error}") from None
    except Exception as error:  # whatever a plug-in says to a configuration that it cannot use
        raise ArtifactError(f"model {name!r} cannot be made: {_short(error)}") from error
    if model.latency != manifest.latency:
        raise ArtifactError(
            f"damaged: it says a latency of {manifest.latency} samples, its model has "
            f"{model.latency}"
        )
    return model


def _compare(name: str, shadow: Scaled, weights: Mapping[str, Tensor]) -> None:
    wanted = shadow.state_dict()
    if missing := wanted.keys() - weights.keys():
        raise ArtifactError(f"damaged: tensor {PREFIX + min(missing)!r} is missing")
    if extra := weights.keys() - wanted.keys():
        raise ArtifactError(f"damaged: model {name!r} has no tensor {min(extra)[:60]!r}")
    for key, tensor in sorted(weights.items()):
        want = wanted[key]
        if tensor.shape != want.shape or tensor.dtype != want.dtype:
            raise ArtifactError(
                f"damaged: tensor {PREFIX + key!r} is {list(tensor.shape)} of {tensor.dtype}, "
                f"model {name!r} has {list(want.shape)} of {want.dtype}"
            )


def _bound(shadow: Scaled, state: Mapping[str, Tensor]) -> None:
    """Refuse a small file that asks for a large memory."""
    extra = sum(t.numel() for t in (*shadow.buffers(), *state.values()))
    if extra > MAX_EXTRA:
        raise ArtifactError(f"the model would need {extra} numbers beside its weights: refused")


def _short(error: Exception) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:200]
