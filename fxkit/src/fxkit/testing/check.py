"""The laws without pytest: what ``fxkit check NAME`` runs on an installed plug-in."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import SkipTest

from fxkit.errors import FxkitError
from fxkit.registry import FORMATS, LOSSES, MODELS, TASKS
from fxkit.testing.kits import FormatLaws, LossLaws, ModelLaws, TaskLaws

__all__ = ["LawResult", "check"]


@dataclass(frozen=True)
class LawResult:
    """What one law said about a plug-in."""

    name: str
    """The law, in words: ``blocks equal whole``."""
    passed: bool
    detail: str
    """Why it is broken, or why it does not apply; otherwise empty."""
    seconds: float
    """How long the law took."""


def check(kind: str, name: str) -> list[LawResult]:
    """Try every law on the installed plug-in called `name`, with its default settings.

    Parameters
    ----------
    kind
        ``"model"``, ``"loss"``, ``"task"`` or ``"format"``.
    name
        The name in the registry.

    Raises
    ------
    FxkitError
        If there is no such plug-in, or it cannot be imported.
    """
    if kind not in _TRIALS:
        raise FxkitError(f"kind={kind}: needs one of {', '.join(_TRIALS)}")
    registry, kit, fixtures = _TRIALS[kind]
    cls = registry.get(name)
    given: dict[str, Any] = {}
    made = _try("can be made", lambda: given.update(fixtures(cls)))
    if not made.passed:
        return [made]
    return [made, *(_try(law, _bound(test, given)) for law, test in _laws(kit))]


def _laws(kit: type) -> Iterator[tuple[str, Callable[..., None]]]:
    """Yield the name, in words, and the function of each law of a kit, in the kit's order."""
    for name in vars(kit):
        if name.startswith("test_"):
            yield name.removeprefix("test_").replace("_", " "), getattr(kit(), name)


def _bound(test: Callable[..., None], given: dict[str, Any]) -> Callable[[], None]:
    wanted = [name for name in test.__annotations__ if name != "return"]
    return lambda: test(**{name: given[name] for name in wanted})


def _try(law: str, run: Callable[[], None]) -> LawResult:
    start = time.perf_counter()
    passed, detail = True, ""
    try:
        run()
    except SkipTest as reason:
        detail = str(reason)
    except AssertionError as error:
        passed, detail = False, str(error)
    # A plug-in may raise anything: that is a broken law too, and the others are still to be tried.
    except Exception as error:
        passed, detail = False, f"{type(error).__name__}: {' '.join(str(error).split())}"
    return LawResult(law, passed, detail, time.perf_counter() - start)


def _model(cls: type[Any]) -> dict[str, Any]:
    return {"model": cls(cls.Config())}


def _loss(cls: type[Any]) -> dict[str, Any]:
    return {"loss": cls(cls.Config())}


def _task(cls: type[Any]) -> dict[str, Any]:
    return {"task": cls()}


def _format(cls: type[Any]) -> dict[str, Any]:
    """Make the format and a small model for it to write; fxkit-models has to be installed."""
    from fxkit.artifact import save
    from fxkit.manifest import Manifest

    lstm = MODELS.get("lstm")
    model = lstm(lstm.Config())
    with tempfile.TemporaryDirectory() as folder:
        artifact = save(Path(folder) / "law.fxkit", model, Manifest(name="law", model="lstm"))
    return {"format": cls(), "artifact": artifact}


_TRIALS: dict[str, tuple[Any, type, Callable[[type[Any]], dict[str, Any]]]] = {
    "model": (MODELS, ModelLaws, _model),
    "loss": (LOSSES, LossLaws, _loss),
    "task": (TASKS, TaskLaws, _task),
    "format": (FORMATS, FormatLaws, _format),
}
