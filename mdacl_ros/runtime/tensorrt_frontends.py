"""Which front end turns the network into a TensorRT network; asked without importing torch."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from mdacl_ros.errors import EngineError

OLDEST_TORCH_TENSORRT = (2, 6)
"""The first that takes a strongly typed network: FP16 and INT8 are written in the graph."""

TORCH_TENSORRT = ("torch-tensorrt", "torch-tensorrt-rtx")
"""Distributions that bring the module ``torch_tensorrt``."""


@dataclass(frozen=True, slots=True)
class Frontend:
    """A way from PyTorch to TensorRT.

    Attributes:
        name: ``torch_tensorrt`` or ``onnx``.
        versions: Of every package that takes part.
    """

    name: str
    versions: dict[str, str]


def choose_frontend() -> Frontend:
    """torch-tensorrt where a usable one is installed, else ONNX.

    Raises:
        EngineError: Neither can be used; says why, and what to install.
    """
    torch = installed("torch")
    if not torch:
        raise EngineError(
            "tensorrt: building an engine needs torch, which is not installed; see docs/install.md"
        )
    reason = torch_tensorrt_unusable()
    if not reason:
        found = {name: installed(name) for name in TORCH_TENSORRT if installed(name)}
        return Frontend("torch_tensorrt", {"torch": torch, **found})
    if onnx := {name: installed(name) for name in ("onnx", "onnxscript") if installed(name)}:
        if len(onnx) == 2:
            return Frontend("onnx", {"torch": torch, **onnx})
        reason += f"; of the ONNX front end's packages only {next(iter(onnx))} is installed"
    raise EngineError(
        f"tensorrt: {reason}; install torch-tensorrt {release(torch)}, or onnx and onnxscript"
    )


def torch_tensorrt_unusable() -> str:
    """Why torch-tensorrt cannot be used; empty where it can."""
    found = next((installed(name) for name in TORCH_TENSORRT if installed(name)), "")
    if not found or find_spec("torch_tensorrt") is None:
        return "torch-tensorrt is not installed"
    if numbers(found) < OLDEST_TORCH_TENSORRT:
        oldest = ".".join(map(str, OLDEST_TORCH_TENSORRT))
        return f"torch-tensorrt {found} is too old, wanted {oldest} or later"
    torch = installed("torch")
    if numbers(found) != numbers(torch):
        return f"torch-tensorrt {found} does not fit torch {torch}: both need the same release"
    return ""


def installed(package: str) -> str:
    """An installed distribution's version; empty where it is absent."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def release(text: str) -> str:
    """``2.13.0+cpu`` -> ``2.13``."""
    return ".".join(map(str, numbers(text)))


def numbers(text: str) -> tuple[int, ...]:
    """The first two numbers of a version."""
    return tuple(int(part) for part in text.split("+")[0].split(".")[:2] if part.isdigit())
