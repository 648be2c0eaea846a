"""A real, deterministic Engine without a network: finds bright blobs in either image.

It stands in for the neural network alone; everything around it in these tests is the real thing.
"""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np

from mdacl_ros.errors import EngineError
from mdacl_ros.runtime.engine import Progress
from mdacl_ros.types import ByteArray, FloatArray, Predictions

CANDIDATES = 16
LEVELS = 3
BRIGHT = 0.7


class BlobEngine:
    """Boxes around connected areas brighter than 0.7 in RGB or thermal: thermal ones are persons.

    Attributes:
        calls: Number of ``infer`` calls so far.
        probes: How many of them asked for the exact index.
        gate: Cleared by a test to hold ``infer`` up, as a slow detector would be.
        fail: Set by a test: the next ``infer`` calls raise this.
    """

    name = "blob"
    precision = "float32"
    device = "test"
    labels = ("person", "car", "bicycle")
    estimate = (1.0, 0.0)

    def __init__(self, input_size: tuple[int, int] = (160, 128)) -> None:
        self.input_size = input_size
        self.calls = 0
        self.probes = 0
        self.closed = False
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self.fail: Exception | None = None

    def infer(
        self, rgb: ByteArray, thermal: FloatArray, present: FloatArray, *, probe: bool = False
    ) -> Predictions:
        self.calls += 1
        self.probes += probe
        self.entered.set()
        assert self.gate.wait(20.0), "the test forgot to open the gate"
        if self.fail is not None:
            raise self.fail
        here = present.any(axis=(2, 3))[0]  # (2,)
        found = _blobs(thermal[0, 0], 0) if here[1] else []
        found += _blobs(rgb[0].mean(axis=2) / 255, 1) if here[0] else []
        found.sort(key=lambda blob: -blob[4])
        return self._predictions(found[:CANDIDATES], rgb, thermal, here, probe)

    def _predictions(
        self,
        found: list[tuple[float, ...]],
        rgb: ByteArray,
        thermal: FloatArray,
        here: np.ndarray,
        probe: bool,
    ) -> Predictions:
        boxes = np.zeros((1, CANDIDATES, 4), np.float32)
        scores = np.zeros((1, CANDIDATES), np.float32)
        labels = np.zeros((1, CANDIDATES), np.int64)
        for i, (x0, y0, x1, y1, score, label) in enumerate(found):
            boxes[0, i] = x0, y0, x1, y1
            scores[0, i], labels[0, i] = score, label
        energy = np.array([rgb.mean() / 255, thermal.mean()], np.float32) * here
        per_level = np.repeat(energy[None, :, None], LEVELS, axis=2)  # (1, 2, L)
        there = np.repeat(here.astype(np.float32)[None, :, None], LEVELS, axis=2)
        return Predictions(
            boxes=boxes,
            scores=scores,
            labels=labels,
            gates=there,
            entropies=0.5 * there,
            energies=per_level,
            box_energies=np.repeat(energy[None, :, None], CANDIDATES, axis=2),
            sensitivities=energy[None] if probe else None,
            alone_boxes=np.repeat(boxes[:, None], 2, axis=1) if probe else None,
            alone_scores=_alone(scores, labels) if probe else None,
            alone_labels=np.repeat(labels[:, None], 2, axis=1) if probe else None,
        )

    def close(self) -> None:
        self.closed = True


def _alone(scores: FloatArray, labels: np.ndarray) -> FloatArray:
    """Scores with one camera alone, ``(1, 2, N)``: each sees the blobs of its own image."""
    return np.stack([scores * (labels == 1), scores * (labels == 0)], axis=1)


def _blobs(image: FloatArray, label: int) -> list[tuple[float, ...]]:
    mask = (image > BRIGHT).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    found = []
    for x, y, width, height, area in stats[1:count].tolist():
        if area >= 16:
            found.append((x, y, x + width, y + height, min(0.5 + area / 4000, 0.99), label))
    return found


class BlobFactory:
    """Makes blob engines where the node would load a network; tests look at the newest one.

    Attributes:
        fail: Set by a test: the next loads raise this.
        hold: Cleared by a test to make loading take long; ``loading`` then is set meanwhile.
    """

    def __init__(self) -> None:
        self.engines: list[BlobEngine] = []
        self.fail: Exception | None = None
        self.loading = threading.Event()
        self.hold = threading.Event()
        self.hold.set()

    @property
    def engine(self) -> BlobEngine:
        return self.engines[-1]

    def __call__(
        self,
        model: Path,
        *,
        engine: str,
        precision: str,
        device: str,
        input_size: tuple[int, int],
        progress: Progress | None,
    ) -> BlobEngine:
        if self.fail is not None:
            raise self.fail
        self.loading.clear() if self.hold.is_set() else self.loading.set()
        assert self.hold.wait(20.0), "the test forgot to let the engine load"
        if not model.is_dir():
            raise EngineError(f"no model folder {model}")
        if progress is not None:
            progress(0.5, "building")
            progress(1.0, "done")
        self.engines.append(BlobEngine(input_size))
        return self.engines[-1]
