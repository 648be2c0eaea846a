"""Chunks of images give what pycocotools gives for all of them at once, to the last bit."""

import contextlib
import io
import os

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mdacl_ros.types import Detections, GroundTruth
from mdacl_tools.scoring.coco_matching import CHUNK, CocoMatches
from mdacl_tools.scoring.matched_detections import areas, heights

RANGES = ((0.0, 1e10), (0.0, 32.0**2), (32.0**2, 1e10))
CLASSES = 2


def images(count: int):
    """Boxes, most of them near an object; few distinct scores, so that there are many ties."""
    rng = np.random.default_rng(1)
    for _ in range(count):
        n = int(rng.integers(0, 5))
        corners = rng.uniform(0, 200, (n, 2))
        truth = np.concatenate([corners, corners + rng.uniform(8, 80, (n, 2))], 1)
        boxes = np.concatenate([truth + rng.normal(0, 4, truth.shape), truth[:1] + 90])
        labels = rng.integers(0, CLASSES, len(boxes))
        yield (
            Detections(
                boxes.astype(np.float32),
                (rng.integers(1, 9, len(boxes)) / 10).astype(np.float32),
                labels.astype(np.int64),
                (300, 300),
            ),
            GroundTruth(
                truth.astype(np.float32),
                np.where(rng.random(n) < 0.8, labels[:n], 0).astype(np.int64),
                rng.random(n) < 0.1,
            ),
        )


def at_once(pairs, measure=areas) -> np.ndarray:
    """The precision that pycocotools gives for all images together."""
    truth, found = [], []
    for number, (detections, objects) in enumerate(pairs, 1):
        for rows, item in ((truth, objects), (found, detections)):
            sizes = measure(item.boxes)
            for i, (x0, y0, x1, y1) in enumerate(item.boxes.tolist()):
                rows.append(
                    {
                        "id": len(rows) + 1,
                        "image_id": number,
                        "category_id": int(item.labels[i]) + 1,
                        "bbox": [x0, y0, x1 - x0, y1 - y0],
                        "area": float(sizes[i]),
                        "iscrowd": int(objects.ignore[i]) if item is objects else 0,
                        "score": 0.0 if item is objects else float(detections.scores[i]),
                    }
                )
    indices = []
    with contextlib.redirect_stdout(io.StringIO()):
        for rows in (truth, found):
            index = COCO()
            index.dataset = {
                "images": [{"id": n} for n in range(1, len(pairs) + 1)],
                "categories": [{"id": k + 1} for k in range(CLASSES)],
                "annotations": rows,
            }
            index.createIndex()
            indices.append(index)
        evaluation = COCOeval(*indices, iouType="bbox")
        evaluation.params.areaRng = [list(r) for r in RANGES]
        evaluation.params.areaRngLbl = ["a", "b", "c"]
        evaluation.params.maxDets = [100]
        evaluation.evaluate()
        evaluation.accumulate()
    return np.asarray(evaluation.eval["precision"][..., 0], np.float32)


@pytest.mark.parametrize("measure", [areas, heights])
def test_chunks_give_the_same_bits(measure) -> None:
    pairs = list(images(2 * CHUNK + 7))
    matches = CocoMatches(CLASSES, RANGES, measure)
    for detections, truth in pairs:
        matches.add(detections, truth)
    want = at_once(pairs, measure)
    assert 0.2 < want[0, :, :, 0].mean() <= 1.0
    assert matches.precision().tobytes() == want.tobytes()


def test_a_part_is_scored_as_if_it_were_alone() -> None:
    pairs = list(images(CHUNK + 9))
    matches = CocoMatches(CLASSES, RANGES)
    for number, (detections, truth) in enumerate(pairs):
        matches.add(detections, truth, "day" if number % 3 else "night")
    night = [pair for number, pair in enumerate(pairs) if number % 3 == 0]
    assert matches.precision("night").tobytes() == at_once(night).tobytes()
    assert matches.precision().tobytes() == at_once(pairs).tobytes()
    found = matches.matched(0, 0, "night")
    kept = sum(int((truth.labels[~truth.ignore] == 0).sum()) for _, truth in night)
    assert found.objects == kept > 0


def test_memory_stays_small() -> None:
    """A frame with 60 detections costs a few kB at most, where dictionaries cost 40 kB."""
    psutil = pytest.importorskip("psutil")
    rng = np.random.default_rng(0)
    boxes = np.sort(rng.uniform(0, 300, (60, 4)), 1).astype(np.float32)
    detections = Detections(boxes, rng.random(60).astype(np.float32), np.zeros(60, int), (300, 300))
    truth = GroundTruth(boxes[:2], np.zeros(2, int), np.zeros(2, bool))
    matches, process = CocoMatches(CLASSES), psutil.Process(os.getpid())
    for _ in range(3 * CHUNK):
        matches.add(detections, truth)
    before = process.memory_info().rss
    for _ in range(6 * CHUNK):
        matches.add(detections, truth)
    assert (process.memory_info().rss - before) / (6 * CHUNK) < 16384
