"""Get an engine: from the cache, or by an explicit, observable build."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import mdacl_ros
from mdacl_ros import __version__, network
from mdacl_ros.errors import EngineError, ModelError
from mdacl_ros.network.model_yaml import MODEL_YAML, WEIGHTS, read_model_yaml
from mdacl_ros.runtime.cache import EngineCache, file_digest
from mdacl_ros.runtime.choice import choose
from mdacl_ros.runtime.engine import STRIDE, Engine, Progress
from mdacl_ros.runtime.engine_build import build_engine
from mdacl_ros.runtime.engine_kind import AUTO, EngineKind
from mdacl_ros.runtime.model_facts import read_model_facts
from mdacl_ros.runtime.registry import ENGINES


def load_engine(
    model: Path,
    *,
    engine: str = AUTO,
    precision: str = AUTO,
    device: str = AUTO,
    input_size: tuple[int, int] = (640, 480),
    progress: Progress | None = None,
    cache: EngineCache | None = None,
) -> Engine:
    """Load an engine, building it first when the cache has none for these weights and libraries.

    Args:
        model: Model folder (``model.yaml`` and ``weights.safetensors``).
        engine: Name of a kind in :data:`.registry.ENGINES`, or ``auto``.
        precision: One of its precisions, or ``auto``; see :func:`.choice.choose`.
        device: ``cpu``, ``cuda`` or ``auto``.
        input_size: Network input ``(width, height)``, multiples of 32.
        progress: Told what is being done while a build runs; a cached engine reports nothing.
        cache: Where built engines are kept.

    Raises:
        ModelError: Model files are missing or unreadable.
        EngineError: Unknown engine or precision, or it cannot run on this machine.
    """
    check_input_size(input_size)
    facts = read_model_facts(model)
    choice = choose(engine, precision, device, facts)
    kind = ENGINES[choice.engine]
    folder = model
    if kind.builds:
        built_as = kind.built_as(choice.precision)
        folder = _built(model, kind, built_as, input_size, progress or _silent, cache)
    return _warmed(kind.load(folder, facts, input_size, choice.precision, choice.device))


def _warmed(engine: Engine) -> Engine:
    """Answer once, probed and not, so that the first camera frame is as fast as any other."""
    width, height = engine.input_size
    inputs = (
        np.zeros((1, height, width, 3), np.uint8),
        np.zeros((1, 1, height, width), np.float32),
        np.ones((1, 2, height // STRIDE, width // STRIDE), np.float32),
    )
    for probe in (False, True):
        engine.infer(*inputs, probe=probe)
    return engine


def _built(
    model: Path,
    kind: EngineKind,
    precision: str,
    input_size: tuple[int, int],
    progress: Progress,
    cache: EngineCache | None,
) -> Path:
    """Return the cached folder of an engine, building it when needed."""
    cache = cache or EngineCache()
    parts = cache_parts(model, kind, precision, input_size)
    if (folder := cache.find(parts)) is not None:
        return folder
    if changed := cache.changed_libraries(parts):
        progress(0.0, f"built again, {changed}")
    with cache.store(parts) as part:
        build_engine(kind, model, input_size, precision, part, progress)
    folder = cache.find(parts)
    if folder is None:
        raise EngineError(f"engine: {cache.root} does not keep what is written; check the disk")
    return folder


def cache_parts(
    model: Path, kind: EngineKind, precision: str, input_size: tuple[int, int]
) -> dict[str, Any]:
    """Everything a built engine's cache entry depends on.

    Args:
        model: Model folder.
        kind: It is built.
        precision: One of its precisions.
        input_size: Network input ``(width, height)``.

    Raises:
        ModelError: The weights are missing.
    """
    for name in (MODEL_YAML, WEIGHTS):
        if not (model / name).is_file():
            raise ModelError(f"model: {model / name} does not exist; see models/small")
    return {
        "engine": kind.name,
        "precision": kind.built_as(precision),
        "weights": file_digest(model / WEIGHTS),
        "model_files": {
            name: file_digest(model / name) for name in kind.model_files if (model / name).is_file()
        },
        "detector": read_model_yaml(model)["detector"],
        "input_size": list(input_size),
        "machine": platform.machine(),
        "package": __version__,
        "code": _code_digest(kind),
        "libraries": {name: _version(name) for name in kind.libraries},
        "device": dict(kind.device_facts()),
    }


def _code_digest(kind: EngineKind) -> str:
    """SHA-256 of what makes the graph: it outlives neither its weights nor its code."""
    package = Path(mdacl_ros.__file__).parent
    digest = hashlib.sha256()
    for source in sorted(Path(network.__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    for name in kind.sources:
        digest.update((package / name).read_bytes())
    return digest.hexdigest()


def check_input_size(input_size: tuple[int, int]) -> None:
    """Refuse a network input that the detector cannot have.

    Raises:
        EngineError: A side is no multiple of :data:`.engine.STRIDE`.
    """
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
