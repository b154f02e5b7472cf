"""The clean part of docs/results.md: tables of what the cells of results_clean.py measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from results import number, prose
from results_clean import CLEAN, LEVELS, MODELS, cells

SLIDES = {
    ("light", "gru"): 0.1205,
    ("light", "nn-gru"): 0.1346,
    ("heavy", "gru"): 0.5859,
    ("heavy", "nn-gru"): 0.5263,
}
"""ESR of the slides' searches, on other recordings."""
PUBLISHED = {20: (8.0, 13.0), 30: (2.9, 8.9), 40: (0.5, 7.0), 50: (-0.7, 5.9)}
"""Published SI-SDR in dB before and after, by gain in dB (Demucs at 16 kHz, 2022)."""


def kept(folder: Path = CLEAN) -> list[dict[str, Any]]:
    """Return what all finished cells measured, in the order of `cells`."""
    order = {cell.stem: i for i, cell in enumerate(cells())}
    rows = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    known = [row for row in rows if f"{row['study']}-{row['name']}" in order]
    return sorted(known, key=lambda row: order[f"{row['study']}-{row['name']}"])


def part(folder: Path = CLEAN) -> list[str]:
    """Return the lines of the clean part of docs/results.md; none while there is no cell."""
    rows = kept(folder)
    if not rows:
        return []
    of = {
        study: [r for r in rows if r["study"] == study]
        for study in ("amp", "clip", "part", "estimate")
    }
    lines = ["## Taking the distortion off", "", *prose(folder, "introduction"), ""]
    if of["amp"]:
        lines += [*_amp_table(of["amp"]), ""]
    for study, heading, table in (
        ("clip", "### Hard clipping", _clip_table),
        ("estimate", "### What an estimated dry side costs", _estimate_table),
        ("part", "### What each part is worth", _part_table),
    ):
        if of[study]:
            lines += [heading, "", *table(of[study]), ""]
    missing = [c for c in cells() if not (folder / f"{c.stem}.json").exists()]
    # A study that nobody has begun is named by itself.
    named = dict.fromkeys(c.stem if of[c.study] else f"{c.study}-*" for c in missing)
    if named:
        lines += [f"Not trained yet: {', '.join(named)}.", ""]
    machines = ", ".join(sorted({row["machine"] for row in rows}))
    dates = ", ".join(sorted({row["date"] for row in rows}))
    lines += [f"Machine: {machines}. Measured {dates}.", "", *prose(folder)]
    return lines


def _scores(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return row["evaluation"]["scores"], row["evaluation"]["baseline"]


def _rise(row: dict[str, Any]) -> str:
    scores, baseline = _scores(row)
    if scores["si_sdr"] is None or baseline["si_sdr"] is None:
        return "-"
    return f"{scores['si_sdr'] - baseline['si_sdr']:+.1f}"


def _amp_table(rows: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| level | model | minutes | ESR | SI-SDR before, dB | after | gained | MRSTFT "
        "| input at best gain: ESR, MRSTFT | slides' ESR | parameters | epochs | cores used |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    order = {name: i for i, name in enumerate((*LEVELS, *MODELS))}
    for row in sorted(rows, key=lambda r: (order[r["level"]], order[r["model"]])):
        scores, baseline = _scores(row)
        slides = SLIDES.get((row["level"], row["model"]))
        lines.append(
            f"| {row['level']} | `{row['model']}` | {row['minutes']:g} "
            f"| **{number(scores['esr'], 4)}** | {number(baseline['si_sdr'], 1)} "
            f"| {number(scores['si_sdr'], 1)} | {_rise(row)} | {number(scores['mrstft'], 3)} "
            f"| {number(baseline['esr'], 3)}, {number(baseline['mrstft'], 3)} "
            f"| {number(slides, 3)} | {row['parameters']:,} | {row['epochs']} "
            f"| {number(row['cores_used'], 2)} |"
        )
    return lines


def _clip_table(rows: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| gain, dB | SI-SDR before, dB | after | gained | published: before, after | gained "
        "| ESR | MRSTFT | epochs | cores used |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        scores, baseline = _scores(row)
        before, after = PUBLISHED[row["gain"]]
        lines.append(
            f"| {row['gain']} | {number(baseline['si_sdr'], 1)} | {number(scores['si_sdr'], 1)} "
            f"| **{_rise(row)}** | {before:.1f}, {after:.1f} | {after - before:+.1f} "
            f"| {number(scores['esr'], 4)} | {number(scores['mrstft'], 3)} | {row['epochs']} "
            f"| {number(row['cores_used'], 2)} |"
        )
    return lines


def _estimate_table(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| trained on the dry side | ESR | SI-SDR, dB | MRSTFT |", "|---|---|---|---|"]
    for row in rows:
        scores, _ = _scores(row)
        lines.append(
            f"| {row['side']} | {number(scores['esr'], 4)} | {number(scores['si_sdr'], 1)} "
            f"| {number(scores['mrstft'], 3)} |"
        )
    return lines


def _part_table(rows: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| changed | ESR | SI-SDR, dB | MRSTFT | training loss, last | validation loss, best "
        "| parameters | epochs |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        scores, _ = _scores(row)
        settings = [f"{k}={v}" for k, v in row["changed"].items()]
        if "amplifier" in row:
            settings.insert(0, "task.amplifier=nn-gru")
        changed = " ".join(settings) or "nothing"
        lines.append(
            f"| `{changed}` | {number(scores['esr'], 4)} | {number(scores['si_sdr'], 1)} "
            f"| {number(scores['mrstft'], 3)} | {number(row['history'][-1][2], 4)} "
            f"| {number(min(h[3] for h in row['history']), 4)} | {row['parameters']:,} "
            f"| {row['epochs']} |"
        )
    return lines
