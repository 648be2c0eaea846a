"""A detector of arithmetic, and labelled pairs made of arrays."""

import numpy as np

from mdacl_ros.pipeline import Perception, PipelineConfig
from mdacl_ros.types import LABELS, Frame, GroundTruth, Predictions
from mdacl_tools.recordings.recording import FIRST_STAMP_NS, Event, RecordingPhase

SIZE = (160, 128)
BOX = (40, 32, 60, 80)


class Recording:
    """Ten pairs with a person each, the first half by day; all look the same."""

    has_truth, name, duration_ns = True, "made", 0

    def __init__(self, pairs: int = 10) -> None:
        self.stamps = [FIRST_STAMP_NS + i * 1_000_000_000 for i in range(pairs + 1)]
        self.fps = {"rgb": 1.0, "thermal": 1.0}
        self.frames = {"rgb": pairs, "thermal": pairs}
        s = self.stamps
        self.phases = (
            RecordingPhase("day", s[0], s[pairs // 2]),
            RecordingPhase("night", s[pairs // 2], s[pairs]),
        )
        self.passes = 0

    def __iter__(self):
        self.passes += 1
        ramp = np.linspace(40, 200, SIZE[0]).astype(np.uint8)
        grey = np.repeat(ramp[None], SIZE[1], 0)
        grey[::16] //= 2  # lines, so that a vertical shift shows too
        for stamp in self.stamps[:-1]:
            rgb = np.repeat(grey[..., None], 3, 2)
            yield Event("rgb", stamp, Frame(rgb, stamp, "rgb", "rgb8"))
            yield Event("thermal", stamp, Frame(grey, stamp, "thermal", "mono8"))

    def truth(self, stamp_ns):
        if stamp_ns not in self.stamps[:-1]:
            return None
        return GroundTruth(np.array([BOX], np.float32), np.zeros(1, np.int64), np.zeros(1, bool))

    def camera_model(self, camera):
        return None

    def close(self) -> None:
        pass


class BlindedByRgb:
    """Right where RGB looks as recorded or is absent; thermal alone is enough, RGB alone is not."""

    name, precision, device = "stub", "float32", "test"
    input_size, labels, estimate = SIZE, LABELS, (1.0, 0.0)

    def __init__(self, expected) -> None:
        self.expected = expected.astype(np.float32)
        self.seen = []

    def infer(self, rgb, thermal, present, *, probe=False):
        self.seen.append((rgb.copy(), thermal.copy(), present.any((2, 3))[0]))
        rgb_there, thermal_there = present.any((2, 3))[0]
        fine = not rgb_there or float(np.abs(rgb - self.expected).mean()) < 5
        box = BOX if thermal_there and fine else (100, 100, 120, 120)
        ones = np.ones((1, 2, 3), np.float32)
        return Predictions(
            np.array([[box]], np.float32),
            np.array([[0.9]], np.float32),
            np.zeros((1, 1), int),
            ones,
            ones,
            ones,
            np.ones((1, 2), np.float32) if probe else None,
        )

    def close(self) -> None:
        pass


def stub_perception() -> Perception:
    first = next(iter(Recording(1))).frame.image
    return Perception(BlindedByRgb(first), None, PipelineConfig(score_threshold=0.001))
