"""The bytes of a model file: safetensors, read with distrust and written complete or not at all."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from torch import Tensor

from fxkit import files
from fxkit.errors import ArtifactError

__all__ = ["pack", "read", "replacing"]

MAX_FILE = 1 << 32
"""4 GiB: far above any model that can be played."""
MAX_HEADER = 1 << 24
DTYPES = (
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
)
_MAGIC = {b"PK\x03\x04": "a zip archive"} | {bytes((0x80, n)): "a pickle" for n in range(2, 6)}


def read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Read metadata and tensors; nothing that a file claims makes this use more memory than it has.

    The whole file is read instead of mapped, so that it may change or vanish afterwards.

    Raises
    ------
    ArtifactError
        The file cannot be read, or is not a sound safetensors file of finite numbers.
    """
    data = _bytes(path)
    header = _header(data)
    try:
        tensors = load_safetensors(data)
    # The library's own error, and whatever PyTorch says to a dtype or shape that it does not have.
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ArtifactError(f"damaged: {_short(error)}") from None
    for name, tensor in tensors.items():
        if tensor.dtype not in DTYPES:
            raise ArtifactError(f"tensor {name[:60]!r} is of type {tensor.dtype}, not allowed here")
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ArtifactError(f"tensor {name[:60]!r} holds NaN or infinite numbers")
    return header, tensors


def pack(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Return the bytes of a file that `read` reads."""
    # A clone each: safetensors refuses tensors that share memory.
    own = {k: t.detach().cpu().clone().contiguous() for k, t in tensors.items()}
    return save_safetensors(own, dict(metadata))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a new file beside `path` to write to; it takes that name if all goes well.

    Raises
    ------
    ArtifactError
        The folder is missing or read-only, or the disk is full.
    """
    try:
        with files.replacing(path) as temporary:
            yield temporary
    except OSError as error:
        raise ArtifactError(f"cannot write {path}: {error.strerror}") from None


def _bytes(path: Path) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ArtifactError("is a folder, not a model file")
        if not stat.S_ISREG(status.st_mode):
            raise ArtifactError("is not an ordinary file")
        if status.st_size > MAX_FILE:
            raise ArtifactError(f"has {status.st_size} bytes: too large for a model file")
        data = path.read_bytes()
    except FileNotFoundError:
        raise ArtifactError("no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        raise ArtifactError(
            f"cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None
    if not data:
        raise ArtifactError("is empty")
    return data


def _header(data: bytes) -> dict[str, str]:
    if len(data) < 10 or data[8:9] != b"{":
        # Only here: a header of 640, 896, ... bytes begins a sound file as if it were a pickle.
        for magic, kind in _MAGIC.items():
            if data.startswith(magic):
                raise ArtifactError(f"is {kind}, not a model file of fxkit")
        raise ArtifactError("is not a model file of fxkit")
    length = int.from_bytes(data[:8], "little")
    if length > MAX_HEADER or length > len(data) - 8:
        raise ArtifactError("damaged or cut off: its header is longer than the file")
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError):
        raise ArtifactError("damaged: its header is not JSON") from None
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(metadata, dict):
        raise ArtifactError("is a safetensors file, but not a model file of fxkit")
    if not all(isinstance(value, str) for value in metadata.values()):
        raise ArtifactError("damaged: its metadata must be text")
    return metadata


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
