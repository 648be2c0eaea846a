"""What a live node is sent beside images: parameters and paths of any kind, camera_info."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdacl_ros.resources import find_resource
from mdacl_ros.types import Detections, DominanceReading, PerceptionResult

from .budget import bounded_memory, fuzz
from .mutations import EDITS, damaged

pytest.importorskip("rclpy", reason="no ROS here")
from nodes.bench import Bench
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from mdacl_ros.config.parameters import SPECS
from mdacl_ros.nodes import markers

RIG = find_resource("calibration/example_rig.yaml").read_bytes()

VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["rgb", "small", "torch", "openvino", "int8", "raw", "compressed", ""]),
    st.lists(st.floats(), min_size=1, max_size=4),
)
PLACES = st.sampled_from(
    ["/dev/zero", "/dev/null", "/", "~", "~nobody-here/x", "pipe", "huge", "rig", "loop", "\u200b"]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of things that are no calibration, and one that may be."""
    folder = tmp_path_factory.mktemp("places")
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder / "loop")
    with (folder / "huge").open("wb") as file:
        file.truncate(2 << 30)
    return folder


@pytest.fixture(scope="module")
def node(folder: Path) -> Iterator[Any]:
    """An active node whose set-callbacks are the real ones."""
    with Bench({"model": str(folder)}) as bench:
        bench.activate_without_cameras()
        yield bench.node


@fuzz()
@given(st.dictionaries(st.integers(0, 100), VALUES, min_size=1, max_size=3))
def test_parameters_of_any_kind(node: Any, changes: dict[int, Any]) -> None:
    names = sorted(SPECS)
    given_ = [Parameter(names[i % len(names)], value=value) for i, value in changes.items()]
    before = node.parameters
    result = node.set_parameters_atomically(given_)
    if not result.successful:
        assert result.reason
        assert node.parameters == before
    for name in names:
        SPECS[name].check(name, getattr(node.parameters, name))


@fuzz()
@given(place=PLACES, edits=EDITS)
def test_a_calibration_that_may_be_anything(
    node: Any, folder: Path, place: str, edits: list[Any]
) -> None:
    (folder / "rig").write_bytes(damaged(RIG, edits))
    path = place if place[0] in "/~" else str(folder / place)
    before = node.parameters.calibration
    with bounded_memory():
        result = node.set_parameters_atomically([Parameter("calibration", value=path)])
    assert result.successful or (result.reason and "\n" not in result.reason)
    assert node.parameters.calibration == (path if result.successful else before)


NUMBERS = st.one_of(st.floats(), st.sampled_from([0.0, 300.0, 1e-300, 1e300, -1.0]))


@fuzz()
@given(
    k=st.lists(NUMBERS, min_size=9, max_size=9),
    d=st.lists(NUMBERS, max_size=16),
    model=st.sampled_from(["plumb_bob", "rational_polynomial", "equidistant", "", "fisheye"]),
    size=st.tuples(st.sampled_from([0, 64, 2**32 - 1]), st.sampled_from([0, 48, 2**32 - 1])),
    binning=st.sampled_from([0, 1, 2, 2**32 - 1]),
)
def test_camera_info(
    k: list[float], d: list[float], model: str, size: tuple[int, int], binning: int
) -> None:
    info = CameraInfo(
        k=k, d=d, distortion_model=model, width=size[0], height=size[1], binning_x=binning
    )
    if markers.unusable(info, (64, 48)):
        return
    drawn = markers.to_markers(ANSWER, ("person",), info, 3.0, Header())
    assert drawn.markers


ANSWER = PerceptionResult(
    stamp_ns=0,
    detections=Detections(
        boxes=np.array([[1, 2, 30, 40]], np.float32),
        scores=np.array([0.5], np.float32),
        labels=np.zeros(1, np.int64),
        image_size=(64, 48),
    ),
    dominance=DominanceReading(0.0, (0.5, 0.5), (0.5, 0.5), (0.5, 0.5), (1.0, 1.0)),
    present=(True, True),
)
