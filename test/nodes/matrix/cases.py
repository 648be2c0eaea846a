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
        answers: Whether answers have to go on while it lasts.
    """

    camera: str
    fault: str
    parameters: dict[str, Any] = field(default_factory=dict)
    counter: str = ""
    part: str = ""
    said: str = ""
    answers: bool = True

    @property
    def name(self) -> str:
        """For tables and test names."""
        given = " ".join(f"{k}={v}" for k, v in self.parameters.items())
        return " ".join(filter(None, (self.camera, self.fault, given)))


NO_USABLE = "no usable frames from {}"
DISORDER = "of the {} frames come late or with a stamp already seen"
REPEATS = "{} repeats one image while the other camera's images change"
JUMPED = "{} stamps jumped back, pairing began anew"


def _bad(camera: str, fault: str, **parameters: Any) -> Case:
    """An image that must not be used, and has to be named."""
    said = f"topic /faulty/{camera}/image_raw"
    return Case(camera, fault, parameters, f"dropped_bad_image_{camera}", "cameras", said)


def _apart(camera: str, fault: str, counter: str, seconds: float) -> Case:
    """Cameras whose frames do not meet: RGB goes out alone, and that is told."""
    return Case(camera, fault, {"seconds": seconds}, counter, "inference", "thermal stamps differ")


def _back(camera: str, seconds: float) -> Case:
    """A clock that goes back: pairing begins anew, and the camera is named."""
    said = JUMPED.format("rgb and thermal" if camera == "both" else camera)
    return Case(camera, "clock_jump", {"seconds": -seconds}, "clock_resets", "cameras", said)


def _dead(camera: str, fault: str, counter: str, **parameters: Any) -> Case:
    """A camera without usable frames: the other goes out alone, and that is told."""
    return Case(camera, fault, parameters, counter, "cameras", NO_USABLE.format(camera))


def _frozen(camera: str) -> Case:
    """A camera that repeats its picture: the other goes out alone, and the reason is told."""
    counter = f"dropped_frozen_{camera}"
    return Case(camera, "freeze", {"stamps": "new"}, counter, "cameras", REPEATS.format(camera))


def _disorder(camera: str, fault: str, cause: str, **parameters: Any) -> Case:
    """Frames that come late or twice: those are dropped, and that is told."""
    counter = f"dropped_{cause}_{camera}"
    return Case(camera, fault, parameters, counter, "cameras", DISORDER.format(camera))


RAW = [
    _dead("thermal", "drop", "single_rgb"),
    _dead("rgb", "drop", "single_thermal"),
    Case("both", "drop", {}, "", "cameras", NO_USABLE.format("rgb"), answers=False),
    Case("rgb", "drop", {"share": 0.5}),
    _frozen("thermal"),
    _frozen("rgb"),
    _dead("thermal", "freeze", "dropped_duplicate_stamp_thermal", stamps="old"),
    _dead("rgb", "freeze", "dropped_duplicate_stamp_rgb", stamps="old"),
    _dead("thermal", "freeze", "single_rgb", stamps="none"),
    _dead("rgb", "freeze", "single_thermal", stamps="none"),
    Case("both", "freeze", {"stamps": "new"}, "freezes_rgb", "images", "repeats one image"),
    _apart("thermal", "delay", "single_rgb", 0.4),
    _apart("rgb", "delay", "dropped_unpaired_skew_rgb", 0.4),
    _disorder("rgb", "jitter", "late", seconds=0.15),
    Case("thermal", "jitter", {"seconds": 0.05}),
    _disorder("rgb", "reorder", "late", seconds=0.12),
    _disorder("thermal", "reorder", "late", seconds=0.25),
    _disorder("rgb", "duplicate_stamp", "duplicate_stamp"),
    _disorder("thermal", "duplicate_stamp", "duplicate_stamp"),
    _apart("rgb", "clock_jump", "clock_resets", 3.0),
    _back("rgb", 3.0),
    _apart("thermal", "clock_jump", "clock_resets", 3.0),
    _back("both", 3.0),
    _bad("rgb", "encoding", encoding="rgb565"),
    _bad("rgb", "step", step=7),
    _bad("rgb", "size"),
    _bad("rgb", "truncate", share=0.5),
    _bad("thermal", "encoding", encoding="rgb565"),
    _bad("thermal", "step", step=7),
    _bad("thermal", "size"),
    _bad("thermal", "truncate", share=0.5),
    _bad("thermal", "nan"),
    Case("thermal", "resolution", {"divisor": 2}),
    Case("rgb", "resolution", {"divisor": 2}),
    _dead("rgb", "restart", "single_thermal", silence=1.0),
    _dead("thermal", "restart", "single_rgb", silence=1.0, durability="transient_local"),
]
"""Faults on raw images."""

COMPRESSED = [
    _bad("rgb", "truncate", share=0.5),
    _bad("thermal", "truncate", share=0.5),
    _dead("rgb", "drop", "single_thermal"),
    _frozen("thermal"),
]
"""Faults on cameras that send JPEG and PNG."""

_BY_NAME = {case.name: case for case in RAW}
QUICK = [
    _BY_NAME[name]
    for name in ("thermal drop", "rgb encoding encoding=rgb565", "thermal freeze stamps=new")
]
"""Those of the normal test run."""
