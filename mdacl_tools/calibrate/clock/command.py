"""``mdacl calibrate clock``: what to add to the thermal camera's stamps, from what moves."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mdacl_ros.errors import CalibrationError, ParameterError
from mdacl_ros.sensing.registration.rig import load_rig
from mdacl_tools.calibrate.clock.estimate import ClockResult, estimate_clock
from mdacl_tools.calibrate.clock.signals import collect_signals
from mdacl_tools.calibrate.result_files import check_output, write_result
from mdacl_tools.recordings.input_options import (
    add_input_options,
    exit_code,
    input_options,
    opened,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("path", metavar="BAG|FOLDER", help="recording in which something moves")
    add_input_options(parser)
    parser.add_argument(
        "--thermal-clock-offset", type=float, default=0.0, metavar="S",
        help="seconds added to thermal stamps before: where clocks are further apart than --range",
    )  # fmt: skip
    parser.add_argument(
        "--rig", type=Path, metavar="rig.yaml", help="calibration (default: same view)"
    )
    parser.add_argument("--range", type=float, default=1.0, help="s, largest offset looked for")
    parser.add_argument("--seconds", type=float, default=300.0, help="most of the bag to read")
    parser.add_argument("--out", type=Path, metavar="clock.png", help="draw the evidence")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Estimate and print, or say why not."""
    for option in ("range", "seconds"):
        if not 0.1 <= getattr(args, option) < 1e6:
            raise ParameterError(
                f"argument --{option}: got {getattr(args, option)}, wanted seconds, 0.1 or more"
            )
    if args.out is not None:
        check_output(args.out)
    rig = load_rig(args.rig) if args.rig is not None else None
    given, options = args.thermal_clock_offset, input_options(args)
    with opened(args.path, options, offset_s=given, max_skew_s=args.range) as recording:
        signals = collect_signals(recording, args.seconds, rig, given)
        name = recording.name
    result = estimate_clock(signals, args.range)
    if result.refusal:
        raise CalibrationError(f"recording {name}: no clock offset: {result.refusal}")
    if args.out is not None:
        from mdacl_tools.calibrate.clock.picture import draw_clock

        write_result(args.out, draw_clock(signals, result))
    result = replace(result, offset=result.offset + given)
    print(json.dumps(_report(result)) if args.json else _text(result, args.out))
    return exit_code(recording)


def _report(result: ClockResult) -> dict[str, Any]:
    return {
        "thermal_clock_offset": round(result.offset, 5),
        "error_s": round(result.error, 5),
        "rate_ppm": None if result.rate_ppm is None else round(result.rate_ppm, 1),
        "rate_error_ppm": (
            None if result.rate_error_ppm is None else round(result.rate_error_ppm, 1)
        ),
        "confidence": round(result.confidence, 3),
        "prominence": round(result.prominence, 2),
        "windows": np.round(result.windows, 5).tolist(),
    }


def _text(result: ClockResult, picture: Path | None) -> str:
    lines = [
        f"thermal_clock_offset: {result.offset:.4f}   # s, added to thermal stamps;"
        f" +-{result.error * 1e3:.1f} ms, confidence {result.confidence:.2f},"
        f" {result.prominence:.1f} times the next best"
    ]
    if result.rate_ppm is None or result.rate_error_ppm is None:
        lines.append("rate: unknown, wants 30 s or more")
    else:
        lines.append(f"rate: {result.rate_ppm:+.0f} +- {result.rate_error_ppm:.0f} ppm")
        if abs(result.rate_ppm) > max(20.0, 3 * result.rate_error_ppm):
            lines.append(
                f"the clocks run apart by {abs(result.rate_ppm) * 3.6e-3:.2f} s an hour: a fixed"
                " offset will not hold; synchronise them (PTP, chrony) or stamp on one computer"
            )
    if picture is not None:
        lines.append(f"wrote {picture}")
    return "\n".join(lines)
