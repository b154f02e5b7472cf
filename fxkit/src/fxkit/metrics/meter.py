"""All scores of an estimate at once, chunk by chunk."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fxkit.metrics.energy import Sums, pre_emphasis
from fxkit.metrics.spectral import MultiResolution, OctaveBands
from fxkit.scores import Scores

__all__ = ["Meter"]

Signal = NDArray[np.floating[Any]]


class Meter:
    """Accumulates what `Scores` needs over recordings of any length, in constant memory.

    Everything is pooled over all that was added: a recording counts by its energy, not once.

    Parameters
    ----------
    sample_rate
        Of the recordings, Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._all = Sums()
        self._emphasised = Sums()
        self._attack = Sums()
        self._elsewhere = Sums()
        self._mrstft = MultiResolution()
        self._bands = OctaveBands(sample_rate)
        self._last: tuple[float, float] | None = None

    def add(self, estimate: Signal, target: Signal, attack: NDArray[np.bool_]) -> None:
        """Add the next samples of a recording.

        Parameters
        ----------
        estimate, target
            ``[time]``.
        attack
            ``[time]``, true where a note attack is.
        """
        if not len(estimate):
            return
        self._all.add(estimate, target)
        before_e, before_t = (None, None) if self._last is None else self._last
        self._emphasised.add(
            pre_emphasis(estimate, before=before_e), pre_emphasis(target, before=before_t)
        )
        self._last = float(estimate[-1]), float(target[-1])
        self._attack.add(estimate[attack], target[attack])
        self._elsewhere.add(estimate[~attack], target[~attack])
        self._mrstft.add(estimate, target)
        self._bands.add(estimate, target)

    def finish(self) -> None:
        """End one recording; another may follow."""
        self._last = None
        self._mrstft.finish()
        self._bands.finish()

    def scores(self) -> Scores:
        """Return the scores of all recordings that were added and finished."""
        return Scores(
            esr=self._all.esr(),
            esr_pre_emphasised=self._emphasised.esr(),
            dc=self._all.dc(),
            mrstft=self._mrstft.result(),
            si_sdr=self._all.si_sdr(),
            esr_attack=self._attack.esr(),
            esr_elsewhere=self._elsewhere.esr(),
            bands=self._bands.result(),
        )
