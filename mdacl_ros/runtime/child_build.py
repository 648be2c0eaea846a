"""Builds an engine in a process of its own, so that the robot's node never carries torch.

Exporting needs PyTorch: 600 MB that a process does not give back, and seconds in which nothing else
of it runs. The child reports one JSON object a line: ``{"fraction", "what"}`` or
``{"error", "kind"}``. Whatever else it prints goes to a log, whose last line tells of a crash.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from mdacl_ros import errors
from mdacl_ros.errors import EngineError
from mdacl_ros.runtime.child_process import child_environment, prepare_child
from mdacl_ros.runtime.engine import Progress

SIGN_OF_LIFE = 0.2
"""Seconds after which progress is told the same again, so that a caller can give up by raising."""


def build_in_child(module: str, arguments: list[str], progress: Progress) -> None:
    """Run ``python -m module arguments`` and pass its progress on.

    Args:
        module: Module whose main reports as above.
        arguments: Its command line.
        progress: Told what is being done, several times a second; raising ends the build.

    Raises:
        MdaclError: The error that the child reported.
        EngineError: The child ended without saying why.
    """
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            preexec_fn=prepare_child,
            env=child_environment(PYTHONUNBUFFERED="1"),
        )
        try:
            _follow(child, progress, log)
        finally:
            child.kill()  # does nothing to one that has ended
            child.communicate()
        if child.returncode:
            log.seek(0)
            last = log.read().decode(errors="replace").strip().splitlines()[-1:]
            raise EngineError(
                f"engine build ended with status {child.returncode}: {' '.join(last)}; "
                "is memory or disk space short?"
            )


def _follow(child: subprocess.Popen[bytes], progress: Progress, log: IO[bytes]) -> None:
    """Pass progress on until the child ends; lines that are no report go to the log.

    Raises:
        MdaclError: The error that the child reported, of the same class.
    """
    fraction, what = 0.0, "starting"
    for line in _lines(child):
        if line is not None:
            message = _report(line)
            if message is None:
                log.write(line + b"\n")
                continue
            if "error" in message:
                raise getattr(errors, str(message.get("kind")), EngineError)(message["error"])
            fraction, what = float(message["fraction"]), str(message["what"])
        progress(fraction, what)
    child.wait()


def _report(line: bytes) -> dict[str, Any] | None:
    """Read one report; ``None`` for what a library printed while it was loaded."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    if not isinstance(message, dict):
        return None
    return message if {"fraction", "what"} <= set(message) or "error" in message else None


def _lines(child: subprocess.Popen[bytes]) -> Iterator[bytes | None]:
    """Lines of the child's output as they come; ``None`` for a while without one."""
    assert child.stdout is not None
    pending, number = b"", child.stdout.fileno()
    while True:
        if not select.select([number], [], [], SIGN_OF_LIFE)[0]:
            yield None
            continue
        block = os.read(number, 65536)
        if not block:
            return
        *whole, pending = (pending + block).split(b"\n")
        yield from whole
