"""An earlier run to stand beside this one in the report: its scores on the same recordings."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from fxkit.errors import FxkitError
from fxkit.scores import Evaluation

__all__ = ["Reference", "load"]


@dataclass(frozen=True)
class Reference:
    """What an earlier run measured."""

    name: str
    """Of its folder."""
    model: str
    trained_on: str
    """Its recordings, in a few words."""
    evaluation: Evaluation

    def comparable(self, other: Evaluation) -> bool:
        """Say whether both were scored on the same sound.

        The score of the unprocessed input depends on the recordings and on nothing else.
        """
        mine, theirs = self.evaluation.baseline, other.baseline
        if mine.esr is None or theirs.esr is None or mine.si_sdr is None or theirs.si_sdr is None:
            return False
        return (
            abs(self.evaluation.seconds - other.seconds) < 0.01
            and math.isclose(mine.esr, theirs.esr, rel_tol=1e-4)
            and math.isclose(mine.si_sdr, theirs.si_sdr, rel_tol=1e-4, abs_tol=1e-3)
        )


def load(folder: Path) -> Reference:
    """Read what the run in `folder` measured.

    Raises
    ------
    FxkitError
        There is no finished run.
    """
    from fxkit.config import read_yaml

    scores, settings = folder / "scores.json", folder / "settings.yaml"
    if not scores.is_file() or not settings.is_file():
        raise FxkitError(
            f"run.reference={folder}: not the folder of a finished run: "
            "it has no scores.json and settings.yaml"
        )
    try:
        evaluation = Evaluation.from_plain(json.loads(scores.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FxkitError(f"{scores}: cannot be read as scores ({error})") from None
    values = read_yaml(settings)
    source = values.get("data.path") or values.get("data.wet")
    level = f"the built-in guitar, {values.get('data.level')}"
    return Reference(
        folder.name,
        str(values.get("model", "")),
        Path(str(source)).name if source else level,
        evaluation,
    )
