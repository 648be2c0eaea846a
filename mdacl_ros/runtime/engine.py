"""The Engine protocol: a built detector that answers batches, whatever library runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mdacl_ros.types import ByteArray, FloatArray, Predictions

Progress = Callable[[float, str], None]
"""Called with (fraction done in [0, 1], what is being done) while an engine is built."""

STRIDE = 32
"""Input height and width are multiples of this; ``present`` has one cell for each such square."""


class Engine(Protocol):
    """A detector ready to run: torch, OpenVINO or TensorRT behind one call.

    Attributes:
        name: ``torch``, ``openvino`` or ``tensorrt``.
        precision: ``float32``, ``bf16``, ``fp16`` or ``int8``.
        device: Human-readable device the engine runs on.
        input_size: ``(width, height)`` of the network input in pixels, multiples of 32.
        labels: Class names in the order of ``Predictions.labels``.
        estimate: (slope, offset) of the fit from fusion energies to sensitivities, see
            :func:`mdacl_ros.pipeline.dominance_reading.read_dominance`; (1.0, 0.0) where none was
            fitted.
    """

    name: str
    precision: str
    device: str
    input_size: tuple[int, int]
    labels: tuple[str, ...]
    estimate: tuple[float, float]

    def infer(
        self, rgb: ByteArray, thermal: FloatArray, present: FloatArray, *, probe: bool = False
    ) -> Predictions:
        """Run the detector on one pair (batch 1).

        Args:
            rgb: ``(1, H, W, 3)`` uint8, R, G, B; black where no image lies. The engine's graph
                normalises it, see :mod:`mdacl_ros.network.image_input`.
            thermal: ``(1, 1, H, W)`` float32 in [0, 1], registered to rgb; not uint8, which would
                lose levels of 14-bit cameras.
            present: ``(1, 2, H/32, W/32)`` float32, 1 where the modality (rgb, thermal) covers that
                32-pixel cell, 0 where it does not; all 0 for an absent camera.
            probe: Also compute the exact gradient sensitivities, and detect with each camera alone.

        Returns:
            Predictions in network-input pixels.
        """
        ...

    def close(self) -> None:
        """Release the device; the engine is not used afterwards."""
        ...
