"""Divides a data set into what is trained on, what chooses the best weights, and what is scored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fxkit.data.config import DataConfig
from fxkit.data.pairs import Dataset, Segment, Split, Take
from fxkit.errors import FxkitError

__all__ = ["split"]

SHORTEST = 0.25
"""Seconds below which no part of a take is of use."""


def split(dataset: Dataset, config: DataConfig) -> Split:
    """Divide a data set.

    Takes that are marked in the manifest go whole where they are marked; no more is held out from
    the others for a part that has marked takes. The others are divided as `config.split` says:

    - ``time``: in every take, first training, then validation, then test, with unused gaps of
      `config.guard` seconds between, so that no note rings from one part into the next. Takes too
      short for that are trained on whole, as long as others are not.
    - ``recording``: whole takes are drawn by `config.seed`; takes with the same clean recording
      stay together.

    A take with an estimated side is only trained on. Where there is no other, its end validates
    as well, and the test part is empty.

    Raises
    ------
    FxkitError
        There is too little to divide.
    """
    parts: dict[str, list[Segment]] = {"train": [], "validation": [], "test": []}
    free = []
    scorable = any(take.estimated is None for take in dataset.takes)
    for take in dataset.takes:
        if take.split is not None:
            parts[take.split].append(_whole(take))
        elif take.estimated is not None and scorable:
            parts["train"].append(_whole(take))
        else:
            free.append(take)
    validation = 0.0 if parts["validation"] else config.validation
    test = 0.0 if parts["test"] or not scorable else config.test
    if not free:
        pass
    elif validation == test == 0.0:
        parts["train"] += [_whole(take) for take in free]
    elif config.split == "time":
        _by_time(free, parts, validation, test, config.guard)
    else:
        _by_recording(free, parts, validation, test, config.seed)
    for name, segments in parts.items():
        if not segments and (name != "test" or scorable):
            raise FxkitError(
                f"no recording is left for {name}: mark one with 'split: {name}', "
                "or leave some unmarked"
            )
    return Split(tuple(parts["train"]), tuple(parts["validation"]), tuple(parts["test"]))


def _whole(take: Take) -> Segment:
    return Segment(take, 0, take.frames)


def _by_time(
    takes: Sequence[Take],
    parts: dict[str, list[Segment]],
    validation: float,
    test: float,
    guard: float,
) -> None:
    short = []
    for take in takes:
        gap = round(guard * take.sample_rate)
        sizes = round(validation * take.frames), round(test * take.frames)
        cut = take.frames
        held: list[tuple[str, Segment]] = []
        # From the end: the test part is exactly the last of the take.
        for name, size in zip(("test", "validation"), reversed(sizes), strict=True):
            if size:
                held.append((name, Segment(take, cut - size, cut)))
                cut -= size + gap
        pieces = [("train", Segment(take, 0, cut)), *held]
        if min(piece.seconds for _, piece in pieces) < SHORTEST:
            short.append(take)
            continue
        for name, segment in pieces:
            parts[name].append(segment)
    if len(short) == len(takes):
        longest = max(takes, key=lambda take: take.frames)
        what = "recording" if len(takes) == 1 else "longest recording"
        raise FxkitError(
            f"the {what} ({longest.name}) is too short to split: it has "
            f"{longest.frames / longest.sample_rate:.2f} s and needs at least "
            f"{_least(validation, test, guard):.1f} s"
        )
    parts["train"] += [_whole(take) for take in short]


def _least(validation: float, test: float, guard: float) -> float:
    """Return the shortest length in seconds that can be split in time."""
    shares = [share for share in (validation, test) if share]
    train = 1.0 - sum(shares)
    return max(SHORTEST / min(shares), (SHORTEST + guard * len(shares)) / train)


def _by_recording(
    takes: Sequence[Take],
    parts: dict[str, list[Segment]],
    validation: float,
    test: float,
    seed: int,
) -> None:
    groups: dict[Path | str, list[Take]] = {}
    for take in takes:
        groups.setdefault(take.clean.path or take.name, []).append(take)
    shares = {"test": test, "validation": validation}
    wanted = [(name, share) for name, share in shares.items() if share]
    needed = len(wanted) + (not parts["train"])
    if len(groups) < needed:
        raise FxkitError(
            f"data.split=recording needs at least {needed} different clean recordings to divide; "
            f"there are {len(groups)}: use data.split=time"
        )
    total = sum(take.frames for take in takes)
    order = list(groups.values())
    order = [order[i] for i in np.random.default_rng(seed).permutation(len(order))]
    for later, (name, share) in zip(range(needed - 1, -1, -1), wanted, strict=False):
        taken = 0
        # Enough recordings must be left for the parts that follow.
        while len(order) > later and (taken == 0 or taken < share * total):
            group = order.pop()
            size = sum(take.frames for take in group)
            if taken and taken + size > 1.5 * share * total:
                order.insert(0, group)
                break
            taken += size
            parts[name] += [_whole(take) for take in group]
    parts["train"] += [_whole(take) for group in order for take in group]
