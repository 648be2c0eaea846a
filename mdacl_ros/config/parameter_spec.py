"""What one parameter is for and which values it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from mdacl_ros.errors import ParameterError


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """What a parameter is for and which values it takes.

    Attributes:
        default: Value unless given; its type is the parameter's type.
        description: Shown by ``ros2 param describe``; names the unit.
        low: Smallest value, numbers only.
        high: Largest value, numbers only.
        step: Integers only: value - low is a multiple of it; 0 for any.
        choices: Allowed strings; empty for any.
        live: Can change while the node is configured.
        reload: Can change while the node is configured, but takes effect when the engine is loaded
            the next time.
        read_only: Is only read at start.
    """

    default: bool | float | str
    description: str
    low: float | None = None
    high: float | None = None
    step: int = 0
    choices: tuple[str, ...] = ()
    live: bool = False
    reload: bool = False
    read_only: bool = False

    def check(self, name: str, value: Any) -> bool | float | str:
        """Return ``value``, an integer turned into a float where that is wanted.

        Raises:
            ParameterError: Names the parameter, what it got and what it wants.
        """
        wanted = type(self.default)
        if wanted is float and type(value) is int:
            value = float(value)
        if type(value) is not wanted:
            raise ParameterError(
                f"parameter {name}: got {value!r} ({type(value).__name__}), "
                f"wanted {', '.join(filter(None, (wanted.__name__, self.bounds())))}"
            )
        if (self.choices and value not in self.choices) or not self._holds(value):
            raise ParameterError(f"parameter {name}: got {value!r}, wanted {self.bounds()}")
        return value

    def bounds(self) -> str:
        """Describe the allowed values; empty where any will do."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.low is None:
            return ""
        step = f" in steps of {self.step}" if self.step else ""
        return f"{self.low} to {self.high}{step}"

    def _holds(self, value: Any) -> bool:
        """Whether a number lies within the bounds and on the step."""
        if self.low is None or self.high is None:
            return True
        if not (math.isfinite(value) and self.low <= value <= self.high):
            return False
        return self.step == 0 or (value - self.low) % self.step == 0


def parameter(default: Any, description: str, **spec: Any) -> Any:
    """Make a dataclass field that carries its :class:`ParameterSpec`."""
    return field(default=default, metadata={"spec": ParameterSpec(default, description, **spec)})
