"""The scores of an evaluation as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fxkit.cli.arguments import number

if TYPE_CHECKING:
    from rich.table import Table

    from fxkit.evaluation import Evaluation

__all__ = ["scores_table"]

_ROWS = (
    ("esr", "ESR", "error over target energy"),
    ("esr_pre_emphasised", "ESR, pre-emphasised", "the same, treble weighs more"),
    ("esr_attack", "ESR at attacks", "-5 to +50 ms of note attacks"),
    ("esr_elsewhere", "ESR elsewhere", "all but the attacks"),
    ("mrstft", "MRSTFT", "distance of the spectrograms"),
    ("si_sdr", "SI-SDR, dB", "higher is better"),
    ("dc", "DC error", "energy of its constant offset"),
)


def scores_table(evaluation: Evaluation) -> Table:
    """Return the scores beside those of the unprocessed input at its best gain."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("score")
    table.add_column("model", justify="right", style="bold cyan", no_wrap=True)
    table.add_column("input as it is", justify="right", no_wrap=True)
    table.add_column("meaning", style="dim")
    for field, name, meaning in _ROWS:
        table.add_row(
            name,
            number(getattr(evaluation.scores, field)),
            number(getattr(evaluation.baseline, field)),
            meaning,
        )
    if evaluation.aliasing is not None:
        table.add_row(
            "aliasing, dB", number(evaluation.aliasing.worst, 3), "-", "worst of a sweep of sines"
        )
    return table
