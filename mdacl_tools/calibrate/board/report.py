"""A calibration as a rig file, as a table and as JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from mdacl_ros.runtime.cache import file_digest
from mdacl_ros.sensing.registration.rig_types import CameraModel, RigCalibration
from mdacl_ros.types import MODALITIES, Modality
from mdacl_tools.calibrate.board.board import Board, Points
from mdacl_tools.calibrate.board.evidence import Size, standard_deviations
from mdacl_tools.calibrate.board.optics import matrix_of, rotation_of, vector_of
from mdacl_tools.calibrate.board.solve import Solution
from mdacl_tools.util.numbers import text_table

_NAMES = ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2", "k3")


def digest_of(files: Sequence[Path]) -> str:
    """SHA-256 over the files' names and bytes; of a single file, that of its bytes."""
    if len(files) == 1:
        return file_digest(files[0])
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name} {file_digest(file)}\n".encode())
    return digest.hexdigest()


def rig_of(
    solution: Solution,
    sizes: dict[Modality, Size],
    *,
    source: str,
    sha256: str,
    reference_distance: float,
    clock_offset: float | None,
) -> RigCalibration:
    """The calibration as the node reads it.

    Args:
        solution: What was found.
        sizes: ``(width, height)`` of the cameras' images.
        source: What it was made from.
        sha256: Digest of the inputs.
        reference_distance: Metres at which the node lays thermal over RGB.
        clock_offset: Seconds that were added to thermal stamps, where they were.
    """
    state = solution.adjusted.state
    rotation, translation = thermal_in_rgb(state.relative)
    cameras = {
        c: CameraModel(sizes[c], matrix_of(lens), tuple(float(v) for v in lens[4:]))
        for c, lens in state.lenses.items()
    }
    return RigCalibration(
        "extrinsics",
        cameras["rgb"],
        cameras["thermal"],
        reference_distance,
        rotation=rotation,
        translation=translation,
        date=date.today().isoformat(),
        source=source,
        sha256=sha256,
        reprojection_error={c: round(mean_error(solution, c), 4) for c in MODALITIES},
        thermal_clock_offset=clock_offset,
    )


def thermal_in_rgb(relative: Points) -> tuple[Points, Points]:
    """Turn RGB -> thermal ``(6,)`` into rotation ``(3, 3)`` and translation of thermal -> RGB."""
    rotation = rotation_of(relative[:3]).T
    return rotation, -rotation @ relative[3:]


def view_errors(solution: Solution, camera: Modality) -> dict[str, float]:
    """Root mean square distance in pixels between seen and predicted points, by view."""
    return {
        solution.views[seen.view].name: float(np.sqrt((residual**2).sum(axis=1).mean()))
        for seen, residual in zip(solution.observations, solution.adjusted.residuals, strict=True)
        if seen.camera == camera
    }


def mean_error(solution: Solution, camera: Modality) -> float:
    """Root mean square reprojection error of a camera's points in pixels."""
    pairs = zip(solution.observations, solution.adjusted.residuals, strict=True)
    residuals = np.concatenate([r for seen, r in pairs if seen.camera == camera])
    return float(np.sqrt((residuals**2).sum(axis=1).mean()))


def report_text(board: Board, solution: Solution, warnings: Sequence[str]) -> str:
    """Tables of the views, the cameras and their relative pose."""
    errors = {camera: view_errors(solution, camera) for camera in MODALITIES}
    rows = [["view", *(f"{camera} px" for camera in MODALITIES), "points", ""]]
    for view in solution.views:
        points = "+".join(str(len(seen.ids)) for seen in view.sightings.values())
        cells = [f"{errors[c][view.name]:.3f}" if view.name in errors[c] else "-" for c in errors]
        rows.append([view.name, *cells, points, ""])
    rows += [[name, "-", "-", "-", f"left out: {reason}"] for name, reason in solution.rejected]
    means = [f"{mean_error(solution, camera):.3f}" for camera in MODALITIES]
    rows.append(["all", *means, f"{solution.dropped} dropped", ""])
    lines = [str(board), text_table(rows), "", _lens_table(solution), "", _pose_line(solution)]
    return "\n".join([*lines, *(f"warning: {warning}" for warning in warnings)])


def report_json(
    rig: RigCalibration, board: Board, solution: Solution, warnings: Sequence[str]
) -> dict[str, Any]:
    """The same for other programs; pixels, metres and radians."""
    deviations = standard_deviations(solution)
    cameras: dict[str, Any] = {}
    for camera in MODALITIES:
        lens = solution.adjusted.state.lenses[camera]
        cameras[camera] = {
            "size": list(getattr(rig, camera).size),
            **{name: float(value) for name, value in zip(_NAMES, lens, strict=True)},
            "deviations": dict(zip(_NAMES, map(float, deviations[camera]), strict=True)),
            "error_px": mean_error(solution, camera),
            "views": view_errors(solution, camera),
        }
    return {
        "board": str(board),
        "source": rig.source,
        "sha256": rig.sha256,
        "date": rig.date,
        **cameras,
        "rotation": np.asarray(rig.rotation).tolist(),
        "translation": np.asarray(rig.translation).tolist(),
        "rotation_deviations": deviations["relative"][:3].tolist(),
        "translation_deviations": deviations["relative"][3:].tolist(),
        "rejected": dict(solution.rejected),
        "points_dropped": solution.dropped,
        "warnings": list(warnings),
    }


def _lens_table(solution: Solution) -> str:
    deviations = standard_deviations(solution)
    rows = [["camera", *_NAMES]]
    for camera in MODALITIES:
        lens, spread = solution.adjusted.state.lenses[camera], deviations[camera]
        digits = [1] * 4 + [4] * 5
        rows.append([camera, *(f"{v:.{n}f}" for v, n in zip(lens, digits, strict=True))])
        known = [
            f"{s:.{n + 1}f}" if s > 0 else "fixed" for s, n in zip(spread, digits, strict=True)
        ]
        rows.append(["  +-", *known])
    return text_table(rows)


def _pose_line(solution: Solution) -> str:
    rotation, translation = thermal_in_rgb(solution.adjusted.state.relative)
    turn = np.degrees(vector_of(rotation))
    spread = standard_deviations(solution)["relative"]
    return (
        f"thermal in the rgb frame: {_three(1e3 * translation, 1)} mm"
        f" +- {_three(1e3 * spread[3:], 1)}, turned {_three(turn, 2)} deg"
        f" +- {_three(np.degrees(spread[:3]), 3)}"
    )


def _three(values: Points, digits: int) -> str:
    return " ".join(f"{value:.{digits}f}" for value in values)
