"""``mdacl convert``: videos, a data set or any other recording becomes a bag, labels included."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.open_recording import open_recording
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
    recording.add_argument("--clip", help="which clip of a folder with several")
    recording.add_argument("--split", help="which part of a data set (default: the test part)")
    recording.add_argument("--fps", type=float, help="pairs a second of a data set")
    recording.add_argument("--rgb-topic", help="RGB image topic of a bag")
    recording.add_argument("--thermal-topic", help="thermal image topic of a bag")
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
        seconds = recording.duration_ns / 1e9
        labelled = f", ground truth on {TRUTH_TOPIC}" if recording.has_truth else ""
    frames = f"{counts['rgb']} rgb, {counts['thermal']} thermal frames"
    print(f"{args.out}: {frames}, {seconds:.1f} s{labelled}")
    return 0


def _open(args: argparse.Namespace) -> Recording:
    if args.kind == "videos":
        from mdacl_tools.recordings.videos import VideoRecording

        return VideoRecording(args.rgb, args.thermal)
    return open_recording(
        None if args.path == "simulated" else args.path,
        clip=args.clip,
        split=args.split,
        fps=args.fps,
        rgb_topic=args.rgb_topic,
        thermal_topic=args.thermal_topic,
    )
