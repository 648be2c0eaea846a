"""What a check comes to, decided once: the printed line, the exit code and the JSON follow."""

from __future__ import annotations

from enum import Enum

from mdacl_ros.sensing.registration.residual import Residual
from mdacl_tools.calibrate.check.region_fit import RegionFit


class RigCheck(Enum):
    """What there is to say of a calibration; the value is what ``check.json`` holds."""

    GOOD = "good"
    SHIFTED = "shifted"
    TURNED = "turned_or_scaled"
    WRONG_SIZE = "wrong_size"
    UNTOLD = "cannot_be_told"

    @property
    def exit_code(self) -> int:
        """0 where the calibration is good, 1 otherwise."""
        return 0 if self is RigCheck.GOOD else 1

    def text(self, bound: float) -> str:
        """What is printed; ``bound`` as for :func:`judge`."""
        return {
            RigCheck.GOOD: "status       good",
            RigCheck.SHIFTED: f"status       off by {bound:g} px or more: calibrate again, or set"
            " reference_distance",
            RigCheck.TURNED: "status       thermal is turned or scaled, not only shifted: calibrate"
            " again",
            RigCheck.WRONG_SIZE: "status       the calibration does not fit these images: calibrate"
            " again (mdacl calibrate scene or target)",
            RigCheck.UNTOLD: "the edges of the two cameras agree too little to tell: record some 20"
            " s of a scene with structure that is warm and lit, while the rig moves slowly",
        }[self]


def judge(
    residual: Residual, fit: RegionFit | None, bound: float, wrong_size: bool = False
) -> RigCheck:
    """Decide.

    Args:
        residual: With the calibration.
        fit: Shift, rotation and scale of its regions; ``None`` where too few tell.
        bound: Pixels of the RGB image from which the calibration counts as off.
        wrong_size: Edges agree much better with another size of thermal.
    """
    if wrong_size:
        return RigCheck.WRONG_SIZE
    if not residual.confident:
        return RigCheck.UNTOLD
    if fit is not None and fit.turned_or_scaled:
        return RigCheck.TURNED
    return RigCheck.SHIFTED if displacement(residual, fit) >= bound else RigCheck.GOOD


def displacement(residual: Residual, fit: RegionFit | None) -> float:
    """RGB pixels by which thermal lies off over the whole picture, not only in its middle.

    A turned picture whose middle fits has no common shift and yet is off nearly everywhere.
    Without a fit only the common shift is known: the least that it can be.
    """
    return residual.pixels if fit is None else max(fit.rms, residual.pixels)
