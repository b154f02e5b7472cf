"""How far an estimate is from its target: pure functions of two ``[time]`` arrays, and a meter.

Every function takes the estimate first and the target second, equally long and at the same rate,
and returns a plain float, or None where the number is not defined (a silent target): never a NaN.
`Meter` computes all of them together, chunk by chunk, for recordings of any length.
docs/metrics.md has formulas, ranges, sources and what the numbers mean to an ear.
"""

from fxkit.metrics.energy import best_gain, dc, esr, pre_emphasis, si_sdr
from fxkit.metrics.meter import Meter
from fxkit.metrics.spectral import mrstft, octave_bands

__all__ = ["Meter", "best_gain", "dc", "esr", "mrstft", "octave_bands", "pre_emphasis", "si_sdr"]
