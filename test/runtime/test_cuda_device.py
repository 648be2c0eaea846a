"""What the driver says of the GPU; a driver library of ours, compiled, stands in for NVIDIA's."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

from mdacl_ros.runtime.cuda_device import CudaDevice, ask_driver, driver_line, find_cuda

SOURCE = """
#include <string.h>
int cuInit(unsigned flags) {{ return {init}; }}
int cuDeviceGetCount(int *count) {{ *count = {count}; return 0; }}
int cuDeviceGet(int *device, int ordinal) {{ *device = ordinal; return {get}; }}
int cuDeviceGetName(char *name, int length, int device) {{
    strncpy(name, "Orin", length);
    return 0;
}}
int cuDeviceGetAttribute(int *value, int attribute, int device) {{
    *value = attribute == 75 ? 8 : attribute == 76 ? 7 : -1;
    return 0;
}}
int cuDriverGetVersion(int *version) {{ *version = 12060; return 0; }}
int cuGetErrorName(int code, const char **text) {{
    *text = code == 100 ? "CUDA_ERROR_NO_DEVICE" : 0;
    return code == 100 ? 0 : 1;
}}
"""


@pytest.fixture
def compiled(tmp_path: Path):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler here")

    def make(init: int = 0, count: int = 1, get: int = 0) -> ctypes.CDLL:
        source = tmp_path / "driver.c"
        source.write_text(SOURCE.format(init=init, count=count, get=get))
        library = tmp_path / f"libcuda_{init}_{count}_{get}.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
        return ctypes.CDLL(str(library))

    return make


def test_a_gpu_is_described(compiled) -> None:
    found = ask_driver(compiled())
    assert isinstance(found, CudaDevice)
    assert (found.name, found.capability, found.cuda) == ("Orin", (8, 7), "12.6")


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"init": 100}, "the NVIDIA driver finds no usable GPU (CUDA_ERROR_NO_DEVICE)"),
        ({"init": 803}, "the NVIDIA driver finds no usable GPU (CUDA error 803)"),
        ({"count": 0}, "the NVIDIA driver shows no GPU (is CUDA_VISIBLE_DEVICES empty?)"),
        ({"get": 1}, "the NVIDIA driver does not describe its GPU (CUDA error 1)"),
    ],
)
def test_why_there_is_none(compiled, answers: dict[str, int], says: str) -> None:
    assert ask_driver(compiled(**answers)) == says


def test_this_machine_answers() -> None:
    found = find_cuda()
    assert isinstance(found, CudaDevice) or found


def test_the_drivers_version_line(tmp_path: Path) -> None:
    file = tmp_path / "nv_tegra_release"
    assert driver_line((file,)) == ""
    file.write_text("# R36 (release),   REVISION: 4.3\nmore\n")
    assert driver_line((tmp_path / "none", file)) == "# R36 (release), REVISION: 4.3"
