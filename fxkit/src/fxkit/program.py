"""The program that a model file may hold: what back ends run where the engine has no layers for it.

A program turns one window into another. It is data for an interpreter, but nobody promises that the
interpreter is safe from a hostile one: it is run only where the user allows its source.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated

import torch
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from torch import Tensor

from fxkit.errors import ArtifactError

__all__ = ["KEY", "TENSOR", "Program", "ProgramInfo"]

KEY = "fxkit.program"
"""Where the header of a model file describes the program."""
TENSOR = "program"
"""The tensor of its bytes."""
MAX_WINDOW = 1 << 22

_Samples = Annotated[int, Field(ge=1, le=MAX_WINDOW)]


@dataclass(frozen=True)
class ProgramInfo:
    """What a model file says about its program."""

    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")

    backend: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
    """What runs it: ``executorch``."""
    version: Annotated[str, Field(max_length=100)]
    """The version of what made it."""
    window: _Samples
    """Samples that it takes and gives."""
    hop: _Samples
    """Samples from the start of a window to that of the next."""
    latency: Annotated[int, Field(ge=0, le=MAX_WINDOW)]
    """``window - 1``."""
    controls: Annotated[int, Field(ge=0, le=64)]
    """The number of knobs."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Of the bytes, in hexadecimal digits."""


@dataclass(frozen=True)
class Program:
    """A program and what is said about it."""

    info: ProgramInfo
    data: bytes

    @classmethod
    def make(
        cls, data: bytes, *, backend: str, version: str, window: int, hop: int, controls: int
    ) -> Program:
        """Describe a new program."""
        sha256 = hashlib.sha256(data).hexdigest()
        return cls(ProgramInfo(backend, version, window, hop, window - 1, controls, sha256), data)

    def metadata(self) -> dict[str, str]:
        """Return the entry of the file's header."""
        return {KEY: json.dumps(asdict(self.info), sort_keys=True)}

    def tensors(self) -> dict[str, Tensor]:
        """Return the tensor of the bytes."""
        return {TENSOR: torch.frombuffer(bytearray(self.data), dtype=torch.uint8)}


def read(metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> Program | None:
    """Return the program of a file; None if it has none. Nothing of it is run.

    Raises
    ------
    ArtifactError
        What is said about it is not valid, or is not about these bytes.
    """
    if KEY not in metadata:
        return None
    tensor = tensors.get(TENSOR)
    if tensor is None or tensor.dtype != torch.uint8 or tensor.dim() != 1 or not tensor.numel():
        raise ArtifactError("damaged: its program is not there")
    try:
        info = TypeAdapter(ProgramInfo).validate_json(metadata[KEY])
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part)[:40] for part in first["loc"][:3]) or "all of it"
        raise ArtifactError(
            f"damaged: what it says about its program is not valid: {where}: {first['msg'][:200]}"
        ) from None
    if info.hop > info.window or info.latency != info.window - 1:
        raise ArtifactError("damaged: what it says about its program cannot be")
    data = tensor.numpy().tobytes()
    if hashlib.sha256(data).hexdigest() != info.sha256:
        raise ArtifactError("damaged: its program is not the one that it names")
    return Program(info, data)
