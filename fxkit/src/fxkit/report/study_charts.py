"""The charts of a search: history, importances, parallel coordinates, curves, Pareto front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from fxkit.report import words
from fxkit.report.axis import Axis, Tick, decade_axis, linear_axis
from fxkit.report.chart import Bars, Chart, Legend, Line, Mark, Point
from fxkit.report.study_data import StudyData
from fxkit.report.templates import render
from fxkit.search import Choice, Dimension

if TYPE_CHECKING:
    from fxkit.tuning.records import TrialRecord

__all__ = ["curves", "history", "importances", "parallel", "pareto"]

UNITS = {"loss": "validation loss", "esr": "ESR", "cost": "us a block"}
NAMES = {"loss": "validation loss", "esr": "validation ESR", "cost": "time of a block"}


def history(data: StudyData) -> Markup | None:
    """Show the first objective of each trial, and the best so far."""
    ended = [t for t in data.trials if t.state in ("complete", "pruned") and _score(t) is not None]
    complete = [t for t in ended if t.state == "complete"]
    if not complete:
        return None
    lowest, steps = math.inf, []
    for trial in ended:
        if trial.state == "complete":
            lowest = min(lowest, trial.values[0])
        steps.append(lowest if lowest < math.inf else math.nan)
    numbers = [t.number for t in ended]
    best = min(complete, key=lambda t: t.values[0])
    text = f"trial {best.number}, {words.number(best.values[0])}"
    # A staircase: each value holds until the next trial.
    across = [n for n in numbers for _ in (0, 1)][1:]
    marks: list[Mark] = [Line(across, [s for s in steps for _ in (0, 1)][:-1], "target")]
    for trial in ended:
        if trial is not best:
            kind = "trial" if trial.state == "complete" else "pruned"
            marks.append(Point(trial.number, _score(trial) or math.nan, "", kind))
    marks.append(Point(best.number, best.values[0], text))
    scores = [score for t in ended if (score := _score(t)) is not None]
    name = NAMES[data.objectives[0]]
    return render(
        "charts.html",
        lead=f"Each dot is a trial; the line is the lowest {name} so far.",
        charts=[
            Chart(
                _whole(min(numbers) - 0.5, max(numbers) + 0.5, "trial"),
                decade_axis(scores, unit=UNITS[data.objectives[0]]),
                marks,
                f"The {name} of every trial; the best is {text}",
                legend=[Legend("target", "Best so far")],
            )
        ],
        caption="Small grey dots are trials that were pruned, at the lowest validation loss that "
        "they had reached. Trial 0 has the settings that the search began from.",
    )


def importances(data: StudyData) -> Markup | None:
    """Show how much each setting had to do with a trial being good."""
    shares = dict(data.importances)
    if not shares:
        return None
    keys = sorted(shares, key=lambda key: -shares[key])
    count = len(keys)
    ticks = tuple(
        Tick((i + 0.5) / count, f"{_short(key)}\n{shares[key]:.0%}") for i, key in enumerate(keys)
    )
    chart = Chart(
        Axis(0, count, ticks),
        linear_axis(0, max(*shares.values(), 0.1) * 1.05, unit="share", count=4),
        [
            Bars(
                [i + 0.18 for i in range(count)],
                [i + 0.82 for i in range(count)],
                [shares[key] for key in keys],
                0.0,
                "prediction",
            )
        ],
        "Share of each setting: " + ", ".join(f"{key} {shares[key]:.0%}" for key in keys),
        height=11,
    )
    return render(
        "charts.html",
        lead=f"{_short(keys[0])} made the largest difference between good trials and the others.",
        charts=[chart],
        caption="PED-ANOVA (Watanabe et al., 2023): how far the values of good trials are from "
        "those of all trials. With a few dozen trials this is a hint, not a measurement.",
    )


def parallel(data: StudyData) -> Markup | None:
    """Show each trial as a line across all settings, and its result."""
    complete = sorted(
        (t for t in data.trials if t.state == "complete"), key=lambda t: t.values[0], reverse=True
    )
    keys = list(data.space)
    if len(complete) < 2:
        return None
    results = decade_axis([t.values[0] for t in complete])
    last = len(keys)
    ticks = [
        Tick(i / last, f"{_short(key)}\n{_extent(data.space[key])}") for i, key in enumerate(keys)
    ]
    ticks.append(Tick(1.0, f"{UNITS[data.objectives[0]]}\n{_span(results)}"))
    marks: list[Mark] = []
    for rank, trial in enumerate(complete):
        heights = [_place(data.space[key], trial.params.get(key)) for key in keys]
        heights.append(float(results.place([trial.values[0]])[0]))
        good = rank >= len(complete) - max(1, len(complete) // 4)
        kind = "top" if trial is complete[-1] else "good" if good else "faint"
        marks.append(Line(list(range(last + 1)), heights, kind))
    chart = Chart(
        Axis(0, last, tuple(ticks)),
        Axis(-0.04, 1.04),
        marks,
        f"{len(complete)} trials as lines across {', '.join(keys)} and the result",
        legend=[
            Legend("top", "Best trial"),
            Legend("good", "Best quarter"),
            Legend("faint", "Others"),
        ],
    )
    return render(
        "charts.html",
        lead="Each line is a finished trial. Where the coloured lines meet, the value mattered.",
        charts=[chart],
        caption="Below each setting, what was searched, from the bottom to the top of its axis.",
    )


def curves(data: StudyData) -> Markup | None:
    """Show the validation loss of each trial over its epochs, and where it was pruned."""
    walked = [t for t in data.trials if t.curve and t.state in ("complete", "pruned")]
    if not walked:
        return None
    best = min(
        (t for t in walked if t.state == "complete"), key=lambda t: t.values[0], default=None
    )
    marks: list[Mark] = []
    for trial in sorted(walked, key=lambda t: (t is best, t.state == "complete")):
        epochs, losses = [n for n, _ in trial.curve], [v for _, v in trial.curve]
        kind = "top" if trial is best else "good" if trial.state == "complete" else "faint"
        marks.append(Line(epochs, losses, kind))
        if trial.state == "pruned":
            marks.append(Point(epochs[-1], losses[-1], "", "pruned"))
    last = max(t.curve[-1][0] for t in walked)
    pruned = sum(t.state == "pruned" for t in walked)
    saved = sum(last - t.curve[-1][0] for t in walked if t.state == "pruned")
    return render(
        "charts.html",
        lead=f"{words.amount(pruned, 'trial')} of {len(walked)} ended early, because the median of "
        f"the others was better by then; that saved {words.amount(saved, 'epoch')}."
        if pruned
        else "No trial was ended early.",
        charts=[
            Chart(
                _whole(1, max(last, 2), "epoch"),
                decade_axis([v for t in walked for _, v in t.curve], unit="loss"),
                marks,
                f"Validation loss over the epochs of {len(walked)} trials, {pruned} of them pruned",
                height=17,
                legend=[
                    Legend("top", "Best trial"),
                    Legend("good", "Finished"),
                    Legend("faint", "Pruned"),
                ],
            )
        ],
        caption="A dot marks where a trial was ended.",
    )


def pareto(data: StudyData) -> Markup | None:
    """Show the Pareto front of two objectives, and a recipe for each point of it."""
    if len(data.objectives) < 2:
        return None
    across = len(data.objectives) - 1
    complete = [t for t in data.trials if t.state == "complete"]
    front = [t for number in data.front for t in complete if t.number == number]
    x, y = [t.values[across] for t in complete], [t.values[0] for t in complete]
    marks: list[Mark] = [_staircase(front, across)]
    marks += [
        Point(t.values[across], t.values[0], "", "pruned") for t in complete if t not in front
    ]
    marks += [Point(t.values[across], t.values[0], f"trial {t.number}") for t in front]
    names = [NAMES[name] for name in data.objectives]
    chart = Chart(
        decade_axis(x, unit=UNITS[data.objectives[across]]),
        decade_axis(y, unit=UNITS[data.objectives[0]]),
        marks,
        f"{names[0]} against {names[across]}; on the front: "
        + ", ".join(f"trial {t.number}" for t in front),
        height=19,
        legend=[Legend("target", "Best for its price")],
    )
    return render(
        "study_front.html",
        chart=chart,
        names=names,
        rows=[
            {
                "number": t.number,
                "values": [words.number(value) for value in t.values],
                "params": {_short(k): _text(v) for k, v in t.params.items()},
                "recipe": data.recipes.get(t.number, ""),
                "command": data.commands.get(t.number, ""),
            }
            for t in front
        ],
    )


def _staircase(front: Sequence[TrialRecord], across: int) -> Line:
    """Return the line that parts what was reached from what was not."""
    places = sorted((t.values[across], t.values[0]) for t in front)
    x, y = [], []
    for i, (a, b) in enumerate(places):
        if i:
            x.append(a)
            y.append(places[i - 1][1])
        x.append(a)
        y.append(b)
    return Line(x, y, "target")


def _score(trial: TrialRecord) -> float | None:
    if trial.values:
        return trial.values[0]
    losses = [v for _, v in trial.curve if math.isfinite(v)]
    return min(losses) if losses else None


def _whole(low: float, high: float, unit: str) -> Axis:
    """Return an axis of whole numbers."""
    step = max(1, round((high - low) / 10))
    ticks = tuple(
        Tick((n - low) / (high - low), str(n)) for n in range(math.ceil(low), int(high) + 1, step)
    )
    return Axis(low, high, ticks, unit)


def _place(dimension: Dimension, value: Any) -> float:
    """Return where a value lies within its dimension, 0..1."""
    if isinstance(dimension, Choice):
        found = [i for i, v in enumerate(dimension.values) if v == value]
        return found[0] / (len(dimension.values) - 1) if found else math.nan
    if not isinstance(value, int | float):
        return math.nan
    return float(Axis(dimension.low, dimension.high, logarithmic=dimension.log).place([value])[0])


def _extent(dimension: Dimension) -> str:
    if isinstance(dimension, Choice):
        return ", ".join(map(_text, dimension.values))
    return f"{dimension.low:g} to {dimension.high:g}"


def _span(axis: Axis) -> str:
    return f"{words.number(axis.low, 2)} to {words.number(axis.high, 2)}"


def _short(key: str) -> str:
    return key.partition(".")[2] or key


def _text(value: Any) -> str:
    return words.number(value) if isinstance(value, float) else str(value)
