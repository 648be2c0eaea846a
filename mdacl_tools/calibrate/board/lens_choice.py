"""As many lens coefficients as the evidence asks for, and no more."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mdacl_ros.types import MODALITIES, Modality
from mdacl_tools.calibrate.board.bundle import Adjusted, Observation, State, adjust

SIMPLEST = (0, 2, 3, 4)
"""Square pixels, a free centre, one radial coefficient."""

_ADDITIONS = ((5,), (1,), (6, 7), (8,))  # k2; fy apart from fx; p1 and p2; k3
_NEEDS = {8: 5}  # k3 only beside k2


def choose_lenses(
    state: State, observations: Sequence[Observation], sigma: dict[Modality, float]
) -> tuple[dict[Modality, tuple[int, ...]], State]:
    """Add coefficients one group after the other where they pay by Schwarz's criterion (BIC).

    Args:
        state: A settled state.
        observations: What has to be explained.
        sigma: Standard deviation of a coordinate in pixels.

    Returns:
        Indices of the unknowns of each lens, as :func:`.bundle.adjust` takes them, and the state
        adjusted with those alone, all others at zero.
    """
    free: dict[Modality, tuple[int, ...]] = dict.fromkeys(MODALITIES, SIMPLEST)
    best: Adjusted = adjust(_plain(state), observations, sigma, free)
    for camera in MODALITIES:
        points = sum(len(seen.points) for seen in observations if seen.camera == camera)
        for addition in _ADDITIONS:
            if any(_NEEDS.get(i, i) not in (*free[camera], *addition) for i in addition):
                continue
            wider = {**free, camera: tuple(sorted((*free[camera], *addition)))}
            trial = adjust(best.state, observations, sigma, wider)
            if best.cost - trial.cost > len(addition) * math.log(2 * points):
                free, best = wider, trial
    return free, best.state


def _plain(state: State) -> State:
    """The state with every coefficient but the simplest lens's at zero."""
    lenses = {camera: lens.copy() for camera, lens in state.lenses.items()}
    for lens in lenses.values():
        lens[5:] = 0.0
        lens[:2] = lens[:2].mean()
    return State(lenses, state.relative, state.poses)
