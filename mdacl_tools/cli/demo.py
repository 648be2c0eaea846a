"""``mdacl demo``: a recording through the real detector node, over DDS, and a report on it."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from mdacl_ros.config.parameters import SPECS
from mdacl_ros.errors import EngineError, MdaclError
from mdacl_tools.recordings.input_options import add_input_options, input_options, open_input
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.util.pipeline_options import (
    ENGINE_OPTIONS,
    add_pipeline_options,
    given_parameters,
    node_parameters,
)

EXIT_INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "input",
        nargs="?",
        metavar="INPUT",
        help="bag (mcap, sqlite3), folder with visible/ and infrared/ videos, or data-set folder; "
        "simulated scenes if left out",
    )
    parser.add_argument("--input", dest="input_option", help="the same as INPUT")
    parser.add_argument("--out", type=Path, default=Path("demo_out"), help="folder for results")
    parser.add_argument("--rate", type=float, default=1.0, help="speed, 1 is real time")
    add_input_options(parser)
    parser.add_argument("--fps", type=float, help="pairs a second of a data set")
    add_pipeline_options(parser, *ENGINE_OPTIONS, "--calibration", "--threshold")
    parser.add_argument("--no-view", action="store_true", help="plain lines, no live view")
    parser.add_argument("--no-video", action="store_true", help="no video and key frames")


def run(args: argparse.Namespace) -> int:
    """Play, watch, stop, report."""
    from mdacl_tools.live.node_run import DemoRun
    from mdacl_tools.recordings.schedule import partner_timeout
    from mdacl_tools.recordings.simulated import SimulatedRecording
    from mdacl_tools.report.demo_report import write_report

    args.input = args.input or args.input_option
    if args.clip and not args.input:
        raise MdaclError(
            f"argument --clip: got {args.clip!r} without an INPUT it is of; simulated scenes have "
            "no clips"
        )
    _check_numbers(args)
    parameters = node_parameters(given_parameters(args))
    threshold = float(parameters.pop("score_threshold", SPECS["score_threshold"].default))
    calibration = parameters.get("calibration")
    with _stop_on_signals(), closing(_open(args)) as recording:
        if isinstance(recording, SimulatedRecording):
            recording.prepare()
        _make_folder(args.out)
        parameters.setdefault("partner_timeout", partner_timeout(recording, args.rate))
        demo = DemoRun(recording, _player_parameters(args), parameters, args.out)
        demo.threshold = threshold
        log = demo.execute(live=not args.no_view)
        metrics = write_report(
            log,
            recording,
            args.out,
            calibration=Path(calibration) if calibration else None,
            video=not args.no_video,
        )
    print(_conclusion(metrics, args.out))
    if log.interrupted:
        return EXIT_INTERRUPTED
    if not log.answers:
        reason = log.node.get("failed") or "see its log"
        raise EngineError(f"detector node: processed no frame; {reason} ({args.out}/logs)")
    return 0


def _check_numbers(args: argparse.Namespace) -> None:
    """Refuse values that could not be played."""
    for name, value in (("rate", args.rate), ("fps", args.fps)):
        if value is not None and not value > 0:
            raise MdaclError(f"argument --{name}: got {value}, wanted more than 0")


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MdaclError(
            f"argument --out: cannot make folder {path} ({error.strerror}); give another one"
        ) from error


def _open(args: argparse.Namespace) -> Recording:
    return open_input(args.input, input_options(args, fps=args.fps))


def _player_parameters(args: argparse.Namespace) -> dict[str, object]:
    given = {
        "input": str(Path(args.input).resolve()) if args.input else None,
        "clip": args.clip,
        "split": args.split,
        "camera": args.camera,
        "fps": args.fps,
        "rgb_topic": args.rgb_topic,
        "thermal_topic": args.thermal_topic,
        "rate": args.rate,
    }
    return {name: value for name, value in given.items() if value is not None}


@contextmanager
def _stop_on_signals() -> Iterator[None]:
    """SIGINT and SIGTERM stop the run: nodes ended, partial results written.

    SIGINT is set as well because a background job of a shell starts with it ignored.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _conclusion(metrics: dict[str, Any], out: Path) -> str:
    """The run in a few lines."""
    latency, mdi, dropped = metrics["latency_ms"], metrics["mdi"], metrics["dropped"]
    lines = [
        f"{metrics['processed']} frames processed of {metrics['frames_sent']['rgb']} RGB + "
        f"{metrics['frames_sent']['thermal']} thermal sent; {metrics['pairs']} pairs, "
        f"{metrics['single_modality_frames']} with one camera; dropped "
        + (", ".join(f"{n} {cause}" for cause, n in dropped.items() if n) or "none"),
        f"latency p50 {latency['p50']} ms, p95 {latency['p95']} ms; detector "
        f"{metrics['cpu_percent']} % of a core, {metrics['rss_mb']} MB",
        f"MDI {mdi['mean']} (p5 {mdi['p5']}, p95 {mdi['p95']})"
        + "".join(f", {name} {value:+.2f}" for name, value in mdi.get("by_phase", {}).items()),
        f"{metrics['detections']['total']} detections {metrics['detections']['by_class']}",
    ]
    if metrics.get("map50") is not None:
        lines.append(f"mAP50 {metrics['map50']:.3f}, mAP {metrics['map']:.3f} on processed frames")
    pictures = ", ".join(sorted(path.name for path in out.iterdir() if path.name != "logs"))
    return "\n".join([*lines, f"{out}/: {pictures}"])
