"""How much one camera's stream has learnt: a linear classifier on its features alone.

After the per-modality probing of arXiv 2601.00598; own formulation. The feature of a box is the
mean of the stride-16 level (P4) inside it; classes are those of the detector and background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from mdacl_ros.boxes import iou_matrix
from mdacl_ros.network.detector import Detector
from mdacl_ros.runtime.engine import STRIDE
from mdacl_ros.types import MODALITIES, FloatArray, IntArray, Modality
from mdacl_tools.learning.samples import Sample

LEVEL = 1
BACKGROUND_IOU = 0.1
L2 = 1e-3
BATCH = 8
_TRIES = 20


@dataclass(frozen=True, slots=True)
class ProbeImage:
    """One pair as the probe sees it.

    Attributes:
        rgb: ``(H, W, 3)`` uint8, H and W multiples of 32.
        thermal: ``(H, W)`` float32 in [0, 1].
        boxes: ``(N, 4)`` float32 xyxy pixels of objects and background.
        labels: ``(N,)`` int64, K for background.
    """

    rgb: np.ndarray
    thermal: FloatArray
    boxes: FloatArray
    labels: IntArray


@dataclass(frozen=True, slots=True)
class ProbeScore:
    """What a linear classifier reads off one stream.

    Attributes:
        balanced_accuracy: Mean recall over the classes, in [0, 1]; chance is 1 / classes.
        recall: By label that occurs in the test boxes; the last label is background.
    """

    balanced_accuracy: float
    recall: dict[int, float]


def probe_images(samples: Sequence[Sample], classes: int, seed: int = 0) -> list[ProbeImage]:
    """Add as many background boxes as objects, and pad to the network's grid.

    Args:
        samples: Labelled pairs; ignored regions are neither object nor background.
        classes: Number of classes K.
        seed: Where background boxes fall.
    """
    sizes = np.concatenate([_sides(s.boxes[~s.ignore]) for s in samples])
    images = []
    for index, sample in enumerate(samples):
        objects, labels = sample.boxes[~sample.ignore], sample.labels[~sample.ignore]
        rng = np.random.default_rng((seed, index))
        background = background_boxes(
            sample.boxes, sizes, sample.thermal.shape, max(1, len(objects)), rng
        )
        padded = [(0, -side % STRIDE) for side in sample.thermal.shape]
        images.append(
            ProbeImage(
                np.pad(sample.rgb, [*padded, (0, 0)]),
                np.pad(sample.thermal, padded),
                np.concatenate([objects, background]),
                np.concatenate([labels, np.full(len(background), classes)]),
            )
        )
    return images


def background_boxes(
    taken: FloatArray,
    sizes: FloatArray,
    shape: tuple[int, ...],
    count: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Boxes of the objects' sizes where there is none of them.

    Args:
        taken: ``(N, 4)`` boxes to keep clear of (IoU below 0.1).
        sizes: ``(S, 2)`` widths and heights to draw from.
        shape: Height and width of the image.
        count: How many are wanted; fewer where the image is full.
        rng: Source of chance.

    Returns:
        ``(<= count, 4)`` float32 xyxy.
    """
    height, width = shape[:2]
    boxes: list[FloatArray] = []
    for _ in range(count * _TRIES if len(sizes) else 0):
        w, h = np.minimum(sizes[rng.integers(len(sizes))], (width, height))
        x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
        box = np.array([x, y, x + w, y + h], np.float32)
        if not len(taken) or iou_matrix(box[None], taken).max() < BACKGROUND_IOU:
            boxes.append(box)
        if len(boxes) == count:
            break
    return np.array(boxes, np.float32).reshape(-1, 4)


def stream_features(
    detector: Detector, images: Sequence[ProbeImage], camera: Modality
) -> tuple[Tensor, Tensor]:
    """Features and labels of all boxes from one camera's stream.

    Args:
        detector: In eval mode; it has a stream for the camera.
        images: All of any sizes; neighbours of one size are batched.
        camera: Which stream.

    Returns:
        ``(N, C)`` float features and ``(N,)`` int64 labels.
    """
    stream = detector.streams[detector.config.modalities.index(camera)]
    features, labels = [], []
    for batch in _batches(images):
        with torch.inference_mode():
            level = stream(_tensor(batch, camera))[LEVEL]  # (B, C, h, w)
        for row, image in enumerate(batch):
            scale = level.shape[3] / image.thermal.shape[1]
            features.append(pool_boxes(level[row], torch.from_numpy(image.boxes) * scale))
            labels.append(torch.from_numpy(image.labels))
    return torch.cat(features).clone(), torch.cat(labels)


