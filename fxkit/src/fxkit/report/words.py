"""Numbers as people read them, and what a score means to an ear."""

from __future__ import annotations

import math

__all__ = ["amount", "decibels", "duration", "esr_meaning", "number", "relative_decibels"]

DASH = "\N{EN DASH}"
NARROW = "\u00a0"
"""Between a number and its unit, which should not part at the end of a line."""

_ESR_MEANINGS = (
    (0.001, "Hard to tell from the target, even when switching back and forth."),
    (0.01, "Very close: small differences, on headphones, when switching back and forth."),
    (0.03, "Close: the same sound; brightness or pick attacks differ a little side by side."),
    (0.1, "Recognisably the same sound; the difference is plain side by side."),
    (0.3, "The right kind of sound, but clearly not the same one."),
    (1.0, "Only a rough likeness: much of what is heard is error."),
)
"""Upper bounds of ESR (at 0.001 the error is 30 dB below the target). They are rules of thumb."""


def esr_meaning(esr: float | None) -> str:
    """Say in plain words what an error-to-signal ratio means to an ear."""
    if esr is None or math.isnan(esr):
        return "Not defined: the target is silent there."
    for bound, words in _ESR_MEANINGS:
        if esr < bound:
            return words
    return "Unusable: the error is at least as loud as the target itself."


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with `digits` significant digits; a dash where there is none.

    >>> number(0.0123456), number(12345.6), number(0.0), number(None)
    ('0.0123', '12,346', '0', '–')
    """
    if value is None or math.isnan(value):
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else "\N{MINUS SIGN}∞"
    if value == 0.0:
        return "0"
    size = abs(value)
    if size < 1e-4 or size >= 1e9:
        mantissa, exponent = f"{size:.{digits - 1}e}".split("e")
        return _signed(value, f"{mantissa} \N{MULTIPLICATION SIGN} 10{_superscript(int(exponent))}")
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    return _signed(value, f"{size:,.{decimals}f}")


def decibels(value: float | None, *, sign: bool = False) -> str:
    r"""Write a level in decibels with one decimal; `sign` writes the plus as well.

    >>> decibels(-3.04), decibels(3.0, sign=True)
    ('−3.0\xa0dB', '+3.0\xa0dB')
    """
    if value is None or math.isnan(value):
        return DASH
    if math.isinf(value):
        return f"{number(value)}{NARROW}dB"
    text = f"{abs(value):.1f}"
    minus = value < 0 and float(text) != 0
    return ("\N{MINUS SIGN}" if minus else "+" if sign else "") + f"{text}{NARROW}dB"


def relative_decibels(ratio: float | None) -> str:
    r"""Say how loud an error of this energy ratio is beside its target.

    >>> relative_decibels(0.01), relative_decibels(2.0)
    ('20.0\xa0dB quieter than the target', '3.0\xa0dB louder than the target')
    """
    if ratio is None or math.isnan(ratio) or ratio < 0 or math.isinf(ratio):
        return DASH
    if ratio == 0:
        return "no error at all"
    level = 10 * math.log10(ratio)
    if abs(level) < 0.05:
        return "as loud as the target"
    return f"{abs(level):.1f}{NARROW}dB {'quieter' if level < 0 else 'louder'} than the target"


def duration(seconds: float) -> str:
    """Write a length of time in the units people use for it.

    >>> duration(0.4), duration(75), duration(3720)
    ('0.4 s', '1 min 15 s', '1 h 2 min')
    """
    if not math.isfinite(seconds):
        return number(seconds)
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    minutes = round(seconds / 60)
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")


def amount(count: int, noun: str) -> str:
    """Write a count with its noun, in the plural where there is not just one.

    >>> amount(1, "epoch"), amount(8000, "epoch")
    ('1 epoch', '8,000 epochs')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _signed(value: float, text: str) -> str:
    return ("\N{MINUS SIGN}" if value < 0 else "") + text


def _superscript(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
