"""Everything that could run a model, one row each: for tables and benchmarks."""

from __future__ import annotations

from dataclasses import dataclass

from mdacl_ros.runtime.model_facts import ModelFacts
from mdacl_ros.runtime.registry import ENGINES


@dataclass(frozen=True, slots=True)
class EngineOption:
    """One engine with one precision on one device.

    Attributes:
        engine: Name of a kind in :data:`.registry.ENGINES`.
        precision: One of its precisions.
        device: One of its devices.
        refusal: Why it cannot run here, empty if it can.
    """

    engine: str
    precision: str
    device: str
    refusal: str

    @property
    def name(self) -> str:
        """For example ``openvino float32 cpu``."""
        return f"{self.engine} {self.precision} {self.device}"


def every_option(facts: ModelFacts) -> list[EngineOption]:
    """All engines, precisions and devices there are; of an engine float32 first, to compare with.

    Args:
        facts: Of the model folder.
    """
    return [
        EngineOption(kind.name, precision, device, kind.refusal(precision, device, facts))
        for kind in ENGINES.values()
        for device in kind.devices
        for precision in reversed(kind.precisions)
    ]
