"""How well ``mdacl calibrate scene`` undoes known homographies on real recordings.

Run ``OMP_NUM_THREADS=1 python research/benchmarks/calibration_scene.py [--data ../shared/data]``;
about six minutes of one core. Recordings of 30 pairs: MSRS in runs of consecutive images, M3SVD
clips at even distances. Thermal is warped by a random homography (up to 40 px, 5 degrees,
``--size`` of size, 0.6 % of perspective; black where nothing is left), then estimated from an
assumed same view. *Wrong* is what was accepted with a corner off by more than 8 px (relative).

The data sets' own registration is a few pixels off, so two errors of the thermal image's corners
are printed: ``relative`` to what the same estimator finds without the warp, and ``absolute`` to
the data set's word. ``mismatched`` pairs RGB of one recording with thermal of another: everything
but a refusal is wrong there.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from mdacl_ros.sensing.thermal.normalizer import normalize_once  # noqa: E402
from mdacl_ros.types import ByteArray  # noqa: E402
from mdacl_tools.calibrate.scene.estimate import refine  # noqa: E402
from mdacl_tools.calibrate.scene.evidence import SceneResult, estimate_scene  # noqa: E402
from mdacl_tools.calibrate.scene.frames import SceneFrames  # noqa: E402
from mdacl_tools.calibrate.scene.picture import draw_scene, encode_png  # noqa: E402
from mdacl_tools.calibrate.scene.pyramid import ScenePairs  # noqa: E402
from mdacl_tools.calibrate.scene.structure import picture_mask  # noqa: E402
from mdacl_tools.calibrate.scene.warp_model import (  # noqa: E402
    Matrix,
    corners,
    homography_of,
    resize_matrix,
    transform,
    unit_frame,
)
from mdacl_tools.recordings.datasets.images import read_rgb, read_thermal  # noqa: E402
from mdacl_tools.recordings.datasets.open_dataset import open_dataset  # noqa: E402
from mdacl_tools.recordings.datasets.record import PairRecord  # noqa: E402
from mdacl_tools.recordings.videos import VideoRecording, clip_pairs  # noqa: E402
from mdacl_tools.scenes import Scene, SceneConfig  # noqa: E402

SIZE = (640, 480)
PAIRS = 30
GOAL, WRONG = 2.0, 8.0  # pixels
Images = tuple[np.ndarray, list[ByteArray]]  # grey RGB (K, H, W) float32; raw thermal frames
Load = Callable[[], Images]


def grey(image: ByteArray) -> np.ndarray:
    """R, G, B -> ``(H, W)`` float32 in [0, 1]."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255


def msrs(folder: Path) -> Iterator[tuple[str, Load]]:
    """Runs of 30 consecutive images of all parts, and how to read each."""
    records = sorted(open_dataset(folder, None).sound_records(), key=lambda record: record.name)
    for start in range(0, len(records) - PAIRS + 1, PAIRS):
        yield f"msrs {start // PAIRS:02d}", partial(read_run, records[start : start + PAIRS])


def read_run(run: list[PairRecord]) -> Images:
    """The images of some records."""
    rgb = np.stack([grey(read_rgb(record.rgb)) for record in run])
    return rgb, [read_thermal(record.thermal)[0] for record in run]


def m3svd(folder: Path) -> Iterator[tuple[str, Load]]:
    """Each clip twice: even and odd ones of 60 frames spread over it."""
    for name, files in clip_pairs(folder).items():
        for part in (0, 1):
            yield f"m3svd {name} {'ab'[part]}", partial(read_clip, files, part)


def read_clip(files: tuple[Path, Path], part: int) -> Images:
    """Every second of 60 frames of a clip."""
    recording = VideoRecording(*files)
    count = min(recording.frames.values())
    wanted = set(np.linspace(0, count - 1, 2 * PAIRS).round().astype(int).tolist()[part::2])
    frames: dict[str, list[ByteArray]] = {"rgb": [], "thermal": []}
    seen = dict.fromkeys(frames, 0)
    for event in recording:
        if seen[event.camera] in wanted:
            frames[event.camera].append(event.frame.image)
        seen[event.camera] += 1
    return np.stack([grey(image) for image in frames["rgb"]]), frames["thermal"]


