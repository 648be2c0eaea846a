"""The detector node's parameters: those of the pipeline, and what only a running node reads."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from mdacl_ros.config.parameter_spec import ParameterSpec, parameter
from mdacl_ros.config.pipeline_config import PipelineConfig
from mdacl_ros.errors import ParameterError
from mdacl_ros.sensing.compressed import MAX_PIXELS, MAX_SIDE

Config = TypeVar("Config", bound=PipelineConfig)


@dataclass(frozen=True, slots=True)
class NodeParameters(PipelineConfig):
    """Everything that can be set from outside; field names are ROS parameter names."""

    reliance_warn: float = parameter(
        0.8,
        "|reliance|, over a second, from which diagnostics warn that detections rest on one "
        "camera although both live.",
        low=0.0,
        high=1.0,
        live=True,
    )
    reliance_hysteresis: float = parameter(
        0.1,
        "How far below reliance_warn |reliance| has to fall for the warning to end.",
        low=0.0,
        high=1.0,
        live=True,
    )
    residual_rate: float = parameter(
        0.2,
        "How often it is measured how well thermal lies on RGB, times per second; 0: never.",
        low=0.0,
        high=10.0,
        live=True,
    )
    residual_warn: float = parameter(
        6.0,
        "Pixels of the RGB image that thermal may lie beside RGB before diagnostics warn.",
        low=0.5,
        high=1000.0,
        live=True,
    )
    min_rate_rgb: float = parameter(
        0.0,
        "RGB images per second below which diagnostics warn; 0: never.",
        low=0.0,
        high=1000.0,
        live=True,
    )
    min_rate_thermal: float = parameter(
        0.0,
        "Thermal images per second below which diagnostics warn; 0: never.",
        low=0.0,
        high=1000.0,
        live=True,
    )
    share_in_detection_id: bool = parameter(
        False,
        "Write into each detection's id how much of it rests on which camera, e.g. 'rgb=0.29 "
        "thermal=0.71 exact'; off: ids stay empty, the shares are in ~/dominance alone.",
        live=True,
    )
    rgb_transport: str = parameter("raw", "How RGB images arrive.", choices=("raw", "compressed"))
    thermal_transport: str = parameter(
        "raw", "How thermal images arrive.", choices=("raw", "compressed")
    )
    max_image_pixels: int = parameter(
        MAX_PIXELS,
        "Largest image accepted, width x height; a larger one is refused before it is decoded.",
        low=1,
        high=MAX_SIDE * MAX_SIDE,
        live=True,
    )
    inference_timeout: float = parameter(
        2.0,
        "Seconds in one pair after which diagnostics report a hanging inference.",
        low=0.1,
        high=3600.0,
        live=True,
    )
    marker_distance: float = parameter(
        3.0,
        "Distance in metres of the virtual image plane the markers are drawn on.",
        low=0.1,
        high=1000.0,
        live=True,
    )
    autostart: bool = parameter(
        False, "Configure and activate at start, without a lifecycle manager.", read_only=True
    )


SPECS: dict[str, ParameterSpec] = {f.name: f.metadata["spec"] for f in fields(NodeParameters)}
"""Specification of every parameter by name."""

RELOADED = tuple(name for name, spec in SPECS.items() if spec.reload)
"""Parameters that the engine is loaded with."""


PIPELINE = tuple(f.name for f in fields(PipelineConfig))
"""Parameters of the pipeline, which every command that runs the detector reads as well."""


def updated(config: Config, changes: Mapping[str, Any]) -> Config:
    """Return the configuration with some values changed.

    Args:
        config: The values so far.
        changes: New values by parameter name; an integer is taken for a float.

    Raises:
        ParameterError: A name is unknown, or a value of the wrong type or out of bounds.
    """
    known = [f.name for f in fields(config)]
    for name in changes:
        if name not in known:
            raise ParameterError(f"parameter {name}: {unknown(name, known)}")
    return replace(config, **changes)


def unknown(name: str, known: list[str]) -> str:
    """Why a name is refused, and which one may be meant."""
    close = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {close[0]}?" if close else "see config/detector.yaml"
    return f"there is no such parameter; {hint}"
