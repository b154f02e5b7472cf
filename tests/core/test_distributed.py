"""One process by itself, and what each of several is fed with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fxkit.data import Crops, Recording, Segment, Streams, Take
from fxkit.distributed import ALONE, is_first, join
from fxkit.errors import FxkitError


def segments():
    noise = np.random.default_rng(0).normal(0, 0.1, 4000).astype(np.float32)
    takes = [
        Take("a", Recording.from_array(noise, 8000), Recording.from_array(-noise, 8000), (0.1,)),
        Take("b", Recording.from_array(2 * noise, 8000), Recording.from_array(noise, 8000), (0.9,)),
    ]
    return tuple(Segment(take, 100, 3900) for take in takes)


def streams(share=(0, 1)):
    return Streams(
        segments(),
        input="clean",
        target="wet",
        streams=4,
        window=100,
        warm_up=150,
        seed=1,
        latency=7,
        share=share,
    )


def crops(share=(0, 1)):
    return Crops(
        segments(), input="clean", target="wet", batch=4, length=300, seed=1, latency=7, share=share
    )


@pytest.mark.parametrize("made", [streams, crops])
def test_the_shares_of_all_are_the_whole(made):
    whole, parts = made(), [made((rank, 2)) for rank in range(2)]
    assert [part.steps for part in parts] == [whole.steps] * 2
    for epoch in (0, 3):
        triples = zip(whole.epoch(epoch), *(part.epoch(epoch) for part in parts), strict=True)
        for window, *shares in triples:
            for name in ("input", "target", "controls"):
                joined = torch.cat([getattr(share, name) for share in shares])
                assert torch.equal(joined, getattr(window, name))
            assert {share.scored for share in shares} == {window.scored}
            resets = [
                torch.zeros(2, dtype=torch.bool) if s.reset is None else s.reset for s in shares
            ]
            expected = torch.zeros(4, dtype=torch.bool) if window.reset is None else window.reset
            assert torch.equal(torch.cat(resets), expected)


@pytest.mark.parametrize("made", [streams, crops])
def test_an_uneven_share_is_one_line(made):
    with pytest.raises(
        FxkitError, match=r"train\.batch=4 .* among 3 processes: use a multiple of 3"
    ):
        made((0, 3))


def test_alone_nothing_changes(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    assert is_first()
    with join() as ranks:
        assert ranks is ALONE
        tensor = torch.ones(2)
        model = torch.nn.Linear(1, 1)
        assert ranks.whole(tensor) is tensor
        assert ranks.wrap(model) is model
        assert ranks.agree(0.1) == 0.1
        assert ranks.tell("x") == "x"
        assert ranks.device(torch.device("cpu")) == torch.device("cpu")
        with ranks.one_first():
            pass


@pytest.mark.parametrize(
    ("rank", "size", "first"), [("0", "2", True), ("1", "2", False), ("1", "1", True)]
)
def test_only_the_first_of_several_shows_results(monkeypatch, rank, size, first):
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", size)
    assert is_first() is first


def test_ranks_that_do_not_meet_are_one_line(monkeypatch):
    for key, value in {"RANK": "0", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(key, value)
    for key in ("MASTER_ADDR", "MASTER_PORT", "LOCAL_RANK"):
        monkeypatch.delenv(key, raising=False)
    message = r"the ranks did not meet: .*start them with torchrun"
    with pytest.raises(FxkitError, match=message), join():
        pass
