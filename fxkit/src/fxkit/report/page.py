"""Write the page: one file with everything in it, which asks for nothing from anywhere."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from fxkit.errors import FxkitError
from fxkit.files import replacing
from fxkit.report.data import ReportData
from fxkit.report.registry import Section, find
from fxkit.report.templates import asset, render

__all__ = ["assemble", "page", "write", "write_html"]


def page(data: ReportData) -> str:
    """Return the report as HTML.

    Its content security policy lets a browser load nothing but what is in the file, and run no
    script but the one written here, which is named by its hash.

    Raises
    ------
    PluginError
        If the task names a section that does not exist.
    """
    return assemble(data, [(found, found.write(data)) for found in find(data.task.sections)])


def assemble(
    data: Any, sections: Sequence[tuple[Section, Markup | None]], *, made: str = "trained"
) -> str:
    """Return a page of `sections`, those without a body left out.

    Parameters
    ----------
    data
        What the head of the page shows: ``title``, ``task``, ``model`` and ``description``.
    made
        What was done on the recordings that `description` names.
    """
    script = asset("player.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return str(
        render(
            "page.html",
            data=data,
            made=made,
            sections=[(found, body) for found, body in sections if body is not None],
            style=asset("page.css"),
            script=script,
            script_hash=digest,
        )
    )


def write(path: str | os.PathLike[str], data: ReportData) -> None:
    """Write the report to `path`, complete or not at all.

    Raises
    ------
    FxkitError
        If the file cannot be written: no permission, no such folder, a full disk.
    """
    write_html(path, page(data))


def write_html(path: str | os.PathLike[str], text: str) -> None:
    """Write a page to `path`, complete or not at all.

    Raises
    ------
    FxkitError
        If the file cannot be written: no permission, no such folder, a full disk.
    """
    path = Path(path)
    html = text.encode()
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(html)
    except OSError as error:
        raise FxkitError(f"{path}: the report cannot be written: {_reason(error, html)}") from error


def _reason(error: OSError, html: bytes) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full; free {len(html) / 1e6:.1f} MB or choose another folder"
    return f"{error.strerror or error}; choose another folder"
