"""What a simulated scene is asked for, and what it answers: plain, frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from mdacl_ros.errors import ParameterError
from mdacl_ros.types import ByteArray, FloatArray, IntArray

Light = Literal["day", "dusk", "night"]
Layout = Literal["street", "yard"]

DARKNESS: dict[str, float] = {"day": 0.0, "dusk": 0.5, "night": 1.0}
"""Light names on the scale of :attr:`Conditions.darkness`."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the air and the light are like at one moment.

    Attributes:
        darkness: 0 day, 0.5 dusk, 1 night; anything between is blended.
        smoke: 0 clear ... 1 people a few metres away vanish in RGB.
        glare: 0 none ... 1 a low sun (by day) or a floodlight (by night) blinds the RGB camera.
    """

    darkness: float = 0.0
    smoke: float = 0.0
    glare: float = 0.0


@dataclass(frozen=True, slots=True)
class SceneConfig:
    """One simulated place with its people and vehicles.

    Attributes:
        seed: Everything random follows from it; same config and time give the same bytes.
        size: RGB ``(width, height)`` in pixels.
        thermal_size: Thermal ``(width, height)`` in pixels; the optical centre and the field of
            view are those of the RGB camera, so a pure scaling registers the two.
        light: ``day``, ``dusk`` or ``night``.
        smoke: Thickness in [0, 1], see :class:`Conditions`.
        glare: Strength in [0, 1], see :class:`Conditions`.
        people: Inclusive (fewest, most) pedestrians; riders of bicycles come on top.
        cars: Inclusive (fewest, most) cars, moving and parked.
        bicycles: Inclusive (fewest, most) bicycles, ridden and parked.
        layout: ``street``, ``yard``, or ``None`` to let the seed choose.
        air_celsius: Day air temperature in degrees Celsius, or ``None`` to let the seed choose
            (-4 ... 36; above about 26 sunlit ground is hotter than people).

    Raises:
        ParameterError: A value is out of range.
    """

    seed: int = 0
    size: tuple[int, int] = (640, 480)
    thermal_size: tuple[int, int] = (640, 480)
    light: Light = "day"
    smoke: float = 0.0
    glare: float = 0.0
    people: tuple[int, int] = (3, 7)
    cars: tuple[int, int] = (1, 4)
    bicycles: tuple[int, int] = (0, 2)
    layout: Layout | None = None
    air_celsius: float | None = None

    def __post_init__(self) -> None:
        if self.light not in DARKNESS:
            _reject("light", self.light, f"one of {', '.join(DARKNESS)}")
        if self.layout not in (None, "street", "yard"):
            _reject("layout", self.layout, "street, yard or None")
        for name in ("smoke", "glare"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                _reject(name, getattr(self, name), "a number in [0, 1]")
        for name in ("size", "thermal_size"):
            if min(getattr(self, name)) < 32:
                _reject(name, getattr(self, name), "(width, height), both at least 32 pixels")
        for name in ("people", "cars", "bicycles"):
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                _reject(name, (low, high), "(fewest, most) with 0 <= fewest <= most")

    @property
    def conditions(self) -> Conditions:
        """The conditions this config asks for, constant over time."""
        return Conditions(DARKNESS[self.light], self.smoke, self.glare)


@dataclass(frozen=True, slots=True)
class SimulatedPair:
    """One registered RGB-thermal picture with its ground truth.

    Attributes:
        rgb: ``(H, W, 3)`` uint8, R, G, B.
        thermal: ``(h, w)`` uint16 apparent temperature in centikelvin (encoding ``16UC1``).
        boxes: ``(N, 4)`` float32 xyxy in RGB pixels around the part of each object that nothing
            else covers. Smoke and darkness do not hide an object here: that is what the detector
            has to overcome.
        labels: ``(N,)`` int64, index into :data:`mdacl_ros.types.LABELS`.
        visibility: ``(N,)`` float32 in (0, 1], the share of the object's silhouette that is inside
            the picture and not covered; objects under 0.25 are left out.
        object_ids: ``(H, W)`` int16, row of ``boxes`` each pixel belongs to, -1 elsewhere.
    """

    rgb: ByteArray
    thermal: npt.NDArray[np.uint16]
    boxes: FloatArray
    labels: IntArray
    visibility: FloatArray
    object_ids: npt.NDArray[np.int16]


def _reject(name: str, got: object, wanted: str) -> None:
    """Raise for one bad value of a scene's config."""
    raise ParameterError(
        f"simulated scene: {name}: got {got!r}, wanted {wanted}; change SceneConfig.{name}"
    )
