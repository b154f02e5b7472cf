"""How much each setting mattered in a search."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

import optuna

if TYPE_CHECKING:
    from optuna.study import Study

__all__ = ["importances"]

LEAST = 4
"""Complete trials below which nothing can be said."""


def importances(study: Study, space: Iterable[str]) -> dict[str, float]:
    """Return each setting's share in what made the good trials good, 0..1, largest first.

    By PED-ANOVA: Watanabe, Bansal & Hutter, "PED-ANOVA: efficiently quantifying hyperparameter
    importance in arbitrary subspaces", IJCAI 2023. Of several objectives the first counts. Empty
    where there are too few complete trials to say.
    """
    complete = study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])
    if len(complete) < LEAST:
        return {}
    several = len(study.directions) > 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = optuna.importance.get_param_importances(
                study,
                evaluator=optuna.importance.PedAnovaImportanceEvaluator(),
                params=list(space),
                target=(lambda trial: trial.values[0]) if several else None,
            )
        except (ValueError, RuntimeError):
            # All trials equally good, or a setting that never varied.
            return {}
    return {key: float(value) for key, value in found.items()}
