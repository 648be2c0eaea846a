"""What is known of the CPU engine without importing OpenVINO."""

from __future__ import annotations

from pathlib import Path

from mdacl_ros.runtime.cpu_flags import cpu_flags, has_bf16
from mdacl_ros.runtime.engine import Engine, Progress
from mdacl_ros.runtime.engine_kind import CPU, FLOAT32, EngineKind
from mdacl_ros.runtime.model_facts import ModelFacts


class OpenVinoKind(EngineKind):
    """OpenVINO on the CPU; one build serves float32 and bf16."""

    name = "openvino"
    description = "OpenVINO (CPU)"
    precisions = ("bf16", FLOAT32)
    devices = (CPU,)
    modules = ("openvino",)
    libraries = ("openvino", "torch")
    sources = ("runtime/openvino_build.py",)
    builds = True

    def obstacle(self, precision: str, device: str, facts: ModelFacts | None) -> str:
        """bf16 without hardware is refused: OpenVINO would compute in float32 and not say so."""
        flags = cpu_flags()
        if precision == "bf16" and flags is not None and not has_bf16(flags):
            return "this CPU has no bf16; set precision to float32 or auto"
        return ""

    def built_as(self, precision: str) -> str:
        """Float32 and bf16 are one graph; the arithmetic is chosen when it is loaded."""
        return FLOAT32

    def build(
        self,
        model: Path,
        input_size: tuple[int, int],
        precision: str,
        folder: Path,
        progress: Progress,
    ) -> None:
        """Convert the network into the two graphs that an engine loads."""
        from mdacl_ros.runtime.openvino_build import convert
        from mdacl_ros.runtime.openvino_engine import DETECTOR, PROBE

        convert(model, input_size, folder / DETECTOR, folder / PROBE, progress)

    def load(
        self,
        folder: Path,
        facts: ModelFacts,
        input_size: tuple[int, int],
        precision: str,
        device: str,
    ) -> Engine:
        """Compile the detector; the probe is compiled at its first use."""
        from mdacl_ros.runtime.openvino_engine import OpenVinoEngine

        return OpenVinoEngine(folder, facts, input_size, precision)
