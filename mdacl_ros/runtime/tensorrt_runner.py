"""Runs one plan: buffers made once, one stream, one synchronisation a call."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mdacl_ros.errors import EngineError
from mdacl_ros.runtime.cudart import CudaError, CudaRuntime
from mdacl_ros.runtime.tensorrt_library import error_recorder, quiet_logger
from mdacl_ros.runtime.tensorrt_plan import Binding

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Buffer:
    """A binding's memory: pinned on the host, seen as an array, and on the device."""

    host: int
    device: int
    array: Array


class TensorRtRunner:
    """A loaded plan with the memory of its inputs and outputs.

    Args:
        trt: TensorRT's module.
        cuda: The CUDA runtime.
        plan: Serialised engine.
        inputs: In the order of the arguments of :meth:`run`.
        outputs: In the order of its result.

    Raises:
        EngineError: The plan does not fit this TensorRT or GPU, or memory is short.
    """

    def __init__(
        self,
        trt: Any,
        cuda: CudaRuntime,
        plan: Path,
        inputs: tuple[Binding, ...],
        outputs: tuple[Binding, ...],
    ) -> None:
        self._cuda = cuda
        self._runtime = trt.Runtime(quiet_logger(trt))
        self._errors = self._runtime.error_recorder = error_recorder(trt)
        self._engine = self._runtime.deserialize_cuda_engine(plan.read_bytes())
        if self._engine is None:
            reason = " ".join(" ".join(self._errors.texts).split())[:200] or "no reason given"
            raise EngineError(f"tensorrt: {plan} cannot be loaded ({reason})")
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise EngineError(f"tensorrt: no memory on the GPU to run {plan}")
        self._stream = cuda.create_stream()
        self._buffers: list[_Buffer] = []
        used = {self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)}
        # an input that the network makes no use of, as with one camera, may be gone
        self._inputs = [self._bind(b) if b.name in used else None for b in inputs]
        self._outputs = [self._bind(b) for b in outputs]

    def run(self, inputs: tuple[Array, ...]) -> list[Array]:
        """Run once.

        Args:
            inputs: Contiguous arrays of the bindings' shapes and types.

        Returns:
            Copies of the outputs.

        Raises:
            EngineError: TensorRT refused, or CUDA failed; the runner is of no use afterwards.
        """
        for buffer, value in zip(self._inputs, inputs, strict=True):
            if buffer is not None:
                np.copyto(buffer.array, value, casting="no")
                self._cuda.to_device(buffer.device, buffer.host, buffer.array.nbytes, self._stream)
        if not self._context.execute_async_v3(self._stream):
            raise EngineError(f"tensorrt: the engine did not run ({self._last_error()})")
        for buffer in self._outputs:
            self._cuda.to_host(buffer.host, buffer.device, buffer.array.nbytes, self._stream)
        self._cuda.synchronize(self._stream)
        return [buffer.array.copy() for buffer in self._outputs]

    def close(self) -> None:
        """Release engine and memory; what CUDA says after an error of its own is ignored."""
        self._context = self._engine = self._runtime = None
        try:
            for buffer in self._buffers:
                self._cuda.free(buffer.device)
                self._cuda.free_pinned(buffer.host)
            self._cuda.destroy_stream(self._stream)
        except CudaError:
            pass  # the context is lost, and its memory with it
        self._buffers = []

    def _bind(self, binding: Binding) -> _Buffer:
        """Make a binding's memory and give TensorRT its address, once."""
        dtype = np.dtype(binding.dtype)
        size = int(np.prod(binding.shape)) * dtype.itemsize
        host, device = self._cuda.allocate_pinned(size), self._cuda.allocate(size)
        block = (ctypes.c_byte * size).from_address(host)
        array: Array = np.ctypeslib.as_array(block).view(dtype).reshape(binding.shape)
        buffer = _Buffer(host, device, array)
        self._buffers.append(buffer)
        self._context.set_tensor_address(binding.name, device)
        return buffer

    def _last_error(self) -> str:
        return " ".join(self._errors.texts[-1].split())[:200] if self._errors.texts else "no reason"
