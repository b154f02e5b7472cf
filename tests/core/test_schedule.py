import pytest
from fxkit.schedule import Schedule


def test_rises_to_the_peak_and_falls_to_the_floor():
    schedule = Schedule(0.01, ramp=0.1, floor=0.02)
    assert schedule(0.0) == pytest.approx(0.001)
    assert schedule(0.1) == pytest.approx(0.01)
    assert schedule(0.55) == pytest.approx(0.01 * (0.02 + 0.98 * 0.5))
    assert schedule(1.0) == pytest.approx(0.0002)


def test_falls_all_the_way_after_the_ramp():
    schedule = Schedule(1.0, ramp=0.2, floor=0.0)
    rates = [schedule(i / 100) for i in range(20, 101)]
    assert rates == sorted(rates, reverse=True)


def test_stays_at_its_ends_beyond_them():
    schedule = Schedule(1.0)
    assert schedule(-1.0) == schedule(0.0)
    assert schedule(2.0) == schedule(1.0)


def test_a_ramp_of_zero_starts_at_the_peak():
    assert Schedule(0.5, ramp=0.0)(0.0) == 0.5
