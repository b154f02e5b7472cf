from __future__ import annotations

import doctest
import math

import pytest
from fxkit.report import words


def test_the_examples_of_the_docstrings():
    result = doctest.testmod(words)
    assert result.attempted >= 5
    assert result.failed == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\N{EN DASH}"),
        (math.nan, "\N{EN DASH}"),
        (math.inf, "∞"),
        (-math.inf, "\N{MINUS SIGN}∞"),
        (0.000012, "1.20 \N{MULTIPLICATION SIGN} 10⁻⁵"),
        (-0.5, "\N{MINUS SIGN}0.500"),
        (3.2e12, "3.20 \N{MULTIPLICATION SIGN} 10¹²"),
        (1.0, "1.00"),
    ],
)
def test_number(value, text):
    assert words.number(value) == text


def test_a_level_that_rounds_to_zero_has_no_minus():
    assert words.decibels(-0.01) == "0.0\u00a0dB"


@pytest.mark.parametrize(
    ("esr", "start"),
    [
        (0.0, "Hard to tell"),
        (0.0009, "Hard to tell"),
        (0.001, "Very close"),
        (0.01, "Close"),
        (0.03, "Recognisably"),
        (0.1, "The right kind"),
        (0.3, "Only a rough"),
        (1.0, "Unusable"),
        (math.inf, "Unusable"),
        (None, "Not defined"),
    ],
)
def test_esr_in_words(esr, start):
    assert words.esr_meaning(esr).startswith(start)


def test_equal_energies_are_as_loud():
    assert words.relative_decibels(1.0) == "as loud as the target"
    assert words.relative_decibels(0.0) == "no error at all"
    assert words.relative_decibels(None) == "\N{EN DASH}"
