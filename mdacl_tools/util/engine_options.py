"""What every command that loads an engine needs: the input size, and a build's progress."""

from __future__ import annotations

import sys

from mdacl_ros.errors import EngineError
from mdacl_ros.runtime.engine import Progress


def parse_size(text: str) -> tuple[int, int]:
    """Read ``WIDTHxHEIGHT``.

    Raises:
        EngineError: It is something else.
    """
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise EngineError(f"argument --size: got {text!r}, wanted WIDTHxHEIGHT, e.g. 640x480")
    return int(width), int(height)


def progress_printer() -> Progress:
    """Return a progress that shows a build on stderr, a line for each change."""
    shown: tuple[int, str] | None = None

    def show(fraction: float, what: str) -> None:
        nonlocal shown
        report = (round(100 * fraction), what)
        if report != shown:
            print(f"building engine: {report[0]:3d} %  {what}", file=sys.stderr, flush=True)
            shown = report

    return show
