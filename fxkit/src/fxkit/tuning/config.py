"""The settings of a search, `tune.*`; imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from fxkit.options import option

__all__ = ["OBJECTIVES", "TuneConfig"]

OBJECTIVES = ("loss", "esr", "cost")
"""What can be minimised: the validation loss, the ESR of the validation part, and the median time
of a block of 512 samples in microseconds."""


@dataclass(frozen=True)
class TuneConfig:
    """How long is searched, for what, and where the results are kept."""

    trials: int = option(20, "trainings in the search, over all machines", unit="trials", low=1)
    minutes: float = option(
        0.0,
        "stop searching after this much time in one sitting; 0 for no limit",
        unit="minutes",
        low=0,
    )
    jobs: int = option(1, "trials at a time on this machine", unit="processes", low=1, high=256)
    epochs: int = option(10, "length of each trial", unit="epochs", low=1)
    final_epochs: int = option(
        100, "longest final training with the best settings; 0 for none", unit="epochs", low=0
    )
    patience: int = option(
        15,
        "the final training stops after so many epochs without improvement",
        unit="epochs",
        low=1,
    )
    objectives: tuple[str, ...] = option(
        ("loss",), "what is minimised; several give a Pareto front", choices=OBJECTIVES
    )
    storage: str = option(
        "", "address of a database for several machines, postgresql://...; empty for a file"
    )
    name: str = option("", "name of the study in the database; empty for TASK-MODEL")
    heartbeat: int = option(
        60, "a trial whose process has been silent for so long is run again", unit="seconds", low=2
    )

    def __post_init__(self) -> None:
        """Refuse a list of objectives that makes no sense."""
        if not self.objectives or len(set(self.objectives)) < len(self.objectives):
            raise ValueError(f"objectives={','.join(self.objectives)}: name one, or several once")
        if self.objectives == ("cost",):
            raise ValueError("objectives=cost: the smallest model would win; name esr as well")
