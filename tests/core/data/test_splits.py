from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from fxkit.data import DataConfig, Dataset, Recording, Segment, Split, Take, levels, split
from fxkit.errors import FxkitError

RATE = 1000


def take(name: str, seconds: float, **extra: object) -> Take:
    side = Recording.from_array(np.ones(round(seconds * RATE)), RATE)
    return Take(name, side, side, **extra)  # type: ignore[arg-type]


def divide(*takes: Take, **settings: object) -> Split:
    config = DataConfig(**settings)  # type: ignore[arg-type]
    return split(Dataset(takes, RATE, (), "test"), config)


def spans(segments: tuple[Segment, ...]) -> list[tuple[str, int, int]]:
    return [(segment.take.name, segment.start, segment.stop) for segment in segments]


def test_in_time_with_guard_gaps() -> None:
    found = divide(take("a", 100), guard=2.0)
    assert spans(found.test) == [("a", 90_000, 100_000)]
    assert spans(found.validation) == [("a", 78_000, 88_000)]
    assert spans(found.train) == [("a", 0, 76_000)]


def test_other_shares() -> None:
    found = divide(take("a", 100), guard=0.0, validation=0.2, test=0.3)
    assert spans(found.test) == [("a", 70_000, 100_000)]
    assert spans(found.validation) == [("a", 50_000, 70_000)]
    assert spans(found.train) == [("a", 0, 50_000)]


def test_too_short_is_one_line_with_the_length_needed() -> None:
    with pytest.raises(FxkitError, match=r"\(a\) is too short to split: it has 2\.00 s") as caught:
        divide(take("a", 2))
    assert "at least 2.5 s" in str(caught.value)
    divide(take("a", 2.5))


def test_short_takes_beside_long_ones_are_trained_on() -> None:
    found = divide(take("a", 100), take("b", 1))
    assert ("b", 0, 1000) in spans(found.train)
    assert {name for name, *_ in spans(found.test)} == {"a"}


def test_by_recording() -> None:
    takes = [take(str(i), 10) for i in range(10)]
    found = divide(*takes, split="recording", validation=0.2, test=0.2)
    names = [{s.take.name for s in part} for part in (found.train, found.validation, found.test)]
    assert [len(part) for part in names] == [6, 2, 2]
    assert len(set.union(*names)) == 10
    assert found == divide(*takes, split="recording", validation=0.2, test=0.2)
    assert found != divide(*takes, split="recording", validation=0.2, test=0.2, seed=1)
    with pytest.raises(FxkitError, match="needs at least 3 different clean recordings"):
        divide(*takes[:2], split="recording")
    three = divide(*takes[:3], split="recording")
    assert [len(part) for part in (three.train, three.validation, three.test)] == [1, 1, 1]


def test_marks_go_first() -> None:
    found = divide(take("a", 100), take("b", 10, split="test"), guard=0.0)
    assert spans(found.test) == [("b", 0, 10_000)]
    assert spans(found.validation) == [("a", 90_000, 100_000)]
    assert spans(found.train) == [("a", 0, 90_000)]
    with pytest.raises(FxkitError, match="no recording is left for validation"):
        divide(take("a", 9, split="train"), take("b", 9, split="test"))


def test_estimated_takes_are_never_scored() -> None:
    real, made = take("real", 100), take("made", 100, estimated="clean")
    found = divide(real, made)
    assert ("made", 0, 100_000) in spans(found.train)
    assert {s.take.name for s in (*found.validation, *found.test)} == {"real"}
    alone = divide(made)
    assert alone.test == ()
    assert spans(alone.validation) == [("made", 90_000, 100_000)]


def test_levels() -> None:
    x = np.concatenate([np.full(5000, 0.5), np.full(5000, 0.1)])
    side = Recording.from_array(x, RATE)
    loud = dataclasses.replace(take("a", 1), clean=side, wet=side)
    assert levels([Segment(loud, 0, 5000)], "clean") == pytest.approx(0.5)
    assert levels([Segment(loud, 0, 10_000)], "wet") == pytest.approx(np.sqrt(0.13))
    silent = Recording.from_array(np.zeros(100), RATE)
    with pytest.raises(FxkitError, match="wet side of the training part is silent"):
        levels([Segment(Take("s", silent, silent), 0, 100)], "wet")


def test_levels_of_a_long_recording_read_little() -> None:
    class Counting(Recording):
        read_frames = 0

        def read(self, start: int, stop: int) -> np.ndarray:
            Counting.read_frames += stop - start
            return np.full(stop - start, 0.25, np.float32)

    base = Recording.from_array(np.zeros(1), RATE)
    long = Counting(base._source, 0, 180_000 * RATE)
    assert levels([Segment(Take("l", long, long), 0, long.frames)], "clean") == pytest.approx(0.25)
    assert Counting.read_frames <= 300 * RATE
