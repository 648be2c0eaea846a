"""Whatever lies in a file: it loads, or one line says what is wrong with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rosbags.typesys import Stores, get_typestore

from mdacl_ros.errors import CalibrationError, ModelError, RecordingError, ScenarioError
from mdacl_ros.network.config import DetectorConfig
from mdacl_ros.network.model_yaml import MODEL_YAML, WEIGHTS
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime.model_facts import read_model_facts
from mdacl_ros.sensing.images import image_frame
from mdacl_ros.sensing.registration.rig import load_rig, save_rig
from mdacl_ros.sensing.registration.thermal_registration import Registration
from mdacl_ros.types import Modality
from mdacl_tools.live.faults.scenario import load_scenario, parse_scenario
from mdacl_tools.recordings.bag_writer import COMPRESSED, IMAGE, write_bag
from mdacl_tools.recordings.losses import Losses
from mdacl_tools.recordings.open_recording import open_recording
from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording

from .budget import fuzz, refused
from .mutations import EDITS, ODD_VALUES, PATHS, damaged, with_odd_value

RIG = find_resource("calibration/example_rig.yaml").read_bytes()
MODEL = find_resource(f"models/small/{MODEL_YAML}").read_bytes()
SCENARIO = find_resource("config/faults_example.yaml").read_bytes()
NUMBERS = st.one_of(st.floats(), st.integers(-(2**70), 2**70))


def use_rig(path: Path) -> None:
    """Load a calibration, and lay one camera over the other with it."""
    rig = load_rig(path)
    Registration(rig, rig.rgb.size, rig.thermal.size, (64, 64))
    save_rig(rig, path)


@pytest.fixture
def rig_file(tmp_path: Path) -> Path:
    return tmp_path / "rig.yaml"


@fuzz(2)
@given(edits=EDITS)
def test_calibration_bytes(rig_file: Path, edits: list[Any]) -> None:
    rig_file.write_bytes(damaged(RIG, edits))
    refused(lambda: use_rig(rig_file), CalibrationError)


@fuzz(2)
@given(path=PATHS, value=st.one_of(ODD_VALUES, NUMBERS))
def test_calibration_values(rig_file: Path, path: list[int], value: Any) -> None:
    rig_file.write_text(yaml.safe_dump(with_odd_value(yaml.safe_load(RIG), path, value)))
    refused(lambda: use_rig(rig_file), CalibrationError)


@fuzz(1)
@given(edits=EDITS)
def test_model_yaml_bytes(tmp_path: Path, edits: list[Any]) -> None:
    (tmp_path / MODEL_YAML).write_bytes(damaged(MODEL, edits))
    refused(lambda: read_model_facts(tmp_path), ModelError)


@fuzz(1)
@given(path=PATHS, value=ODD_VALUES)
def test_model_yaml_values(tmp_path: Path, path: list[int], value: Any) -> None:
    content = with_odd_value(yaml.safe_load(MODEL), path, value)
    (tmp_path / MODEL_YAML).write_text(yaml.safe_dump(content))

    def load() -> None:
        read_model_facts(tmp_path)
        DetectorConfig.from_dict(content["detector"])

    refused(load, ModelError)


@fuzz(2)
@given(edits=EDITS)
def test_scenario_bytes(tmp_path: Path, edits: list[Any]) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_bytes(damaged(SCENARIO, edits))
    refused(lambda: load_scenario(file), ScenarioError)


@fuzz(2)
@given(path=PATHS, value=ODD_VALUES)
def test_scenario_values(path: list[int], value: Any) -> None:
    content = with_odd_value(yaml.safe_load(SCENARIO), path, value)
    refused(lambda: parse_scenario(content), ScenarioError)


@pytest.fixture(scope="module")
def small_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of a few thousand bytes: the weights of something else, in the right form."""
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("weights")
    save_file({"a": torch.zeros(8), "b.running_mean": torch.ones(2, 3)}, folder / WEIGHTS)
    (folder / MODEL_YAML).write_bytes(MODEL)
    return folder


