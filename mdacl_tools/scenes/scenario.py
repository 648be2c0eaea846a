"""Ready-made scenes: one random picture for training, and the demo's continuous clip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mdacl_ros.errors import ParameterError
from mdacl_ros.types import Array, Modality
from mdacl_tools.scenes.config import Conditions, Light, SceneConfig, SimulatedPair
from mdacl_tools.scenes.scene import Scene

SECOND = 1_000_000_000
DEMO_PLACE = 1
"""Seed of the place that ``demo_scenario(0)`` shows; training takes seeds from 1000 up."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A named part of a scenario, ``[start_s, end_s)``."""

    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class ScenarioEvent:
    """One frame of one camera.

    Attributes:
        camera: ``rgb`` or ``thermal``.
        stamp_ns: What the camera's own clock says (the thermal one is off by its offset).
        arrival_ns: Time on the RGB camera's clock; events come in this order.
        image: ``(H, W, 3)`` uint8 or ``(h, w)`` uint16.
        encoding: ``rgb8`` or ``16UC1``.
        truth: With RGB frames, the pair it belongs to (boxes, labels); ``None`` with thermal.
    """

    camera: Modality
    stamp_ns: int
    arrival_ns: int
    image: Array
    encoding: str
    truth: SimulatedPair | None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A clip: iterate it for its events, as often as wanted, always the same bytes.

    Attributes:
        config: The place.
        phases: What happens when.
        duration_s: Length in seconds.
        rgb_hz: RGB frame rate.
        thermal_hz: Thermal frame rate.
        thermal_clock_offset_ns: Added to RGB-clock time to get thermal stamps (so the node's
            ``thermal_clock_offset`` is its negative).
        start_ns: RGB stamp of the first frame.
        darkness, smoke, glare: Keyframes (second, value), linear in between.
        thermal_gaps: Spans ``(start_s, end_s)`` in which the thermal camera delivers nothing.
        rgb_gaps: The same for the RGB camera.
        repeats_in_gaps: A camera goes on sending its last image with new stamps in its gaps, as
            some drivers do when the sensor hangs.
    """

    config: SceneConfig
    phases: tuple[Phase, ...]
    duration_s: float
    rgb_hz: float = 30.0
    thermal_hz: float = 30.0
    thermal_clock_offset_ns: int = 0
    start_ns: int = SECOND
    darkness: tuple[tuple[float, float], ...] = ((0.0, 0.0),)
    smoke: tuple[tuple[float, float], ...] = ((0.0, 0.0),)
    glare: tuple[tuple[float, float], ...] = ((0.0, 0.0),)
    thermal_gaps: tuple[tuple[float, float], ...] = ()
    rgb_gaps: tuple[tuple[float, float], ...] = ()
    repeats_in_gaps: bool = False

    def __post_init__(self) -> None:
        for name in ("rgb_hz", "thermal_hz", "duration_s"):
            if getattr(self, name) <= 0:
                raise ParameterError(
                    f"scenario: {name}: got {getattr(self, name)}, wanted a positive number"
                )

    def conditions(self, time_s: float) -> Conditions:
        """Light and air at a time."""
        darkness, smoke, glare = (
            float(np.interp(time_s, [k[0] for k in keys], [k[1] for k in keys]))
            for keys in (self.darkness, self.smoke, self.glare)
        )
        return Conditions(darkness, smoke, glare)

    def phase_at(self, time_s: float) -> str:
        """Name of the phase at a time (the last one at and after the end)."""
        return next(
            (p.name for p in self.phases if p.start_s <= time_s < p.end_s), self.phases[-1].name
        )

    def __iter__(self) -> Iterator[ScenarioEvent]:
        """Events in order of arrival; frames of both cameras at one time share one rendering."""
        scene = Scene(self.config)
        last: tuple[int, SimulatedPair] | None = None
        shown: dict[Modality, Array] = {}
        for at_ns, camera in self._schedule():
            time_s = at_ns / SECOND
            if last is None or last[0] != at_ns:
                last = (at_ns, scene.render(time_s, self.conditions(time_s)))
            pair, arrival = last[1], self.start_ns + at_ns
            if camera not in shown or not self._in_gap(camera, time_s):
                shown[camera] = pair.rgb if camera == "rgb" else pair.thermal
            if camera == "rgb":
                yield ScenarioEvent("rgb", arrival, arrival, shown[camera], "rgb8", pair)
            else:
                stamp = arrival + self.thermal_clock_offset_ns
                yield ScenarioEvent("thermal", stamp, arrival, shown[camera], "16UC1", None)

    def _in_gap(self, camera: Modality, time_s: float) -> bool:
        """Whether the camera is frozen at this time."""
        gaps = self.rgb_gaps if camera == "rgb" else self.thermal_gaps
        return any(start <= time_s < end for start, end in gaps)

    def _schedule(self) -> list[tuple[int, Modality]]:
        """Capture times (ns since the start) of all frames that are delivered."""
        frames: list[tuple[int, Modality]] = []
        rates: tuple[tuple[Modality, float], ...] = (
            ("rgb", self.rgb_hz),
            ("thermal", self.thermal_hz),
        )
        for camera, rate in rates:
            for k in range(int(np.ceil(self.duration_s * rate - 1e-9))):
                if self.repeats_in_gaps or not self._in_gap(camera, k / rate):
                    frames.append((round(k / rate * SECOND), camera))
        return sorted(frames)


def demo_scenario(
    seed: int = 0,
    *,
    thermal_hz: float = 30.0,
    thermal_clock_offset_ns: int = 0,
    thermal_size: tuple[int, int] = (640, 480),
) -> Scenario:
    """Day, night, smoke, a thermal camera that freezes for 2.5 s, recovery: 24 s in one place."""
    config = SceneConfig(
        seed=DEMO_PLACE + seed,
        thermal_size=thermal_size,
        people=(7, 7),
        cars=(3, 3),
        bicycles=(1, 2),
        layout="street",
        air_celsius=14.0,
    )
    names = ("day", "night", "smoke", "thermal_freeze", "recovery")
    times = (0.0, 6.0, 12.0, 18.5, 21.0, 24.0)
    phases = tuple(Phase(n, a, b) for n, a, b in zip(names, times[:-1], times[1:], strict=True))
    return Scenario(
        config=config,
        phases=phases,
        duration_s=24.0,
        thermal_hz=thermal_hz,
        thermal_clock_offset_ns=thermal_clock_offset_ns,
        darkness=((5.0, 0.0), (6.5, 1.0), (11.0, 1.0), (12.5, 0.15), (14.0, 0.0)),
        smoke=((11.6, 0.0), (13.2, 0.92), (16.8, 0.92), (18.4, 0.0)),
        thermal_gaps=((18.5, 21.0),),
    )


def random_config(seed: int) -> SceneConfig:
    """Any place, light, weather and traffic."""
    rng = np.random.default_rng([seed, 3])
    lights: tuple[Light, ...] = ("day", "dusk", "night")
    config = SceneConfig(
        seed=seed,
        light=lights[int(rng.choice(3, p=[0.42, 0.16, 0.42]))],
        people=(1, 9),
        cars=(0, 5),
        bicycles=(0, 3),
    )
    draw = rng.random()
    if draw < 0.22:
        config = replace(config, smoke=float(rng.uniform(0.25, 1.0)))
    elif draw < 0.34:
        config = replace(config, glare=float(rng.uniform(0.3, 1.0)))
    return config


def random_scene(seed: int) -> SimulatedPair:
    """One picture of a random scene at a random time, for training."""
    rng = np.random.default_rng([seed, 5])
    return Scene(random_config(seed)).render(float(rng.uniform(0, 20)))
