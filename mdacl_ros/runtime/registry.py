"""Every kind of engine there is: the one list of their names."""

from __future__ import annotations

from mdacl_ros.errors import EngineError
from mdacl_ros.runtime.engine_kind import AUTO, DEVICES, EngineKind
from mdacl_ros.runtime.openvino_kind import OpenVinoKind
from mdacl_ros.runtime.tensorrt_kind import TensorRtKind
from mdacl_ros.runtime.torch_kind import TorchKind

ENGINES: dict[str, EngineKind] = {
    kind.name: kind
    for kind in (
        TensorRtKind(),
        OpenVinoKind(),
        TorchKind(),
    )
}
"""Kinds by name, in the order in which ``engine: auto`` looks at them."""


def engine_names() -> tuple[str, ...]:
    """Values of the parameter ``engine``."""
    return (AUTO, *ENGINES)


def precision_names() -> tuple[str, ...]:
    """Values of the parameter ``precision``: those of all engines."""
    return (AUTO, *dict.fromkeys(p for kind in ENGINES.values() for p in kind.precisions))


def device_names() -> tuple[str, ...]:
    """Values of the parameter ``device``."""
    return (AUTO, *DEVICES)


def engine_kind(name: str) -> EngineKind:
    """Find a kind of engine.

    Raises:
        EngineError: There is none of that name.
    """
    if name not in ENGINES:
        raise EngineError(f"engine: got {name!r}, wanted one of {', '.join(engine_names())}")
    return ENGINES[name]
