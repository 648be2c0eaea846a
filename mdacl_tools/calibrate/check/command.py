"""``mdacl calibrate check``: how many pixels a calibration is off, and what that costs."""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from mdacl_ros.errors import ParameterError
from mdacl_ros.sensing.registration.residual import Residual
from mdacl_ros.sensing.registration.rig import RigCalibration, load_rig
from mdacl_ros.sensing.registration.warp_plausibility import implausible_text
from mdacl_tools.calibrate.check.check_status import RigCheck, displacement, judge
from mdacl_tools.calibrate.check.pictures import write_pictures
from mdacl_tools.calibrate.check.recording import MAX_SKEW, CheckResult, check_rig
from mdacl_tools.calibrate.check.region_fit import RegionFit, fit_regions
from mdacl_tools.calibrate.check.shift_cost import TABLE, ShiftTable, load_shift_table
from mdacl_tools.calibrate.result_files import write_result
from mdacl_tools.calibrate.swapped_cameras import EXCHANGED
from mdacl_tools.recordings.input_options import add_input_options, input_options, opened
from mdacl_tools.scoring.analysis_inputs import out_folder
from mdacl_tools.util.numbers import percent, rounded, text_table
from mdacl_tools.util.pipeline_options import add_pipeline_options, pipeline_config

