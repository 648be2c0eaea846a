"""Results written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from mdacl_ros.errors import CalibrationError, ParameterError
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
