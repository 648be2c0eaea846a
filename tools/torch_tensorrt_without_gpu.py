"""Import torch-tensorrt where there is no GPU: its converters, and TensorRT-RTX's builder, work.

``import torch_tensorrt`` asks torch for the GPU's compute capability and fails without one. This
module gives torch.cuda the values of a GPU for these questions only; ``torch.cuda.is_available()``
stays False, and nothing is claimed to run. For tests and
``research/benchmarks/tensorrt_coverage.py``; the package itself never does this.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import Any

import torch

CAPABILITY = (8, 9)
MEMORY = 8 << 30


def import_torch_tensorrt() -> ModuleType:
    """Return the module ``torch_tensorrt``, however little of a GPU there is.

    Raises:
        ImportError: It, or TensorRT, is not installed.
    """
    if not torch.cuda.is_available():
        _answer_for_a_gpu()
    _name_tensorrt()
    import torch_tensorrt

    return torch_tensorrt


def _answer_for_a_gpu() -> None:
    """Let the questions that torch-tensorrt asks at import and in conversion have an answer."""
    facts = SimpleNamespace(
        name="none", major=CAPABILITY[0], minor=CAPABILITY[1], total_memory=MEMORY,
        multi_processor_count=16, is_integrated=False,
    )  # fmt: skip
    answers: dict[str, Any] = {
        "get_device_capability": lambda device=None: CAPABILITY,
        "get_device_properties": lambda device=None: facts,
        "get_device_name": lambda device=None: facts.name,
        "current_device": lambda: 0,
        "device_count": lambda: 1,
        "mem_get_info": lambda device=None: (MEMORY, MEMORY),
        "empty_cache": lambda: None,
        "synchronize": lambda device=None: None,
    }
    for name, answer in answers.items():
        setattr(torch.cuda, name, answer)
    if not hasattr(torch._C, "_CudaDeviceProperties"):  # a CPU build of torch: an annotation
        torch._C._CudaDeviceProperties = object


def _name_tensorrt() -> None:
    """Give torch-tensorrt 2.8, which knows no TensorRT-RTX, that library under TensorRT's name."""
    if find_spec("tensorrt") is not None or find_spec("tensorrt_rtx") is None:
        return
    from mdacl_ros.runtime.tensorrt_frontends import TORCH_TENSORRT, installed

    if installed(TORCH_TENSORRT[1]):
        return  # it does so itself
    import tensorrt_rtx

    tensorrt_rtx.__version__ = "10.3.0"  # what JetPack 6 has; converters ask for it
    tensorrt_rtx._package_name = "tensorrt"
    tensorrt_rtx.tensorrt = tensorrt_rtx  # the submodule that ordinary bindings have
    sys.modules["tensorrt"] = tensorrt_rtx
