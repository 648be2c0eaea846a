"""A labelled recording made of arrays, for tests."""

import numpy as np

from mdacl_ros.types import Frame, GroundTruth
from mdacl_tools.recordings.recording import FIRST_STAMP_NS, Event

SIZE = (160, 128)


class LabelledPairs:
    """Pairs with one person each, a second apart; counts how often it is read."""

    BOX = (40, 32, 60, 80)
    has_truth, name, phases = True, "made", ()
    duration_ns = 0

    def __init__(self, pairs: int) -> None:
        self.stamps = [FIRST_STAMP_NS + i * 1_000_000_000 for i in range(pairs + 1)]
        self.fps = {"rgb": 1.0, "thermal": 1.0}
        self.frames = {"rgb": pairs, "thermal": pairs}
        truth = GroundTruth(
            np.array([self.BOX], np.float32), np.zeros(1, np.int64), np.zeros(1, bool)
        )
        self.truths = dict.fromkeys(self.stamps[:-1], truth)
        self.passes = 0

    def __iter__(self):
        self.passes += 1
        rng = np.random.default_rng(0)
        for stamp in self.stamps[:-1]:
            rgb = rng.integers(0, 255, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
            yield Event("rgb", stamp, Frame(rgb, stamp, "rgb_optical_frame", "rgb8"))
            thermal = rng.integers(0, 255, (SIZE[1], SIZE[0])).astype(np.uint8)
            yield Event("thermal", stamp, Frame(thermal, stamp, "thermal_optical_frame", "mono8"))

    def truth(self, stamp_ns):
        return self.truths.get(stamp_ns)

    def camera_model(self, camera):
        return None

    def close(self) -> None:
        pass
