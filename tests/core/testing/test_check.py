"""Laws without pytest, as `fxkit check` runs them."""

from __future__ import annotations

import math

import pytest
from fxkit.errors import FxkitError
from fxkit.loss import Loss
from fxkit.testing import LossLaws, check
from fxkit.testing.config_laws import law_search_space
from torch import Tensor


def test_check_runs_every_law_without_pytest() -> None:
    results = check("loss", "esr")
    names = [result.name for result in results]
    assert names[0] == "can be made"
    assert "is zero when equal" in names
    assert len(results) == 1 + sum(name.startswith("test_") for name in vars(LossLaws))
    assert all(result.passed and math.isfinite(result.seconds) for result in results)


def test_check_reports_what_is_broken_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from fxkit.registry import LOSSES

    class Divides(Loss):
        def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
            raise ZeroDivisionError("oh")

    monkeypatch.setattr(LOSSES, "get", lambda name: Divides)
    results = {result.name: result for result in check("loss", "mine")}
    assert results["config round trips"].passed
    assert not results["is finite"].passed
    assert results["is finite"].detail == "ZeroDivisionError: oh"


def test_check_refuses_an_unknown_kind() -> None:
    with pytest.raises(FxkitError, match="kind=amp: needs one of model, loss, task, format"):
        check("amp", "gru")


def test_a_search_space_of_other_settings_is_found() -> None:
    from fxkit.registry import MODELS
    from fxkit.search import Choice

    gru = MODELS.get("gru")
    law_search_space(gru(gru.Config(hidden=2)))
    wrong = type("Wrong", (gru,), {"search_space": classmethod(lambda cls: {"x": Choice((1, 2))})})
    with pytest.raises(AssertionError, match="the search space of Wrong is wrong: no setting"):
        law_search_space(wrong(gru.Config(hidden=2)))
