"""The task distort: learn what an amplifier or a pedal does to a dry guitar."""

from __future__ import annotations

from fxkit.task import Task

__all__ = ["Distort"]


class Distort(Task):
    """Dry guitar to distorted guitar: learn the effect so that it can be played live."""

    title = "Dry guitar to distorted guitar"
    input = "clean"
    target = "wet"
    default_loss = "esr"
    metrics = (
        "esr",
        "esr_pre_emphasised",
        "mrstft",
        "si_sdr",
        "esr_attack",
        "esr_elsewhere",
        "dc",
    )
    sections = (
        "summary",
        "scores",
        "estimate",
        "listen",
        "phrase",
        "attack",
        "spectrum",
        "spectrograms",
        "bands",
        "esr_over_time",
        "aliasing",
        "realtime",
        "training",
        "data",
        "provenance",
    )
