"""Back ends: shared libraries that run programs of window models, opened where they are there.

`cpp/host/include/fxkit/host/backend.h` defines what such a library gives; `make backend` builds the
one for ExecuTorch.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fxkit.errors import FxkitError

__all__ = ["Backend", "LoadedProgram", "find", "folders"]

VERSION = 1
_ERROR = 512
_Floats = ctypes.POINTER(ctypes.c_float)


class _Table(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_uint32),
        ("name", ctypes.c_char_p),
        ("runtime", ctypes.c_char_p),
        (
            "open",
            ctypes.CFUNCTYPE(
                ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t
            ),
        ),
        ("window", ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p)),
        ("controls", ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p)),
        (
            "run",
            ctypes.CFUNCTYPE(
                ctypes.c_int, ctypes.c_void_p, _Floats, _Floats, _Floats, ctypes.c_char_p,
                ctypes.c_size_t,
            ),
        ),
        ("close", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
    )  # fmt: skip


def folders() -> list[Path]:
    """Return where libraries are looked for: those of ``FXKIT_BACKENDS``, then the user's."""
    named = [Path(p) for p in os.environ.get("FXKIT_BACKENDS", "").split(os.pathsep) if p]
    return [*named, Path.home() / ".local" / "lib" / "fxkit"]


def find(name: str) -> Backend:
    """Open the library ``libfxkit-NAME``.

    Raises
    ------
    FxkitError
        There is none, or it cannot be used; says where it was looked for.
    """
    if not re.fullmatch(r"[a-z0-9-]{1,32}", name):
        raise FxkitError(f"{name[:40]!r} is no name of a back end")
    suffix = {"darwin": ".dylib", "win32": ".dll"}.get(sys.platform, ".so")
    for folder in folders():
        path = folder / f"libfxkit-{name}{suffix}"
        if path.is_file():
            return _load(path)
    where = ", ".join(map(str, folders()))
    raise FxkitError(
        f"the back end {name} is not installed (looked in {where}): make backend, in a checkout of "
        "fxkit, builds it"
    )


@cache
def _load(path: Path) -> Backend:
    return Backend(path)


class Backend:
    """An open library.

    Parameters
    ----------
    path
        The library.

    Raises
    ------
    FxkitError
        It cannot be opened, or is of another version.
    """

    name: str
    runtime: str
    """The version of what runs the programs."""

    def __init__(self, path: Path) -> None:
        try:
            self._library = ctypes.CDLL(str(path))
            get = self._library.fxkit_backend_get
        except (OSError, AttributeError) as error:
            line = " ".join(str(error).split())[:200]
            raise FxkitError(f"the back end {path} cannot be opened: {line}") from None
        get.restype = ctypes.POINTER(_Table)
        self.table: Any = get().contents
        if self.table.version != VERSION:
            raise FxkitError(
                f"the back end {path} is of version {self.table.version}, not {VERSION}: "
                "make backend builds it anew"
            )
        self.path = path
        self.name, self.runtime = self.table.name.decode(), self.table.runtime.decode()


class LoadedProgram:
    """A program, ready to run.

    Parameters
    ----------
    backend
        What runs it.
    data
        The program. It must come from a source that the user trusts.

    Raises
    ------
    FxkitError
        It is damaged.
    """

    def __init__(self, backend: Backend, data: bytes) -> None:
        self._backend, self._handle = backend, None
        error = ctypes.create_string_buffer(_ERROR)
        self._handle = backend.table.open(data, len(data), error, _ERROR)
        if not self._handle:
            raise FxkitError(f"the program cannot be used: {error.value.decode(errors='replace')}")
        self.window: int = backend.table.window(self._handle)
        self.controls: int = backend.table.controls(self._handle)

    def expect(self, window: int, controls: int) -> None:
        """Make sure that the program has the sizes that are said of it.

        Raises
        ------
        FxkitError
            It has others.
        """
        if (self.window, self.controls) != (window, controls):
            raise FxkitError("damaged: its program does not fit what is said about it")

    def run(self, x: Tensor, controls: Tensor | None = None) -> Tensor:
        """Compute one window ``[window]`` with knobs ``[K]``.

        Raises
        ------
        FxkitError
            The program failed.
        """
        if x.shape != (self.window,):
            raise ValueError(f"a window has {self.window} samples, not {list(x.shape)}")
        x = x.detach().float().contiguous()
        knobs = torch.zeros(self.controls) if controls is None else controls.float().contiguous()
        if knobs.shape != (self.controls,):
            raise ValueError(f"there are {self.controls} knobs, not {list(knobs.shape)}")
        out = torch.empty_like(x)
        error = ctypes.create_string_buffer(_ERROR)

        def floats(tensor: Tensor) -> Any:
            return ctypes.cast(tensor.data_ptr(), _Floats)

        done = self._backend.table.run(
            self._handle, floats(x), floats(knobs), floats(out), error, _ERROR
        )
        if not done:
            raise FxkitError(f"the program failed: {error.value.decode(errors='replace')}")
        return out

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._backend.table.close(self._handle)
