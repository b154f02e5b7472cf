"""`demucs`: the hybrid U-Net that hears a waveform and its spectrogram at once.

One model in four short files: `config` (its settings), `spectrum` (the way into the frequency
domain and back), `layers` (the U-Nets), `bottleneck` (where the two domains meet), and `model`.
"""

from fxkit_models.demucs.model import Demucs

__all__ = ["Demucs"]
