"""The built-in data set: a plucked-string guitar and a simulated analogue drive.

Everything is a function of a seed. On one machine, with the same numpy and scipy, equal seeds give
equal bytes; elsewhere sums may round differently, so the files agree only to about 24 bits.
"""

from __future__ import annotations

from fxkit.data.synth.cache import SAMPLE_RATE, SECONDS, built_in
from fxkit.data.synth.drive import GAINS, drive
from fxkit.data.synth.guitar import guitar

__all__ = ["GAINS", "SAMPLE_RATE", "SECONDS", "built_in", "drive", "guitar"]
