"""Says once that the rig was knocked, and once that it is well again."""

from __future__ import annotations

from mdacl_ros.sensing.residual import Residual

CLEARS_AT = 0.75
"""Share of the bound below which the alarm ends: a residual near the bound does not flicker."""


class ResidualAlarm:
    """Compares residuals with a bound; those without confidence change nothing.

    Attributes:
        raised: Whether the newest residual to be relied on is too large.
    """

    def __init__(self) -> None:
        self.raised = False

    def update(self, residual: Residual | None, bound: float) -> bool:
        """Judge the newest residual.

        Args:
            residual: ``None`` while there is none.
            bound: Pixels of the RGB image from which the rig counts as knocked.

        Returns:
            :attr:`raised`.
        """
        if residual is not None and residual.confident:
            self.raised = residual.pixels >= bound * (CLEARS_AT if self.raised else 1.0)
        return self.raised

    def reset(self) -> None:
        """Begin anew."""
        self.raised = False


def knocked(residual: Residual) -> str:
    """What to tell the user."""
    dx, dy = residual.shift
    return (
        f"rig seems knocked: thermal off by about {residual.pixels:.0f} px ({dx:+.0f}, {dy:+.0f}); "
        "calibrate again"
    )
