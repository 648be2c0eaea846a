"""The NVIDIA GPU of this machine, asked of the driver itself: no PyTorch, no CUDA toolkit."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass
from pathlib import Path

_DRIVER_FILES = (Path("/proc/driver/nvidia/version"), Path("/etc/nv_tegra_release"))
_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, _MINOR
_NAME_BYTES = 256


@dataclass(frozen=True, slots=True)
class CudaDevice:
    """The first GPU that CUDA offers this process.

    Attributes:
        name: For example ``Orin``.
        capability: Compute capability ``(major, minor)``.
        cuda: Newest CUDA version that the driver serves, for example ``12.6``.
        driver: The driver's own version line (on a Jetson that of L4T), or empty.
    """

    name: str
    capability: tuple[int, int]
    cuda: str
    driver: str


@functools.cache
def find_cuda() -> CudaDevice | str:
    """The GPU, or why there is none in a few words; asked once a process."""
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "no NVIDIA driver is installed here (libcuda.so.1)"
    return ask_driver(library)


def ask_driver(library: ctypes.CDLL) -> CudaDevice | str:
    """Ask the CUDA driver API.

    Args:
        library: ``libcuda.so.1``.

    Returns:
        The first device, or why there is none.
    """
    if code := library.cuInit(0):
        return f"the NVIDIA driver finds no usable GPU ({_error_name(library, code)})"
    count, device = ctypes.c_int(), ctypes.c_int()
    if library.cuDeviceGetCount(ctypes.byref(count)) or count.value < 1:
        return "the NVIDIA driver shows no GPU (is CUDA_VISIBLE_DEVICES empty?)"
    version, name = ctypes.c_int(), ctypes.create_string_buffer(_NAME_BYTES)
    major, minor = ctypes.c_int(), ctypes.c_int()
    failed = (
        library.cuDeviceGet(ctypes.byref(device), 0)
        or library.cuDeviceGetName(name, _NAME_BYTES, device)
        or library.cuDeviceGetAttribute(ctypes.byref(major), _MAJOR, device)
        or library.cuDeviceGetAttribute(ctypes.byref(minor), _MINOR, device)
        or library.cuDriverGetVersion(ctypes.byref(version))
    )
    if failed:
        return f"the NVIDIA driver does not describe its GPU ({_error_name(library, failed)})"
    return CudaDevice(
        name=name.value.decode(errors="replace"),
        capability=(major.value, minor.value),
        cuda=f"{version.value // 1000}.{version.value % 1000 // 10}",
        driver=driver_line(),
    )


def driver_line(files: tuple[Path, ...] = _DRIVER_FILES) -> str:
    """The first line in which the driver, or L4T, names its version; empty where none does."""
    for file in files:
        if file.is_file():
            return " ".join(file.read_text(errors="replace").split("\n", 1)[0].split())
    return ""


def _error_name(library: ctypes.CDLL, code: int) -> str:
    """CUDA's name of an error, for example ``CUDA_ERROR_NO_DEVICE``."""
    text = ctypes.c_char_p()
    if library.cuGetErrorName(code, ctypes.byref(text)) or text.value is None:
        return f"CUDA error {code}"
    return text.value.decode(errors="replace")
