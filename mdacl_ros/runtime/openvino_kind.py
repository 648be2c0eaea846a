"""What is known of the CPU engine without importing OpenVINO."""

from __future__ import annotations

from pathlib import Path

from mdacl_ros.runtime.cpu_flags import cpu_flags, has_bf16, has_fast_int8
from mdacl_ros.runtime.engine import Engine, Progress
from mdacl_ros.runtime.engine_kind import CPU, FLOAT32, EngineKind
from mdacl_ros.runtime.model_facts import ModelFacts, read_model_facts
from mdacl_ros.runtime.quantisation import QUANTISATION

INT8 = "int8"


class OpenVinoKind(EngineKind):
    """OpenVINO on the CPU; one build serves float32 and bf16, another one int8."""

    name = "openvino"
    description = "OpenVINO (CPU)"
    precisions = (INT8, "bf16", FLOAT32)
    devices = (CPU,)
    modules = ("openvino",)
    libraries = ("openvino", "torch")
    sources = ("runtime/openvino_build.py", "runtime/openvino_int8.py", "runtime/quantisation.py")
    model_files = (QUANTISATION,)
    builds = True

    def obstacle(self, precision: str, device: str, facts: ModelFacts | None) -> str:
        """Refuse bf16 without hardware, int8 without ranges.

        OpenVINO would compute bf16 in float32 and not say so.
        """
        if precision == INT8 and facts and not (facts.folder / QUANTISATION).is_file():
            return f"{facts.folder} has no {QUANTISATION}; make it with `mdacl quantise`"
        flags = cpu_flags()
        if precision == "bf16" and flags is not None and not has_bf16(flags):
            return "this CPU has no bf16; set precision to float32 or auto"
        return ""

    def slowness(self, precision: str, device: str) -> str:
        """INT8 pays only where 8-bit products are summed in one instruction."""
        if precision == INT8 and not has_fast_int8(cpu_flags()):
            return "this CPU has no VNNI"
        return ""

    def built_as(self, precision: str) -> str:
        """Float32 and bf16 are one graph; the arithmetic is chosen when it is loaded."""
        return precision if precision == INT8 else FLOAT32

    def build(
        self,
        model: Path,
        input_size: tuple[int, int],
        precision: str,
        folder: Path,
        progress: Progress,
    ) -> None:
        """Convert the network into the two graphs that an engine loads, and compile them once."""
        from mdacl_ros.runtime.openvino_build import convert
        from mdacl_ros.runtime.openvino_engine import DETECTOR, PROBE

        convert(model, input_size, precision, folder / DETECTOR, folder / PROBE, progress)
        progress(0.95, "compiling both graphs")
        facts = read_model_facts(model)
        for computed in self.precisions:
            if self.built_as(computed) == precision and not self.obstacle(computed, CPU, facts):
                self.load(folder, facts, input_size, computed, CPU).close()
        progress(1.0, "done")

    def load(
        self,
        folder: Path,
        facts: ModelFacts,
        input_size: tuple[int, int],
        precision: str,
        device: str,
    ) -> Engine:
        """Compile both graphs, or read them as they were compiled before."""
        from mdacl_ros.runtime.openvino_engine import OpenVinoEngine

        return OpenVinoEngine(folder, facts, input_size, precision)
