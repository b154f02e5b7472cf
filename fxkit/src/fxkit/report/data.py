"""What a report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fxkit.realtime import BlockTime
    from fxkit.reference import Reference
    from fxkit.scores import Evaluation
    from fxkit.task import Task
    from fxkit.train import Epoch

__all__ = ["ReportData"]


@dataclass(frozen=True)
class ReportData:
    """Everything that a report shows; nothing in it is written by `fxkit.report`."""

    title: str
    """What the model is called."""
    task: Task
    """Decides which sections appear, in which order, and which metrics are shown."""
    model: Mapping[str, Any]
    """What was trained: ``name``, ``config`` (a dict), ``parameters`` (a count), ``sample_rate``
    (Hz), ``latency`` (samples), ``loss`` (the expression). Missing keys are left out."""
    description: str
    """What it was trained on, in one line."""
    evaluation: Evaluation
    findings: Sequence[str] = ()
    """What the checks of the recordings saw, one line each."""
    history: Sequence[Epoch] = ()
    realtime: BlockTime | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Every setting of the run, nested or flat."""
    environment: Mapping[str, Any] = field(default_factory=dict)
    """Versions, machine, seed: whatever is needed to do it again."""
    stopped: str = ""
    """Why the training ended, in plain words."""
    estimated: float = 0.0
    """Seconds of the training material of which a model had estimated a side."""
    reference: Reference | None = None
    """Another run to compare with."""
