"""One way in for all commands: the same options, the same tolerance, the same words on losses.

with opened(args.path, input_options(args)) as recording:
    ...
return exit_code(recording)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mdacl_ros.errors import MdaclError
from mdacl_ros.types import Modality
from mdacl_tools.recordings.losses import damage_of, losses_of, lost_cameras, notes_of
from mdacl_tools.recordings.open_recording import open_recording
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.recordings.stamp_log import OPTION, StampLog


@dataclass(frozen=True, slots=True)
class InputOptions:
    """How a recording is to be opened; the arguments of :func:`.open_recording.open_recording`."""

    clip: str | None = None
    split: str | None = None
    fps: float | None = None
    rgb_topic: str | None = None
    thermal_topic: str | None = None
    camera: Modality | None = None


EXIT_INCOMPLETE = 3
"""The command did its work, but a camera or a part of the recording could not be read."""


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """Declare what says how a recording is to be opened; errors name these options."""
    group = parser.add_argument_group("recording")
    group.add_argument("--clip", help="which clip of a folder with several")
    group.add_argument("--split", help="which split of a data set (default: the one for testing)")
    group.add_argument("--rgb-topic", help="RGB image topic of a bag")
    group.add_argument("--thermal-topic", help="thermal image topic of a bag")
    group.add_argument(
        "--camera",
        choices=("rgb", "thermal"),
        help="camera of a COCO json that names one image each",
    )


def input_options(args: argparse.Namespace, **changes: Any) -> InputOptions:
    """What the options of :func:`add_input_options` say; ``changes`` go before them."""
    names = ("clip", "split", "rgb_topic", "thermal_topic", "camera")
    given = {name: getattr(args, name) for name in names}
    return InputOptions(**{**given, **changes})


def open_input(path: Path | str | None, options: InputOptions) -> Recording:
    """Open a recording.

    Args:
        path: Of the recording; ``None``: simulated scenes.
        options: How.

    Raises:
        RecordingError: It cannot be opened.
    """
    return open_recording(path, **asdict(options))


@contextmanager
def opened(
    path: Path | str | None,
    options: InputOptions,
    *,
    offset_s: float | None = None,
    max_skew_s: float = 0.12,
) -> Iterator[Recording]:
    """A recording that is closed afterwards; then what was lost or assumed is printed.

    Args:
        path: As for :func:`open_input`.
        options: As for :func:`open_input`.
        offset_s: Seconds added to thermal stamps; ``None``: the command cannot add any.
        max_skew_s: Largest skew of a pair.
    """
    recording = open_input(path, options)
    try:
        yield recording
    except MdaclError as error:
        # What explains the error, but for what its line says already; guesses do not.
        _print(
            recording,
            [
                line
                for line in _trouble(recording, offset_s, max_skew_s)
                if not _told(line, str(error))
            ],
        )
        raise
    else:
        say_remarks(recording, offset_s, max_skew_s)
    finally:
        recording.close()


def _told(line: str, error: str) -> bool:
    """Whether an error's line says already what a remark would."""
    about_clocks = OPTION in line and OPTION in error
    return about_clocks or "image can be read" in error or line in error


def say_remarks(
    recording: Recording, offset_s: float | None = None, max_skew_s: float = 0.12
) -> None:
    """Print :func:`input_remarks` on stderr, a line each."""
    _print(recording, input_remarks(recording, offset_s, max_skew_s))


def _print(recording: Recording, lines: list[str]) -> None:
    for line in lines:
        print(f"mdacl: {recording.name}: {line}", file=sys.stderr)


def input_remarks(
    recording: Recording, offset_s: float | None = None, max_skew_s: float = 0.12
) -> list[str]:
    """What to say of a recording after a pass: assumptions, losses, clocks."""
    notes = [f"note: {note}" for note in notes_of(recording)]
    return [*notes, *_trouble(recording, offset_s, max_skew_s)]


def _trouble(recording: Recording, offset_s: float | None, max_skew_s: float) -> list[str]:
    """Losses, and clocks that are apart."""
    lines = [f"damaged: {line}" for line in damage_of(recording)]
    lines += losses_of(recording).sentences()
    lines += [f"no {camera} image could be read" for camera in lost_cameras(recording)]
    if remark := clock_remark(recording, offset_s, max_skew_s):
        lines.append(remark)
    return lines


def clock_remark(
    recording: Recording, offset_s: float | None = None, max_skew_s: float = 0.12
) -> str:
    """That the cameras' clocks are apart, after a pass; empty if not, or if there are no clocks."""
    log = getattr(recording, "stamp_log", None)
    return log.remark(offset_s, max_skew_s) if isinstance(log, StampLog) else ""


def exit_code(recording: Recording) -> int:
    """0, or :data:`EXIT_INCOMPLETE` where files were damaged or a whole camera was lost."""
    return EXIT_INCOMPLETE if damage_of(recording) or lost_cameras(recording) else 0
