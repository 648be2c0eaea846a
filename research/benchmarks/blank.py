"""Images that show nothing: how many real ones are taken for blank, how many blank ones are found.

    .venv/bin/python research/benchmarks/blank.py [--data ../shared/data] [--every N]

Real images: all pairs of msrs, m3svd and llvip_small, and the m3svd clips. Blank ones: made of each
n-th msrs/test pair, the whole image and its left half.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from mdacl_ros.sensing.blank import BlankCells
from mdacl_ros.sensing.thermal.normalizer import normalize_once
from mdacl_tools.learning.samples import load_sample, read_pairs
from mdacl_tools.recordings.datasets.data_folder import data_folder

SIZE = (640, 480)
SETS = ("msrs/test", "msrs/train", "m3svd/test", "llvip_small/train")
COVERED = np.ones((SIZE[1] // 32, SIZE[0] // 32), np.float32)
FILLS = {f"uniform {level}": level for level in (26, 77, 128, 179, 230)} | {
    "black": 0,
    "white": 255,
}


def network_images(rgb: np.ndarray, thermal: np.ndarray) -> dict[str, np.ndarray]:
    """Both images of a pair in the network's size."""
    return {"rgb": cv2.resize(rgb, SIZE), "thermal": cv2.resize(thermal, SIZE)}


def stills(data: Path, name: str, every: int) -> Iterator[dict[str, np.ndarray]]:
    """Pairs of a data set."""
    for record in read_pairs(data / f"{name}.json")[::every]:
        sample = load_sample(record, 3)
        yield network_images(sample.rgb, sample.thermal)


def clip(data: Path, name: str, every: int) -> Iterator[dict[str, np.ndarray]]:
    """Every n-th pair of an m3svd clip."""
    videos = [
        cv2.VideoCapture(str(data / f"m3svd/videos/{folder}/{name}"))
        for folder in ("visible", "infrared")
    ]
    index = 0
    while all(video.grab() for video in videos):
        if index % every == 0:
            rgb, thermal = (video.retrieve()[1] for video in videos)
            grey = normalize_once(np.ascontiguousarray(thermal[..., 0]), "mono8")
            yield network_images(rgb, grey)
        index += 1


def blanks(image: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """What a blind camera delivers in place of an image, by name."""
    top = 255 if image.dtype == np.uint8 else 1.0
    for name, level in FILLS.items():
        yield name, np.full_like(image, top * level / 255)
    glow = np.linspace(2, 14, image.shape[1]).reshape(1, -1, *[1] * (image.ndim - 2))
    lens = (glow + rng.normal(0, 2, image.shape)).clip(0, 255) * top / 255
    yield "covered lens", lens.astype(image.dtype)


def as_grey(image: np.ndarray) -> np.ndarray:
    """``(H, W)`` float32 in [0, 1] as 8-bit grey levels."""
    return cv2.convertScaleAbs(image, alpha=255.0)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--every", type=int, default=1, help="only every n-th image")
    args = parser.parse_args()
    data, rng = args.data or data_folder(), np.random.default_rng(0)
    clips = sorted(p.name for p in (data / "m3svd/videos/visible").iterdir())
    sources = {name: stills(data, name, args.every) for name in SETS}
    sources |= {f"clip {name}": clip(data, name, 5 * args.every) for name in clips}
    print(f"{'real images':<28}{'images':>8}{'whole':>8}{'in places':>9}{'most cells':>12}")
    for name, pairs in sources.items():
        shares = [
            BlankCells().look(image, COVERED).mean()
            for images in pairs
            for image in images.values()
        ]
        whole, part = np.sum(np.array(shares) == 1), np.sum(np.array(shares) > 0)
        print(f"{name:<28}{len(shares):>8}{whole:>8}{part - whole:>9}{max(shares):>12.2f}")
    found: dict[str, list[tuple[bool, float, float]]] = {}
    for images in stills(data, "msrs/test", 10 * args.every):
        for camera, image in images.items():
            for kind, blank in blanks(image, rng):
                half = image.copy()
                half[:, : SIZE[0] // 2] = blank[:, : SIZE[0] // 2]
                if camera == "thermal":  # the robot stretches what a thermal camera delivers
                    half, blank = (normalize_once(as_grey(x), "mono8") for x in (half, blank))
                cells = BlankCells().look(half, COVERED)
                row = (
                    bool(BlankCells().look(blank, COVERED).all()),
                    float(cells[:, :10].mean()),
                    float(cells[:, 10:].mean()),
                )
                found.setdefault(f"{camera} {kind}", []).append(row)
    print(f"\n{'blank images':<28}{'whole found':>12}{'half: blank cells':>19}{'others':>8}")
    for name, rows in found.items():
        whole, half, others = np.mean(np.array(rows, float), axis=0)
        print(f"{name:<28}{whole:>12.0%}{half:>19.0%}{others:>8.1%}")


if __name__ == "__main__":
    main()
