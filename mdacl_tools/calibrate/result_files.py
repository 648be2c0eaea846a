"""Results written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from mdacl_ros.errors import CalibrationError, ParameterError
from mdacl_ros.sensing.registration.rig import RigCalibration, save_rig
from mdacl_ros.whole_file import write_whole


def check_output(path: Path, option: str = "--out") -> None:
    """Refuse a file that cannot be written, before minutes are spent.

    Raises:
        ParameterError: Its folder does not exist, or it is one itself.
    """
    if not path.parent.is_dir() or path.is_dir():
        raise ParameterError(f"argument {option}: got {path}, wanted a file in an existing folder")


def write_result(path: Path, content: str | bytes) -> None:
    """Write a file so that no half of it is ever seen.

    Raises:
        CalibrationError: It cannot be written.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise CalibrationError(
            f"{path}: cannot be written ({error.strerror}); choose another folder"
        ) from error


def write_with_picture(rig: RigCalibration, path: Path, picture: bytes) -> None:
    """Write a calibration and its picture beside it, ``.png``: both, or things stay as they were.

    Args:
        rig: The calibration.
        path: YAML file.
        picture: PNG.

    Raises:
        CalibrationError: One of them cannot be written.
    """
    beside = path.with_suffix(".png")
    before = beside.read_bytes() if beside.is_file() else None
    write_result(beside, picture)
    try:
        save_rig(rig, path)
    except CalibrationError:
        if before is None:
            beside.unlink(missing_ok=True)
        else:
            write_result(beside, before)
        raise
