"""Real builds by TensorRT-RTX on the CPU; no result is computed, that would need a GPU.

``make test-tensorrt`` runs them in an environment that has what they need.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from pathlib import Path

import pytest
import torch
from network.random_models import MICRO, SIZE, random_detector, random_inputs, save_random_model
from torch import nn

from mdacl_ros.errors import EngineError
from mdacl_ros.network.image_input import float_planes
from mdacl_ros.network.precision import TypedConv2d, quantisable
from mdacl_ros.network.probe import fold_norms
from mdacl_ros.runtime.cache import file_digest
from mdacl_ros.runtime.cuda_device import CudaDevice, find_cuda
from mdacl_ros.runtime.cudart import load_cudart, unusable
from mdacl_ros.runtime.quantisation import Quantisation, write_quantisation
from mdacl_ros.runtime.tensorrt_engine import DETECTOR, FACTS, PROBE, read_bindings
from mdacl_ros.runtime.tensorrt_frontends import choose_frontend
from mdacl_ros.runtime.tensorrt_library import load_tensorrt
from mdacl_ros.runtime.tensorrt_plan import BuildLimits, Plan
from mdacl_ros.runtime.tensorrt_runner import TensorRtRunner

pytestmark = pytest.mark.tensorrt
pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX is not installed: make test-tensorrt")
pytest.importorskip("onnxscript", reason="onnxscript is not installed: make test-tensorrt")

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from torch_tensorrt_without_gpu import import_torch_tensorrt  # noqa: E402

HAS_GPU = isinstance(find_cuda(), CudaDevice)
WITHOUT_GPU = BuildLimits(for_this_device=False)
GRAPHS = {"float32": (0, 0), "fp16": (0, 0), "int8": (64, 36)}
"""Quantised convolutions of detector and probe (its streams alone) in MICRO, by precision."""


@pytest.fixture(scope="module", autouse=True)
def _library() -> None:
    """torch-tensorrt cannot be imported without a GPU otherwise."""
    import_torch_tensorrt()


@pytest.fixture(scope="module")
def quantised_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of random weights with ranges for INT8."""
    folder = save_random_model(tmp_path_factory.mktemp("quantised"), MICRO)
    detector, ranges = fold_norms(random_detector(MICRO)), {}
    for name, conv in quantisable(detector).items():
        conv.register_forward_pre_hook(
            lambda _, inputs, name=name: ranges.__setitem__(name, float(inputs[0].abs().max()))
        )
    with torch.no_grad():
        detector(*random_inputs())
    digest = file_digest(folder / "weights.safetensors")
    write_quantisation(folder, Quantisation(digest, "random", 1, ranges))
    return folder


