"""The task clean: take the distortion off a recording."""

from __future__ import annotations

from fxkit.task import Task

__all__ = ["Clean"]


class Clean(Task):
    """Distorted guitar to dry guitar: take the distortion off a recording."""

    title = "Distorted guitar to dry guitar"
    input = "wet"
    target = "clean"
    default_loss = "esr"
    metrics = (
        "esr",
        "si_sdr",
        "mrstft",
        "esr_pre_emphasised",
        "esr_attack",
        "esr_elsewhere",
        "dc",
    )
    sections = (
        "summary",
        "scores",
        "listen",
        "spectrograms",
        "phrase",
        "attack",
        "spectrum",
        "bands",
        "esr_over_time",
        "realtime",
        "training",
        "data",
        "provenance",
    )
