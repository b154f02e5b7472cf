"""Score a model on the held-out part of the recordings, streamed as in live use."""

from __future__ import annotations

from fxkit.scores import Aliasing, AliasingPoint, Evaluation, Excerpt, Scores

__all__ = ["Aliasing", "AliasingPoint", "Evaluation", "Excerpt", "Scores"]
