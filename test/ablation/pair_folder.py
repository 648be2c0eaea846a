"""A tiny data folder: bright rectangles on a dark ground, seen by both cameras, day and night."""

import json
from pathlib import Path

import cv2
import numpy as np

SIZE = (96, 96)


def write_pairs(folder: Path, count: int = 6) -> Path:
    """Write ``msrs/train.json`` and ``msrs/test.json`` with ``count`` pairs each."""
    for split in ("train", "test"):
        images, annotations = [], []
        for i in range(count):
            box = (8 * i, 16, 32, 48)  # xywh
            rgb = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
            rgb[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = 255
            names = {c: f"{c}/{split}_{i}.png" for c in ("rgb", "thermal")}
            for camera, pixels in (("rgb", rgb), ("thermal", rgb[..., 0])):
                path = folder / "msrs" / names[camera]
                path.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(path), pixels)
            time = "day" if i < count // 2 else "night"
            size = {"width": SIZE[0], "height": SIZE[1]}
            images.append({"id": i + 1, **names, **size, "time": time})
            annotations.append(
                {
                    "id": i + 1,
                    "image_id": i + 1,
                    "category_id": i % 3 + 1,
                    "bbox": list(box),
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                }
            )
        categories = [{"id": k + 1, "name": n} for k, n in enumerate(("person", "car", "bicycle"))]
        coco = {"images": images, "annotations": annotations, "categories": categories}
        (folder / "msrs" / f"{split}.json").write_text(json.dumps(coco))
    return folder
