"""What a search knows of each trial, as plain data: for tables, files and the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

__all__ = ["State", "TrialRecord", "best", "front", "records_of"]

State = Literal["complete", "pruned", "running", "waiting", "failed"]


@dataclass(frozen=True)
class TrialRecord:
    """One trial."""

    number: int
    """From 0, in the order in which they were begun."""
    state: State
    """A failed one was cut short and is in the queue again under another number."""
    params: dict[str, Any]
    """Setting to value."""
    values: tuple[float, ...]
    """The objectives, in their order; empty unless complete."""
    curve: tuple[tuple[int, float], ...]
    """Epoch and validation loss."""
    seconds: float
    """How long it took; 0 while it has not ended."""
    esr: float | None = None
    """ESR of the validation part with the best weights; None unless complete."""
    block_us: float | None = None
    """Median time of a block of 512 samples, microseconds, where the cost was measured."""
    note: str = ""
    """Why it ended early, if it did."""

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def records_of(study: Study) -> list[TrialRecord]:
    """Return every trial of a study, in order."""
    return [_record(trial) for trial in study.get_trials(deepcopy=False)]


def best(records: Sequence[TrialRecord]) -> TrialRecord | None:
    """Return the complete trial whose first objective is the lowest; None if none is complete."""
    complete = [record for record in records if record.state == "complete"]
    return min(complete, key=lambda record: record.values[0], default=None)


def front(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return the complete trials that no other one beats, by their first objective.

    One beats another if it is at least as good in every objective and better in one. Of several
    with equal values the first is kept.
    """
    complete = [record for record in records if record.state == "complete"]
    kept = [
        record
        for record in complete
        if not any(_beats(other, record) for other in complete if other is not record)
    ]
    return sorted(kept, key=lambda record: record.values)


def _beats(one: TrialRecord, other: TrialRecord) -> bool:
    if one.values == other.values:
        return one.number < other.number
    return all(a <= b for a, b in zip(one.values, other.values, strict=True))


def _record(trial: FrozenTrial) -> TrialRecord:
    state: State = trial.state.name.lower().replace("fail", "failed")  # type: ignore[assignment]
    attributes = trial.user_attrs
    curve = [(int(n), float(v)) for n, v in attributes.get("curve", ())]
    return TrialRecord(
        number=trial.number,
        state=state,
        params=dict(trial.params),
        values=tuple(trial.values) if state == "complete" and trial.values else (),
        curve=tuple(curve or sorted(trial.intermediate_values.items())),
        seconds=trial.duration.total_seconds() if trial.duration is not None else 0.0,
        esr=attributes.get("esr"),
        block_us=attributes.get("block_us"),
        note=attributes.get("note", ""),
    )
