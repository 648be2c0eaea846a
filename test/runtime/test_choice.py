"""What auto becomes, and what is refused, on machines of all kinds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mdacl_ros.errors import EngineError
from mdacl_ros.runtime import cuda_device, openvino_kind, torch_kind
from mdacl_ros.runtime.choice import choose, choose_for
from mdacl_ros.runtime.cuda_device import CudaDevice
from mdacl_ros.runtime.model_facts import ModelFacts
from mdacl_ros.runtime.openvino_kind import OpenVinoKind
from mdacl_ros.runtime.registry import ENGINES

FACTS = ModelFacts(labels=("person",), estimate=(1.0, 0.0), folder=Path("nowhere"))
ALL = replace(FACTS, precisions=("float32", "bf16", "fp16", "int8"))
ORIN = CudaDevice("Orin", (8, 7), "12.6", "# R36 (release)")


@pytest.fixture(autouse=True)
def plain_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CPU that has nothing special, and no GPU."""
    _cpu(monkeypatch, "avx2")
    _gpu(monkeypatch, "no NVIDIA driver is installed here (libcuda.so.1)")
    for name in [n for n in ENGINES if n not in ("openvino", "torch")]:
        monkeypatch.delitem(ENGINES, name)


def _cpu(monkeypatch: pytest.MonkeyPatch, *flags: str) -> None:
    monkeypatch.setattr(openvino_kind, "cpu_flags", lambda: frozenset(flags))


def _gpu(monkeypatch: pytest.MonkeyPatch, found: CudaDevice | str) -> None:
    monkeypatch.setattr(torch_kind, "find_cuda", lambda: found)


def _resolved(engine="auto", precision="auto", device="auto", facts=FACTS) -> str:
    choice = choose(engine, precision, device, facts)
    return f"{choice.engine} {choice.precision} {choice.device}"


def test_auto_takes_float32_on_a_plain_cpu_and_says_why() -> None:
    choice = choose("auto", "auto", "auto", ALL)
    assert (choice.engine, choice.precision, choice.device) == ("openvino", "float32", "cpu")
    assert "no bf16: this CPU has no bf16" in choice.reason
    assert "set precision" not in choice.reason  # a remedy for what is no fault
    assert str(choice) == f"openvino float32 on cpu ({choice.reason})"


def test_auto_takes_what_is_fast_and_vouched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    _cpu(monkeypatch, "avx512f", "avx512_bf16")
    assert _resolved(facts=replace(FACTS, precisions=("float32", "bf16"))) == "openvino bf16 cpu"
    choice = choose("auto", "auto", "auto", FACTS)
    assert choice.precision == "float32"
    assert "no bf16: the model folder does not vouch for it" in choice.reason
    assert choose("auto", "auto", "auto", None).precision == "float32"


def test_a_precision_that_is_named_needs_nobody_to_vouch(monkeypatch: pytest.MonkeyPatch) -> None:
    _cpu(monkeypatch, "avx512_bf16")
    choice = choose("auto", "bf16", "auto", FACTS)
    assert (choice.engine, choice.precision, choice.reason) == ("openvino", "bf16", "")


def test_nothing_is_explained_where_nothing_was_left_open() -> None:
    assert choose("openvino", "float32", "cpu", FACTS).reason == ""


def test_torch_runs_where_it_is_fastest(monkeypatch: pytest.MonkeyPatch) -> None:
    choice = choose("torch", "auto", "auto", FACTS)
    assert choice.device == "cpu"
    assert "no torch on cuda: no NVIDIA driver is installed here" in choice.reason
    _gpu(monkeypatch, ORIN)
    monkeypatch.setattr(torch_kind, "torch_cuda_version", lambda: "12.6")
    assert _resolved("torch") == "torch float32 cuda"
    assert _resolved("torch", device="cpu") == "torch float32 cpu"
    assert _resolved(device="cuda") == "torch float32 cuda"
    assert _resolved() == "openvino float32 cpu"


def test_torch_without_cuda_is_refused_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    _gpu(monkeypatch, ORIN)
    monkeypatch.setattr(torch_kind, "torch_cuda_version", lambda: "")
    with pytest.raises(EngineError, match="PyTorch was built without CUDA"):
        choose("torch", "auto", "cuda", FACTS)
    assert _resolved("torch") == "torch float32 cpu"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (
            ("openvino", "bf16", "auto"),
            "engine openvino with precision bf16: this CPU has no bf16; set precision to float32",
        ),
        (
            ("torch", "bf16", "auto"),
            "engine torch with precision bf16: it has no bf16; set precision to auto or float32",
        ),
        (
            ("openvino", "auto", "cuda"),
            "engine openvino with precision auto on device cuda: it does not run on cuda; set "
            "device to auto or cpu",
        ),
        (
            ("torch", "float32", "cuda"),
            "engine torch with precision float32 on device cuda: no NVIDIA driver is installed "
            r"here \(libcuda.so.1\); set device to cpu",
        ),
        (
            ("auto", "bf16", "cuda"),
            r"engine auto with precision bf16 on device cuda: nothing here can run it \(openvino: "
            r"it does not run on cuda, torch on cuda: it has no bf16\); set precision and device "
            "to auto",
        ),
        (("onnx", "auto", "auto"), "engine: got 'onnx', wanted one of auto, openvino, torch"),
        (("auto", "int4", "auto"), "precision: got 'int4', wanted one of auto, "),
        (("auto", "auto", "npu"), "device: got 'npu', wanted one of auto, cpu, cuda"),
    ],
)
def test_what_cannot_run_here_is_refused_in_one_line(asked: tuple[str, ...], says: str) -> None:
    with pytest.raises(EngineError, match=says) as caught:
        choose(*asked, FACTS)
    assert "\n" not in str(caught.value)


def test_a_library_that_is_not_installed_is_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OpenVinoKind, "modules", ("a_library_that_nobody_has",))
    choice = choose("auto", "auto", "auto", FACTS)
    assert choice.engine == "torch"
    assert "no openvino: Python module a_library_that_nobody_has is not installed" in choice.reason
    with pytest.raises(EngineError, match=r"engine openvino .* is not installed; docs/engines"):
        choose("openvino", "auto", "auto", FACTS)


def test_nothing_at_all_can_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ENGINES.values():
        monkeypatch.setattr(type(kind), "modules", ("a_library_that_nobody_has",))
    with pytest.raises(EngineError, match=r"nothing here can run it \(.*docs/engines.md"):
        choose("auto", "auto", "auto", FACTS)


def test_a_folder_that_cannot_be_read_is_reported_by_loading(tmp_path: Path) -> None:
    assert choose_for(tmp_path / "none", "auto", "auto", "auto").precision == "float32"
    with pytest.raises(EngineError, match="it has no bf16"):
        choose_for(tmp_path / "none", "torch", "bf16", "auto")


def test_the_gpu_is_asked_for_once() -> None:
    assert cuda_device.find_cuda() is cuda_device.find_cuda()
