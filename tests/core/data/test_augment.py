"""Crops varied: what is changed, what must not be, and that a seed fixes all of it."""

import numpy as np
import pytest
from fxkit.data import Crops, Recording, Segment, Take
from fxkit.data.augment import Augmentation, faster, redrive, rewetted
from fxkit.errors import FxkitError
from fxkit.tasks.clean import Clean
from fxkit.tasks.distort import Distort

RATE = 8000


def double(x, sample_rate, strength):
    """An effect whose strength can be read off: the level of the wet side."""
    assert sample_rate == RATE
    return (x * (1.0 + strength)).astype(np.float32)


def take(effect=None) -> Take:
    dry = np.random.default_rng(0).normal(0, 0.1, 3 * RATE).astype(np.float32)
    wet = np.tanh(5 * dry)
    return Take(
        "t", Recording.from_array(dry, RATE), Recording.from_array(wet, RATE), effect=effect
    )


def crops(augmentation=None, *, effect=None, latency=0, **options) -> Crops:
    whole = take(effect)
    return Crops(
        [Segment(whole, 800, 3 * RATE)],
        input="wet",
        target="clean",
        batch=4,
        length=1000,
        seed=3,
        latency=latency,
        augmentation=augmentation,
        **options,
    )


def all_of(source: Crops, number=0):
    windows = list(source.epoch(number))
    return (
        np.concatenate([w.input.numpy() for w in windows])[:, 0],
        np.concatenate([w.target.numpy() for w in windows])[:, 0],
    )


def factors(source, number=0):
    """Return what each crop was multiplied by, and check that both sides were."""
    x, y = all_of(source, number)
    plain_x, plain_y = all_of(crops(), number)
    found = (y * plain_y).sum(1) / (plain_y**2).sum(1)
    np.testing.assert_allclose(y, found[:, None] * plain_y, atol=1e-6)
    np.testing.assert_allclose(x, found[:, None] * plain_x, atol=1e-6)
    return found


def test_gain_stays_within_its_bounds_and_moves_both_sides():
    found = 20 * np.log10(np.abs(factors(crops(Augmentation(gain=6.0)))))
    assert np.abs(found).max() <= 6.0
    assert np.ptp(found) > 4.0


def test_polarity_turns_about_half_of_the_crops_round():
    found = np.concatenate([factors(crops(Augmentation(polarity=True)), n) for n in range(4)])
    np.testing.assert_allclose(np.abs(found), 1.0, atol=1e-5)
    assert 0.25 < np.mean(found < 0) < 0.75


def test_no_augmentation_changes_nothing_and_a_seed_fixes_all():
    for a, b in zip(all_of(crops()), all_of(crops(Augmentation())), strict=True):
        np.testing.assert_array_equal(a, b)
    varied = Augmentation(gain=6.0, polarity=True)
    np.testing.assert_array_equal(all_of(crops(varied))[0], all_of(crops(varied))[0])
    assert not np.array_equal(factors(crops(varied), 0), factors(crops(varied), 1))


def test_drive_is_made_anew_for_each_crop_and_leaves_the_dry_side_alone():
    source = crops(Augmentation(strengths=True), effect=double)
    x, y = all_of(source)
    np.testing.assert_array_equal(y, all_of(crops())[1])
    strengths = (x * y).sum(1) / (y**2).sum(1) - 1.0
    np.testing.assert_allclose(x, (1.0 + strengths)[:, None] * y, atol=1e-6)
    assert strengths.min() >= 0.0
    assert strengths.max() <= 1.0
    assert np.ptp(strengths) > 0.4


def pitches(source: Crops) -> np.ndarray:
    """Return the frequency of the sine in every crop, both sides, as a share of the rate."""
    found = []
    for side in all_of(source):
        # The ends of a crop know silence beyond them.
        spectrum = np.abs(np.fft.rfft(side[:, 50:-50] * np.hanning(side.shape[1] - 100), 1 << 15))
        found.append(spectrum.argmax(1) / (1 << 15))
    np.testing.assert_allclose(found[0], found[1], rtol=0.005)
    return found[0]


