"""Get an engine: from the cache, or by an explicit, observable build."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from mdacl_ros import __version__, network
from mdacl_ros.errors import EngineError, ModelError
from mdacl_ros.network.model_yaml import MODEL_YAML, WEIGHTS, read_model_yaml
from mdacl_ros.runtime.cache import EngineCache, file_digest
from mdacl_ros.runtime.engine import STRIDE, Engine, Progress
from mdacl_ros.runtime.model_facts import read_model_facts

ENGINES = ("torch", "openvino", "tensorrt")
_LIBRARIES = {"openvino": ("openvino", "torch"), "tensorrt": ("torch_tensorrt", "torch")}


def load_engine(
    model: Path,
    *,
    engine: str = "openvino",
    precision: str = "float32",
    input_size: tuple[int, int] = (640, 480),
    progress: Progress | None = None,
    cache: EngineCache | None = None,
) -> Engine:
    """Load an engine, building it first when the cache has none for these weights and libraries.

    Args:
        model: Model folder (``model.yaml`` and ``weights.safetensors``).
        engine: ``torch``, ``openvino`` or ``tensorrt``.
        precision: ``float32`` or ``bf16`` (openvino).
        input_size: Network input ``(width, height)``, multiples of 32.
        progress: Told what is being done while a build runs; a cached engine reports nothing.
        cache: Where built engines are kept.

    Raises:
        ModelError: Model files are missing or unreadable.
        EngineError: Unknown engine or precision, or it cannot run on this machine.
    """
    _check(engine, input_size)
    facts = read_model_facts(model)
    if engine == "torch":
        if precision != "float32":
            raise EngineError(f"engine: torch precision {precision!r}, wanted 'float32'")
        from mdacl_ros.runtime.torch_engine import TorchEngine

        return _warmed(TorchEngine(model, facts, input_size))
    if engine == "tensorrt":
        raise EngineError(
            "engine: tensorrt is not built into this version yet; use openvino (CPU) or torch"
        )
    from mdacl_ros.runtime.openvino_engine import OpenVinoEngine, checked_precision

    checked_precision(precision)  # before a build of minutes
    folder = _built(model, engine, input_size, progress, cache or EngineCache())
    return _warmed(OpenVinoEngine(folder, facts, input_size, precision))


def _warmed(engine: Engine) -> Engine:
    """Answer once, probed and not, so that the first camera frame is as fast as any other."""
    width, height = engine.input_size
    inputs = (
        np.zeros((1, 3, height, width), np.float32),
        np.zeros((1, 1, height, width), np.float32),
        np.ones((1, 2, height // STRIDE, width // STRIDE), np.float32),
    )
    for probe in (False, True):
        engine.infer(*inputs, probe=probe)
    return engine


def _built(
    model: Path,
    engine: str,
    input_size: tuple[int, int],
    progress: Progress | None,
    cache: EngineCache,
) -> Path:
    """Return the cached graphs of a model, building them when needed."""
    parts = cache_parts(model, engine, input_size)
    if (folder := cache.find(parts)) is not None:
        return folder
    from mdacl_ros.runtime.openvino_engine import build_openvino

    with cache.store(parts) as part:
        build_openvino(model, input_size, part, progress or _silent)
    folder = cache.find(parts)
    if folder is None:
        raise EngineError(f"engine: {cache.root} does not keep what is written; check the disk")
    return folder


def cache_parts(model: Path, engine: str, input_size: tuple[int, int]) -> dict[str, Any]:
    """Everything an engine's cache entry depends on.

    Raises:
        ModelError: The weights are missing.
    """
    for name in (MODEL_YAML, WEIGHTS):
        if not (model / name).is_file():
            raise ModelError(f"model: {model / name} does not exist; see models/small")
    return {
        "engine": engine,
        "weights": file_digest(model / WEIGHTS),
        "detector": read_model_yaml(model)["detector"],
        "input_size": list(input_size),
        "machine": platform.machine(),
        "package": __version__,
        "code": _code_digest(),
        "libraries": {name: _version(name) for name in _LIBRARIES[engine]},
    }


def _code_digest() -> str:
    """SHA-256 of the network's source: a graph outlives neither its weights nor its code."""
    digest = hashlib.sha256()
    for source in sorted(Path(network.__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _check(engine: str, input_size: tuple[int, int]) -> None:
    if engine not in ENGINES:
        raise EngineError(f"engine: got {engine!r}, wanted one of {', '.join(ENGINES)}")
    if any(side < STRIDE or side % STRIDE for side in input_size):
        raise EngineError(
            f"engine: input size is {input_size[0]}x{input_size[1]}, wanted multiples of {STRIDE}, "
            "e.g. 640x480"
        )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _silent(_fraction: float, _what: str) -> None:
    pass
