"""The report of a run: one HTML file that opens anywhere, offline.

A task names the sections it wants in `fxkit.task.Task.sections`; they are written in that order.
A plug-in adds its own with the decorator `section`.
"""

from fxkit.report import (
    clean_section,
    error_section,
    estimate_section,
    listen_section,
    run_section,
    scores_section,
    spectrum_section,
    waveform_section,
)
from fxkit.report.data import ReportData
from fxkit.report.page import page, write
from fxkit.report.registry import Section, names, section
from fxkit.report.templates import render

_BUILT_IN = (
    clean_section,
    error_section,
    estimate_section,
    listen_section,
    run_section,
    scores_section,
    spectrum_section,
    waveform_section,
)
"""Imported for the sections they register."""

__all__ = ["ReportData", "Section", "names", "page", "render", "section", "write"]
