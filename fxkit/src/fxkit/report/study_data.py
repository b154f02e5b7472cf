"""What the report of a search is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fxkit.scores import Evaluation
    from fxkit.search import Dimension
    from fxkit.task import Task
    from fxkit.train import Epoch
    from fxkit.tuning.records import TrialRecord

__all__ = ["StudyData"]


@dataclass(frozen=True)
class StudyData:
    """Everything that the report of a search shows."""

    title: str
    task: Task
    model: Mapping[str, Any]
    """``name``."""
    description: str
    """The recordings, in one line."""
    objectives: Sequence[str]
    space: Mapping[str, Dimension]
    """What was searched."""
    trials: Sequence[TrialRecord]
    front: Sequence[int]
    """Numbers of the trials that no other one beats, the most accurate first."""
    recipes: Mapping[int, str] = field(default_factory=dict)
    """Number of a trial on the front to the text of its recipe."""
    commands: Mapping[int, str] = field(default_factory=dict)
    """The same to the command that trains it."""
    importances: Mapping[str, float] = field(default_factory=dict)
    """Setting to its share, 0..1, largest first; empty where there is too little to say."""
    final: Evaluation | None = None
    """The scores of the final training."""
    final_history: Sequence[Epoch] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    stopped: str = ""
    """Why the search ended, in plain words."""
