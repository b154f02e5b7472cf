"""The sections training, realtime, data and provenance: how the model was made."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from fxkit.report import words
from fxkit.report.axis import Axis, Tick, decade_axis, linear_axis
from fxkit.report.chart import Chart, Legend, Line, Mark, Point
from fxkit.report.data import ReportData
from fxkit.report.registry import section
from fxkit.report.templates import render

if TYPE_CHECKING:
    from fxkit.train import Epoch

__all__ = ["data_section", "flat", "provenance", "realtime", "training"]


@section("training", "Training")
def training(data: ReportData) -> Markup | None:
    """Show the losses of each epoch."""
    history = list(data.history)
    if not history:
        return None
    best = min(
        history, key=lambda e: e.validation_loss if math.isfinite(e.validation_loss) else math.inf
    )
    epochs = _epoch_axis(history)
    numbers = [e.number for e in history]
    losses, validations = [e.loss for e in history], [e.validation_loss for e in history]
    marks: list[Mark] = [Line(numbers, losses, "input"), Line(numbers, validations, "prediction")]
    if math.isfinite(best.validation_loss):
        text = f"best: epoch {best.number}, {words.number(best.validation_loss)}"
        marks.append(Point(best.number, best.validation_loss, text))
    if len(history) == 1:  # a line of one point cannot be seen
        marks.append(Point(1, losses[0], f"training {words.number(losses[0])}", "only"))
    charts = [
        Chart(
            epochs,
            decade_axis([*losses, *validations], unit="loss"),
            marks,
            f"Training and validation loss; the best epoch is {best.number}",
            height=17,
            legend=[Legend("prediction", "Validation"), Legend("input", "Training")],
        ),
        Chart(
            epochs,
            decade_axis([e.lr for e in history], fine=False),
            [Line(numbers, [e.lr for e in history], "target")],
            "Learning rate over the epochs",
            height=5,
            legend=[Legend("target", "Learning rate")],
        ),
    ]
    loss = data.model.get("loss")
    ended = f"It ended because {data.stopped}." if data.stopped else ""
    if data.stopped.startswith("stopped"):
        ended = f"It was {data.stopped}."
    return render(
        "charts.html",
        lead=f"{words.amount(len(history), 'epoch')} in {words.duration(history[-1].seconds)}"
        f"{f', loss {loss}' if loss else ''}. {ended} The model is the one of epoch {best.number}, "
        "whose validation loss is the lowest.",
        charts=charts,
        caption="Below the epochs: minutes of training.",
    )


@section("realtime", "Real-time check")
def realtime(data: ReportData) -> Markup | None:
    """Show the time that a block takes beside the time there is."""
    block = data.realtime
    if block is None:
        return None
    share = max(block.median_us, 1e-3) / block.bound_us
    worst = block.p99_us / block.bound_us
    if worst < 0.5:
        verdict = "Yes, it can be played live with time to spare."
    elif worst < 1:
        verdict = "Yes, but a busy machine may interrupt it: leave room, or use a smaller model."
    elif share < 1:
        verdict = "Not safely: most blocks are in time, but some are late, and each one crackles."
    else:
        verdict = "No: a block takes longer than it lasts. A smaller model is needed."
    return render(
        "realtime.html",
        block=block,
        share=share,
        worst=worst,
        verdict=verdict,
        full=max(1.0, worst * 1.02, share * 1.02),
    )


@section("data", "Data")
def data_section(data: ReportData) -> Markup:
    """Tell what the model was trained on, and what the checks found."""
    return render("data.html", data=data)


@section("provenance", "How to make it again")
def provenance(data: ReportData) -> Markup:
    """List the model's configuration, every setting, and the machine."""
    model = {k: v for k, v in data.model.items() if k != "config"}
    tables = {
        "Model": [*flat(model), *flat(data.model.get("config") or {}, "config.")],
        "Settings": list(flat(data.settings)),
        "Machine and versions": list(flat(data.environment)),
    }
    return render("provenance.html", tables={t: rows for t, rows in tables.items() if rows})


def _epoch_axis(history: Sequence[Epoch]) -> Axis:
    """Return an axis of epochs whose labels also say how many minutes had gone by."""
    first, last = history[0].number, history[-1].number
    plain = linear_axis(first, last, count=8) if last > first else linear_axis(first - 1, first + 1)
    minutes = {epoch.number: epoch.seconds / 60 for epoch in history}
    ticks = []
    for tick in plain.ticks:
        number = plain.low + tick.place * (plain.high - plain.low)
        if abs(number - round(number)) > 1e-6 or round(number) not in minutes:
            continue
        text = f"{round(number)}\n{minutes[round(number)]:.1f} min"
        ticks.append(Tick(tick.place, text, tick.minor))
    return Axis(plain.low, plain.high, tuple(ticks), "epoch")


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield nested settings as key=value pairs with dotted keys."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{key}", ", ".join(map(str, value)) or words.DASH
        else:
            yield f"{prefix}{key}", words.DASH if value in (None, "", {}) else str(value)
