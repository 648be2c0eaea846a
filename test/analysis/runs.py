"""Training runs as the trainer leaves them, made up, and tiny data sets."""

import json
from dataclasses import replace

import cv2
import numpy as np
import torch
from safetensors.torch import save_file

from mdacl_ros.network.config import SIZES
from mdacl_ros.network.detector import Detector
from mdacl_ros.types import LABELS

CONFIG = replace(
    SIZES["nano"],
    blocks=(0, 1, 3, 5, 6, 11),
    neck_channels=16,
    head_depth=1,
    gate_channels=8,
    guidance_channels=8,
)
SIZE = (160, 128)


def write_run(folder, steps=40, snapshots=(), config=CONFIG, fields=("share_rgb", "mdi_p3")):
    """A log that leans from thermal to balance, and snapshots of random detectors."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = []
    for step in range(1, steps + 1):
        record = {"step": step, "loss": 5 / step, "mdi": -0.8 + 0.8 * step / steps}
        record |= {f"entropy_{camera}": 0.9 + 0.01 * rng.random() for camera in config.modalities}
        record |= dict.fromkeys(fields, 0.3)
        lines.append(json.dumps(record))
    (folder / "log.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "config.json").write_text(json.dumps({"detector": config.to_dict()}))
    (folder / "snapshots").mkdir()
    for step in snapshots:
        torch.manual_seed(step)
        state = {k: v.contiguous() for k, v in Detector(config).state_dict().items()}
        save_file(state, folder / f"snapshots/step_{step:06d}.safetensors")
    return folder


def write_data_set(folder, conditions=("day", "night")):
    """``train.json`` and ``test.json``: bright people and dark cars on a grey ground."""
    for name in ("rgb", "thermal"):
        (folder / name).mkdir(parents=True)
    for split, count in (("train", 6), ("test", 4)):
        coco = {"images": [], "annotations": []}
        coco["categories"] = [{"id": i + 1, "name": name} for i, name in enumerate(LABELS)]
        for i in range(count):
            _add_pair(folder, coco, f"{split}{i}", conditions[i % len(conditions)])
        (folder / f"{split}.json").write_text(json.dumps(coco))
    return folder


def _add_pair(folder, coco, name, condition) -> None:
    image_id = len(coco["images"]) + 1
    rng = np.random.default_rng(image_id)
    grey = np.full((SIZE[1], SIZE[0]), 110, np.uint8) + rng.integers(0, 8, SIZE[::-1], np.uint8)
    for category, (x, level) in enumerate(((10, 230), (90, 20)), start=1):
        x, y = x + int(rng.integers(20)), int(rng.integers(60))
        grey[y : y + 48, x : x + 32] = level
        annotation = {"id": len(coco["annotations"]) + 1, "image_id": image_id, "iscrowd": 0}
        coco["annotations"].append(annotation | {"category_id": category, "bbox": [x, y, 32, 48]})
    cv2.imwrite(str(folder / f"rgb/{name}.png"), np.repeat(grey[..., None], 3, 2))
    cv2.imwrite(str(folder / f"thermal/{name}.png"), grey)
    files = {"file_name": f"{name}.png", "rgb": f"rgb/{name}.png", "thermal": f"thermal/{name}.png"}
    size = {"width": SIZE[0], "height": SIZE[1]}
    meta = {"smoke": True} if condition == "smoke" else {"time": condition}
    coco["images"].append({"id": image_id, **files, **size, **meta})
