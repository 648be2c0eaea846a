"""Detections matched with ground truth by pycocotools, a few images at a time.

pycocotools keeps every detection of every image as a dictionary: a gigabyte for ten minutes of
video. Here it matches :data:`CHUNK` images at once, and what its averages need is kept as plain
arrays; they are handed to its own ``accumulate`` at the end, which gives the same numbers to the
last bit.
"""

from __future__ import annotations

import contextlib
import io
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mdacl_ros.types import BoolArray, Detections, FloatArray, GroundTruth
from mdacl_tools.scoring.matched_detections import EVERYTHING, Matched, Measure, areas

MAX_DETECTIONS = 100
"""Detections per image that count, as in COCO."""

CHUNK = 64
"""Images that pycocotools sees at once."""


class CocoMatches:
    """Collects images, matches them chunk by chunk, averages at the end.

    Args:
        classes: Number of classes.
        ranges: ``(low, high)`` of what ``measure`` gives; averages are made for each. Objects
            outside are ignored, and so are unmatched detections outside.
        measure: :func:`areas` or :func:`heights`.
    """

    def __init__(
        self,
        classes: int,
        ranges: Sequence[tuple[float, float]] = ((0.0, EVERYTHING),),
        measure: Measure = areas,
    ) -> None:
        self._classes, self._ranges, self._measure = classes, list(ranges), measure
        self._waiting: list[tuple[Detections, GroundTruth, str | None]] = []
        self._kept: dict[tuple[int, int], list[tuple[npt.NDArray[Any], ...]]] = defaultdict(list)
        self._objects: Counter[tuple[int, int, str | None]] = Counter()
        self._parts: dict[str | None, int] = {}

    def add(self, detections: Detections, truth: GroundTruth, part: str | None = None) -> None:
        """Add an image.

        Args:
            detections: What was found.
            truth: What is there.
            part: Part of the recording that the image belongs to, if averages of parts are wanted.
        """
        self._parts.setdefault(part, len(self._parts))
        self._waiting.append((detections, truth, part))
        if len(self._waiting) == CHUNK:
            self._flush()

    def matched(self, label: int, range_: int = 0, part: str | None = None) -> Matched:
        """Detections of one class.

        Args:
            label: Class.
            range_: Index into ``ranges``.
            part: Only images of this part; ``None``: all.
        """
        self._flush()
        rows = self._kept[label, range_]
        columns = [np.concatenate(column) for column in zip(*rows, strict=True)] if rows else None
        if columns is None:
            nothing, none = np.zeros((10, 0), bool), np.zeros(0, np.uint32)
            count = self._count(label, range_, part)
            return Matched(np.zeros(0), nothing, nothing, count, none)
        scores, hits, ignored, parts = columns
        here = parts == self._parts[part] if part is not None else np.ones(len(parts), bool)
        return Matched(
            scores[here].astype(np.float64),
            _unpacked(hits[here]),
            _unpacked(ignored[here]),
            self._count(label, range_, part),
            parts[here],
        )

    def objects_by_part(self, label: int, range_: int = 0) -> npt.NDArray[np.int64]:
        """Number of objects of one class in each part, ``(parts,)``."""
        self._flush()
        counts = [self._objects[label, range_, name] for name in self._parts]
        return np.array(counts, np.int64)

    def precision(self, part: str | None = None) -> FloatArray:
        """Interpolated precision by IoU, recall, class and range, ``(10, 101, K, A)`` float32.

        -1 where a class has no object.
        """
        evaluation = self._evaluation([], [], 0)
        params = evaluation._paramsEval = evaluation.params
        params.imgIds, params.maxDets = [1], [10**9]  # the limit was applied image by image
        evaluation.evalImgs = [
            _as_one_image(self.matched(label, range_, part))
            for label in range(self._classes)
            for range_ in range(len(self._ranges))
        ]
        with contextlib.redirect_stdout(io.StringIO()):  # pycocotools talks on stdout
            evaluation.accumulate()
        return np.asarray(evaluation.eval["precision"][:, :, :, :, 0], np.float32)

    def _count(self, label: int, range_: int, part: str | None) -> int:
        parts = self._parts if part is None else (part,)
        return sum(self._objects[label, range_, name] for name in parts)

    def _flush(self) -> None:
        """Match what waits and keep the result."""
        chunk, self._waiting = self._waiting, []
        if not chunk:
            return
        truth: list[dict[str, Any]] = []
        found: list[dict[str, Any]] = []
        for number, (detections, objects, _) in enumerate(chunk, 1):
            crowds = objects.ignore.tolist()
            for i, entry in enumerate(self._entries(number, objects.boxes, objects.labels)):
                truth.append(entry | {"iscrowd": int(crowds[i]), "id": len(truth) + 1})
            scores = detections.scores.tolist()
            for i, entry in enumerate(self._entries(number, detections.boxes, detections.labels)):
                found.append(entry | {"score": scores[i], "iscrowd": 0, "id": len(found) + 1})
        evaluation = self._evaluation(truth, found, len(chunk))
        with contextlib.redirect_stdout(io.StringIO()):  # pycocotools talks on stdout
            evaluation.evaluate()
        images = iter(evaluation.evalImgs)
        for label in range(self._classes):
            for range_ in range(len(self._ranges)):
                self._keep(label, range_, [(next(images), part) for _, _, part in chunk])

    def _keep(self, label: int, range_: int, images: list[tuple[Any, str | None]]) -> None:
        """Keep what averages need of one class and range, as four arrays."""
        rows = [(image, part) for image, part in images if image is not None]
        for image, part in rows:
            ignored = np.asarray(image["gtIgnore"]).astype(bool)
            self._objects[label, range_, part] += int((~ignored).sum())
        some = [(image, part) for image, part in rows if len(image["dtScores"])]
        if some:
            parts = [np.full(len(i["dtScores"]), self._parts[part], np.uint32) for i, part in some]
            self._kept[label, range_].append(
                (
                    np.concatenate([np.asarray(i["dtScores"], np.float32) for i, _ in some]),
                    np.concatenate([_packed(np.asarray(i["dtMatches"]) > 0) for i, _ in some]),
                    np.concatenate([_packed(np.asarray(i["dtIgnore"]) > 0) for i, _ in some]),
                    np.concatenate(parts),
                )
            )

    def _evaluation(self, truth: list[Any], found: list[Any], images: int) -> COCOeval:
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation = COCOeval(
                self._coco(truth, images), self._coco(found, images), iouType="bbox"
            )
        evaluation.params.maxDets = [MAX_DETECTIONS]
        evaluation.params.areaRng = [list(limits) for limits in self._ranges]
        evaluation.params.areaRngLbl = [str(i) for i in range(len(self._ranges))]
        evaluation.params.catIds = list(range(1, self._classes + 1))
        return evaluation

    def _coco(self, annotations: list[dict[str, Any]], images: int) -> COCO:
        """The annotations as a pycocotools index; ``COCO.loadRes`` refuses empty results."""
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": number} for number in range(1, images + 1)],
            "categories": [{"id": k + 1} for k in range(self._classes)],
            "annotations": annotations,
        }
        coco.createIndex()
        return coco

    def _entries(
        self, image_id: int, boxes: FloatArray, labels: npt.NDArray[np.int64]
    ) -> list[dict[str, Any]]:
        """COCO annotations (xywh, categories from 1) of ``(N, 4)`` xyxy boxes."""
        rows = zip(boxes.tolist(), labels.tolist(), self._measure(boxes).tolist(), strict=True)
        return [
            {
                "image_id": image_id,
                "category_id": label + 1,
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "area": size,
            }
            for (x0, y0, x1, y1), label, size in rows
        ]


def _as_one_image(matched: Matched) -> dict[str, Any]:
    """All detections as pycocotools' result for a single image."""
    return {
        "dtScores": matched.scores,
        "dtMatches": matched.hits,
        "dtIgnore": matched.ignored,
        "gtIgnore": np.zeros(matched.objects),
    }


def _packed(flags: BoolArray) -> npt.NDArray[np.uint16]:
    """``(10, N)`` bool as ``(N,)`` bits."""
    weights = (1 << np.arange(len(flags))).astype(np.uint16)
    return np.asarray((flags * weights[:, None]).sum(axis=0), np.uint16)


def _unpacked(bits: npt.NDArray[np.uint16]) -> BoolArray:
    """``(N,)`` bits as ``(10, N)`` bool."""
    return np.asarray((bits >> np.arange(10, dtype=np.uint16)[:, None]) & 1, bool)
