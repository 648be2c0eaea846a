"""What befalls the cameras in the fault matrix, and what the node has to say about it.

Bounds of counters are for the 2.5 s of a fault at 20 Hz RGB (50 frames) and 9 Hz thermal (22).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

Growth = tuple[str, int, int]
"""A counter of the node, and by how much it has to grow at least and at most."""


@dataclass(frozen=True)
class Case:
    """One fault.

    Attributes:
        camera: ``rgb``, ``thermal`` or ``both``.
        fault: Its name in a scenario.
        parameters: Its parameters.
        counter: What has to grow; ``None`` where the node cannot know.
        part: Status of /diagnostics that has to complain; empty where nothing is wrong to the node.
        said: What that status has to say.
        answers: Whether answers have to go on while it lasts.
        from_start: Whether it is there before the detector is active, and outlasts that.
    """

    camera: str
    fault: str
    parameters: dict[str, Any] = field(default_factory=dict)
    counter: Growth | None = None
    part: str = ""
    said: str = ""
    answers: bool = True
    from_start: bool = False

    @property
    def name(self) -> str:
        """For tables and test names."""
        given = " ".join(f"{k}={v}" for k, v in self.parameters.items())
        when = "from the start" if self.from_start else ""
        return " ".join(filter(None, (self.camera, self.fault, given, when)))


@dataclass(frozen=True)
class Group:
    """Faults that are tried one after the other, with the same processes.

    Attributes:
        cases: The faults.
        compressed: Whether RGB comes as JPEG and thermal as PNG.
        reliable: Whether the detector asks for reliable RGB images.
    """

    cases: list[Case]
    compressed: bool = False
    reliable: bool = False


NO_USABLE = "no usable frames from {}"
DISORDER = "of the {} frames come late or with a stamp already seen"
REPEATS = "{} repeats one image"
JUMPED = "{} stamps jumped back, pairing started again"

ALL = {"rgb": (46, 52), "thermal": (20, 24)}
"""Every frame of a camera."""
HALF = {"rgb": (21, 27), "thermal": (9, 13)}
"""Every second one."""


def _bad(camera: str, fault: str, **parameters: Any) -> Case:
    """An image that must not be used, and has to be named."""
    said = f"topic /faulty/{camera}/image_raw"
    counter = (f"dropped_bad_image_{camera}", *ALL[camera])
    return Case(camera, fault, parameters, counter, "cameras", said)


def _apart(camera: str, fault: str, seconds: float, counter: Growth) -> Case:
    """Cameras whose frames do not meet: RGB goes out alone, and that is told."""
    said = "thermal stamps differ"
    return Case(camera, fault, {"seconds": seconds}, counter, "inference", said)


def _back(camera: str, seconds: float) -> Case:
    """A clock that goes back: pairing begins anew, and the camera is named."""
    said = JUMPED.format("rgb and thermal" if camera == "both" else camera)
    counter = ("clock_resets", 1, 1)
    return Case(camera, "clock_jump", {"seconds": -seconds}, counter, "cameras", said)


def _dead(camera: str, fault: str, counter: Growth, **parameters: Any) -> Case:
    """A camera without usable frames: the other goes out alone, and that is told."""
    return Case(camera, fault, parameters, counter, "cameras", NO_USABLE.format(camera))


def _frozen(camera: str) -> Case:
    """A camera that repeats its picture: that is told at once, the other goes out alone soon."""
    # All but those before it is sure: 0.4 s, thermal_shutter for thermal.
    least, most = {"rgb": (36, 48), "thermal": (5, 12)}[camera]
    counter = (f"dropped_frozen_{camera}", least, most)
    return Case(camera, "freeze", {"stamps": "new"}, counter, "images", REPEATS.format(camera))


def _disorder(camera: str, fault: str, cause: str, **parameters: Any) -> Case:
    """Every second frame comes late or twice: those are dropped, and that is told."""
    counter = (f"dropped_{cause}_{camera}", *HALF[camera])
    return Case(camera, fault, parameters, counter, "cameras", DISORDER.format(camera))


def _resized(camera: str, before: str, after: str) -> Case:
    """A camera that changes its resolution, there and back: it is used on, and that is told."""
    said = f"{camera} changed from {before} to {after}"
    counter = (f"size_changes_{camera}", 2, 2)
    return Case(camera, "resolution", {"divisor": 2}, counter, "cameras", said)


_RGB_ALONE = ("single_rgb", 38, 48)  # but for partner_timeout since the last thermal frame
_THERMAL_ALONE = ("single_thermal", 15, 21)

RAW = [
    _dead("thermal", "drop", _RGB_ALONE),
    _dead("rgb", "drop", _THERMAL_ALONE),
    Case("both", "drop", {}, None, "cameras", NO_USABLE.format("rgb"), answers=False),
    Case("rgb", "drop", {"share": 0.5}, None, "cameras", "rgb sends at"),
    _frozen("thermal"),
    _frozen("rgb"),
    _dead("thermal", "freeze", ("dropped_duplicate_stamp_thermal", 20, 24), stamps="old"),
    _dead("rgb", "freeze", ("dropped_duplicate_stamp_rgb", 46, 52), stamps="old"),
    _dead("thermal", "freeze", _RGB_ALONE, stamps="none"),
    _dead("rgb", "freeze", _THERMAL_ALONE, stamps="none"),
    Case(
        "both", "freeze", {"stamps": "new"}, ("freezes_rgb", 1, 1), "images", REPEATS.format("rgb")
    ),
    _apart("thermal", "delay", 0.4, ("single_rgb", 26, 42)),
    _apart("rgb", "delay", 0.4, ("dropped_unpaired_skew_rgb", 5, 20)),
    replace(_disorder("rgb", "jitter", "late", seconds=0.15), counter=("dropped_late_rgb", 6, 35)),
    Case("thermal", "jitter", {"seconds": 0.05}),  # in order, all there: no harm
    _disorder("rgb", "reorder", "late", seconds=0.12),
    _disorder("thermal", "reorder", "late", seconds=0.25),
    _disorder("rgb", "duplicate_stamp", "duplicate_stamp"),
    _disorder("thermal", "duplicate_stamp", "duplicate_stamp"),
    _apart("rgb", "clock_jump", 3.0, ("clock_resets", 1, 1)),
    _back("rgb", 3.0),
    _apart("thermal", "clock_jump", 3.0, ("clock_resets", 1, 1)),
    _back("thermal", 3.0),
    _back("both", 3.0),
    # Forward together they still meet; the reset is that of the way back, at the end.
    Case("both", "clock_jump", {"seconds": 3.0}, ("clock_resets", 1, 1)),
    _bad("rgb", "encoding", encoding="rgb565"),
    _bad("rgb", "step", step=7),
    _bad("rgb", "size"),
    _bad("rgb", "truncate", share=0.5),
    _bad("thermal", "encoding", encoding="rgb565"),
    _bad("thermal", "step", step=7),
    _bad("thermal", "size"),
    _bad("thermal", "truncate", share=0.5),
    # Told when a frame is used: how many, the detector decides.
    replace(_bad("thermal", "nan"), counter=("dropped_bad_image_thermal", 8, 24)),
    Case("thermal", "nan", {"share": 0.3}),  # the pixels that are numbers are used
    _resized("thermal", "160x120", "80x60"),
    _resized("rgb", "320x240", "160x120"),
    _dead("rgb", "restart", ("single_thermal", 3, 9), silence=1.0),
    _dead("thermal", "restart", ("single_rgb", 8, 18), silence=1.0, durability="transient_local"),
]
"""Faults on raw images."""

COMPRESSED = [
    _bad("rgb", "truncate", share=0.5),
    _bad("thermal", "truncate", share=0.5),
    _dead("rgb", "drop", _THERMAL_ALONE),
    _frozen("thermal"),
    _frozen("rgb"),
]
"""Faults on cameras that send JPEG and PNG."""

RELIABLE = [
    Case(
        "rgb",
        "restart",
        {"silence": 0.5, "reliability": "best_effort"},
        ("incompatible_qos", 1, 1),
        "cameras",
        "offers an incompatible QoS (reliability)",
    ),
]
"""Faults where the detector asks for reliable RGB images."""


def _from_start(case: Case, *counter: Any) -> Case:
    """A fault that is there before the detector is, for some seconds of its active phase."""
    return replace(case, from_start=True, counter=counter or None)


FROM_START = [
    _from_start(_dead("thermal", "drop", _RGB_ALONE), "single_rgb", 20, 250),
    _from_start(_dead("rgb", "drop", _THERMAL_ALONE), "single_thermal", 9, 112),
    _from_start(_frozen("thermal"), "dropped_frozen_thermal", 9, 112),
    _from_start(_bad("rgb", "encoding", encoding="rgb565"), "dropped_bad_image_rgb", 20, 250),
]
"""Faults that are there first, each with processes of its own."""

GROUPS = [
    Group(RAW),
    Group(COMPRESSED, compressed=True),
    Group(RELIABLE, reliable=True),
    *(Group([case]) for case in FROM_START),
]
"""The whole matrix."""

_BY_NAME = {case.name: case for case in RAW}
QUICK = [
    _BY_NAME[name]
    for name in ("thermal drop", "rgb encoding encoding=rgb565", "thermal freeze stamps=new")
]
"""Those of the normal test run."""