PAIRING_OPTIONS = ("--size", "--thermal-clock-offset", "--clock-offset", "--max-skew")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the calibration, the recording and where the pictures go."""
    parser.add_argument("rig", type=Path, metavar="RIG.yaml", help="calibration to check")
    parser.add_argument("path", metavar="BAG|FOLDER", help="recording of both cameras")
    add_input_options(parser)
    parser.add_argument("--pairs", type=int, default=40, help="most pairs to use")
    parser.add_argument("--bound", type=float, default=6.0, help="pixels from which it is off")
    parser.add_argument(
        "--table", type=Path, default=None, help=f"shift table (default: {TABLE} of the model)"
    )
    parser.add_argument("--out", type=Path, default=Path("check_out"), help="folder to write")
    add_pipeline_options(parser, "--model", *PAIRING_OPTIONS)


def run(args: argparse.Namespace) -> int:
    """Measure, print, write; 0 where the calibration is good, 1 where it is off or cannot be told.

    Raises:
        MdaclError: The calibration or the recording cannot be used.
    """
    _check(args)
    config = pipeline_config(args)
    if args.max_skew is None:
        config = replace(config, max_skew=min(MAX_SKEW, config.max_skew))
    rig = load_rig(args.rig)
    model = config.model_folder()
    table = load_shift_table(args.table or model / TABLE)
    offset, skew = config.thermal_clock_offset, config.max_skew
    with opened(args.path, input_options(args), offset_s=offset, max_skew_s=skew) as recording:
        name = recording.name
        result = check_rig(rig, recording, args.pairs, config)
    fit = fit_regions(result.after) if result.after.confident else None
    verdict = judge(result.after, fit, args.bound, result.implausible is not None)
    current = table.belongs_to(model / "weights.safetensors")
    folder = out_folder(args)
    texts = (f"without it: {_said(result.before)}", f"with it: {_said(result.after)}")
    files = write_pictures(result, texts, folder)
    content = json.dumps(report(rig, name, result, fit, table, current, verdict), indent=2) + "\n"
    write_result(folder / "check.json", content)
    print(f"{args.rig} ({rig.kind}) on {name}, {result.after.pairs} pairs")
    print(text(result, fit, table, current))
    print(verdict.text(args.bound))
    print(f"wrote {', '.join(str(file) for file in files)}")
    return verdict.exit_code


def text(result: CheckResult, fit: RegionFit | None, table: ShiftTable, current: bool) -> str:
    """What is printed above the verdict.

    Args:
        result: Of the check.
        fit: Shift, rotation and scale of the regions.
        table: What shifts cost.
        current: Whether it was measured with the model's weights.
    """
    lines = [f"residual     {_said(result.after)}", f"without it   {_said(result.before)}"]
    if result.grey:
        lines.append(f"the RGB images carry no colour; unless the camera has none, {EXCHANGED}")
    if result.implausible is not None:
        lines.append(implausible_text(result.implausible, calibrated=True))
    if not result.after.confident:
        return "\n".join(lines)
    lines += ["by region, (dx, dy) in RGB pixels, as the image lies:", _regions(result.after)]
    if fit is not None:
        dx, dy = fit.shift
        lines.append(
            f"together     shift ({dx:+.1f}, {dy:+.1f}) px, rotation {fit.rotation:+.2f} deg, scale"
            f" {100 * fit.scale:+.2f} % ({fit.corner:.1f} px at a corner), scatter"
            f" {fit.scatter:.1f} px"
        )
    return "\n".join([*lines, _cost(result.after, fit, table, current)])


def report(
    rig: RigCalibration,
    name: str,
    result: CheckResult,
    fit: RegionFit | None,
    table: ShiftTable,
    current: bool,
    verdict: RigCheck,
) -> dict[str, Any]:
    """The same for programs; arguments as for :func:`text`, the calibration and the verdict."""
    after = result.after
    pixels = displacement(after, fit)
    expected = table.map50_at(pixels, after.size[0])
    values: dict[str, Any] = {
        "recording": name,
        "rig": {"kind": rig.kind, "date": rig.date, "source": rig.source},
        "pairs": after.pairs,
        "verdict": verdict.value,
        "displacement_px": rounded(pixels) if after.confident else None,
        "residual": _plain(after),
        "without": _plain(result.before),
        "map50": {
            "clean": rounded(table.map50[0]),
            "at_residual": rounded(expected) if after.confident else None,
            "table_weights_sha256": table.weights_sha256,
            "table_is_current": current,
        },
    }
    if fit is not None:
        values["fit"] = {
            "shift_px": [rounded(value) for value in fit.shift],
            "rotation_deg": rounded(fit.rotation),
            "scale": rounded(fit.scale),
            "corner_px": rounded(fit.corner),
        }
    return values


def _check(args: argparse.Namespace) -> None:
    """Refuse options before the recording is read."""
    if args.pairs < 1:
        raise ParameterError(f"argument --pairs: got {args.pairs}, wanted 1 or more")
    if not args.bound > 0:
        raise ParameterError(f"argument --bound: got {args.bound}, wanted pixels > 0")


def _said(residual: Residual) -> str:
    """A residual in a line."""
    if not residual.confident:
        return f"cannot be measured (confidence {residual.confidence:.2f})"
    dx, dy = residual.shift
    return f"{residual.pixels:.1f} px ({dx:+.1f}, {dy:+.1f}), confidence {residual.confidence:.2f}"


def _regions(residual: Residual) -> str:
    rows = [
        ["  "] + [f"{dx:+.1f} {dy:+.1f}" if math.isfinite(dx) else "-" for dx, dy in row]
        for row in residual.regions.tolist()
    ]
    return text_table(rows)


def _cost(residual: Residual, fit: RegionFit | None, table: ShiftTable, current: bool) -> str:
    """What the displacement costs; without a fit, or beyond the table, the least it does."""
    width, pixels = residual.size[0], displacement(residual, fit)
    clean, expected = table.map50[0], table.map50_at(pixels, width)
    about = "about" if fit is not None and table.covers(pixels, width) else "at least"
    line = (
        f"costs        {about} {percent(clean - expected)} of {percent(clean)} mAP50 points at"
        f" {pixels:.1f} px over the regions ({table.images} pairs of {table.data} at"
        f" {'x'.join(map(str, table.input_size))})"
    )
    return line if current else line + "; the table was measured with other weights"


def _plain(residual: Residual) -> dict[str, Any]:
    return {
        "px": rounded(residual.pixels),
        "shift": [rounded(value) for value in residual.shift],
        "confidence": rounded(residual.confidence),
        "confident": residual.confident,
        "regions": [
            [[rounded(v) for v in region] for region in row] for row in residual.regions.tolist()
        ],
    }
