"""The embedded CPU default: OpenVINO, float32, bf16 or int8."""

from __future__ import annotations

import contextlib
import locale
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import openvino as ov

from mdacl_ros.errors import EngineError
from mdacl_ros.runtime.model_facts import ModelFacts
from mdacl_ros.types import ByteArray, FloatArray, Predictions

DETECTOR = "detector.xml"
PROBE = "probe.xml"
# what is not INT8 stays float32: with the bf16 hint OpenVINO 2026.4 compiles no INT8 graph on CPUs
# without AMX
_HINTS = {"float32": "f32", "bf16": "bf16", "int8": "f32"}


class OpenVinoEngine:
    """Runs the graphs that :mod:`.openvino_build` writes.

    The exact gradient probe is a second static graph with the backward pass written out; it answers
    detections as well, so a probed frame costs one call. Compiled graphs are kept beside them, as
    files that the build's manifest vouches for: a third of the time of compiling again.

    Args:
        folder: What the build wrote.
        facts: What ``model.yaml`` says.
        input_size: Network input ``(width, height)``.
        precision: ``float32``, ``bf16`` or ``int8``.
        threads: CPU threads; 0 leaves it to OpenVINO.

    Raises:
        EngineError: The CPU lacks bf16, or the files cannot be compiled.
    """

    name = "openvino"

    def __init__(
        self,
        folder: Path,
        facts: ModelFacts,
        input_size: tuple[int, int],
        precision: str = "float32",
        threads: int = 0,
    ) -> None:
        self.input_size, self.labels = input_size, facts.labels
        self.estimate, self.precision = facts.estimate, precision
        self._folder = folder
        self._core = ov.Core()
        self._core.set_property({"CACHE_DIR": str(folder)})
        self.device = str(self._core.get_property("CPU", "FULL_DEVICE_NAME"))
        self._options = {
            "INFERENCE_PRECISION_HINT": checked_precision(precision),
            "PERFORMANCE_HINT": "LATENCY",
            # a pinned thread waits for its core while another process, or ours, works there
            "ENABLE_CPU_PINNING": False,
            **({"INFERENCE_NUM_THREADS": threads} if threads else {}),
        }
        # compiling is the longest part of a start
        with _kept_locale(), ThreadPoolExecutor(2) as pool:
            requests = pool.map(self._compile, (DETECTOR, PROBE))
        self._request: ov.InferRequest | None
        self._probe_request: ov.InferRequest | None
        self._request, self._probe_request = requests

    def infer(
        self, rgb: ByteArray, thermal: FloatArray, present: FloatArray, *, probe: bool = False
    ) -> Predictions:
        """See :class:`mdacl_ros.runtime.engine.Engine`; inputs are read in place."""
        if self._request is None:
            raise EngineError("openvino: the engine was closed; load it again")
        request = self._probe_request if probe else self._request
        assert request is not None
        results = request.infer([rgb, thermal, present], share_inputs=True, share_outputs=True)
        # the outputs live in the request and are overwritten by the next frame: copy (few kB)
        return Predictions(*(np.array(results[i]) for i in range(len(results))))

    def close(self) -> None:
        """Release the compiled models."""
        self._request = self._probe_request = None

    def _compile(self, name: str) -> ov.InferRequest:
        try:
            model = self._core.read_model(str(self._folder / name))
            return self._core.compile_model(model, "CPU", self._options).create_infer_request()
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200]
            raise EngineError(
                f"openvino: cannot load {self._folder / name} ({reason}); remove that folder and "
                "build again with `mdacl build`"
            ) from error


@contextlib.contextmanager
def _kept_locale() -> Iterator[None]:
    """Restore the process's locale.

    OpenVINO 2026.4 sets it to C while it reads or writes a compiled graph and back afterwards; two
    graphs at once leave C, in which Python reads text files as ASCII.
    """
    before = locale.setlocale(locale.LC_ALL)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)


def checked_precision(precision: str) -> str:
    """Return OpenVINO's name of a precision this CPU has.

    Raises:
        EngineError: Unknown precision, or not available on this CPU.
    """
    if precision not in _HINTS:
        raise EngineError(f"engine: openvino precision {precision!r}, wanted one of {list(_HINTS)}")
    if precision == "bf16" and "BF16" not in ov.Core().get_property(
        "CPU", "OPTIMIZATION_CAPABILITIES"
    ):
        raise EngineError("engine: this CPU has no bf16; set precision to float32")
    return _HINTS[precision]
