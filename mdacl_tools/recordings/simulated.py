"""The procedural demo scenes as a recording: runs where there is no data at all."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from mdacl_ros.sensing.registration.rig_types import CameraModel
from mdacl_ros.types import Frame, GroundTruth, Modality
from mdacl_tools.recordings.bags import BagRecording
from mdacl_tools.recordings.recording import Event, RecordingPhase
from mdacl_tools.recordings.scene_cache import find_scenes, render_scenes
from mdacl_tools.scenes import Scenario, Scene, SceneConfig, SimulatedPair, demo_scenario
from mdacl_tools.scenes.geometry import Camera
from mdacl_tools.scenes.place import make_place


class SimulatedRecording:
    """A simulated scenario; see :class:`.recording.Recording`.

    Frames come from the cache of rendered scenes once :meth:`prepare` was called, now or in an
    earlier run; otherwise they are rendered as they are read.

    Args:
        scenario: What happens; the demo's day, night, smoke, thermal freeze and recovery unless
            given.
    """

    has_truth = True

    def __init__(self, scenario: Scenario | None = None) -> None:
        self.name = "simulated"
        self._scenario = scenario = scenario or demo_scenario()
        self.fps: dict[Modality, float] = {"rgb": scenario.rgb_hz, "thermal": scenario.thermal_hz}
        gaps = {"rgb": scenario.rgb_gaps, "thermal": scenario.thermal_gaps}
        self.frames: dict[Modality, int] = {
            camera: _count(scenario.duration_s, rate, gaps[camera])
            for camera, rate in self.fps.items()
        }
        self.duration_ns = round((scenario.duration_s - 1 / scenario.rgb_hz) * 1e9)
        self.phases = tuple(
            RecordingPhase(phase.name, self._stamp(phase.start_s), self._stamp(phase.end_s))
            for phase in scenario.phases
        )
        self._truth: dict[int, GroundTruth] = {}
        self._scene: Scene | None = None
        self._open_cache(find_scenes(scenario))

    def prepare(self) -> None:
        """Render all scenes into the cache, unless they are there."""
        if self._cached is None:
            self._open_cache(render_scenes(self, self._scenario))

    def __iter__(self) -> Iterator[Event]:
        """Events in order of arrival."""
        if self._cached is not None:
            yield from self._cached
            return
        for event in self._scenario:
            if event.truth is not None:
                self._truth[event.stamp_ns] = _ground_truth(event.truth)
            name = f"{event.camera}_optical_frame"
            frame = Frame(event.image, event.stamp_ns, name, event.encoding)
            yield Event(event.camera, event.arrival_ns, frame)

    def truth(self, stamp_ns: int) -> GroundTruth | None:
        """Boxes of the RGB frame with this stamp; renders it unless it was played before."""
        if self._cached is not None:
            return self._cached.truth(stamp_ns)
        if stamp_ns not in self._truth:
            time_s = (stamp_ns - self._scenario.start_ns) / 1e9
            if not 0 <= time_s < self._scenario.duration_s:
                return None
            self._scene = self._scene or Scene(self._scenario.config)
            pair = self._scene.render(time_s, self._scenario.conditions(time_s))
            self._truth[stamp_ns] = _ground_truth(pair)
        return self._truth[stamp_ns]

    def camera_model(self, camera: Modality) -> CameraModel | None:
        """A pinhole: both cameras have one optical centre and one field of view."""
        config, pinhole = self._scenario.config, simulated_camera(self._scenario.config)
        size = config.size if camera == "rgb" else config.thermal_size
        x, y = (side / whole for side, whole in zip(size, config.size, strict=True))
        # The simulation's pixels begin at the image's corner, camera_info's at a pixel's centre.
        matrix = np.array(
            [
                [pinhole.focal * x, 0, size[0] / 2 - 0.5],
                [0, pinhole.focal * y, size[1] / 2 - 0.5],
                [0, 0, 1],
            ]
        )
        return CameraModel(size, matrix, (0.0,) * 5)

    def close(self) -> None:
        """Close the cached bag."""
        if self._cached is not None:
            self._cached.close()

    def _open_cache(self, path: Path | None) -> None:
        self._cached = BagRecording(path) if path is not None else None

    def _stamp(self, time_s: float) -> int:
        return self._scenario.start_ns + round(time_s * 1e9)


@lru_cache(maxsize=8)
def simulated_camera(config: SceneConfig) -> Camera:
    """The camera of ``Scene(config)``, without painting the scene, which takes seconds."""
    return make_place(config, np.random.default_rng([config.seed, 7])).camera


def _ground_truth(pair: SimulatedPair) -> GroundTruth:
    return GroundTruth(pair.boxes, pair.labels, np.zeros(len(pair.labels), np.bool_))


def _count(duration_s: float, rate: float, gaps: tuple[tuple[float, float], ...]) -> int:
    """Frames that are delivered: those outside the gaps."""
    times = (k / rate for k in range(int(np.ceil(duration_s * rate - 1e-9))))
    return sum(not any(start <= t < end for start, end in gaps) for t in times)