def sine(latency: int = 0, frames: int = 3 * RATE, speed: float = 2.0) -> Crops:
    tone = 0.5 * np.sin(2 * np.pi * 0.05 * np.arange(3 * RATE)).astype(np.float32)
    whole = Take("t", Recording.from_array(0.5 * tone, RATE), Recording.from_array(tone, RATE))
    return Crops(
        [Segment(whole, 0, frames)],
        input="wet",
        target="clean",
        batch=4,
        length=1000,
        latency=latency,
        augmentation=Augmentation(speed=speed),
    )


def test_speed_moves_the_pitch_of_both_sides_alike_and_keeps_them_in_time():
    source = sine()
    moved = 12 * np.log2(pitches(source) / 0.05)
    assert np.abs(moved).max() <= 2.05
    assert np.ptp(moved) > 2.0
    x, y = all_of(source)
    np.testing.assert_allclose(y, 0.5 * x, atol=1e-6)
    np.testing.assert_allclose(np.abs(x[:, 50:-50]).max(1), 0.5, rtol=0.02)


def test_a_latency_delays_what_was_played_at_another_speed():
    x, y = all_of(sine(latency=30))
    np.testing.assert_array_equal(y[:, :30], 0.0)
    np.testing.assert_allclose(y[:, 30:900], 0.5 * x[:, :870], atol=2e-3)


def test_a_segment_of_one_crop_is_never_played_faster_than_it_lasts():
    moved = 12 * np.log2(np.concatenate([pitches(sine(frames=1000)) for _ in range(3)]) / 0.05)
    assert moved.max() < 0.05


def test_another_speed_is_a_resampling_without_aliases():
    high = np.sin(2 * np.pi * 0.45 * np.arange(4000)).astype(np.float32)
    played = faster(high, 1.2, 3000)
    assert len(played) == 3000
    assert np.abs(played[100:-100]).max() < 1e-3
    np.testing.assert_array_equal(faster(high, 1.2, 4000)[3400:], 0.0)


def test_two_processes_see_the_halves_of_what_one_sees():
    varied = Augmentation(gain=6.0, polarity=True, strengths=True)
    whole = list(crops(varied, effect=double).epoch(1))
    halves = [list(crops(varied, effect=double, share=(rank, 2)).epoch(1)) for rank in (0, 1)]
    for window, first, second in zip(whole, *halves, strict=True):
        together = np.concatenate((first.input.numpy(), second.input.numpy()))
        np.testing.assert_array_equal(window.input.numpy(), together)


def test_an_effect_hears_what_came_before_the_crop():
    whole = take(lambda x, rate, strength: np.cumsum(x).astype(np.float32))
    made = rewetted(whole, 4000, 10, 0.5)
    dry = whole.clean.read(4000 - round(0.25 * RATE), 4010)
    np.testing.assert_allclose(made, np.cumsum(dry)[-10:], rtol=1e-5)


def test_a_latency_delays_the_drive_too():
    x, _ = all_of(crops(Augmentation(strengths=True), effect=double))
    source = Crops(
        [Segment(take(double), 800, 3 * RATE)],
        input="clean",
        target="wet",
        batch=4,
        length=1000,
        seed=3,
        latency=30,
        augmentation=Augmentation(strengths=True),
    )
    _, late = all_of(source)
    np.testing.assert_array_equal(late[:, :30], 0.0)
    np.testing.assert_allclose(late[:, 30:], x[:, :-30], atol=1e-6)


def test_a_recording_cannot_be_distorted_anew():
    with pytest.raises(FxkitError, match=r"t is a recording.*task\.drives"):
        crops(Augmentation(strengths=True))


def test_only_where_it_is_true_to_life():
    assert Distort().augmentation is None
    assert Clean().augmentation == Augmentation()
    varied = Clean(Clean.Config(gain=3.0, polarity=True))
    assert varied.augmentation == Augmentation(gain=3.0, polarity=True)
    assert Clean(Clean.Config(drives=True)).augmentation.strengths


def test_the_built_in_drive_goes_from_light_to_heavy():
    from fxkit.data.synth import drive

    dry = 0.3 * np.sin(np.arange(2000) * 0.1).astype(np.float32)
    for strength, level in ((0.0, "light"), (1.0, "heavy"), (0.4375, "medium")):
        np.testing.assert_array_equal(redrive(dry, 44_100, strength), drive(dry, 44_100, level))