def pairs_of(rgb: np.ndarray, thermal: list[ByteArray]) -> ScenePairs:
    """Frames as the command prepares them."""
    normalized = np.stack([normalize_once(image, "mono8") for image in thermal])
    return ScenePairs(rgb, normalized, picture_mask(thermal), SIZE)


def random_homography(rng: np.random.Generator, sizes: tuple[float, float]) -> Matrix:
    """A misaligned rig, pixels -> pixels, larger or smaller by a share between two bounds."""
    half = SIZE[0] / 2
    dx, dy = rng.uniform(-40, 40, 2) / half
    scale = 1 + rng.uniform(*sizes) * rng.choice((-1, 1))
    angle = np.radians(rng.uniform(-5, 5))
    bend = rng.uniform(-0.0064, 0.0064, 2)
    parameters = (dx, dy, scale * np.cos(angle) - 1, scale * np.sin(angle), 0, 0, *bend)
    unit = unit_frame(SIZE)
    return np.linalg.inv(unit) @ homography_of(np.array(parameters)) @ unit


def corner_errors(one: Matrix, two: Matrix) -> np.ndarray:
    """Distances in pixels of the four corners."""
    return np.linalg.norm(transform(one, corners(SIZE)) - transform(two, corners(SIZE)), axis=1)


def verdict(result: SceneResult) -> str:
    """What the command would say."""
    return f"refused ({result.refusal.split(',')[0][:60]})" if result.refusal else "accepted"


def measure(
    name: str, images: Images, seed: int, sizes: tuple[float, float]
) -> tuple[bool, np.ndarray, np.ndarray]:
    """One recording; prints its row.

    Returns:
        Whether it was accepted, relative and absolute corner errors.
    """
    rgb, thermal = images
    warp = random_homography(np.random.default_rng(seed), sizes)
    plain = pairs_of(rgb, thermal)
    own = refine(plain, list(range(len(rgb))), np.eye(3), np.eye(3)).to_canvas
    warped = [np.asarray(cv2.warpPerspective(image, warp, SIZE), np.uint8) for image in thermal]
    result = estimate_scene(pairs_of(rgb, warped), np.eye(3))
    undone = result.homography @ warp
    relative, absolute = corner_errors(undone, own), corner_errors(undone, np.eye(3))
    before = float(np.median(corner_errors(warp, np.eye(3))))
    size = np.sqrt(np.linalg.det(warp[:2, :2]))
    print(
        f"{name:20} {size:5.2f} {before:6.0f} {np.median(relative):8.1f} {relative.max():5.1f}"
        f" {np.median(absolute):8.1f} {absolute.max():5.1f} {result.corner_error:9.1f}"
        f" {result.confidence:6.2f} {result.agreement / result.chance:6.2f}  {verdict(result)}",
        flush=True,
    )
    return not result.refusal, relative, absolute


def mismatched(recordings: list[tuple[str, Load]], count: int) -> None:
    """RGB of one recording with thermal of another one."""
    print(f"\nmismatched: {count} recordings, RGB and thermal of different places")
    accepted = 0
    step = len(recordings) // 2
    for index in np.linspace(0, len(recordings) - 1, count).astype(int):
        (one, first), (two, second) = (
            recordings[(index + shift) % len(recordings)] for shift in (0, step)
        )
        rgb, thermal = first()[0], second()[1]
        result = estimate_scene(pairs_of(rgb, thermal), np.eye(3))
        accepted += not result.refusal
        print(
            f"{one:20} with {two:20} {result.corner_error:6.1f}"
            f" {result.agreement / result.chance:6.2f}  {verdict(result)}",
            flush=True,
        )
    print(f"wrongly accepted: {accepted} of {count}")


