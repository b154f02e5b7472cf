"""What a model file says about itself: a frozen dataclass, stored as JSON in the file's header."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

from pydantic import ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from fxkit.errors import ArtifactError

__all__ = ["FORMAT", "GRAPH_ONLY", "Control", "Level", "Manifest", "fxkit_version"]

FORMAT = 1
"""The version of the file format; a file of a higher one is refused."""

GRAPH_ONLY = "graph"
"""The model name of a file that has no class, only a graph: one imported from another player."""

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
_Text = Annotated[str, Field(max_length=10_000)]
_Number = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True)
class Control:
    """A knob."""

    __pydantic_config__ = _STRICT

    name: Annotated[str, Field(min_length=1, max_length=100)]
    default: Annotated[float, Field(ge=0, le=1)] = 0.5
    """In 0..1."""


@dataclass(frozen=True)
class Level:
    """How loud one side of the training recordings is, so that players can match levels."""

    __pydantic_config__ = _STRICT

    rms: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """Linear, full scale 1; 0 if not known, as in a model from another player's file."""
    peak: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """Linear, full scale 1; 0 if not known."""
    loudness: _Number | None = None
    """Integrated loudness in LUFS (ITU-R BS.1770); None for silence or if not measured."""
    dbu: _Number | None = None
    """The analogue level in dBu of a sine at full scale; None if not known."""


@dataclass(frozen=True)
class Manifest:
    """Everything about a model but its weights.

    `fxkit.artifact.save` fills in what the model itself knows, whatever was given: `config`,
    `sample_rate`, `latency`, `distribution`, `distribution_version`, `fxkit` and `no_graph`.
    """

    __pydantic_config__ = _STRICT

    name: _Text
    """What to call the model in a list."""
    model: Annotated[str, Field(min_length=1, max_length=200)]
    """The model's name in the registry, or ``graph``."""
    task: Annotated[str, Field(max_length=200)] = ""
    """The task's name: which side it turns into which; empty if not known."""
    config: dict[str, JsonValue] = field(default_factory=dict)
    """The model's configuration."""
    distribution: _Text = ""
    """The package that has the model."""
    distribution_version: _Text = ""
    fxkit: _Text = ""
    """The version of fxkit that wrote the file."""
    sample_rate: Annotated[int, Field(ge=1000, le=1_000_000)] = 44_100
    """In Hz."""
    latency: Annotated[int, Field(ge=0, le=1 << 22)] = 0
    """By how many samples the output lags the input."""
    controls: tuple[Control, ...] = ()
    input: Level | None = None
    """Level of the training input."""
    output: Level | None = None
    """Level of the training target."""
    gear: _Text = ""
    author: _Text = ""
    licence: _Text = ""
    created: _Text = ""
    """Date and time in UTC, ISO 8601."""
    training: dict[str, JsonValue] = field(default_factory=dict)
    """Where it comes from: data, settings, seed, epochs, time, machine."""
    metrics: dict[str, JsonValue] = field(default_factory=dict)
    """Scores on held-out recordings."""
    no_graph: _Text = ""
    """Why the file has no graph for the engine; empty if it has one."""

    @property
    def made_for(self) -> str:
        """What the model is for, in a sentence: ``task=clean``."""
        return f"task={self.task}" if self.task else "no task that it names"

    def to_plain(self) -> dict[str, Any]:
        """Return the manifest as JSON values."""
        return asdict(self)

    def to_json(self) -> str:
        """Return the manifest as JSON, keys sorted.

        Raises
        ------
        ArtifactError
            A value is not finite, not JSON, or not allowed.
        """
        try:
            text = json.dumps(self.to_plain(), allow_nan=False, sort_keys=True)
        except (TypeError, ValueError) as error:
            raise ArtifactError(f"the manifest cannot be written: {error}") from None
        self.from_json(text)
        return text

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read untrusted JSON.

        Raises
        ------
        ArtifactError
            Says which entry is wrong.
        """
        try:
            manifest = _adapter().validate_json(text)
            # Free-form values are not covered by allow_inf_nan.
            json.dumps([manifest.config, manifest.training, manifest.metrics], allow_nan=False)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part)[:40] for part in first["loc"][:6]) or "manifest"
            why = f"{where}: {first['msg'][:200]}"
            raise ArtifactError(f"its manifest is not valid: {why}") from None
        except ValueError:
            raise ArtifactError("its manifest is not valid: a number is not finite") from None
        return manifest


@cache
def _adapter() -> TypeAdapter[Manifest]:
    return TypeAdapter(Manifest)


def fxkit_version() -> str:
    """Return the version of the installed fxkit; empty in a checkout that is not installed."""
    try:
        return version("fxkit")
    except PackageNotFoundError:
        return ""
