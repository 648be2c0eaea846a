"""``mdacl calibrate scene``: a rig calibration from a recording of nothing special."""

from __future__ import annotations

import argparse
import datetime
import json
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mdacl_ros.errors import CalibrationError, ParameterError
from mdacl_ros.sensing.registration.geometry import rgb_from_thermal
from mdacl_ros.sensing.registration.rig import CameraModel, RigCalibration, load_rig
from mdacl_tools.calibrate.result_files import check_output, write_with_picture
from mdacl_tools.calibrate.scene.evidence import SceneResult, estimate_scene
from mdacl_tools.calibrate.scene.frames import SceneFrames, collect_frames
from mdacl_tools.calibrate.scene.picture import draw_scene, encode_png
from mdacl_tools.calibrate.scene.warp_model import Matrix, resize_matrix
from mdacl_tools.recordings.input_options import add_input_options, input_options, opened

_NS = 1_000_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("path", metavar="BAG|FOLDER", help="recording of an ordinary scene")
    add_input_options(parser)
    parser.add_argument(
        "--initial", type=Path, metavar="rig.yaml", help="rough calibration (default: same view)"
    )
    parser.add_argument("--frames", type=int, default=40, help="pairs to use")
    parser.add_argument("--max-skew", type=float, default=0.05, help="s between paired stamps")
    parser.add_argument(
        "--thermal-clock-offset", "--clock-offset", dest="clock_offset", type=float, default=0.0,
        metavar="S", help="seconds added to thermal stamps",
    )  # fmt: skip
    parser.add_argument(
        "--distance", type=float, default=math.inf, help="m at which the scene stands, to note down"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("scene_rig.yaml"), help="calibration to write, and a .png"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Estimate, judge, write the calibration and its picture, or say why not."""
    _check(args)
    options, offset = input_options(args), args.clock_offset
    with opened(args.path, options, offset_s=offset, max_skew_s=args.max_skew) as recording:
        frames = collect_frames(
            recording, args.frames, round(args.max_skew * _NS), round(args.clock_offset * _NS)
        )
        name = recording.name
    guess = initial_guess(args.initial, frames)
    result = estimate_scene(frames.pairs, guess)
    if result.refusal:
        raise CalibrationError(f"recording {name}: no calibration: {result.refusal}")
    rig = RigCalibration(
        kind="homography",
        rgb=CameraModel(frames.pairs.rgb_size),
        thermal=CameraModel(frames.pairs.thermal_size),
        reference_distance=args.distance,
        homography=result.homography,
        date=datetime.date.today().isoformat(),
        source=_source(name, frames, result),
        sha256=frames.digest,
    )
    picture = draw_scene(frames, guess, result.homography, _summary(frames, result))
    write_with_picture(rig, args.out, encode_png(picture))
    print(json.dumps(_report(frames, result)) if args.json else _text(args.out, frames, result))
    return 0


def initial_guess(path: Path | None, frames: SceneFrames) -> Matrix:
    """Thermal pixels -> RGB pixels to start from.

    Args:
        path: A rig calibration; ``None``: both cameras have one horizontal field of view.
        frames: The frames, for their sizes.

    Raises:
        CalibrationError: The calibration is unreadable, for other sizes, or singular.
    """
    rgb, thermal = frames.pairs.rgb_size, frames.pairs.thermal_size
    if path is None:
        scale = rgb[0] / thermal[0]
        height = round(thermal[1] * scale)
        matrix = resize_matrix(thermal, (rgb[0], height))
        matrix[1, 2] += (rgb[1] - height) / 2  # the optical axes coincide
        return matrix
    rig = load_rig(path)
    for camera, model, size in (("rgb", rig.rgb, rgb), ("thermal", rig.thermal, thermal)):
        if model.size != size:
            raise CalibrationError(
                f"rig calibration {path}: is for {camera} images of {model.size[0]}x"
                f"{model.size[1]}, got {size[0]}x{size[1]}; give one for these cameras"
            )
    x, y = np.meshgrid(*(np.linspace(0, side - 1, 9) for side in thermal))
    points = np.column_stack((x.ravel(), y.ravel()))
    mapped = rgb_from_thermal(rig, points, rig.reference_distance)
    seen = np.isfinite(mapped).all(axis=1)
    if np.count_nonzero(seen) < 9:
        raise CalibrationError(
            f"rig calibration {path}: the two cameras share no view; check rotation and translation"
        )
    return np.asarray(cv2.findHomography(points[seen], mapped[seen])[0], np.float64)


def _check(args: argparse.Namespace) -> None:
    """Refuse options before minutes are spent."""
    if args.frames < 1:
        raise ParameterError(f"argument --frames: got {args.frames}, wanted 10 or more")
    if not args.max_skew >= 0:
        raise ParameterError(f"argument --max-skew: got {args.max_skew}, wanted seconds, 0 or more")
    if not args.distance > 0:
        raise ParameterError(f"argument --distance: got {args.distance}, wanted metres > 0")
    if not math.isfinite(args.clock_offset):
        raise ParameterError(f"argument --clock-offset: got {args.clock_offset}, wanted seconds")
    check_output(args.out)


def _source(name: str, frames: SceneFrames, result: SceneResult) -> str:
    return (
        f"mdacl calibrate scene, recording {name}, {len(frames.colours)} pairs; {_evidence(result)}"
    )


def _evidence(result: SceneResult) -> str:
    return (
        f"confidence {result.confidence:.2f}, estimated corner error {result.corner_error:.1f} px"
    )


def _summary(frames: SceneFrames, result: SceneResult) -> str:
    return f"{len(frames.colours)} pairs, {_evidence(result)}"


def _report(frames: SceneFrames, result: SceneResult) -> dict[str, Any]:
    return {
        "homography": result.homography.tolist(),
        "confidence": round(result.confidence, 3),
        "corner_error_px": round(result.corner_error, 2),
        "halves_differ_px": np.round(result.halves_differ, 2).tolist(),
        "corner_spread_px": np.round(result.spread, 2).tolist(),
        "agreement": round(result.agreement, 4),
        "agreement_mirrored": round(result.chance, 4),
        "pairs": len(frames.colours),
        "sha256": frames.digest,
    }


def _text(path: Path, frames: SceneFrames, result: SceneResult) -> str:
    return "\n".join(
        (
            f"{_summary(frames, result)}",
            f"two halves differ at the corners by {result.halves_differ.max():.1f} px at most;"
            f" edges agree {result.agreement / max(result.chance, 1e-6):.1f} times as well as in"
            " mirrored images",
            f"wrote {path}, look at {path.with_suffix('.png')} before you drive",
        )
    )
