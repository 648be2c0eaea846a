from __future__ import annotations

import json
import locale
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from network.random_models import SIZE, random_inputs

from mdacl_ros.errors import EngineError, ModelError
from mdacl_ros.runtime import Engine, load_engine, loading
from mdacl_ros.runtime.cache import EngineCache
from mdacl_ros.runtime.registry import ENGINES
from mdacl_ros.types import ByteArray, FloatArray, Predictions

FIELDS = ("boxes", "scores", "labels", "gates", "entropies", "energies", "box_energies")
HAS_BF16 = "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
PRESENT = {
    "both": [[1, 1, 1, 1, 1], [1, 1, 1, 1, 1]],
    "rgb alone": [[1, 1, 1, 1, 1], [0, 0, 0, 0, 0]],
    "thermal alone": [[0, 0, 0, 0, 0], [1, 1, 1, 1, 1]],
    "thermal in part": [[1, 1, 1, 1, 1], [0, 1, 1, 0, 0]],
}


def load(model: Path, cache: EngineCache, **settings: object) -> Engine:
    return load_engine(model, input_size=SIZE, cache=cache, **settings)  # type: ignore[arg-type]


def inputs(present: str = "both", seed: int = 3) -> tuple[ByteArray, FloatArray, FloatArray]:
    rgb, thermal, _ = random_inputs(seed=seed)
    columns = np.array(PRESENT[present], np.float32)  # (2, W/32)
    cells = np.repeat(columns[:, None], SIZE[1] // 32, axis=1)[None]
    here = np.kron(cells, np.ones((1, 1, 32, 32), np.float32))  # as perception leaves it: zeros
    image = (255 * rgb.numpy() * here[:, :1]).astype(np.uint8).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(image), thermal.numpy() * here[:, 1:], cells


@pytest.fixture(scope="module")
def reference(model: Path, cache: EngineCache) -> Engine:
    return load(model, cache, engine="torch")


@pytest.fixture(scope="module")
def openvino(model: Path, cache: EngineCache) -> Engine:
    return load(model, cache, engine="openvino")


def test_compiled_graphs_are_read_and_vouched_for(openvino: Engine, cache: EngineCache) -> None:
    """A start that compiled again would write another file beside them."""
    (manifest,) = cache.root.glob("*/manifest.json")
    found = {path.name for path in manifest.parent.glob("*.blob")}
    assert len(found) == (4 if HAS_BF16 else 2)
    assert found < json.loads(manifest.read_text())["files"].keys()


def test_loading_leaves_the_locale_alone(model: Path, openvino: Engine, cache: EngineCache) -> None:
    before = locale.setlocale(locale.LC_ALL)
    for _ in range(3):  # OpenVINO's two threads change it by turns
        load(model, cache, engine="openvino").close()
        assert locale.setlocale(locale.LC_ALL) == before


def assert_same_detections(ours: Predictions, theirs: Predictions, tolerance: float) -> None:
    assert np.allclose(ours.scores, theirs.scores, atol=tolerance)
    gaps = -np.diff(theirs.scores[0])
    # where two scores are as near as the tolerance, their order is not defined
    distinct = np.concatenate([[True], gaps > 2 * tolerance])
    distinct &= np.concatenate([gaps > 2 * tolerance, [False]])
    assert distinct.mean() > 0.5
    assert np.array_equal(ours.labels[0][distinct], theirs.labels[0][distinct])
    assert np.allclose(ours.boxes[0][distinct], theirs.boxes[0][distinct], atol=0.05)


def rows_differ(ours: FloatArray | None, theirs: FloatArray | None) -> float:
    """Median over rows of the largest relative difference: a few rows may change places."""
    assert ours is not None
    assert theirs is not None
    scale = np.maximum(np.abs(theirs[0]), 0.05 * theirs.max())
    return float(np.median((np.abs(ours[0] - theirs[0]) / scale).max(axis=0)))


@pytest.mark.parametrize("present", PRESENT)
@pytest.mark.parametrize("probe", [False, True])
def test_openvino_answers_as_torch(
    reference: Engine, openvino: Engine, present: str, probe: bool
) -> None:
    given = inputs(present)
    theirs, ours = reference.infer(*given, probe=probe), openvino.infer(*given, probe=probe)
    assert_same_detections(ours, theirs, 1e-4)
    for name in ("gates", "entropies"):
        assert np.allclose(getattr(ours, name), getattr(theirs, name), atol=1e-4)
    assert np.allclose(ours.energies, theirs.energies, rtol=1e-3, atol=1e-5)
    assert (ours.sensitivities is not None) is (theirs.sensitivities is not None) is probe
    assert rows_differ(ours.box_energies, theirs.box_energies) < 1e-2
    if ours.sensitivities is not None:
        assert np.allclose(ours.alone_scores, theirs.alone_scores, atol=1e-4)
        assert np.allclose(ours.sensitivities, theirs.sensitivities, rtol=1e-2, atol=1e-6)


@pytest.mark.skipif(not HAS_BF16, reason="this CPU has no bf16")
def test_bf16_answers_nearly_as_float32(model: Path, cache: EngineCache, reference: Engine) -> None:
    engine = load(model, cache, engine="openvino", precision="bf16")
    assert engine.precision == "bf16"
    ours, theirs = engine.infer(*inputs()), reference.infer(*inputs())
    assert np.abs(ours.scores - theirs.scores).max() < 0.15
    assert np.allclose(ours.gates, theirs.gates, atol=0.1)
    assert np.allclose(ours.entropies, theirs.entropies, atol=0.05)


@pytest.mark.parametrize("name", ["reference", "openvino"])
def test_types_shapes_and_facts(name: str, request: pytest.FixtureRequest) -> None:
    engine: Engine = request.getfixturevalue(name)
    assert engine.input_size == SIZE
    assert engine.labels == ("person", "car", "bicycle")
    assert engine.estimate == (0.5, 0.25)
    assert engine.device
    out = engine.infer(*inputs(), probe=True)
    for field in FIELDS:
        value = getattr(out, field)
        assert value.dtype == (np.int64 if field == "labels" else np.float32), field
        assert len(value) == 1
    assert out.boxes.shape == (1, 40, 4)
    assert out.sensitivities is not None
    assert out.sensitivities.shape == (1, 2)
    assert out.box_energies.shape == out.alone_scores.shape == (1, 2, 40)
    assert out.alone_boxes.shape == (1, 2, 40, 4)
    assert out.alone_labels.dtype == np.int64


@pytest.mark.parametrize("name", ["reference", "openvino"])
def test_answers_are_not_overwritten_by_the_next_frame(
    name: str, request: pytest.FixtureRequest
) -> None:
    engine: Engine = request.getfixturevalue(name)
    first = engine.infer(*inputs())
    kept = first.scores.copy()
    second = engine.infer(*inputs(seed=4))
    assert np.array_equal(first.scores, kept)
    assert not np.array_equal(first.scores, second.scores)


def test_second_load_does_not_build(model: Path, cache: EngineCache, openvino: Engine) -> None:
    told: list[str] = []
    load(model, cache, engine="openvino", progress=lambda _, what: told.append(what))
    assert told == []


def test_a_build_after_an_update_names_what_changed(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = EngineCache(tmp_path / "engines")
    parts = loading.cache_parts(model, ENGINES["openvino"], "float32", SIZE)
    with cache.store(parts) as part:
        (part / "detector.xml").write_text("")
    now = parts["libraries"]["openvino"]
    monkeypatch.setattr(loading, "_version", {"torch": parts["libraries"]["torch"]}.get)
    said: list[str] = []

    def stop(_fraction: float, what: str) -> None:
        said.append(what)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(model, cache, engine="openvino", precision="float32", progress=stop)
    assert said == [f"built again, openvino {now} -> None"]


def test_build_reports_and_a_failed_one_leaves_nothing(model: Path, tmp_path: Path) -> None:
    told: list[tuple[float, str]] = []

    def stop(fraction: float, what: str) -> None:
        told.append((fraction, what))
        raise KeyboardInterrupt

    cache = EngineCache(tmp_path / "engines")
    with pytest.raises(KeyboardInterrupt):
        load(model, cache, engine="openvino", progress=stop)
    assert len(told) == 1
    assert list(cache.root.iterdir()) == []


def test_a_graph_that_answers_differently_is_refused(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mdacl_ros.runtime import openvino_build

    monkeypatch.setattr(openvino_build, "_convert", lambda *_: None)  # the costly part
    monkeypatch.setattr(
        openvino_build, "_answers", lambda *_: [np.full((1, 40), 2.0, np.float32)] * 9
    )
    with pytest.raises(EngineError, match="scores differ from PyTorch"):
        openvino_build.convert(
            model, SIZE, "float32", tmp_path / "a.xml", tmp_path / "b.xml", lambda *_: None
        )
    assert list(tmp_path.glob("*.xml")) == []


def test_building_leaves_torch_out_of_this_process(model: Path, cache: EngineCache) -> None:
    """A node that finds no engine in its cache must not carry PyTorch afterwards."""
    code = (
        "import sys; from pathlib import Path; from mdacl_ros.runtime import load_engine\n"
        "from mdacl_ros.runtime.cache import EngineCache\n"
        f"cache = EngineCache(Path({str(cache.root)!r}))\n"
        f"load_engine(Path({str(model)!r}), input_size={SIZE}, cache=cache)\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_closed_engine_says_so(model: Path, cache: EngineCache, openvino: Engine) -> None:
    engine = load(model, cache, engine="openvino")
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.infer(*inputs())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"engine": "onnx"}, "engine: got 'onnx', wanted one of auto, "),
        ({"engine": "torch", "precision": "bf16"}, "it has no bf16; set precision"),
        ({"precision": "fp4"}, "precision: got 'fp4', wanted one of auto, "),
        ({"device": "npu"}, "device: got 'npu', wanted one of auto, cpu, cuda"),
        ({"input_size": (640, 470)}, "640x470, wanted multiples of 32"),
        ({"input_size": (0, 32)}, "0x32, wanted multiples of 32"),
    ],
)
def test_wrong_settings(
    model: Path, cache: EngineCache, openvino: Engine, settings: dict, message: str
) -> None:
    with pytest.raises(EngineError, match=message) as caught:
        load_engine(model, **{"input_size": SIZE, "cache": cache} | settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("engine", ["torch", "openvino"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("weights.safetensors", None),
        ("weights.safetensors", b"\x10\x00\x00"),
        ("model.yaml", None),
        ("model.yaml", b"model: something else"),
        ("model.yaml", b"detector: {name: x}"),
        ("model.yaml", b"detector: {name: x, labels: person}"),
        ("model.yaml", b"detector: {name: x, labels: [a]}\ndominance_estimate: {slope: steep}"),
        ("model.yaml", b"detector: {name: x, labels: [a]}\ndominance_estimate: 3"),
    ],
)
def test_broken_model_folder(
    model: Path, tmp_path: Path, engine: str, name: str, content: bytes | None
) -> None:
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    cache = EngineCache(tmp_path / "engines")
    with pytest.raises(ModelError, match=name) as caught:
        load(folder, cache, engine=engine)
    assert "\n" not in str(caught.value)
    assert not cache.root.exists() or list(cache.root.iterdir()) == []


def test_no_model_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist; give a model folder"):
        load_engine(tmp_path / "absent")
