"""What is known of the GPU engine without importing TensorRT or PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mdacl_ros.errors import EngineError
from mdacl_ros.runtime.cuda_device import CudaDevice, find_cuda
from mdacl_ros.runtime.cudart import load_cudart, unusable
from mdacl_ros.runtime.engine import Engine, Progress
from mdacl_ros.runtime.engine_kind import CUDA, FLOAT32, EngineKind
from mdacl_ros.runtime.model_facts import ModelFacts
from mdacl_ros.runtime.tensorrt_frontends import choose_frontend
from mdacl_ros.runtime.tensorrt_library import library_version, missing_library


class TensorRtKind(EngineKind):
    """TensorRT, or TensorRT-RTX, on an NVIDIA GPU; one build per precision."""

    name = "tensorrt"
    description = "TensorRT (NVIDIA GPU)"
    precisions = ("fp16", "int8", FLOAT32)
    devices = (CUDA,)
    modules = ()
    libraries = ("torch", "torch-tensorrt", "torch-tensorrt-rtx", "onnx", "onnxscript")
    sources = (
        "runtime/tensorrt_build.py",
        "runtime/tensorrt_onnx.py",
        "runtime/tensorrt_plan.py",
        "runtime/tensorrt_quantiser.py",
        "runtime/tensorrt_torch.py",
    )
    model_files = ("quantisation.json",)
    builds = True

    def obstacle(self, precision: str, device: str, facts: ModelFacts | None) -> str:
        """The GPU, its driver, TensorRT and a front end: the first that is missing."""
        found = find_cuda()
        if not isinstance(found, CudaDevice):
            return f"{found}; set engine to openvino"
        try:
            if reason := unusable(load_cudart()):
                return reason
            if reason := missing_library():
                return reason
            choose_frontend()
        except EngineError as error:
            return str(error).removeprefix("tensorrt: ")
        return ""

    def device_facts(self) -> Mapping[str, object]:
        """A plan is tied to the GPU, its driver, TensorRT and what converted the network."""
        found = find_cuda()
        if not isinstance(found, CudaDevice):
            return {"gpu": found}
        return {
            "gpu": found.name,
            "capability": ".".join(map(str, found.capability)),
            "cuda": found.cuda,
            "driver": found.driver,
            "tensorrt": library_version(),
            "frontend": choose_frontend().name,
        }

    def build(
        self,
        model: Path,
        input_size: tuple[int, int],
        precision: str,
        folder: Path,
        progress: Progress,
    ) -> None:
        """Build the plans of detector and probe."""
        from mdacl_ros.runtime.tensorrt_build import build

        build(model, input_size, precision, folder, progress)

    def load(
        self,
        folder: Path,
        facts: ModelFacts,
        input_size: tuple[int, int],
        precision: str,
        device: str,
    ) -> Engine:
        """Load the detector's plan; the probe's is loaded at its first use."""
        from mdacl_ros.runtime.tensorrt_engine import TensorRtEngine

        return TensorRtEngine(folder, facts, input_size, precision)
