"""Dry guitar varied: what changes, within which bounds, and what stays in its place."""

import numpy as np
import pytest
from fxkit.data import Recording, Segment, Take
from fxkit.data.varied import PIVOT, Recipe, Variety, Voice, tilted, varied

RATE = 8000
PLAIN = Variety(speed=0.0, gain=0.0, mix=0.0, tilt=0.0)


def segment(dry, start=0, stop=None) -> Segment:
    recording = Recording.from_array(np.asarray(dry, np.float32), RATE)
    return Segment(Take("t", recording, recording), start, len(dry) if stop is None else stop)


def noise(frames=3 * RATE):
    return np.random.default_rng(0).normal(0, 0.1, frames).astype(np.float32)


def one(place, **how) -> Recipe:
    return Recipe((Voice(place, **how),))


def draw(variety, count=200, seed=1):
    whole = segment(noise())
    places = [(whole, 10 * i) for i in range(count)]
    return places, variety.draw(np.random.default_rng(seed), places, places)


def test_without_variety_it_is_what_was_played_with_what_came_before():
    dry = noise()
    played = varied(one((segment(dry, 100), 5000)), 1000, 300)
    np.testing.assert_array_equal(played, dry[4800:6100])


def test_before_its_segment_there_is_silence_and_nothing_of_another_part():
    dry = noise()
    for speed in (1.0, 1.25):
        played = varied(one((segment(dry, 4000), 100), speed=speed), 1000, 600)
        assert played.shape == (1600,)
        silence = 600 - int(100 / speed)
        np.testing.assert_array_equal(played[:silence], 0.0)
        assert np.abs(played[silence:]).max() > 0.1


@pytest.mark.parametrize("speed", [0.8, 1.0, 1.3])
def test_it_never_leaves_its_segment(speed):
    dry = np.where(np.arange(4000) < 3000, 0.1, 100.0)
    dry[:1000] = 100.0
    # Direct current stays where it is at any speed; what lies outside would stand out.
    played = varied(one((segment(dry, 1000, 3000), 1900), speed=speed), 1500, 400)
    assert np.abs(played).max() < 0.2


def test_a_voice_is_never_faster_than_its_segment_lasts():
    dry = noise(1000)
    np.testing.assert_array_equal(varied(one((segment(dry), 0), speed=1.2), 1000, 0), dry)


def test_speed_moves_the_pitch():
    tone = np.sin(2 * np.pi * 0.05 * np.arange(RATE))
    played = varied(one((segment(tone), 2000), speed=1.2), 2000, 500)
    spectrum = np.abs(np.fft.rfft(played * np.hanning(len(played)), 1 << 16))
    assert spectrum.argmax() / (1 << 16) == pytest.approx(0.06, rel=1e-3)


def test_two_voices_are_added():
    dry = noise()
    whole = segment(dry)
    both = Recipe((Voice((whole, 2000), factor=-0.5), Voice((whole, 9000), factor=2.0)))
    wanted = -0.5 * dry[1900:2700] + 2.0 * dry[8900:9700]
    np.testing.assert_allclose(varied(both, 700, 100), wanted, atol=1e-6)


def test_the_bounds_are_kept_and_used():
    places, recipes = draw(Variety(speed=3.0, gain=6.0, mix=0.25, tilt=4.0))
    voices = [voice for recipe in recipes for voice in recipe.voices]
    for values, bound in (
        (12 * np.log2([voice.speed for voice in voices]), 3.0),
        (20 * np.log10([abs(voice.factor) for voice in voices]), 6.0),
        ([recipe.tilt for recipe in recipes], 4.0),
    ):
        assert -bound <= np.min(values) < -0.9 * bound
        assert 0.9 * bound < np.max(values) <= bound
    assert 0.4 < np.mean([voice.factor < 0 for voice in voices]) < 0.6
    assert 0.15 < np.mean([len(recipe.voices) == 2 for recipe in recipes]) < 0.35
    assert [recipe.voices[0].place for recipe in recipes] == places


def test_nothing_but_polarity_is_left_where_all_is_turned_off():
    _, recipes = draw(PLAIN)
    assert {abs(recipe.voices[0].factor) for recipe in recipes} == {1.0}
    assert {(len(r.voices), r.tilt, r.voices[0].speed) for r in recipes} == {(1, 0.0, 1.0)}


def test_a_seed_fixes_all():
    def plain(recipes):
        return [(r.tilt, *((v.place[1], v.speed, v.factor) for v in r.voices)) for r in recipes]

    assert plain(draw(Variety())[1]) == plain(draw(Variety())[1])
    assert plain(draw(Variety())[1]) != plain(draw(Variety(), seed=2)[1])


@pytest.mark.parametrize("tilt", [-6.0, 4.0])
def test_a_tilt_turns_around_its_pivot(tilt):
    impulse = np.zeros(RATE, np.float32)
    impulse[100] = 1.0
    shaped = tilted(impulse, RATE, tilt)
    levels = 20 * np.log10(np.abs(np.fft.rfft(shaped)))
    # One bin is one hertz.
    assert levels[1] == pytest.approx(-tilt / 2, abs=0.05)
    assert levels[round(PIVOT)] == pytest.approx(0.0, abs=0.05)
    assert levels[RATE // 2 - 200] == pytest.approx(tilt / 2, abs=0.3)
    assert shaped.dtype == np.float32
    # Nothing wraps around, and nothing sounds before the pick.
    assert np.abs(shaped[:90]).max() < 0.02