class Small(nn.Module):
    """A network of seconds: an image as cameras deliver it, and three convolutions."""

    def __init__(self, dtype: torch.dtype, amax: float | None, quantiser: object = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        channels = (3, 8, 8, 8)
        self.layers = nn.Sequential(
            *(
                TypedConv2d(nn.Conv2d(a, b, 3, padding=1), dtype, i == 2, amax, quantiser)
                for i, (a, b) in enumerate(itertools.pairwise(channels))
            )
        )

    def forward(self, rgb: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Channel means and the strongest channel."""
        y = self.layers(float_planes(rgb)).mean((2, 3))
        return y, y.argmax(1)


IMAGE = (torch.zeros(1, 32, 64, 3, dtype=torch.uint8),)


def built(
    frontend: str, dtype: torch.dtype, amax: float | None, limits: BuildLimits = WITHOUT_GPU
) -> Plan:
    """Build the small network."""
    from mdacl_ros.runtime.tensorrt_onnx import convert_with_onnx
    from mdacl_ros.runtime.tensorrt_quantiser import tensorrt_quantiser
    from mdacl_ros.runtime.tensorrt_torch import convert_with_torch_tensorrt

    convert = convert_with_onnx if frontend == "onnx" else convert_with_torch_tensorrt
    network = Small(dtype, amax, tensorrt_quantiser()).eval().requires_grad_(False)
    return convert(network, IMAGE, limits, lambda *_: None)


@pytest.mark.parametrize("frontend", ["torch_tensorrt", "onnx"])
@pytest.mark.parametrize(
    ("dtype", "amax"),
    [(torch.float32, None), (torch.float16, None), (torch.float32, 2.0), (torch.float16, 2.0)],
)
def test_both_front_ends_keep_types_and_quantisers(frontend, dtype, amax) -> None:
    if frontend == "onnx" and dtype == torch.float16 and amax:
        pytest.skip("ONNX quantises beside float32 only")
    plan = built(frontend, dtype, amax)
    assert len(plan.data) > 10_000
    assert [(b.shape, b.dtype) for b in plan.inputs] == [((1, 32, 64, 3), "uint8")]
    assert [(b.shape, b.dtype) for b in plan.outputs] == [((1, 8), "float32"), ((1,), "int64")]
    assert plan.layers.get("QUANTIZE", 0) == plan.layers.get("DEQUANTIZE", 0) == (6 if amax else 0)
    assert plan.quantised_weights == (3 if amax else 0)
    assert (plan.types.get("HALF", 0) > 0) is (dtype == torch.float16)


def test_timings_are_kept_beside_the_engines_and_used_again(tmp_path: Path) -> None:
    limits = BuildLimits(timing_cache=tmp_path / "x.timing", for_this_device=False)
    for _ in range(2):
        built("torch_tensorrt", torch.float32, None, limits)
        assert [f.name for f in tmp_path.iterdir()] == ["x.timing"]
    (tmp_path / "x.timing").write_bytes(b"of another TensorRT")
    built("torch_tensorrt", torch.float32, None, limits)


@pytest.mark.parametrize("frontend", ["torch_tensorrt", "onnx"])
def test_raising_in_progress_cancels_within_a_second(frontend: str) -> None:
    from mdacl_ros.runtime.tensorrt_onnx import convert_with_onnx
    from mdacl_ros.runtime.tensorrt_torch import convert_with_torch_tensorrt

    convert = convert_with_onnx if frontend == "onnx" else convert_with_torch_tensorrt
    cancelled: list[float] = []

    def stop(_fraction: float, what: str) -> None:
        if "network graph" in what:  # TensorRT's own phase: the build has begun
            cancelled.append(time.monotonic())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(Small(torch.float32, None).eval(), IMAGE, WITHOUT_GPU, stop)
    assert len(cancelled) == 1
    assert time.monotonic() - cancelled[0] < 1.0


def test_an_operation_without_converter_is_named_in_one_line() -> None:
    from mdacl_ros.runtime.tensorrt_torch import convert_with_torch_tensorrt

    class Odd(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.linalg.pinv(x.float().flatten(0, 1).flatten(1))

    with pytest.raises(EngineError, match="no converter for aten") as caught:
        convert_with_torch_tensorrt(Odd(), IMAGE, WITHOUT_GPU, lambda *_: None)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.skipif(HAS_GPU, reason="this machine has a GPU")
def test_without_a_driver_library_and_runtime_say_so(tmp_path: Path) -> None:
    """The real libcudart and the real TensorRT, on a machine that cannot run them."""
    cuda = load_cudart()
    assert cuda.driver_version() == 0
    assert "CUDA driver version is insufficient for CUDA runtime version" in unusable(cuda)
    plan = built("torch_tensorrt", torch.float32, None)
    for name, data in (("whole", plan.data), ("cut", plan.data[:1000]), ("other", b"x" * 4096)):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(EngineError, match=f"{name} cannot be loaded") as caught:
            TensorRtRunner(load_tensorrt(), cuda, tmp_path / name, plan.inputs, plan.outputs)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("precision", GRAPHS)
def test_detector_and_probe_are_built(quantised_model, tmp_path, precision: str) -> None:
    """Both graphs in each precision: names, shapes, types, layers, rising progress."""
    from mdacl_ros.runtime.tensorrt_build import build_plans

    reports: list[tuple[float, str]] = []
    frontend = choose_frontend()
    build_plans(
        quantised_model,
        SIZE,
        precision,
        tmp_path,
        frontend,
        WITHOUT_GPU,
        lambda fraction, what: reports.append((fraction, what)),
    )
    facts = json.loads((tmp_path / FACTS).read_text())
    assert (facts["frontend"], facts["precision"]) == ("torch_tensorrt", precision)
    for name, quantised in zip((DETECTOR, PROBE), GRAPHS[precision], strict=True):
        plan = facts["plans"][name]
        print(precision, name, {k: plan[k] for k in ("bytes", "seconds", "types")})
        assert (tmp_path / name).stat().st_size == plan["bytes"] > 1_000_000
        width, height = SIZE
        assert [(b.shape, b.dtype) for b in read_bindings(plan["inputs"])] == [
            ((1, height, width, 3), "uint8"),
            ((1, 1, height, width), "float32"),
            ((1, 2, height // 32, width // 32), "float32"),
        ]
        outputs = read_bindings(plan["outputs"])
        assert len(outputs) == (7 if name == DETECTOR else 9)
        assert [b.dtype for b in outputs].index("int64") == 2
        assert plan["layers"].get("QUANTIZE", 0) == 2 * quantised
        assert plan["quantised_weights"] == quantised
        assert (plan["types"].get("HALF", 0) > 50) is (precision != "float32")
    fractions = [fraction for fraction, _ in reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert any("profile costs" in what for _, what in reports)
