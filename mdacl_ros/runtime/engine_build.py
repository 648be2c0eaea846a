"""Builds an engine in a process of its own: the caller's half, and the process's main.

Run by :func:`build_engine` as ``python -m mdacl_ros.runtime.engine_build MODULE CLASS PRECISION
WIDTH HEIGHT MODEL FOLDER``; the class is a kind of engine, so that one from elsewhere builds too.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

from mdacl_ros.errors import MdaclError
from mdacl_ros.runtime.child_build import build_in_child
from mdacl_ros.runtime.engine import Progress
from mdacl_ros.runtime.engine_kind import EngineKind


def build_engine(
    kind: EngineKind,
    model: Path,
    input_size: tuple[int, int],
    precision: str,
    folder: Path,
    progress: Progress,
) -> None:
    """Let a child process call :meth:`.engine_kind.EngineKind.build`.

    Args:
        kind: Its class is found again by its name.
        model: Model folder with weights.
        input_size: Network input ``(width, height)``.
        precision: One of the kind's.
        folder: Empty; the engine is written into it.
        progress: Told what is being done, several times a second; raising ends the build.

    Raises:
        MdaclError: It cannot be built.
    """
    width, height = input_size
    named = type(kind)
    arguments = (named.__module__, named.__qualname__, precision, width, height, model, folder)
    build_in_child("mdacl_ros.runtime.engine_build", [str(x) for x in arguments], progress)


def main(arguments: list[str]) -> int:
    """Build, reporting progress as JSON lines; whatever libraries print goes to stderr.

    Standard output itself is moved, not ``sys.stdout`` alone: C++ code prints as well.
    """
    module, name, precision, width, height, model, folder = arguments
    reports = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def report(fraction: float, what: str) -> None:
        print(json.dumps({"fraction": fraction, "what": what}), file=reports, flush=True)

    with reports:
        try:
            kind: EngineKind = getattr(importlib.import_module(module), name)()
            kind.build(Path(model), (int(width), int(height)), precision, Path(folder), report)
        except MdaclError as error:
            failure = {"error": str(error), "kind": type(error).__name__}
            print(json.dumps(failure), file=reports, flush=True)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
