"""The laws that every plug-in keeps, for its author's tests and for ``fxkit check NAME``.

In a test, subclass `ModelLaws`, `LossLaws`, `TaskLaws` or `FormatLaws` and supply its fixture.
Without pytest, `check` runs the same laws. Each law is also a plain function, in
`fxkit.testing.model_laws` and its neighbours, that raises AssertionError and says what to do.
"""

from fxkit.testing.check import LawResult, check
from fxkit.testing.kits import FormatLaws, LossLaws, ModelLaws, TaskLaws

__all__ = ["FormatLaws", "LawResult", "LossLaws", "ModelLaws", "TaskLaws", "check"]
