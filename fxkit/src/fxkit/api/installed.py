"""The calls about what is installed: list it, and check that it keeps the laws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fxkit.api.common import need_torch
from fxkit.errors import FxkitError, PluginError
from fxkit.registry import FORMATS, LOSSES, MODELS, TASKS, Registry, Status

if TYPE_CHECKING:
    from fxkit.testing import LawResult

__all__ = ["REGISTRIES", "check", "plugins"]

REGISTRIES: dict[str, Registry] = {
    "model": MODELS,
    "loss": LOSSES,
    "task": TASKS,
    "format": FORMATS,
}
"""Kind of plug-in to where it is found."""


def check(name: str, *, kind: str | None = None) -> list[LawResult]:
    """Check the laws of `fxkit.testing` on an installed plug-in.

    Parameters
    ----------
    name
        The name that it is chosen by.
    kind
        ``"model"``, ``"loss"``, ``"task"`` or ``"format"``; needed where two kinds have the name.

    Raises
    ------
    PluginError
        If there is no such plug-in, or if it cannot be imported.
    """
    from fxkit.registry import nearest

    if kind is None:
        kinds = [k for k, registered in REGISTRIES.items() if name in registered.names()]
        if len(kinds) > 1:
            raise FxkitError(f"{name!r} is a {' and a '.join(kinds)}; say which with --kind")
        if not kinds:
            known = sorted({n for r in REGISTRIES.values() for n in r.names()})
            near = nearest(name, known)
            hint = f"did you mean {' or '.join(near)}?" if near else "fxkit list shows all"
            raise PluginError(f"no plug-in {name!r}; {hint}")
        kind = kinds[0]
    if kind not in REGISTRIES:
        raise FxkitError(f"kind={kind}: needs one of {', '.join(REGISTRIES)}")
    need_torch()
    REGISTRIES[kind].get(name)
    from fxkit import testing

    return testing.check(kind, name)


def plugins() -> dict[str, list[Status]]:
    """Return every plug-in of every kind, the broken ones with what is wrong with them."""
    return {
        kind: [registry.status(name) for name in registry.names()]
        for kind, registry in REGISTRIES.items()
    }
