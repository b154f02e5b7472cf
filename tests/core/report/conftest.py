"""A report on made-up sound: a decaying tone, driven hard, and a model that is a little dull."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fxkit.realtime import BlockTime
from fxkit.report import ReportData
from fxkit.scores import Aliasing, AliasingPoint, Evaluation, Excerpt, Scores
from fxkit.tasks.distort import Distort
from fxkit.train import Epoch

RATE = 44_100
BANDS = {"63": -12.0, "250": -25.5, "1000": -30.0, "16000": 1.5}


def an_excerpt(seconds: float = 1.5) -> Excerpt:
    t = np.arange(round(seconds * RATE)) / RATE
    dry = 0.5 * np.exp(-3 * (t % 0.5)) * np.sin(2 * np.pi * 196 * t)
    wet = np.tanh(8 * dry)
    model = 0.9 * np.tanh(7 * dry)
    dry, wet, model = (x.astype(np.float32) for x in (dry, wet, model))
    return Excerpt("take one", 12.0, RATE, dry, wet, model, attack=22_050)


def an_evaluation() -> Evaluation:
    return Evaluation(
        scores=Scores(0.0123, 0.02, 1e-7, 0.5, 19.1, 0.03, 0.01, BANDS),
        baseline=Scores(0.61, 0.9, 1e-6, 2.5, -4.0, 0.7, 0.6, dict.fromkeys(BANDS, -1.0)),
        baseline_gain=-1.7,
        aliasing=Aliasing((AliasingPoint(440, -6, -70.0), AliasingPoint(880, -6, -50.0)), -50, -53),
        seconds=18.0,
        esr_over_time=((0.0, 0.02), (1.0, 0.005), (3.0, 0.1)),
        attacks=31,
        onsets=(22_050,),
        excerpt=an_excerpt(),
    )


@pytest.fixture(scope="session")
def data() -> ReportData:
    return ReportData(
        title="Plexi at ten",
        task=Distort(),
        model={
            "name": "gru",
            "config": {"hidden": 48, "skip": True},
            "parameters": 7345,
            "sample_rate": RATE,
            "latency": 0,
            "loss": "esr+0.1*dc",
        },
        description="clean.flac to heavy.flac",
        evaluation=an_evaluation(),
        findings=("The wet side was 12 samples late and has been shifted.",),
        history=[
            Epoch(1, 20.0, 0.5, 0.6, 1e-2),
            Epoch(2, 40.0, 0.2, 0.24, 1e-2),
            Epoch(3, 60.0, 0.1, 0.31, 5e-3),
        ],
        realtime=BlockTime(512, RATE, 1200.0, 1900.0, 11_610.0, 0.1034, "PyTorch, 1 thread"),
        settings={"run": {"seed": 7, "name": ""}, "train": {"lr": 0.004}},
        environment={"torch": "2.11.0", "machine": "two cores"},
        stopped="the 10 minutes are up",
    )


Change = Callable[..., ReportData]


@pytest.fixture
def changed(data: ReportData) -> Change:
    """Return the report's data with some fields, of it or of its evaluation, replaced."""

    def change(**fields: Any) -> ReportData:
        evaluation = {k: v for k, v in fields.items() if k in Evaluation.__dataclass_fields__}
        rest = {k: v for k, v in fields.items() if k not in evaluation}
        return replace(data, evaluation=replace(data.evaluation, **evaluation), **rest)

    return change
