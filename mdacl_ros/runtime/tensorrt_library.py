"""Which TensorRT is here: the ordinary library, else TensorRT-RTX, which has the same interface."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from mdacl_ros.errors import EngineError
from mdacl_ros.runtime.tensorrt_frontends import installed, numbers

MODULES = ("tensorrt", "tensorrt_rtx")
OLDEST = (10, 0)
"""The first with progress monitors, INT64 and the runtime calls used here (JetPack 6 has 10.3)."""


def library_name() -> str:
    """The module that is used here: ``tensorrt`` or ``tensorrt_rtx``; empty for neither."""
    return next((name for name in MODULES if find_spec(name) is not None), "")


def library_version() -> str:
    """Name and version of the library, without loading it; empty where there is none."""
    name = library_name()
    return f"{name} {installed(name) or 'unknown'}" if name else ""


def missing_library() -> str:
    """Why TensorRT cannot be used, in one line; empty where it can. Does not load it."""
    name = library_name()
    if not name:
        return (
            "Python module tensorrt is not installed; Jetson: sudo apt install "
            "python3-libnvinfer and a venv with --system-site-packages, x86_64: pip install "
            "tensorrt"
        )
    found = installed(name)
    if name == MODULES[0] and found and numbers(found) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return f"TensorRT {found} is too old, wanted {oldest} or later; update it"
    return ""


def load_tensorrt() -> Any:
    """Import TensorRT.

    Raises:
        EngineError: Absent, older than :data:`OLDEST`, or it cannot be loaded.
    """
    if reason := missing_library():
        raise EngineError(f"tensorrt: {reason}")
    name = library_name()
    try:
        return import_module(name)
    except (ImportError, OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise EngineError(
            f"tensorrt: module {name} cannot be loaded ({reason}); are its libraries installed?"
        ) from error


def quiet_logger(trt: Any) -> Any:
    """A logger that prints nothing but errors; TensorRT keeps the first one it is given."""
    return trt.Logger(trt.Logger.ERROR)


def error_recorder(trt: Any) -> Any:
    """Collects TensorRT's errors for a builder or a runtime; ``texts`` has them in order."""

    class Recorder(trt.IErrorRecorder):
        """See :func:`error_recorder`."""

        def __init__(self) -> None:
            super().__init__()
            self.texts: list[str] = []
            self.codes: list[Any] = []

        def clear(self) -> None:
            self.texts.clear()
            self.codes.clear()

        def get_error_code(self, index: int) -> Any:
            return self.codes[index]

        def get_error_desc(self, index: int) -> str:
            return self.texts[index]

        def has_overflowed(self) -> bool:
            return False

        def num_errors(self) -> int:
            return len(self.texts)

        def report_error(self, code: Any, text: str) -> bool:
            self.codes.append(code)
            self.texts.append(text)
            return True

    return Recorder()
