import numpy as np
import pytest
from fxkit.data.synth.tone_stack import ToneStack
from scipy import signal


def response_by_nodes(stack: ToneStack, frequency: float) -> complex:
    """Solve the network's node equations: in, top of treble, out, foot of treble, B, D, wiper."""
    s = 2j * np.pi * frequency
    top, out, foot, slope, middle, wiper, source = range(7)
    parts = [
        (source, top, s * stack.c1),
        (top, out, 1 / ((1 - stack.treble) * stack.r1)),
        (out, foot, 1 / (stack.treble * stack.r1)),
        (source, slope, 1 / stack.r4),
        (slope, foot, s * stack.c2),
        (slope, wiper, s * stack.c3),
        (foot, middle, 1 / (stack.bass * stack.r2)),
        (middle, wiper, 1 / ((1 - stack.middle) * stack.r3)),
        (wiper, None, 1 / (stack.middle * stack.r3)),
    ]
    nodal = np.zeros((7, 7), complex)
    for here, there, admittance in parts:
        nodal[here, here] += admittance
        if there is not None:
            nodal[there, there] += admittance
            nodal[here, there] -= admittance
            nodal[there, here] -= admittance
    free = slice(0, 6)
    volts = np.linalg.solve(nodal[free, free], -nodal[free, source])
    return complex(volts[out])


@pytest.mark.parametrize("knobs", [(0.5, 0.5, 0.5), (0.9, 0.2, 0.05), (0.1, 0.9, 0.7)])
def test_transfer_function_is_that_of_the_circuit(knobs):
    stack = ToneStack(*knobs)
    frequencies = np.geomspace(20, 20_000, 25)
    _, by_formula = signal.freqs(*stack.analogue(), worN=2 * np.pi * frequencies)
    by_nodes = np.array([response_by_nodes(stack, f) for f in frequencies])
    np.testing.assert_allclose(by_formula, by_nodes, rtol=1e-6)


def test_digital_filter_is_stable_and_follows_the_circuit():
    stack = ToneStack()
    b, a = stack.digital(44_100)
    assert np.abs(np.roots(a)).max() < 1
    frequencies = np.geomspace(30, 3000, 20)
    _, digital = signal.freqz(b, a, worN=frequencies, fs=44_100)
    _, circuit = signal.freqs(*stack.analogue(), worN=2 * np.pi * frequencies)
    np.testing.assert_allclose(np.abs(digital), np.abs(circuit), rtol=0.03)
