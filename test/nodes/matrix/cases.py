"""What befalls the cameras in the fault matrix, and what the node has to say about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """One fault.

    Attributes:
        camera: ``rgb``, ``thermal`` or ``both``.
        fault: Its name in a scenario.
        parameters: Its parameters.
        counter: Counter of the node that has to grow; empty where the node cannot know.
        part: Status of /diagnostics that has to complain; empty where nothing is wrong to the node.
        said: What that status has to say.
        or_said: What the status ``cameras`` may say instead.
        answers: Whether answers have to go on while it lasts.
    """

    camera: str
    fault: str
    parameters: dict[str, Any] = field(default_factory=dict)
    counter: str = ""
    part: str = ""
    said: str = ""
    answers: bool = True
    or_said: str = ""

    @property
    def name(self) -> str:
        """For tables and test names."""
        given = " ".join(f"{k}={v}" for k, v in self.parameters.items())
        return " ".join(filter(None, (self.camera, self.fault, given)))


NO_RGB, NO_THERMAL = "no usable frames from rgb", "no usable frames from thermal"
BAD = "topic /faulty/rgb/image_raw"


def _bad_rgb(fault: str, **parameters: Any) -> Case:
    """An RGB image that must not be used, and has to be named."""
    return Case("rgb", fault, parameters, "dropped_bad_image_rgb", "cameras", BAD)


def _apart(camera: str, fault: str, counter: str, seconds: float) -> Case:
    """Cameras whose frames do not meet: RGB goes out alone, and that is told."""
    return Case(
        camera,
        fault,
        {"seconds": seconds},
        counter,
        "inference",
        "thermal stamps differ",
        or_said=NO_THERMAL,  # a clock that goes back restarts everything: thermal has to come anew
    )


def _dead(camera: str, fault: str, counter: str, **parameters: Any) -> Case:
    """A camera without usable frames: the other goes out alone, and that is told."""
    said = NO_RGB if camera == "rgb" else NO_THERMAL
    return Case(camera, fault, parameters, counter, "cameras", said)


RAW = [
    _dead("thermal", "drop", "single_rgb"),
    _dead("rgb", "drop", "single_thermal"),
    Case("both", "drop", {}, "", "cameras", NO_RGB, answers=False),
    Case("rgb", "drop", {"share": 0.5}),
    _dead("thermal", "freeze", "dropped_frozen_thermal", stamps="new"),
    _dead("thermal", "freeze", "dropped_duplicate_stamp_thermal", stamps="old"),
    _dead("rgb", "freeze", "dropped_frozen_rgb", stamps="new"),
    _dead("thermal", "freeze", "single_rgb", stamps="none"),
    _apart("thermal", "delay", "single_rgb", 0.4),
    _apart("rgb", "delay", "dropped_unpaired_skew_rgb", 0.4),
    Case("rgb", "jitter", {"seconds": 0.15}, "dropped_late_rgb"),
    Case("thermal", "jitter", {"seconds": 0.05}),
    Case("rgb", "reorder", {"seconds": 0.12}, "dropped_late_rgb"),
    Case("rgb", "duplicate_stamp", {}, "dropped_duplicate_stamp_rgb"),
    _apart("rgb", "clock_jump", "clock_resets", 3.0),
    _apart("rgb", "clock_jump", "clock_resets", -3.0),
    _apart("thermal", "clock_jump", "clock_resets", 3.0),
    Case("both", "clock_jump", {"seconds": -3.0}, "clock_resets"),
    _bad_rgb("encoding", encoding="rgb565"),
    _bad_rgb("step", step=7),
    _bad_rgb("size"),
    _bad_rgb("truncate", share=0.5),
    Case("thermal", "nan", {}, "dropped_bad_image_thermal", "cameras", "topic /faulty/thermal"),
    Case("thermal", "resolution", {"divisor": 2}),
    Case("rgb", "resolution", {"divisor": 2}),
    _dead("rgb", "restart", "single_thermal", silence=1.0),
    _dead("thermal", "restart", "single_rgb", silence=1.0, durability="transient_local"),
]
"""Faults on raw images."""

JPEG = [
    _bad_rgb("truncate", share=0.5),
    _dead("rgb", "drop", "single_thermal"),
]
"""Faults on an RGB camera that sends JPEG."""

QUICK = [RAW[i] for i in (0, 14, 18)]
"""Those of the normal test run."""
