"""Results written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from mdacl_ros.errors import CalibrationError, ParameterError


def check_output(path: Path, option: str = "--out") -> None:
    """Refuse a file that cannot be written, before minutes are spent.

    Raises:
        ParameterError: Its folder does not exist, or it is one itself.
    """
    if not path.parent.is_dir() or path.is_dir():
        raise ParameterError(f"argument {option}: got {path}, wanted a file in an existing folder")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that no half of it is ever seen.

    Raises:
        CalibrationError: It cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise CalibrationError(
            f"{path}: cannot be written ({error.strerror}); choose another folder"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