@fuzz(1)
@given(edits=EDITS)
def test_weight_bytes(small_weights: Path, tmp_path: Path, edits: list[Any]) -> None:
    from mdacl_ros.network.weights import read_weights

    file = tmp_path / WEIGHTS
    file.write_bytes(damaged((small_weights / WEIGHTS).read_bytes(), edits))
    refused(lambda: read_weights(file), ModelError)


@fuzz(1000)
@given(edits=EDITS)
def test_damaged_weights_never_make_a_detector(
    small_weights: Path, tmp_path: Path, edits: list[Any]
) -> None:
    from mdacl_ros.network.weights import load_detector

    shutil.copy(small_weights / MODEL_YAML, tmp_path)
    (tmp_path / WEIGHTS).write_bytes(damaged((small_weights / WEIGHTS).read_bytes(), edits))
    assert refused(lambda: load_detector(tmp_path), ModelError)


@pytest.fixture(scope="module", params=["mcap", "sqlite3"])
def bag(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A bag of a tenth of a second."""
    folder = tmp_path_factory.mktemp("bags") / request.param
    source = SyntheticRecording(RigFaults(duration_s=0.1, freeze_s=(0.05, 0.06)))
    write_bag(source, folder, storage=request.param, compress="jpeg")
    return folder


def play(path: Path) -> None:
    with closing(open_recording(path)) as recording:
        for event in recording:
            assert event.frame.image.size > 0


TYPES = get_typestore(Stores.ROS2_HUMBLE)


def serialized(kind: str) -> bytes:
    """A message as it lies in a bag."""
    frame = next(iter(SyntheticRecording(RigFaults(duration_s=0.1, freeze_s=(0.05, 0.06))))).frame
    time = TYPES.types["builtin_interfaces/msg/Time"](1, 2)
    header = TYPES.types["std_msgs/msg/Header"](time, "camera")
    small = np.ascontiguousarray(frame.image[:8, :8])
    if kind == COMPRESSED:
        _, data = cv2.imencode(".jpg", small)
        message = TYPES.types[kind](header, "jpeg", data.ravel())
    else:
        rows, columns = small.shape[:2]
        step = small.nbytes // rows
        data = small.view(np.uint8).ravel()
        message = TYPES.types[kind](header, rows, columns, frame.encoding, 0, step, data)
    return bytes(TYPES.serialize_cdr(message, kind))


@contextmanager
def left_out(camera: Modality) -> Iterator[None]:
    """Whatever a bag's image raises becomes the line that its loss is reported with."""
    losses = Losses()
    try:
        yield
    except Exception as error:
        losses.add(camera, "topic /image", error)
        (line,) = losses.sentences()[:1]
        raise RecordingError(line) from error


MESSAGES = {kind: serialized(kind) for kind in (IMAGE, COMPRESSED)}


@fuzz()
@given(st.sampled_from([IMAGE, COMPRESSED]), EDITS, st.sampled_from(["rgb", "thermal"]))
def test_bag_message_bytes(kind: str, edits: list[Any], camera: Modality) -> None:
    def load() -> None:
        with left_out(camera):
            image_frame(TYPES.deserialize_cdr(damaged(MESSAGES[kind], edits), kind), camera)

    refused(load, RecordingError)


@fuzz(100)  # half a second each: the library compiles the bag's message types
@given(edits=EDITS, part=st.integers(0, 1))
def test_bag_bytes(
    bag: Path, tmp_path_factory: pytest.TempPathFactory, edits: list[Any], part: int
) -> None:
    copy = tmp_path_factory.getbasetemp() / "damaged_bag"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(bag, copy)
    files = sorted(copy.glob("*.mcap")) + sorted(copy.glob("*.db3")) + [copy / "metadata.yaml"]
    files[part].write_bytes(damaged(files[part].read_bytes(), edits))
    refused(lambda: play(copy), RecordingError)
