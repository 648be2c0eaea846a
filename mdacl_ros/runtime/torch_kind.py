"""What is known of the reference engine without importing PyTorch."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from mdacl_ros.runtime.cuda_device import CudaDevice, find_cuda
from mdacl_ros.runtime.engine import Engine
from mdacl_ros.runtime.engine_kind import CPU, CUDA, FLOAT32, EngineKind
from mdacl_ros.runtime.model_facts import ModelFacts


class TorchKind(EngineKind):
    """Eager PyTorch: the network as it was written, in float32."""

    name = "torch"
    description = "PyTorch, the reference (CPU, CUDA)"
    precisions = (FLOAT32,)
    devices = (CUDA, CPU)
    modules = ("torch",)

    def obstacle(self, precision: str, device: str, facts: ModelFacts | None) -> str:
        """CUDA needs a GPU, and a PyTorch that was built for it."""
        if device != CUDA:
            return ""
        found = find_cuda()
        if not isinstance(found, CudaDevice):
            return f"{found}; set device to {CPU}"
        if not torch_cuda_version():
            return f"the installed PyTorch was built without CUDA; install one, or set device {CPU}"
        return ""

    def load(
        self,
        folder: Path,
        facts: ModelFacts,
        input_size: tuple[int, int],
        precision: str,
        device: str,
    ) -> Engine:
        """Load the weights."""
        from mdacl_ros.runtime.torch_engine import TorchEngine

        return TorchEngine(folder, facts, input_size, device)


def torch_cuda_version() -> str:
    """CUDA version that the installed PyTorch was built for, read from its files; empty: none."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return ""
    file = Path(spec.origin).parent / "version.py"
    text = file.read_text(errors="replace") if file.is_file() else ""
    found = re.search(r"^cuda\b[^=]*=\s*['\"]([\d.]+)['\"]", text, re.MULTILINE)
    return found.group(1) if found else ""
