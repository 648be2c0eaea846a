"""Says that the rig was knocked, from the first sure sign until a sure sign that it is well."""

from __future__ import annotations

from mdacl_ros.sensing.registration.residual import Residual

CLEARS_AT = 0.75
"""Share of the bound below which the alarm ends: a residual near the bound does not flicker."""


class ResidualAlarm:
    """Compares residuals with a bound; those without confidence change nothing.

    Attributes:
        cause: The newest residual that was sure, while it is too large; ``None`` while all is well.
    """

    def __init__(self) -> None:
        self.cause: Residual | None = None

    def update(self, residual: Residual | None, bound: float) -> Residual | None:
        """Judge the newest residual.

        Args:
            residual: ``None`` while there is none.
            bound: Pixels of the RGB image from which the rig counts as knocked.

        Returns:
            :attr:`cause`.
        """
        if residual is not None and residual.confident:
            limit = bound if self.cause is None else bound * CLEARS_AT
            self.cause = residual if residual.pixels >= limit else None
        return self.cause

    def reset(self) -> None:
        """Begin anew."""
        self.cause = None


def knocked_text(residual: Residual, calibrated: bool) -> str:
    """What to tell the user.

    Args:
        residual: What tells of it.
        calibrated: There is a calibration that could have been right once.
    """
    dx, dy = residual.shift
    off = f"thermal off by about {residual.pixels:.0f} px ({dx:+.0f}, {dy:+.0f})"
    if calibrated:
        return f"rig seems misaligned: {off}; calibrate again"
    return f"{off}, and there is no calibration; make one (docs/calibration.md)"