def draw_simulated(path: Path) -> None:
    """Calibrate on simulated streets and draw what the command draws."""
    size, small = (480, 360), (240, 180)
    unit = unit_frame(small)
    parameters = np.array((0.11, -0.07, 0.06, np.radians(3), 0, 0, 0.005, 0))
    rig = np.linalg.inv(unit) @ homography_of(parameters) @ unit  # displaced -> as rendered
    colours, thermal = [], []
    for seed in range(12):
        pair = Scene(SceneConfig(seed=seed, size=size, thermal_size=small)).render(2.0)
        colours.append(pair.rgb)
        moved = cv2.warpPerspective(pair.thermal, np.linalg.inv(rig), small)
        thermal.append(np.asarray(moved, np.uint16))
    normalized = np.stack([normalize_once(image, "16UC1") for image in thermal])
    greys = np.stack([grey(image) for image in colours])
    pairs = ScenePairs(greys, normalized, picture_mask(thermal), size)
    guess = resize_matrix(small, size)
    result = estimate_scene(pairs, guess)
    error = np.linalg.norm(
        transform(result.homography, corners(small)) - transform(guess @ rig, corners(small)),
        axis=1,
    )
    frames = SceneFrames(pairs, tuple(colours), "", (0,) * len(colours))
    caption = f"12 simulated streets, true corner error {np.median(error):.1f} px"
    path.write_bytes(encode_png(draw_scene(frames, guess, result.homography, caption)))
    print(f"{path}: corner errors {np.round(error, 2)}, estimated {result.corner_error:.1f}")


def main() -> None:
    """Print a row a recording, then the shares that count."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=ROOT / "../shared/data")
    parser.add_argument("--only", default="", help="recordings whose name contains this")
    parser.add_argument("--seed", type=int, default=0, help="of the random homographies")
    parser.add_argument("--every", type=int, default=1, help="take every nth recording only")
    parser.add_argument(
        "--size", type=float, nargs=2, default=(0.0, 0.2), help="bounds of the change of size"
    )
    parser.add_argument("--mismatched", type=int, default=6, help="mismatched recordings to try")
    parser.add_argument("--picture", type=Path, help="draw simulated streets instead, for the docs")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.picture is not None:
        draw_simulated(args.picture)
        return
    start = time.process_time()
    recordings = [*msrs(args.data / "msrs"), *m3svd(args.data / "m3svd" / "videos")]
    chosen = [k for k, (name, _) in enumerate(recordings) if args.only in name]
    chosen = chosen[:: args.every]
    print("corner errors in px                relative        absolute   estimated  confi-")
    print("recording             size before  median   max  median   max     error   dence margin")
    rows = [
        measure(recordings[k][0], recordings[k][1](), args.seed + k, tuple(args.size))
        for k in chosen
    ]
    if rows:
        summarise(rows)
    if args.mismatched:
        mismatched(recordings, min(args.mismatched, len(recordings)))
    print(f"{time.process_time() - start:.0f} s of CPU")


def summarise(rows: list[tuple[bool, np.ndarray, np.ndarray]]) -> None:
    """Shares over all recordings, refused ones counted as failures of the goal."""
    accepted = [row for row in rows if row[0]]
    wrong = sum(bool(row[1].max() > WRONG) for row in accepted)
    print(f"accepted {len(accepted)}, refused {len(rows) - len(accepted)}, wrong {wrong}")
    if not accepted:
        return
    for title, column in (("relative", 1), ("absolute", 2)):
        medians = np.array([np.median(row[column]) for row in accepted])
        worst = np.array([row[column].max() for row in accepted])
        print(
            f"{title}: median corner error <= {GOAL:.0f} px in {np.sum(medians <= GOAL)} of"
            f" {len(rows)} recordings, median {np.median(medians):.2f}, worst {medians.max():.2f};"
            f" all corners <= {GOAL:.0f} px in {np.sum(worst <= GOAL)}; any corner off by more than"
            f" {WRONG:.0f} px in {np.sum(worst > WRONG)}"
        )


if __name__ == "__main__":
    main()
