"""``mdacl convert``: videos, a data set or any other recording becomes a bag, labels included."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.input_options import (
    add_input_options,
    exit_code,
    input_options,
    open_input,
    say_remarks,
)
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.util.progress import progress_bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="videos|recording")
    videos = kinds.add_parser("videos", help="an RGB and a thermal video file")
    videos.add_argument("rgb", type=Path, metavar="RGB.mp4", help="colour video")
    videos.add_argument("thermal", type=Path, metavar="THERMAL.mp4", help="thermal video")
    recording = kinds.add_parser(
        "recording", help="a bag, a folder of clips, a data set, or 'simulated'"
    )
    recording.add_argument("path", metavar="PATH", help="what to convert")
    recording.add_argument("--fps", type=float, help="pairs a second of a data set")
    add_input_options(recording)
    for kind in (videos, recording):
        kind.add_argument("out", type=Path, metavar="OUT", help="bag folder to create")
        kind.add_argument(
            "--compress", choices=("png", "jpeg"), help="store compressed images (png: lossless)"
        )
        kind.add_argument("--storage", choices=("mcap", "sqlite3"), default="mcap")


def run(args: argparse.Namespace) -> int:
    """Write the bag and say what is in it."""
    from mdacl_tools.recordings.bag_truth import TRUTH_TOPIC
    from mdacl_tools.recordings.bag_writer import write_bag

    if args.out.exists():
        raise RecordingError(f"bag {args.out}: exists already; remove it or choose another name")
    with closing(_open(args)) as recording:
        total = sum(recording.frames.values())
        with progress_bar(f"writing {args.out}", total) as advance:
            counts = write_bag(
                recording,
                args.out,
                compress=args.compress,
                storage=args.storage,
                on_frame=lambda event: advance(1),
            )
        labelled = f", ground truth on {TRUTH_TOPIC}" if recording.has_truth else ""
        say_remarks(recording)
        frames = f"{counts.frames['rgb']} rgb, {counts.frames['thermal']} thermal frames"
        print(f"{args.out}: {frames}, {counts.seconds:.1f} s{labelled}")
        return exit_code(recording)


def _open(args: argparse.Namespace) -> Recording:
    if args.kind == "videos":
        from mdacl_tools.recordings.videos import VideoRecording

        return VideoRecording(args.rgb, args.thermal)
    path = None if args.path == "simulated" else args.path
    return open_input(path, input_options(args, fps=args.fps))
