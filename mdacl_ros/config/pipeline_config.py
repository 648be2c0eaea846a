"""PipelineConfig: how frames are paired, registered and searched, on the robot and offline.

config = PipelineConfig(calibration="rig.yaml", score_threshold=0.5)
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from mdacl_ros.config.parameter_spec import parameter
from mdacl_ros.errors import ModelError
from mdacl_ros.network.model_folder import find_model
from mdacl_ros.runtime.choice import EngineChoice, choose_for
from mdacl_ros.runtime.engine_kind import AUTO
from mdacl_ros.runtime.registry import device_names, engine_names, precision_names
from mdacl_ros.sensing.pairing.synchronizer_types import SyncConfig
from mdacl_ros.sensing.thermal.thermal_format import FORMATS, kelvin_per_count
from mdacl_ros.small_file import user_path

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """Settings of the detection pipeline: field names are parameters of the detector node.

    The same values, read from the same ``detector.yaml``, serve the node and every command that
    runs the detector. They are checked here and nowhere else; an integer is taken for a float.

    Raises:
        ParameterError: A value is of the wrong type or out of bounds; names the parameter.
    """

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

    def __post_init__(self) -> None:
        for f in fields(self):
            value = f.metadata["spec"].check(f.name, getattr(self, f.name))
            object.__setattr__(self, f.name, value)

    @property
    def input_size(self) -> tuple[int, int]:
        """``(width, height)`` of the network input in pixels."""
        return self.input_width, self.input_height

    @property
    def kelvin_per_count(self) -> float:
        """Kelvin per count of 16-bit thermal images, by ``thermal_format`` or ``kelvin_scale``."""
        return kelvin_per_count(self.thermal_format, self.kelvin_scale)

    @property
    def radiometric_counts(self) -> bool:
        """Whether ``mono16`` thermal images have that unit too."""
        return self.thermal_format != AUTO

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

    def sync_config(self) -> SyncConfig:
        """The pairing settings in the synchronizer's nanoseconds."""
        return SyncConfig(
            max_skew_ns=round(self.max_skew * NANOSECONDS),
            partner_timeout_ns=round(self.partner_timeout * NANOSECONDS),
            thermal_clock_offset_ns=round(self.thermal_clock_offset * NANOSECONDS),
            reuse_partner=self.reuse_partner,
            frozen_after=self.frozen_after,
            thermal_shutter_ns=round(self.thermal_shutter * NANOSECONDS),
        )
