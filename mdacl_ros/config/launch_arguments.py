"""Reads the texts of launch arguments; what cannot be meant is refused with the argument's name."""

from __future__ import annotations

import math
from pathlib import Path

from mdacl_ros.errors import ParameterError
from mdacl_ros.small_file import user_path

TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
"""What ``launch`` itself takes for a boolean, in whatever case."""


def boolean(name: str, text: str) -> bool:
    """A boolean as ``launch`` reads it.

    Raises:
        ParameterError: It is none.
    """
    word = text.strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise ParameterError(f"argument {name}:={text}: wanted true or false")


def number(name: str, text: str) -> float:
    """A finite number.

    Raises:
        ParameterError: It is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ParameterError(f"argument {name}:={text}: wanted a number, such as 0.5")
    return value


def whole_number(name: str, text: str) -> int:
    """A whole number.

    Raises:
        ParameterError: It is none.
    """
    try:
        return int(text)
    except ValueError:
        raise ParameterError(f"argument {name}:={text}: wanted a whole number, such as 3") from None


def existing_file(name: str, text: str) -> str:
    """The path of a file that is there.

    Raises:
        ParameterError: There is none.
    """
    path = user_path(text)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "no such file"
        raise ParameterError(f"argument {name}:={text}: {what}; give the path of a file")
    return str(Path(path).absolute())
