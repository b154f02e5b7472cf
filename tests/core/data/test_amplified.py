"""Pairs made anew: true to their amplifier sample by sample, and only as many as asked for."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from fxkit.data import Crops, Recording, Segment, Take
from fxkit.data.amplified import Amplified
from fxkit.data.augment import Augmentation
from fxkit.data.varied import Variety
from fxkit.errors import FxkitError

RATE = 8000


@dataclass
class Valve:
    """Bends what it hears, one half more than the other, and remembers the last sample."""

    sample_rate: int = RATE
    run_in: int = 200
    peak: float = math.inf
    description: str = "valve"
    played: int = 0

    def play(self, stretches):
        self.played += len(stretches)
        return [valve(x) for x in stretches]


def valve(x):
    late = np.concatenate((np.zeros(1, np.float32), x[:-1]))
    return np.tanh(4 * x + late + 0.2).astype(np.float32)


def take(rate=RATE, controls=()) -> Take:
    dry = np.random.default_rng(0).normal(0, 0.1, 3 * RATE).astype(np.float32)
    return Take(
        "t", Recording.from_array(dry, rate), Recording.from_array(valve(dry), rate), controls
    )


def crops(amplified=None, *, batch=4, latency=0, augmentation=None, whole=None, **options):
    return Crops(
        [Segment(whole or take(), 800, 3 * RATE)],
        input="wet",
        target="clean",
        batch=batch,
        length=1000,
        seed=3,
        latency=latency,
        augmentation=augmentation,
        amplified=amplified,
        **options,
    )


def all_of(source, number=0):
    windows = list(source.epoch(number))
    return (
        np.concatenate([w.input.numpy() for w in windows])[:, 0],
        np.concatenate([w.target.numpy() for w in windows])[:, 0],
    )


def made(share=1.0, valve=None, **how) -> Amplified:
    return Amplified(valve or Valve(), share, Variety(**how))


def test_the_wet_side_is_what_the_amplifier_makes_of_the_dry_one():
    x, y = all_of(crops(made(mix=0.5)))
    # The first sample of a crop also knows the one before it.
    np.testing.assert_allclose(x[:, 1:], np.stack([valve(d) for d in y])[:, 1:], atol=1e-6)
    assert not np.array_equal(y, all_of(crops())[1])


def test_it_knows_what_was_played_before_the_crop():
    x, y = all_of(crops(made()))
    from_silence = np.stack([valve(d) for d in y])
    assert np.mean(np.abs(x[:, 0] - from_silence[:, 0]) > 1e-6) > 0.9


def test_unvaried_it_gives_what_was_recorded_but_for_the_polarity():
    plain_x, plain_y = all_of(crops())
    x, y = all_of(crops(made(speed=0.0, gain=0.0, mix=0.0, tilt=0.0)))
    signs = np.sign((y * plain_y).sum(1))
    assert set(signs) == {-1.0, 1.0}
    np.testing.assert_array_equal(y, signs[:, None] * plain_y)
    kept = signs > 0
    np.testing.assert_allclose(x[kept], plain_x[kept], atol=1e-6)
    # Turned round, this amplifier answers with something else.
    assert np.abs(x[~kept] + plain_x[~kept]).max() > 0.1


def test_a_share_is_made_and_the_others_stay_as_they_were():
    amplifier = Valve()
    plain_x, plain_y = all_of(crops())
    x, y = all_of(crops(made(0.25, amplifier)))
    same = (x == plain_x).all(1) & (y == plain_y).all(1)
    assert (~same).sum() == round(0.25 * len(x)) == amplifier.played


def test_a_share_of_nothing_changes_nothing():
    for a, b in zip(all_of(crops(made(0.0))), all_of(crops()), strict=True):
        np.testing.assert_array_equal(a, b)


def test_seed_and_epoch_fix_all():
    for number in (0, 3):
        for a, b in zip(all_of(crops(made()), number), all_of(crops(made()), number), strict=True):
            np.testing.assert_array_equal(a, b)
    source = crops(made())
    assert not np.array_equal(all_of(source, 0)[1], all_of(source, 1)[1])
    # An epoch does not depend on those before it.
    np.testing.assert_array_equal(all_of(source, 1)[1], all_of(crops(made()), 1)[1])


def test_two_processes_see_the_halves_of_what_one_sees():
    whole = list(crops(made(0.5)).epoch(1))
    halves = [list(crops(made(0.5), share=(rank, 2)).epoch(1)) for rank in (0, 1)]
    for window, first, second in zip(whole, *halves, strict=True):
        together = np.concatenate((first.input.numpy(), second.input.numpy()))
        np.testing.assert_array_equal(window.input.numpy(), together)


def test_a_latency_delays_them_too():
    x, y = all_of(crops(made(), latency=30))
    np.testing.assert_array_equal(y[:, :30], 0.0)
    again = np.stack([valve(d) for d in y[:, 30:]])
    np.testing.assert_allclose(again[:, 1:], x[:, 1:-30], atol=1e-6)


def test_afterwards_the_level_of_both_sides_may_change_and_the_polarity_may_not():
    before_x, before_y = all_of(crops(made()))
    x, y = all_of(crops(made(), augmentation=Augmentation(gain=6.0, polarity=True)))
    factors = (y * before_y).sum(1) / (before_y**2).sum(1)
    assert factors.min() > 0.5
    assert np.ptp(factors) > 0.5
    np.testing.assert_allclose(x, factors[:, None] * before_x, atol=1e-5)


def test_it_is_not_played_louder_than_it_was_trained():
    x, y = all_of(crops(made(valve=Valve(peak=0.2), gain=20.0)))
    assert np.abs(y).max() == pytest.approx(0.2, rel=1e-5)
    np.testing.assert_allclose(x[:, 1:], np.stack([valve(d) for d in y])[:, 1:], atol=1e-6)


def test_how_well_the_amplifier_fits():
    whole = take()
    segments = [Segment(whole, 800, 2 * RATE), Segment(whole, 2 * RATE, 3 * RATE)]
    assert made().esr(segments) < 1e-4

    class Louder(Valve):
        def play(self, stretches):
            return [2.0 * x for x in super().play(stretches)]

    assert made(valve=Louder()).esr(segments) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 2 * RATE}, r"a model for 8000 Hz, the recordings are at 16000 Hz"),
        ({"controls": (0.5,)}, r"pairs without knobs, and the recordings have some"),
    ],
)
def test_recordings_that_it_does_not_fit_are_one_line(options, message):
    with pytest.raises(FxkitError, match=message):
        crops(made(), whole=take(**options))
