"""Declares the parameters on a node and keeps them valid while it runs."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Set
from dataclasses import replace
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

from mdacl_ros.config.parameter_spec import ParameterSpec
from mdacl_ros.config.parameters import (
    RELOADED,
    SPECS,
    NodeParameters,
    updated,
)
from mdacl_ros.errors import MdaclError, ParameterError

TOGETHER = "(together)"
"""Key of the error of values that are right alone but contradict each other."""

UNUSABLE = "(on this machine)"
"""Key of the error of start values that are right but cannot be used here."""

Changed = Callable[[NodeParameters], None]

Check = Callable[[NodeParameters, Set[str]], None]
"""Raises an :class:`MdaclError` where values that are right by themselves cannot be used; gets all
of them, and the names of those that are set."""


class ParameterServer:
    """The node's parameters as ROS sees them, and the last valid set of them.

    Wrong values given at start (parameter file, command line) do not end the process: they are
    kept in :attr:`errors` until somebody sets a right one, and configuring fails until then.

    Attributes:
        values: The valid parameters; replaced as a whole, so any thread may read it.
        errors: One line for each parameter whose start-up value was refused, by name.
        locked: While true only live parameters change (the node is configured).
    """

    def __init__(self, node: Node, changed: Changed, check: Check) -> None:
        """Declare everything on ``node``.

        Args:
            node: Where the parameters live.
            changed: Called after each accepted change.
            check: Asked at start and before a change is accepted.
        """
        self.values = NodeParameters()
        self.errors: dict[str, str] = {}
        self.locked = False
        self._node, self._changed, self._check = node, changed, check
        given = {name: self._declare(node, name) for name in SPECS}
        try:
            self.values = updated(self.values, given)
        except ParameterError as error:  # each value is right alone, together they are not
            self.errors[TOGETHER] = str(error)
            self.values = replace(self.values, **given)
        try:
            check(self.values, SPECS.keys())
        except MdaclError as error:
            self.errors[UNUSABLE] = str(error)
        node.add_on_set_parameters_callback(self._on_set)
        # Others may still refuse a call that we accept: only afterwards it has happened. Humble
        # has no such callback, and only the clock's use_sim_time there has a say beside ours.
        self._applies_later = hasattr(node, "add_post_set_parameters_callback")
        if self._applies_later:
            node.add_post_set_parameters_callback(self._on_accepted)

    def require_valid(self) -> NodeParameters:
        """Return the parameters, all of them as the user gave them.

        Raises:
            ParameterError: A value given at start was refused and not mended since.
        """
        if self.errors:
            raise ParameterError(
                "; ".join(self.errors.values()) + " (fix with: ros2 param set, then configure)"
            )
        return self.values

    def _declare(self, node: Node, name: str) -> Any:
        """Declare one parameter; return its value, or the default where it was refused."""
        default = SPECS[name].default
        given: Any
        try:
            given = node.declare_parameter(name, default, descriptor(name, default)).value
        except (InvalidParameterTypeException, InvalidParameterValueException):
            given = _raw_value(node, name)
        try:
            # YAML's `max_skew: 1` is an integer to ROS: as good as 1.0.
            value = SPECS[name].check(name, given)
        except ParameterError as error:
            self.errors[name] = str(error)
            value = default
        if not node.has_parameter(name):
            node.declare_parameter(name, value, descriptor(name, default), ignore_override=True)
        elif value != given:
            node.set_parameters([Parameter(name, value=value)])
        return value

    def _on_set(self, parameters: list[Parameter]) -> SetParametersResult:
        """Refuse what cannot be; nothing of a call is taken over unless all of it can be."""
        changes = {p.name: p.value for p in parameters if p.name in SPECS}
        if not changes:
            return SetParametersResult(successful=True)
        try:
            self._refuse_while_locked(changes)
            self._check(updated(self.values, changes), changes.keys())
        except MdaclError as error:
            return SetParametersResult(successful=False, reason=str(error))
        except Exception as error:  # rclpy would end the process for it
            reason = f"{', '.join(changes)}: {type(error).__name__}: {error}"
            return SetParametersResult(successful=False, reason=reason)
        if not self._applies_later:
            self._on_accepted(parameters)
        return SetParametersResult(successful=True)

    def _on_accepted(self, parameters: list[Parameter]) -> None:
        """Take the new values over, all at once."""
        changes = {p.name: p.value for p in parameters if p.name in SPECS}
        if not changes:
            return
        self.values = updated(self.values, changes)
        for name in (*changes, TOGETHER):
            self.errors.pop(name, None)
        if not changes.keys().isdisjoint(RELOADED):
            self.errors.pop(UNUSABLE, None)
        try:
            self._changed(self.values)
        except Exception:  # the values are in force already; rclpy would end the process for it
            self._node.get_logger().error(
                f"{', '.join(changes)} not taken over: {traceback.format_exc().rstrip()}"
            )

    def _refuse_while_locked(self, changes: dict[str, Any]) -> None:
        """Raise for a parameter that configuring has already used."""
        for name, value in changes.items():
            changeable = SPECS[name].live or SPECS[name].reload
            if self.locked and not changeable and value != getattr(self.values, name):
                raise ParameterError(
                    f"parameter {name}: got {value!r} while the node is configured with "
                    f"{getattr(self.values, name)!r}; deactivate and clean up first "
                    "(ros2 lifecycle set <node> deactivate, cleanup)"
                )


def descriptor(name: str, default: Any) -> ParameterDescriptor:
    """Describe a parameter to ROS: text, range, allowed values, read-only."""
    spec = SPECS[name]
    result = ParameterDescriptor(
        name=name, description=_description(spec), read_only=spec.read_only
    )
    if spec.choices:
        result.additional_constraints = "one of " + ", ".join(spec.choices)
    if spec.low is not None and spec.high is not None:
        if isinstance(default, float):
            bounds = FloatingPointRange(from_value=float(spec.low), to_value=float(spec.high))
            result.floating_point_range = [bounds]
        else:
            limits = IntegerRange(from_value=int(spec.low), to_value=int(spec.high), step=spec.step)
            result.integer_range = [limits]
    return result


def _description(spec: ParameterSpec) -> str:
    """The description, and when the parameter may change."""
    if spec.read_only:
        return f"{spec.description} Read at start."
    if spec.reload:
        return f"{spec.description} Takes effect at configure, or live by service ~/reload_engine."
    return spec.description + (" Changes live." if spec.live else " Changes while unconfigured.")


def _raw_value(node: Node, name: str) -> Any:
    """The start-up value ROS refused: declared without a type for a moment to be read."""
    value = node.declare_parameter(name, None, ParameterDescriptor(dynamic_typing=True)).value
    node.undeclare_parameter(name)
    return value
