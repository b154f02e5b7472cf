import hashlib
import subprocess
import sys

import numpy as np
import pytest
from fxkit.data.synth import guitar
from fxkit.data.synth.guitar import _without_overlaps
from fxkit.data.synth.score import OPEN_STRINGS, STYLES, Note, score

RATE = 44_100


def digest(samples: np.ndarray) -> str:
    return hashlib.sha256(samples.tobytes()).hexdigest()


def test_equal_seeds_give_equal_samples_in_every_process():
    here = guitar(3, 4.0, 22_050)
    assert digest(here) == digest(guitar(3, 4.0, 22_050))
    script = (
        "import hashlib; from fxkit.data.synth import guitar;"
        "print(hashlib.sha256(guitar(3, 4.0, 22_050).tobytes()).hexdigest())"
    )
    there = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == digest(here)
    assert digest(guitar(4, 4.0, 22_050)) != digest(here)


def test_form_and_level():
    x = guitar(0, 5.0, RATE)
    assert x.shape == (5 * RATE,)
    assert x.dtype == np.float32
    assert np.abs(x).max() == pytest.approx(0.7, abs=1e-3)
    assert abs(x.mean()) < 1e-3
    assert np.std(x) > 0.01


@pytest.mark.parametrize("seconds", [0.5, 2.0, 7.3])
def test_any_length(seconds):
    assert len(guitar(1, seconds, 16_000)) == round(seconds * 16_000)
    assert np.abs(guitar(1, seconds, 16_000)).max() > 0.5


def test_every_tenth_has_every_style_register_and_level():
    phrases = score(180, np.random.default_rng(0))
    for tenth in range(10):
        inside = [p for p in phrases if 18 * tenth <= p.start < 18 * (tenth + 1) - 1e-6]
        assert {p.style for p in inside} == set(STYLES)
        levels = [20 * np.log10(p.level) for p in inside]
        assert min(levels) < -10
        assert max(levels) > -4
        assert len({p.pickup for p in inside}) == 3
        pitches = [OPEN_STRINGS[n.string] + n.fret for p in inside for n in p.notes]
        assert min(pitches) <= 45
        assert max(pitches) >= 64


def test_the_score_has_what_guitarists_do():
    notes = [n for p in score(180, np.random.default_rng(0)) for n in p.notes]
    assert sum(n.bend > 0.9 for n in notes) > 5
    assert sum(n.vibrato > 0 for n in notes) > 10
    assert sum(n.mute > 0 for n in notes) > 100
    assert sum(n.string == 0 and n.fret == 0 for n in notes) > 20
    assert all(0 <= n.fret <= 19 and 0 < n.strength <= 1 and n.seconds > 0 for n in notes)


def test_phrases_fill_the_time_in_order():
    phrases = score(60, np.random.default_rng(5))
    ends = [p.start + p.seconds for p in phrases]
    np.testing.assert_allclose([p.start for p in phrases[1:]], ends[:-1], atol=1e-9)
    assert ends[-1] == pytest.approx(60)


def test_there_are_rests():
    x = guitar(0, 18.0, RATE)
    frames = x[: len(x) // 2205 * 2205].reshape(-1, 2205)
    quiet = np.sqrt((frames.astype(float) ** 2).mean(1)) < 1e-3
    assert 0.02 < quiet.mean() < 0.4


def test_a_string_plays_one_note_at_a_time():
    first, second = Note(0.0, 2.0, 1, 3), Note(0.5, 1.0, 1, 5)
    other = Note(0.2, 1.0, 2, 5)
    ended = dict(_without_overlaps((first, other, second)))
    assert 0.4 < ended[first] < 0.5
    assert ended[second] == 1.0
    assert ended[other] == 1.0


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="positive"):
        guitar(0, 0.0, RATE)
