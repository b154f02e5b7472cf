from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from fxkit.data import Crops, Recording, Segment, Streams, Take
from fxkit.errors import FxkitError

RATE = 44_100


def ramp(frames: int, name: str = "ramp", begin: int = 0, **extra: object) -> Take:
    """A take whose samples are their own positions, and their negatives on the wet side."""
    x = np.arange(begin, begin + frames, dtype=np.float32)
    make = Recording.from_array
    return Take(name, make(x, RATE), make(-x, RATE), **extra)  # type: ignore[arg-type]


def streams(segments: list[Segment], **changes: object) -> Streams:
    values = {"input": "clean", "target": "wet", "streams": 4, "window": 16, "seed": 3} | changes
    return Streams(segments, **values)  # type: ignore[arg-type]


def test_each_window_follows_the_one_before() -> None:
    tested = streams([Segment(ramp(5000), 200, 4800)], warm_up=40)
    for number in range(5):
        windows = list(tested.epoch(number))
        assert [window.scored for window in windows] == [False] * 3 + [True] * tested.steps
        first = windows[0].reset
        assert first is not None
        assert first.all()
        assert all(window.reset is None for window in windows[1:])
        heard = torch.cat([window.input for window in windows], dim=-1)[:, 0]
        for stream in heard:
            known = stream[stream > 0]
            assert torch.equal(known.diff(), torch.ones(len(known) - 1))
        scored = torch.cat([w.input for w in windows if w.scored], dim=-1)
        assert scored.min() >= 200
        assert scored.max() < 4800
        assert len(scored.unique()) == scored.numel()
        assert all(torch.equal(window.target, -window.input) for window in windows)
        assert all(window.input.is_contiguous() for window in windows)
    # All but a window of the segment, and what does not divide by the streams, is walked.
    assert tested.steps == (4600 - 15) // 16 // 4


def test_warm_up_is_what_comes_before_or_silence() -> None:
    windows = list(streams([Segment(ramp(5000, begin=1), 0, 5000)], warm_up=64).epoch(0))
    warm = torch.cat([window.input for window in windows[:4]], dim=-1)[:, 0]
    begin = windows[4].input[:, 0, 0]
    assert torch.equal(warm[1:, -1], begin[1:] - 1)
    assert torch.equal(warm[1:, 0], begin[1:] - 64)
    expected = torch.arange(float(begin[0]) - 64, float(begin[0])).clamp(min=0)
    assert torch.equal(warm[0], expected)


def test_epochs_are_reproducible_and_begin_elsewhere() -> None:
    segments = [Segment(ramp(5000), 0, 5000)]
    first = [window.input for window in streams(segments).epoch(7)]
    again = [window.input for window in streams(segments).epoch(7)]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    begins = {float(next(streams(segments).epoch(n)).input[0, 0, 0]) for n in range(40)}
    assert len({begin % 16 for begin in begins}) > 10
    assert not torch.equal(first[0], next(streams(segments, seed=4).epoch(7)).input)


def test_resets_where_a_stream_moves_to_another_take_and_only_there() -> None:
    one = ramp(700, "one", controls=(0.25, 0.5))
    two = ramp(900, "two", begin=10_000, controls=(0.75, 1.0))
    segments = [Segment(one, 0, 700), Segment(two, 0, 900)]
    resets = 0
    last: torch.Tensor | None = None
    for window in streams(segments, streams=3).epoch(1):
        in_two = window.input[:, 0, 0] >= 10_000
        assert window.controls is not None
        assert torch.equal(window.controls[:, 0], torch.where(in_two, 0.75, 0.25))
        assert torch.equal(window.controls[:, 1], torch.where(in_two, 1.0, 0.5))
        if last is not None:
            moved = window.input[:, 0, 0] != last + 1
            assert torch.equal(moved, window.reset if window.reset is not None else moved & False)
            resets += int(moved.sum())
        last = window.input[:, 0, -1]
    assert resets == 1


