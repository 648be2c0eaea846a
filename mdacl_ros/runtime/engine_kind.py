"""EngineKind: what the package has to know of an engine before, and until, it runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from mdacl_ros.runtime.engine import Engine, Progress
from mdacl_ros.runtime.model_facts import ModelFacts

AUTO = "auto"
"""Value of the parameters engine, precision and device that leaves the choice to the machine."""

FLOAT32 = "float32"
"""The precision that every engine has and every model folder vouches for."""

CPU, CUDA = "cpu", "cuda"
DEVICES = (CPU, CUDA)
"""Values of the parameter device beside :data:`AUTO`."""


class EngineKind(ABC):
    """One kind of engine; a file each, importable without its library.

    To add one, write a file with a subclass and name it in
    :data:`mdacl_ros.runtime.registry.ENGINES`; see docs/engines.md.

    Attributes:
        name: Value of the parameter ``engine``.
        description: A few words for help texts.
        precisions: Values of the parameter ``precision``, in the order in which ``auto`` looks at
            them; the last one is always :data:`FLOAT32`.
        devices: Of :data:`DEVICES`, in the order in which ``auto`` looks at them.
        modules: Python modules without which it cannot run.
        libraries: Distributions whose versions are part of a built engine's cache key.
        sources: Files of this package, relative to ``mdacl_ros``, whose content is part of the key
            beside that of the network.
        model_files: Files of a model folder, where there, that are part of the key beside the
            weights.
        builds: Whether it is built into a folder of the cache before it is loaded.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    precisions: ClassVar[tuple[str, ...]]
    devices: ClassVar[tuple[str, ...]]
    modules: ClassVar[tuple[str, ...]]
    libraries: ClassVar[tuple[str, ...]] = ()
    sources: ClassVar[tuple[str, ...]] = ()
    model_files: ClassVar[tuple[str, ...]] = ()
    builds: ClassVar[bool] = False

    def refusal(self, precision: str, device: str, facts: ModelFacts | None) -> str:
        """Why it cannot run here; cheap, without importing its library.

        Args:
            precision: A value of the parameter, not :data:`AUTO`.
            device: One of :data:`DEVICES`.
            facts: Of the model folder; ``None`` where it is not known.

        Returns:
            One line, the reason and the remedy with "; " between them; empty if it can run.
        """
        if precision not in self.precisions:
            wanted = (AUTO, *self.precisions)
            return f"it has no {precision}; set precision to {' or '.join(wanted)}"
        if device not in self.devices:
            wanted = (AUTO, *self.devices)
            return f"it does not run on {device}; set device to {' or '.join(wanted)}"
        for module in self.modules:
            if find_spec(module) is None:
                return f"Python module {module} is not installed; docs/engines.md says how"
        return self.obstacle(precision, device, facts)

    def obstacle(self, precision: str, device: str, facts: ModelFacts | None) -> str:
        """The part of :meth:`refusal` that only this kind knows: hardware, drivers, versions."""
        return ""

    def slowness(self, precision: str, device: str) -> str:
        """Why ``precision: auto`` passes a precision by that would run; empty if it is fast."""
        return ""

    def device_facts(self) -> Mapping[str, object]:
        """What of this machine an engine is tied to once built; part of its cache key."""
        return {}

    def built_as(self, precision: str) -> str:
        """The precision whose build serves a precision; part of the cache key."""
        return precision

    def build(
        self,
        model: Path,
        input_size: tuple[int, int],
        precision: str,
        folder: Path,
        progress: Progress,
    ) -> None:
        """Build an engine; runs in a process of its own, see :mod:`.engine_build`.

        Args:
            model: Model folder with weights.
            input_size: Network input ``(width, height)``.
            precision: Of :meth:`built_as`.
            folder: Empty; what is written into it is kept in the cache.
            progress: Called with what is being done.

        Raises:
            MdaclError: It cannot be built.
        """
        raise NotImplementedError(f"engine {self.name} builds nothing")

    @abstractmethod
    def load(
        self,
        folder: Path,
        facts: ModelFacts,
        input_size: tuple[int, int],
        precision: str,
        device: str,
    ) -> Engine:
        """Load an engine; imports its library.

        Args:
            folder: What :meth:`build` wrote, or the model folder where nothing is built.
            facts: Of the model folder.
            input_size: Network input ``(width, height)``.
            precision: One of :attr:`precisions`.
            device: One of :attr:`devices`.

        Raises:
            EngineError: It cannot be loaded.
        """
