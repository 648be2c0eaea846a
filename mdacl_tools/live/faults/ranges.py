"""Checks of a fault's parameters, in one voice."""

from __future__ import annotations

from mdacl_ros.errors import ScenarioError


def require(name: str, got: object, holds: bool, wanted: str) -> None:
    """Raise unless a parameter's condition holds.

    Raises:
        ScenarioError: Names the parameter, what it got and what it wants.
    """
    if not holds:
        raise ScenarioError(f"{name}: got {got!r}, wanted {wanted}")


def require_choice(name: str, got: str, wanted: tuple[str, ...]) -> None:
    """Raise unless a parameter is one of several words.

    Raises:
        ScenarioError: Names the parameter, what it got and what it wants.
    """
    require(name, got, got in wanted, f"one of {', '.join(wanted)}")
