"""The few functions of the CUDA runtime an engine needs, by ctypes: no torch, no wheel per CUDA.

``libcudart`` is looked for where a system, a JetPack, or NVIDIA's wheels put it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from mdacl_ros.errors import EngineError

NAMES = ("libcudart.so.13", "libcudart.so.12", "libcudart.so")
FOLDERS = ("/usr/local/cuda/lib64", "/usr/local/cuda/targets/aarch64-linux/lib")
_INSUFFICIENT_DRIVER = 35  # cudaErrorInsufficientDriver
_TO_DEVICE, _TO_HOST = 1, 2  # cudaMemcpyKind
_NON_BLOCKING = 1


class CudaError(EngineError):
    """A call of the CUDA runtime that failed.

    Attributes:
        code: ``cudaError_t``.
        text: CUDA's own description.
    """

    def __init__(self, call: str, code: int, text: str) -> None:
        super().__init__(f"CUDA: {call} failed with error {code} ({text})")
        self.code, self.text = code, text


class CudaRuntime:
    """Device 0 through ``libcudart``.

    Args:
        library: The loaded shared library.

    Raises:
        CudaError: From every method, naming the call and CUDA's own text.
    """

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        library.cudaGetErrorString.restype = ctypes.c_char_p

    def device_count(self) -> int:
        """GPUs this process can see."""
        return self._integer("cudaGetDeviceCount")

    def driver_version(self) -> int:
        """Newest CUDA version the driver supports, 12060 for 12.6; 0 without a driver."""
        return self._integer("cudaDriverGetVersion")

    def runtime_version(self) -> int:
        """CUDA version of ``libcudart``."""
        return self._integer("cudaRuntimeGetVersion")

    def free_memory(self) -> int:
        """Bytes free on the device; on a Jetson that is the system's memory."""
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        self._call("cudaMemGetInfo", ctypes.byref(free), ctypes.byref(total))
        return free.value

    def allocate(self, size: int) -> int:
        """Address of ``size`` bytes on the device."""
        return self._address("cudaMalloc", ctypes.c_size_t(size))

    def allocate_pinned(self, size: int) -> int:
        """Address of ``size`` page-locked bytes in host memory."""
        return self._address("cudaMallocHost", ctypes.c_size_t(size))

    def free(self, address: int) -> None:
        """Give device memory back."""
        self._call("cudaFree", ctypes.c_void_p(address))

    def free_pinned(self, address: int) -> None:
        """Give page-locked memory back."""
        self._call("cudaFreeHost", ctypes.c_void_p(address))

    def create_stream(self) -> int:
        """A stream of its own, that does not wait for the default one."""
        return self._address("cudaStreamCreateWithFlags", ctypes.c_uint(_NON_BLOCKING))

    def destroy_stream(self, stream: int) -> None:
        """Give a stream back."""
        self._call("cudaStreamDestroy", ctypes.c_void_p(stream))

    def to_device(self, target: int, source: int, size: int, stream: int) -> None:
        """Queue a copy of ``size`` bytes from pinned memory to the device."""
        self._copy(target, source, size, _TO_DEVICE, stream)

    def to_host(self, target: int, source: int, size: int, stream: int) -> None:
        """Queue a copy of ``size`` bytes from the device to pinned memory."""
        self._copy(target, source, size, _TO_HOST, stream)

    def synchronize(self, stream: int) -> None:
        """Wait until everything queued on ``stream`` is done."""
        self._call("cudaStreamSynchronize", ctypes.c_void_p(stream))

    def reset(self) -> None:
        """Drop this process's context with all it holds; the next call makes another."""
        self._call("cudaDeviceReset")

    def _copy(self, target: int, source: int, size: int, kind: int, stream: int) -> None:
        self._call(
            "cudaMemcpyAsync",
            ctypes.c_void_p(target),
            ctypes.c_void_p(source),
            ctypes.c_size_t(size),
            ctypes.c_int(kind),
            ctypes.c_void_p(stream),
        )

    def _integer(self, call: str) -> int:
        value = ctypes.c_int()
        self._call(call, ctypes.byref(value))
        return value.value

    def _address(self, call: str, argument: object) -> int:
        address = ctypes.c_void_p()
        self._call(call, ctypes.byref(address), argument)
        return address.value or 0

    def _call(self, name: str, *arguments: object) -> None:
        code = getattr(self._library, name)(*arguments)
        if code:
            self._library.cudaGetLastError()  # the next call must not report it again
            raise CudaError(name, code, self._library.cudaGetErrorString(code).decode())


@lru_cache(maxsize=1)
def load_cudart() -> CudaRuntime:
    """The CUDA runtime of this machine; of several the first that sees a GPU, else the first.

    Raises:
        EngineError: There is none.
    """
    runtimes = [CudaRuntime(library) for library in _libraries()]
    if not runtimes:
        raise EngineError(
            "no CUDA runtime (libcudart.so.12 or .13) is installed here; JetPack and CUDA have it, "
            "else pip install nvidia-cuda-runtime"
        )
    return next((r for r in runtimes if _sees_device(r)), runtimes[0])


def unusable(cuda: CudaRuntime) -> str:
    """Why the CUDA runtime cannot use the GPU, in one line; empty where it can."""
    try:
        if cuda.device_count() > 0:
            return ""
        return "the CUDA runtime sees no GPU; see CUDA_VISIBLE_DEVICES and nvidia-smi"
    except CudaError as error:
        failure = error
    driver, runtime = cuda.driver_version(), cuda.runtime_version()
    if failure.code == _INSUFFICIENT_DRIVER and driver > 0:
        return (
            f"the NVIDIA driver supports CUDA {cuda_version(driver)}, the CUDA runtime here is "
            f"{cuda_version(runtime)} ({failure.text}); update the driver"
        )
    return f"the CUDA runtime cannot use a GPU ({failure.text}); see nvidia-smi"


def cuda_version(number: int) -> str:
    """``12060`` -> ``12.6``."""
    return f"{number // 1000}.{number % 1000 // 10}"


def _sees_device(cuda: CudaRuntime) -> bool:
    try:
        return cuda.device_count() > 0
    except CudaError:
        return False


def _libraries() -> Iterator[ctypes.CDLL]:
    """Every ``libcudart`` that can be loaded: the system's, then those of NVIDIA's wheels."""
    spec = find_spec("nvidia")
    wheels = [Path(f) for f in (spec.submodule_search_locations or ())] if spec else []
    found = [file for f in wheels for file in sorted(f.glob("*/lib/libcudart.so.*"), reverse=True)]
    inside = [Path(folder, name) for folder in FOLDERS for name in NAMES]
    for candidate in (*NAMES, *map(str, inside), *map(str, found)):
        try:
            yield ctypes.CDLL(candidate)
        except OSError:
            continue
