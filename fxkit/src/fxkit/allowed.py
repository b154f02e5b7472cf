"""Which programs the user lets run: a text file with one SHA-256 per line.

What follows a hash in its line is a note; other lines are left alone. Players in C++ read and write
the same file (``fxkit/host/allowed_programs.h``).
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from fxkit.errors import FxkitError

__all__ = ["add", "contains", "list_file"]

_HASH = re.compile(r"[0-9a-fA-F]{64}")


def list_file() -> Path:
    r"""Return the path of the list.

    ``allowed-programs`` in ``$XDG_CONFIG_HOME/fxkit`` or ``~/.config/fxkit``, on macOS in
    ``~/Library/Application Support/fxkit``, on Windows in ``%APPDATA%\fxkit``.
    """
    if sys.platform == "win32":
        folder = Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming"))
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        folder = Path(os.environ.get("XDG_CONFIG_HOME", ""))
        if not folder.is_absolute():  # the specification says to ignore others
            folder = Path.home() / ".config"
    return folder / "fxkit" / "allowed-programs"


def contains(sha256: str) -> bool:
    """Say whether the user allows the program with this hash."""
    try:
        lines = list_file().read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    words = (line.split(maxsplit=1)[0] for line in lines if line.strip())
    return sha256.lower() in {word.lower() for word in words if _HASH.fullmatch(word)}


def add(sha256: str, note: str = "") -> None:
    """Allow the program with this hash; `note` says to a reader what it is.

    Raises
    ------
    FxkitError
        The list cannot be written.
    """
    if not _HASH.fullmatch(sha256):
        raise ValueError(f"not a SHA-256: {sha256!r}")
    if contains(sha256):
        return
    path = list_file()
    line = f"{sha256.lower()}  {' '.join(note.split())}".rstrip() + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_bytes() if path.exists() else b""
        with path.open("ab") as file:
            file.write((b"" if before.endswith(b"\n") or not before else b"\n") + line.encode())
    except OSError as error:
        raise FxkitError(f"cannot write {path}: {error.strerror}") from None
