"""The detector node's parameters: one frozen dataclass that names, bounds and explains each."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from mdacl_ros.config.parameter_spec import ParameterSpec, parameter
from mdacl_ros.errors import ModelError
from mdacl_ros.network.model_folder import find_model
from mdacl_ros.pipeline.perception import PerceptionConfig
from mdacl_ros.runtime.choice import EngineChoice, choose_for
from mdacl_ros.runtime.engine_kind import AUTO
from mdacl_ros.runtime.registry import device_names, engine_names, precision_names
from mdacl_ros.sensing.compressed import MAX_PIXELS, MAX_SIDE
from mdacl_ros.sensing.pairing.synchronizer import SyncConfig
from mdacl_ros.sensing.thermal.thermal_format import FORMATS, kelvin_per_count
from mdacl_ros.small_file import user_path

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class NodeParameters:
    """Everything that can be set from outside; field names are ROS parameter names."""

    model: str = parameter(
        "small",
        "Shipped model name, or path of a model folder (model.yaml + weights).",
        reload=True,
    )
    engine: str = parameter(
        AUTO,
        "Library that runs the network; auto: the fastest that can run here.",
        choices=engine_names(),
        reload=True,
    )
    precision: str = parameter(
        AUTO,
        "Arithmetic of the engine; auto: the fastest in hardware that the model folder vouches "
        "for.",
        choices=precision_names(),
        reload=True,
    )
    device: str = parameter(
        AUTO,
        "Where the engine runs; auto: where it is fastest.",
        choices=device_names(),
        reload=True,
    )
    input_width: int = parameter(
        640, "Width of the network input in pixels.", low=64, high=4096, step=32, reload=True
    )
    input_height: int = parameter(
        480, "Height of the network input in pixels.", low=64, high=4096, step=32, reload=True
    )
    calibration: str = parameter(
        "",
        "Path of the RGB-thermal rig calibration (YAML); empty: images are already registered.",
        live=True,
    )
    reference_distance: float = parameter(
        0.0,
        "Distance in metres at which thermal and RGB align; 0: as in the calibration file.",
        low=0.0,
        high=10_000.0,
        live=True,
    )
    kelvin_scale: float = parameter(
        0.01,
        "Kelvin per count of a 16UC1 thermal image; not used where thermal_format names a camera.",
        low=1e-6,
        high=10.0,
    )
    thermal_format: str = parameter(
        AUTO,
        "What counts of mono16 and 16UC1 images are, by camera family; auto: kelvin_scale, and "
        "found from the counts where that gives no temperature.",
        choices=(AUTO, *FORMATS),
    )
    max_skew: float = parameter(
        0.12,
        "Largest difference of two paired stamps in seconds, after thermal_clock_offset.",
        low=0.0,
        high=10.0,
        live=True,
    )
    partner_timeout: float = parameter(
        0.5,
        "Seconds without a new frame after which a camera counts as dead.",
        low=0.01,
        high=60.0,
        live=True,
    )
    thermal_clock_offset: float = parameter(
        0.0,
        "Seconds added to thermal stamps before they are compared with RGB stamps.",
        low=-3600.0,
        high=3600.0,
        live=True,
    )
    reuse_partner: bool = parameter(
        True, "Let one frame of the slower camera serve several frames of the faster one."
    )
    frozen_after: int = parameter(
        5,
        "Repetitions of one image after which a camera counts as frozen if they last for 0.4 s by "
        "their stamps (thermal: thermal_shutter) and the other camera's images change meanwhile; "
        "0: off.",
        low=0,
        high=1000,
        live=True,
    )
    thermal_shutter: float = parameter(
        1.5,
        "Longest time in seconds for which the thermal camera repeats an image while its shutter "
        "is closed (NUC, FFC): for less it is used on, for longer it may count as frozen; 0: it "
        "has no shutter, 0.4 s as for RGB.",
        low=0.0,
        high=60.0,
        live=True,
    )
    score_threshold: float = parameter(
        0.3, "Detections below this score are not published.", low=0.0, high=1.0, live=True
    )
    max_detections: int = parameter(
        100, "Most detections published per frame.", low=1, high=1000, live=True
    )
    duplicate_iou: float = parameter(
        0.7,
        "A box that overlaps a better one of its class by more (IoU) is a duplicate; 1: off.",
        low=0.01,
        high=1.0,
        live=True,
    )
    reliance_rate: float = parameter(
        2.0,
        "How often reliance and the exact dominance index are measured, times per second; 0: "
        "never.",
        low=0.0,
        high=1000.0,
        live=True,
    )
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

    @property
    def input_size(self) -> tuple[int, int]:
        """``(width, height)`` of the network input in pixels."""
        return self.input_width, self.input_height

    @property
    def calibration_path(self) -> Path | None:
        """Path of the rig calibration, or ``None`` when none is given."""
        return user_path(self.calibration) if self.calibration else None

    def model_folder(self) -> Path:
        """Find the model: a folder of that path, or one shipped under that name.

        Raises:
            ModelError: Neither exists.
        """
        return find_model(self.model, "parameter model")

    def choose_engine(self) -> EngineChoice:
        """Resolve engine, precision and device for this machine and the model.

        A model folder that cannot be read is not reported here: loading it does that.

        Raises:
            EngineError: They cannot run here together.
        """
        try:
            model = self.model_folder()
        except ModelError:
            model = user_path(self.model)
        return choose_for(model, self.engine, self.precision, self.device)

    def perception_config(self) -> PerceptionConfig:
        """The part that Perception reads."""
        return PerceptionConfig(
            score_threshold=self.score_threshold,
            max_detections=self.max_detections,
            duplicate_iou=self.duplicate_iou,
            kelvin_scale=kelvin_per_count(self.thermal_format, self.kelvin_scale),
            radiometric_counts=self.thermal_format != AUTO,
            reference_distance=self.reference_distance or None,
        )

    def sync_config(self) -> SyncConfig:
        """The part that the synchronizer reads."""
        return SyncConfig(
            max_skew_ns=round(self.max_skew * NANOSECONDS),
            partner_timeout_ns=round(self.partner_timeout * NANOSECONDS),
            thermal_clock_offset_ns=round(self.thermal_clock_offset * NANOSECONDS),
            reuse_partner=self.reuse_partner,
            frozen_after=self.frozen_after,
            thermal_shutter_ns=round(self.thermal_shutter * NANOSECONDS),
        )


SPECS: dict[str, ParameterSpec] = {f.name: f.metadata["spec"] for f in fields(NodeParameters)}
"""Specification of every parameter by name."""

RELOADED = tuple(name for name, spec in SPECS.items() if spec.reload)
"""Parameters that the engine is loaded with."""


def updated(parameters: NodeParameters, changes: dict[str, Any]) -> NodeParameters:
    """Return the parameters with some values changed.

    Args:
        parameters: The values so far.
        changes: New values by parameter name; an integer is taken for a float.

    Raises:
        ParameterError: A value of the wrong type or out of bounds.
    """
    checked: dict[str, Any] = {name: SPECS[name].check(name, changes[name]) for name in changes}
    return replace(parameters, **checked)
