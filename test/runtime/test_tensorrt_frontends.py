import pytest

from mdacl_ros.errors import EngineError
from mdacl_ros.runtime import tensorrt_frontends
from mdacl_ros.runtime.tensorrt_frontends import choose_frontend, numbers, release

WHOLE = {"torch": "2.8.0", "torch-tensorrt": "2.8.0", "onnx": "1.18.0", "onnxscript": "0.5.0"}


@pytest.fixture
def packages(monkeypatch):
    """What importlib.metadata knows, in place of what this machine has."""

    def install(found: dict[str, str]) -> None:
        monkeypatch.setattr(tensorrt_frontends, "installed", lambda name: found.get(name, ""))
        monkeypatch.setattr(
            tensorrt_frontends, "find_spec", lambda name: "torch-tensorrt" in found or None
        )

    return install


def test_torch_tensorrt_comes_first_and_onnx_second(packages) -> None:
    packages(WHOLE)
    assert choose_frontend().name == "torch_tensorrt"
    assert choose_frontend().versions == {"torch": "2.8.0", "torch-tensorrt": "2.8.0"}
    packages({k: v for k, v in WHOLE.items() if k != "torch-tensorrt"})
    assert choose_frontend().name == "onnx"
    packages(WHOLE | {"torch-tensorrt": "2.5.0", "torch": "2.5.0"})
    assert choose_frontend().name == "onnx"


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ({}, "needs torch, which is not installed"),
        ({"torch": "2.13.0+cpu"}, "not installed; install torch-tensorrt 2.13, or onnx"),
        ({"torch": "2.5.0", "torch-tensorrt": "2.5.0"}, "2.5.0 is too old, wanted 2.6 or later"),
        ({"torch": "2.9.1", "torch-tensorrt": "2.8.0"}, "2.8.0 does not fit torch 2.9.1"),
        ({"torch": "2.9.1", "onnx": "1.18"}, "only onnx is installed"),
    ],
)
def test_what_is_missing_is_one_line(packages, found, says) -> None:
    packages(found)
    with pytest.raises(EngineError, match=says) as caught:
        choose_frontend()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "first"),
    [("2.13.0+cpu", (2, 13)), ("10.3.0.30", (10, 3)), ("2.5.0a0+872d972", (2, 5)), ("", ())],
)
def test_version_numbers(text, first) -> None:
    assert numbers(text) == first
    assert release(text) == ".".join(map(str, first))
