"""The laws as test classes: subclass one, give its fixture, and pytest runs them all.

::

    class TestMine(ModelLaws):
        @pytest.fixture
        def model(self):
            return Mine(Mine.Config())
"""

# ruff: noqa: D102 - the name of a method is the law that it runs
from __future__ import annotations

from fxkit.artifact import Artifact
from fxkit.format import Format
from fxkit.loss import Loss
from fxkit.model import Model
from fxkit.task import Task
from fxkit.testing import format_laws, loss_laws, model_form_laws, model_laws, task_laws
from fxkit.testing.config_laws import law_config_round_trips, law_search_space

__all__ = ["FormatLaws", "LossLaws", "ModelLaws", "TaskLaws"]


class ModelLaws:
    """The laws of a model; needs a fixture ``model``."""

    def test_config_round_trips(self, model: Model) -> None:
        law_config_round_trips(model)

    def test_search_space(self, model: Model) -> None:
        law_search_space(model)

    def test_declarations(self, model: Model) -> None:
        model_form_laws.law_declarations(model)

    def test_initial_state(self, model: Model) -> None:
        model_form_laws.law_initial_state(model)

    def test_shapes(self, model: Model) -> None:
        model_laws.law_shapes(model)

    def test_blocks_equal_whole(self, model: Model) -> None:
        model_laws.law_blocks_equal_whole(model)

    def test_causal(self, model: Model) -> None:
        model_laws.law_causal(model)

    def test_items_are_independent(self, model: Model) -> None:
        model_laws.law_items_are_independent(model)

    def test_gradient_stops_at_detach(self, model: Model) -> None:
        model_laws.law_gradient_stops_at_detach(model)

    def test_nothing_is_modified(self, model: Model) -> None:
        model_laws.law_nothing_is_modified(model)

    def test_finite(self, model: Model) -> None:
        model_laws.law_finite(model)

    def test_controls_are_heard(self, model: Model) -> None:
        model_laws.law_controls_are_heard(model)

    def test_latency_is_true(self, model: Model) -> None:
        model_laws.law_latency_is_true(model)

    def test_saves_and_opens(self, model: Model) -> None:
        model_form_laws.law_saves_and_opens(model)

    def test_artifact_equals_model(self, model: Model) -> None:
        model_form_laws.law_artifact_equals_model(model)

    def test_graph_equals_model(self, model: Model) -> None:
        model_form_laws.law_graph_equals_model(model)


class LossLaws:
    """The laws of a loss; needs a fixture ``loss``."""

    def test_config_round_trips(self, loss: Loss) -> None:
        law_config_round_trips(loss)

    def test_one_number_per_item(self, loss: Loss) -> None:
        loss_laws.law_one_number_per_item(loss)

    def test_is_zero_when_equal(self, loss: Loss) -> None:
        loss_laws.law_is_zero_when_equal(loss)

    def test_is_positive(self, loss: Loss) -> None:
        loss_laws.law_is_positive(loss)

    def test_is_finite(self, loss: Loss) -> None:
        loss_laws.law_is_finite(loss)

    def test_is_pooled(self, loss: Loss) -> None:
        loss_laws.law_is_pooled(loss)

    def test_items_keep_their_order(self, loss: Loss) -> None:
        loss_laws.law_items_keep_their_order(loss)

    def test_signals_are_not_modified(self, loss: Loss) -> None:
        loss_laws.law_signals_are_not_modified(loss)


class TaskLaws:
    """The laws of a task; needs a fixture ``task``."""

    def test_config_round_trips(self, task: Task) -> None:
        law_config_round_trips(task)

    def test_title(self, task: Task) -> None:
        task_laws.law_title(task)

    def test_sides_differ(self, task: Task) -> None:
        task_laws.law_sides_differ(task)

    def test_default_loss_exists(self, task: Task) -> None:
        task_laws.law_default_loss_exists(task)

    def test_metrics_exist(self, task: Task) -> None:
        task_laws.law_metrics_exist(task)

    def test_sections_exist(self, task: Task) -> None:
        task_laws.law_sections_exist(task)


class FormatLaws:
    """The laws of a format; needs fixtures ``format`` and ``artifact``, a model it can write."""

    def test_config_round_trips(self, format: Format) -> None:  # noqa: A002
        law_config_round_trips(format)

    def test_suffixes(self, format: Format) -> None:  # noqa: A002
        format_laws.law_suffixes(format)

    def test_writes_or_reads(self, format: Format) -> None:  # noqa: A002
        format_laws.law_writes_or_reads(format)

    def test_sniffs(self, format: Format) -> None:  # noqa: A002
        format_laws.law_sniffs(format)

    def test_junk_is_refused(self, format: Format) -> None:  # noqa: A002
        format_laws.law_junk_is_refused(format)

    def test_reads_what_it_writes(self, format: Format, artifact: Artifact) -> None:  # noqa: A002
        format_laws.law_reads_what_it_writes(format, artifact)

    def test_failed_write_leaves_nothing(
        self,
        format: Format,  # noqa: A002
        artifact: Artifact,
    ) -> None:
        format_laws.law_failed_write_leaves_nothing(format, artifact)