def pool_boxes(level: Tensor, boxes: Tensor) -> Tensor:
    """Mean of a feature map inside boxes, cells weighted by how much of them is covered.

    Args:
        level: ``(C, h, w)``.
        boxes: ``(N, 4)`` xyxy in cells, of positive size and not outside the map.

    Returns:
        ``(N, C)``.
    """
    across = _coverage(boxes[:, 0], boxes[:, 2], level.shape[2])  # (N, w)
    down = _coverage(boxes[:, 1], boxes[:, 3], level.shape[1])  # (N, h)
    return torch.einsum("chw,nh,nw->nc", level, down, across)


def probe_score(
    train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], classes: int
) -> ProbeScore:
    """Fit on the training boxes, score on the test boxes.

    Args:
        train: Features ``(N, C)`` and labels ``(N,)``.
        test: The same of other images.
        classes: Number of labels, background included.
    """
    centre, spread = train[0].mean(0), train[0].std(0) + 1e-6
    weight = fit_logistic((train[0] - centre) / spread, train[1], classes)
    inputs = F.pad((test[0] - centre) / spread, (0, 1), value=1.0)
    answers = (inputs @ weight.T).argmax(1)
    recall = {
        int(label): float((answers[test[1] == label] == label).float().mean())
        for label in test[1].unique()
    }
    return ProbeScore(float(np.mean(list(recall.values()))), recall)


def fit_logistic(features: Tensor, labels: Tensor, classes: int, l2: float = L2) -> Tensor:
    """Multinomial logistic regression, every class weighing the same.

    Args:
        features: ``(N, C)``, standardised.
        labels: ``(N,)`` int64 in [0, classes).
        classes: Number of classes.
        l2: Weight of the squared norm (not of the bias).

    Returns:
        ``(classes, C + 1)`` weights, the bias last.
    """
    inputs = F.pad(features, (0, 1), value=1.0)  # (N, C + 1)
    counts = torch.bincount(labels, minlength=classes).clamp(min=1)
    balance = len(labels) / (counts.float() * int((counts > 1).sum().clamp(min=1)))
    weight = torch.zeros(classes, inputs.shape[1], requires_grad=True)
    solver = torch.optim.LBFGS([weight], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> float:
        solver.zero_grad()
        value = F.cross_entropy(inputs @ weight.T, labels, balance)
        value = value + l2 * weight[:, :-1].pow(2).sum()
        value.backward()
        return value.item()

    solver.step(loss)
    return weight.detach()


def _coverage(low: Tensor, high: Tensor, cells: int) -> Tensor:
    """Share of each interval that lies in each unit cell, ``(N, cells)``, rows summing to 1."""
    start = torch.arange(cells, dtype=low.dtype)
    inside = (high[:, None].minimum(start + 1) - low[:, None].maximum(start)).clamp(min=0)
    return inside / inside.sum(1, keepdim=True).clamp(min=1e-6)


def _batches(images: Sequence[ProbeImage]) -> list[list[ProbeImage]]:
    """Consecutive images of one size, at most ``BATCH`` at a time."""
    batches: list[list[ProbeImage]] = []
    for image in images:
        last = batches[-1] if batches else []
        if last and len(last) < BATCH and last[0].thermal.shape == image.thermal.shape:
            last.append(image)
        else:
            batches.append([image])
    return batches


def _tensor(batch: Sequence[ProbeImage], camera: Modality) -> Tensor:
    """Stack one camera's images as the streams take them."""
    if camera == MODALITIES[0]:
        return torch.from_numpy(np.stack([i.rgb for i in batch])).permute(0, 3, 1, 2).float() / 255
    return torch.from_numpy(np.stack([i.thermal for i in batch])[:, None])


def _sides(boxes: FloatArray) -> FloatArray:
    return np.asarray(boxes[:, 2:] - boxes[:, :2], np.float32)
