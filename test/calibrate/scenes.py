"""Small synthetic recordings: shapes seen by two cameras, thermal inverted, blurred, displaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from mdacl_ros.sensing.registration.rig_types import CameraModel
from mdacl_ros.types import Frame, GroundTruth, Modality
from mdacl_tools.calibrate.scene.pyramid import ScenePairs
from mdacl_tools.calibrate.scene.warp_model import homography_of, unit_frame
from mdacl_tools.recordings.recording import FIRST_STAMP_NS, Event, RecordingPhase

SIZE = (320, 240)
FRAMES = 12


def place(seed: int) -> np.ndarray:
    """A still picture, ``(240, 320, 3)`` uint8: shapes before a mottled background."""
    rng = np.random.default_rng(seed)
    image = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
    for _ in range(60):
        x, y = rng.integers(0, SIZE[0]), rng.integers(0, SIZE[1])
        colour = rng.integers(20, 235, 3).tolist()
        if rng.random() < 0.5:
            w, h = rng.integers(8, 50, 2)
            box = cv2.boxPoints(((float(x), float(y)), (float(w), float(h)), rng.uniform(0, 90)))
            cv2.fillConvexPoly(image, box.astype(np.int32), colour, cv2.LINE_AA)
        else:
            cv2.circle(image, (int(x), int(y)), int(rng.integers(4, 22)), colour, -1, cv2.LINE_AA)
    return image


def thermal_of(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same shapes to a thermal camera: other brightness, mostly inverted, blurred, noisy."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    warm = 200 - 0.6 * grey + 15 * np.sin(rgb[..., 0] / 255 * 9)
    warm = cv2.GaussianBlur(warm, (0, 0), 1.2) + rng.normal(0, 2, grey.shape)
    return np.clip(warm, 0, 255).astype(np.uint8)


def displaced(size: float = 0.06) -> np.ndarray:
    """Thermal pixels -> RGB pixels of a rig 14 px, 3 degrees and a share of size from one view."""
    unit = unit_frame(SIZE)
    parameters = np.array((0.07, -0.05, size, np.radians(3), 0.004, 0.0, 0.004, -0.003))
    return np.linalg.inv(unit) @ homography_of(parameters) @ unit


def frames(rgb_seed: int, thermal_seed: int, rig: np.ndarray) -> Iterator[tuple]:
    """RGB and thermal images of ``FRAMES`` places (others where the seeds differ)."""
    rng = np.random.default_rng(99)
    for k in range(FRAMES):
        rgb = place(100 * rgb_seed + k)
        seen = rgb if rgb_seed == thermal_seed else place(100 * thermal_seed + k)
        thermal = thermal_of(seen, rng)
        yield rgb, cv2.warpPerspective(thermal, np.linalg.inv(rig), SIZE)


def scene_pairs(rgb_seed: int, thermal_seed: int, rig: np.ndarray) -> ScenePairs:
    """The same, prepared for the estimator."""
    both = list(frames(rgb_seed, thermal_seed, rig))
    grey = [cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255 for rgb, _ in both]
    thermal = np.stack([image.astype(np.float32) / 255 for _, image in both])
    picture = (thermal.max(axis=0) > 0).astype(np.uint8)
    return ScenePairs(np.stack(grey), thermal, picture, SIZE)


@dataclass
class ListRecording:
    """A recording that is a list of events."""

    events: list[Event]
    name: str = "listed"
    phases: tuple[RecordingPhase, ...] = ()
    has_truth: bool = False
    fps: dict[Modality, float] = field(default_factory=dict)
    frames: dict[Modality, int] = field(default_factory=dict)
    duration_ns: int = 0

    def __post_init__(self) -> None:
        for camera in ("rgb", "thermal"):
            count = sum(event.camera == camera for event in self.events)
            if count:
                self.frames[camera], self.fps[camera] = count, 10.0
        self.duration_ns = self.events[-1].time_ns - self.events[0].time_ns

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def truth(self, stamp_ns: int) -> GroundTruth | None:
        return None

    def camera_model(self, camera: Modality) -> CameraModel | None:
        return None

    def close(self) -> None:
        pass


def event(camera: Modality, time_s: float, image: np.ndarray, offset_s: float = 0.0) -> Event:
    """A frame taken at a time; ``offset_s`` has to be added to its stamp."""
    arrival = FIRST_STAMP_NS + round(time_s * 1e9)
    encoding = "rgb8" if image.ndim == 3 else "mono8"
    return Event(camera, arrival, Frame(image, arrival - round(offset_s * 1e9), camera, encoding))


def scene_recording(rgb_seed: int = 1, thermal_seed: int = 1) -> ListRecording:
    """Ten places a second, displaced."""
    events = []
    for k, (rgb, thermal) in enumerate(frames(rgb_seed, thermal_seed, displaced())):
        events += [event("rgb", k / 10, rgb), event("thermal", k / 10 + 0.004, thermal)]
    return ListRecording(events)


def wander(time_s: float) -> tuple[float, float]:
    """Uneven motion that does not repeat itself, in pixels."""
    x = 80 + 35 * np.sin(1.7 * time_s) + 22 * np.sin(4.1 * time_s + 1)
    return float(x), float(60 + 25 * np.sin(2.9 * time_s + 2) + 8 * np.sin(5.3 * time_s))


def moving_recording(
    offset_s: float,
    *,
    seconds: float = 12.0,
    rgb_hz: float = 30.0,
    thermal_hz: float = 9.0,
    ppm: float = 0.0,
    path: Callable[[float], tuple[float, float]] = wander,
) -> ListRecording:
    """A person-sized disc before a still background, warm where it is dark."""
    rng = np.random.default_rng(5)
    background = cv2.resize(place(3), (160, 120), interpolation=cv2.INTER_AREA)
    events = []
    cameras: tuple[tuple[Modality, float], ...] = (("rgb", rgb_hz), ("thermal", thermal_hz))
    for camera, rate in cameras:
        for time_s in np.arange(0.013 * (camera == "thermal"), seconds, 1 / rate):
            image = background.copy()
            x, y = path(float(time_s))
            centre = (round(16 * x), round(16 * y))
            cv2.circle(image, centre, 16 * 12, (30, 40, 60), -1, cv2.LINE_AA, shift=4)
            noisy = image + rng.normal(0, 2, image.shape)
            image = np.clip(noisy, 0, 255).astype(np.uint8)
            lag = offset_s + ppm * 1e-6 * (time_s - seconds / 2)
            if camera == "rgb":
                events.append(event("rgb", time_s, image))
            else:
                events.append(event("thermal", time_s, thermal_of(image, rng), lag))
    return ListRecording(sorted(events, key=lambda e: e.time_ns))
