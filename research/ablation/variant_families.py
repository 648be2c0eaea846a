"""Variants trained alike: the full method, plain fusion, and each camera alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """Names of the variants that are compared with each other.

    Attributes:
        full: All of the method.
        plain: Fusion without it.
        rgb_only: The RGB camera's own detector.
        thermal_only: The thermal camera's.
    """

    full: str
    plain: str
    rgb_only: str
    thermal_only: str

    @property
    def dedicated(self) -> dict[str, str]:
        """The detector whose mAP50 a fused one has to keep, by the camera that is absent."""
        return {"rgb_absent": self.thermal_only, "thermal_absent": self.rgb_only}


STAGED = Family("mdacl", "concat", "rgb_only", "thermal_only")
"""From the weights of one first stage, whose streams have never seen both cameras at once."""

JOINT = Family("mdacl_joint", "concat_joint", "rgb_only_joint", "thermal_only_joint")
"""From ImageNet in one go, both cameras at once, as many steps as both stages together."""

FAMILIES = (STAGED, JOINT)

ABSENT = tuple(STAGED.dedicated)
"""Which camera can be absent: ``rgb_absent``, ``thermal_absent``."""


def family_of(variant: str) -> Family:
    """The family that a variant is compared within."""
    return JOINT if variant.endswith("_joint") else STAGED