def test_latency_delays_the_target() -> None:
    windows = list(streams([Segment(ramp(2000), 100, 2000)], latency=5).epoch(0))
    whole = torch.cat([window.input for window in windows], dim=-1)
    target = torch.cat([window.target for window in windows], dim=-1)
    delayed = -(whole - 5)
    assert torch.equal(target, torch.where(delayed > -100, torch.zeros(()), delayed))


def test_sides_can_be_swapped() -> None:
    swapped = streams([Segment(ramp(500), 0, 500)], input="wet", target="clean")
    assert all((window.input <= 0).all() for window in swapped.epoch(0))


def test_reading_from_disk_gives_the_same(save: Callable[..., str]) -> None:
    x = np.random.default_rng(0).uniform(-0.5, 0.5, 20_000).astype(np.float32)
    files = save("a.wav", x), save("b.wav", 0.5 * x)
    batches = []
    for hold in (True, False):
        clean, wet = (Recording.open(file, hold=hold) for file in files)
        take = Take("t", clean, wet)
        batches.append(list(streams([Segment(take, 0, 20_000)], warm_up=100).epoch(2)))
    for a, b in zip(*batches, strict=True):
        assert torch.equal(a.input, b.input)
        assert torch.equal(a.target, b.target)


def test_a_bad_sample_found_by_the_read_ahead_stops_the_epoch(save: Callable[..., str]) -> None:
    x = np.zeros(20_000, np.float32)
    x[15_000] = np.nan
    recording = Recording.open(save("bad.wav", x), hold=False)
    with pytest.raises(FxkitError, match=r"bad\.wav.*second 0\.340"):
        list(streams([Segment(Take("t", recording, recording), 0, 20_000)]).epoch(0))


def test_an_epoch_may_be_left_early(save: Callable[..., str]) -> None:
    recording = Recording.open(save("a.wav", np.zeros(20_000, np.float32)), hold=False)
    epoch = streams([Segment(Take("t", recording, recording), 0, 20_000)]).epoch(0)
    next(epoch)
    epoch.close()  # type: ignore[attr-defined]


def test_too_short_is_one_line() -> None:
    with pytest.raises(FxkitError, match=r"3 windows of 16 samples, fewer than the 4 streams"):
        streams([Segment(ramp(64), 0, 64)])


@pytest.mark.parametrize("latency", [0, 7])
def test_crops_cover_everything_once(latency: int) -> None:
    segments = [Segment(ramp(1000, begin=1), 0, 1000), Segment(ramp(600, begin=5001), 0, 600)]
    crops = Crops(
        segments, input="clean", target="wet", batch=4, length=50, seed=1, latency=latency
    )
    assert crops.steps == 8
    windows = list(crops.epoch(3))
    assert len(windows) == 8
    heard = torch.cat([window.input for window in windows])[:, 0]
    assert torch.equal(heard.diff(dim=-1), torch.ones(32, 49))
    assert len(heard.unique()) == heard.numel()
    target = torch.cat([window.target for window in windows])[:, 0]
    assert torch.equal(target[:, latency:], -heard[:, : 50 - latency])
    assert not target[:, :latency].any()
    assert all(
        window.scored and window.reset is not None and window.reset.all() for window in windows
    )
    again = torch.cat([window.input for window in crops.epoch(3)])[:, 0]
    assert torch.equal(heard, again)
    assert not torch.equal(heard, torch.cat([w.input for w in crops.epoch(4)])[:, 0])


def test_few_crops_still_fill_a_batch() -> None:
    crops = Crops([Segment(ramp(100), 0, 100)], input="clean", target="wet", batch=5, length=50)
    assert [window.input.shape for window in crops.epoch(0)] == [(5, 1, 50)]
    with pytest.raises(FxkitError, match="as long as a crop"):
        Crops([Segment(ramp(40), 0, 40)], input="clean", target="wet", batch=5, length=50)
