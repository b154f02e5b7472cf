"""The report of a search: the same kind of page as that of a run, with its own sections."""

from __future__ import annotations

import os

from fxkit.report import study_charts, study_tables
from fxkit.report.page import assemble, write_html
from fxkit.report.registry import Section
from fxkit.report.study_data import StudyData

__all__ = ["StudyData", "page", "write"]

_SECTIONS = (
    ("summary", "", study_tables.summary),
    ("front", "Accuracy against time", study_charts.pareto),
    ("found", "What was found", study_tables.found),
    ("history", "How the search went", study_charts.history),
    ("importances", "What mattered", study_charts.importances),
    ("parallel", "All settings side by side", study_charts.parallel),
    ("curves", "Trials, pruned and finished", study_charts.curves),
    ("trials", "Every trial", study_tables.trials),
    ("provenance", "How to make it again", study_tables.provenance),
)


def page(data: StudyData) -> str:
    """Return the report of a search as HTML, with everything in it."""
    written = [
        # A section of a study is written from a study, whence the pair instead of the registry.
        (Section(name, title, lambda _: None), write_section(data))
        for name, title, write_section in _SECTIONS
    ]
    return assemble(data, written, made="tuned")


def write(path: str | os.PathLike[str], data: StudyData) -> None:
    """Write the report to `path`, complete or not at all.

    Raises
    ------
    FxkitError
        If the file cannot be written: no permission, no such folder, a full disk.
    """
    write_html(path, page(data))
