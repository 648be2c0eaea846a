import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdacl_ros.pipeline.dominance_reading import estimated_sensitivity
from mdacl_ros.types import Predictions
from mdacl_tools.learning.dominance_fit import fit_estimate, network_input


def probed(energy: tuple[float, float], sensitivity: tuple[float, float]) -> Predictions:
    empty = np.zeros((1, 0))
    return Predictions(
        empty,
        empty,
        empty,
        empty,
        empty,
        energies=np.array(energy).reshape(1, 2, 1),
        sensitivities=np.array(sensitivity).reshape(1, 2),
    )


@given(st.floats(0.1, 2.0), st.floats(-1.5, 1.5))
def test_the_fit_recovers_a_power_law(slope: float, offset: float) -> None:
    energies = [(0.2, 1.0), (1.0, 1.0), (3.0, 0.5), (0.7, 0.9)]
    raws = [probed((r, t), ((r / t) ** slope * np.exp(offset), 1.0)) for r, t in energies]
    fit = fit_estimate(raws)
    assert fit.slope == pytest.approx(slope, abs=1e-4)
    assert fit.offset == pytest.approx(offset, abs=1e-4)
    assert fit.correlation == pytest.approx(1.0)
    rgb, thermal = estimated_sensitivity(np.array([3.0, 0.5]), (fit.slope, fit.offset))
    assert rgb / thermal == pytest.approx((3.0 / 0.5) ** slope * np.exp(offset), rel=1e-3)


def test_energies_that_explain_nothing_leave_the_mean_level() -> None:
    raws = [probed((1.0, 2.0), (4.0, 1.0)), probed((2.0, 1.0), (1.0, 1.0))]
    fit = fit_estimate(raws)
    assert fit.slope == 0.0
    assert fit.offset == pytest.approx(np.log(4.0) / 2)


def test_network_input_keeps_values_and_refuses_other_sizes() -> None:
    rgb = np.full((64, 96, 3), 51, np.uint8)
    tensors = network_input(rgb, np.full((64, 96), 0.25, np.float32), (96, 64))
    assert [t.shape for t in tensors] == [(1, 64, 96, 3), (1, 1, 64, 96), (1, 2, 2, 3)]
    assert np.array_equal(tensors[0][0], rgb)
    with pytest.raises(ValueError, match="wanted the engine's"):
        network_input(rgb, np.zeros((64, 96), np.float32), (64, 64))
