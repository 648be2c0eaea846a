"""TensorRT on a machine without a GPU: nothing is faked but what stands in the test's name."""

from pathlib import Path

import pytest

from mdacl_ros.errors import EngineError
from mdacl_ros.runtime import load_engine, tensorrt_kind
from mdacl_ros.runtime.cache import EngineCache
from mdacl_ros.runtime.cuda_device import CudaDevice, find_cuda
from mdacl_ros.runtime.cudart import CudaError
from mdacl_ros.runtime.loading import cache_parts
from mdacl_ros.runtime.tensorrt_frontends import Frontend
from mdacl_ros.runtime.tensorrt_kind import TensorRtKind
from mdacl_ros.runtime.tensorrt_plan import LARGEST_WORKSPACE, explain, workspace_limit

HAS_GPU = isinstance(find_cuda(), CudaDevice)
ORIN = CudaDevice("Orin", (8, 7), "12.6", "# R36 (release), REVISION: 4.3")


@pytest.mark.skipif(HAS_GPU, reason="this machine has a GPU")
@pytest.mark.parametrize("precision", TensorRtKind.precisions)
def test_without_a_gpu_it_is_refused_before_any_build(model: Path, tmp_path: Path, precision):
    reports: list[str] = []
    with pytest.raises(EngineError, match="NVIDIA driver") as caught:
        load_engine(
            model,
            engine="tensorrt",
            precision=precision,
            input_size=(160, 128),
            progress=lambda _, what: reports.append(what),
            cache=EngineCache(tmp_path / "engines"),
        )
    assert "\n" not in str(caught.value)
    assert "set engine to openvino" in str(caught.value)
    assert reports == []
    assert not (tmp_path / "engines").exists()


class Orin:
    """A CUDA runtime as on an Orin, or with the driver that a test says."""

    def __init__(self, code: int = 0, driver: int = 12060) -> None:
        self.code, self.driver = code, driver

    def device_count(self) -> int:
        if self.code:
            raise CudaError("cudaGetDeviceCount", self.code, "CUDA's own text")
        return 1

    def driver_version(self) -> int:
        return self.driver

    def runtime_version(self) -> int:
        return 13000


@pytest.fixture
def orin(monkeypatch):
    """As on an Orin with JetPack 6 and torch-tensorrt; the values may be replaced."""
    monkeypatch.setattr(tensorrt_kind, "find_cuda", lambda: ORIN)
    monkeypatch.setattr(tensorrt_kind, "load_cudart", Orin)
    monkeypatch.setattr(tensorrt_kind, "missing_library", lambda: "")
    monkeypatch.setattr(tensorrt_kind, "library_version", lambda: "tensorrt 10.3.0")
    front = Frontend("torch_tensorrt", {"torch": "2.8.0", "torch-tensorrt": "2.8.0"})
    monkeypatch.setattr(tensorrt_kind, "choose_frontend", lambda: front)
    return monkeypatch


def test_with_all_pieces_there_is_no_obstacle(orin) -> None:
    assert TensorRtKind().refusal("fp16", "cuda", None) == ""
    assert "does not run on cpu" in TensorRtKind().refusal("fp16", "cpu", None)


def test_a_driver_that_is_too_old_is_named_with_both_versions(orin) -> None:
    orin.setattr(tensorrt_kind, "load_cudart", lambda: Orin(code=35, driver=12020))
    refusal = TensorRtKind().refusal("fp16", "cuda", None)
    assert "supports CUDA 12.2, the CUDA runtime here is 13.0 (CUDA's own text)" in refusal


def test_a_missing_library_or_front_end_is_the_reason(orin) -> None:
    def refuse() -> Frontend:
        raise EngineError("tensorrt: torch-tensorrt is not installed; install it")

    orin.setattr(tensorrt_kind, "choose_frontend", refuse)
    assert TensorRtKind().refusal("fp16", "cuda", None) == (
        "torch-tensorrt is not installed; install it"
    )
    orin.setattr(tensorrt_kind, "missing_library", lambda: "no TensorRT")
    assert TensorRtKind().refusal("fp16", "cuda", None) == "no TensorRT"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("library_version", lambda: "tensorrt 10.7.0"),
        ("choose_frontend", lambda: Frontend("onnx", {})),
        ("find_cuda", lambda: CudaDevice("Orin", (8, 7), "12.6", "# R36, REVISION: 4.4")),
        ("find_cuda", lambda: CudaDevice("Orin", (8, 7), "12.8", ORIN.driver)),
        ("find_cuda", lambda: CudaDevice("Thor", (11, 0), "12.6", ORIN.driver)),
    ],
)
def test_the_cache_key_changes_with_library_driver_gpu_and_front_end(
    orin, model: Path, name, value
) -> None:
    kind, size = TensorRtKind(), (160, 128)
    before = cache_parts(model, kind, "fp16", size)
    assert cache_parts(model, kind, "fp16", size) == before
    orin.setattr(tensorrt_kind, name, value)
    after = cache_parts(model, kind, "fp16", size)
    assert after["device"] != before["device"]
    assert cache_parts(model, kind, "int8", size) != after


@pytest.mark.parametrize(
    ("free", "limit"), [(64 << 30, LARGEST_WORKSPACE), (2 << 30, 512 << 20), (0, 0)]
)
def test_workspace_is_a_quarter_of_what_is_free(free: int, limit: int) -> None:
    assert workspace_limit(free) == limit


@pytest.mark.parametrize(
    "text",
    [
        "[E] Error Code 10: Internal Error (Could not find any implementation for node conv1)",
        "[resizingAllocator.cpp] Error Code 1: Cuda Runtime (out of memory)",
        "Requested amount of GPU memory (17179869184 bytes) could not be allocated: OutOfMemory",
    ],
)
def test_out_of_memory_is_said_in_words(text: str) -> None:
    line = explain(["some other\nerror", text], 256 << 20)
    assert "out of memory while building, with 256 MiB" in line
    assert text[:60] in line
    assert "\n" not in line


def test_another_failure_is_given_as_it_is() -> None:
    assert explain(["Network must\nhave outputs"], 1) == (
        "tensorrt: the engine was not built: Network must have outputs"
    )
