import numpy as np
import pytest
from fxkit.data.synth.clipper import RUN_IN, DiodeClipper
from scipy.integrate import solve_ivp

RATE = 352_800


def sine(volts: float, frequency: float, samples: int) -> np.ndarray:
    return volts * np.sin(2 * np.pi * frequency * np.arange(samples) / RATE)


@pytest.mark.parametrize("volts", [0.01, 0.5, 4.5, 10.0])
def test_solution_satisfies_the_discrete_circuit_equation(volts):
    clipper = DiodeClipper(RATE)
    u = sine(volts, 441, 4000)
    v = clipper.solve(u)
    charge = clipper.capacitance * np.diff(v) * RATE
    current = clipper.current(u, v)
    residual = charge - 0.5 * (current[1:] + current[:-1])
    assert np.abs(residual).max() < 1e-7 * volts / clipper.resistance


@pytest.mark.parametrize("volts", [0.3, 4.5])
def test_solution_is_that_of_the_differential_equation(volts):
    clipper = DiodeClipper(RATE)
    time = np.arange(700) / RATE
    exact = solve_ivp(
        lambda t, v: clipper.current(volts * np.sin(2 * np.pi * 1000 * t), v) / clipper.capacitance,
        (0, time[-1]),
        [0.0],
        method="Radau",
        t_eval=time,
        rtol=1e-9,
        atol=1e-12,
    ).y[0]
    v = clipper.solve(sine(volts, 1000, 700))
    assert np.abs(v - exact).max() < 3e-3 * np.abs(exact).max()


def test_small_signals_see_a_first_order_low_pass():
    clipper = DiodeClipper(RATE)
    v = clipper.solve(sine(1e-3, 7234.3, 8000))[4000:]
    leak = 1 + 2 * clipper.saturation_current * clipper.resistance / clipper.thermal_voltage
    omega = 2 * RATE * np.tan(np.pi * 7234.3 / RATE)  # the bilinear transform's warped frequency
    gain = 1 / abs(leak + 1j * omega * clipper.resistance * clipper.capacitance)
    assert np.sqrt(2 * np.mean(v**2)) == pytest.approx(1e-3 * gain, rel=1e-3)


def test_steady_state_obeys_kirchhoff():
    clipper = DiodeClipper(RATE)
    v = clipper.solve(np.full(3000, 3.0))[-1:]
    assert abs(clipper.current(np.array([3.0]), v)[0]) < 1e-9
    assert 0.4 < v[0] < 0.7


def test_blocks_with_history_equal_one_pass():
    clipper = DiodeClipper(RATE)
    u = np.random.default_rng(0).uniform(-4, 4, 9000)
    whole = clipper.solve(u)
    cut = 3217
    parts = [clipper.solve(u[:cut]), clipper.solve(u[cut:], u[cut - RUN_IN : cut])]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-9)


def test_it_is_odd_and_silence_stays_silent():
    clipper = DiodeClipper(RATE)
    u = sine(2.0, 300, 3000)
    np.testing.assert_allclose(clipper.solve(-u), -clipper.solve(u), atol=1e-12)
    assert not clipper.solve(np.zeros(100)).any()
    assert clipper.solve(np.zeros(0)).shape == (0,)


@pytest.mark.parametrize("volts", [11.0, np.nan])
def test_a_source_beyond_the_table_is_refused(volts):
    with pytest.raises(ValueError, match="within"):
        DiodeClipper(RATE).solve(np.array([0.0, volts]))
