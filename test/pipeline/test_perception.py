from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from network.random_models import MICRO, save_random_model

from mdacl_ros.errors import CalibrationError, ImageError, MdaclError, ParameterError
from mdacl_ros.pipeline import Perception, PipelineConfig, build_pipeline
from mdacl_ros.sensing.registration.rig_types import CameraModel, RigCalibration
from mdacl_ros.sensing.thermal.normalizer import ThermalNormalizer
from mdacl_ros.types import ByteArray, FloatArray, Frame, FramePair, Predictions

INPUT = (640, 480)
SHIFT = np.array([[4.0, 0, 20], [0, 3.0, -6], [0, 0, 1]])
"""Thermal 320x240 pixels into a 1280x720 RGB image."""


class StubEngine:
    """Returns the given boxes of the network input and keeps what it was given."""

    name = "stub"
    precision = "float32"
    device = "test"
    labels = ("person", "car", "bicycle")
    estimate = (1.0, 0.0)

    def __init__(self, input_size: tuple[int, int] = INPUT) -> None:
        self.input_size = input_size
        self.boxes: list[tuple[float, ...]] = [(10, 20, 30, 60), (100, 50, 200, 150)]
        self.scores = [0.9, 0.4]
        self.given: list[tuple[ByteArray, FloatArray, FloatArray]] = []

    def infer(
        self, rgb: ByteArray, thermal: FloatArray, present: FloatArray, *, probe: bool = False
    ) -> Predictions:
        self.given.append((rgb.copy(), thermal.copy(), present.copy()))
        here = present.any(axis=(2, 3)).astype(np.float32)[..., None].repeat(3, axis=2)
        return Predictions(
            boxes=np.array([self.boxes], np.float32),
            scores=np.array([self.scores], np.float32),
            labels=np.zeros((1, len(self.boxes)), np.int64),
            gates=here,
            entropies=here * np.float32(0.5),
            energies=here,
            sensitivities=here.sum(2) if probe else None,
        )

    def close(self) -> None: ...

    @property
    def present(self) -> tuple[bool, bool]:
        """Which cameras took part in the newest call."""
        rgb, thermal = self.given[-1][2][0].any(axis=(1, 2))
        return bool(rgb), bool(thermal)


def rgb_frame(size: tuple[int, int] = (640, 480), stamp_ns: int = 1) -> Frame:
    width, height = size
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.arange(width)[None] % 256
    image[..., 2] = 200
    return Frame(image, stamp_ns, "rgb_optical", "rgb8")


def thermal_frame(size: tuple[int, int] = (320, 240), stamp_ns: int = 1) -> Frame:
    width, height = size
    counts = 30000 + 10 * np.arange(width, dtype=np.uint16)[None].repeat(height, axis=0)
    return Frame(counts, stamp_ns, "thermal_optical", "16UC1")


def pair(rgb: Frame | None, thermal: Frame | None) -> FramePair:
    return FramePair(rgb, thermal, 5)


def rig(rgb: tuple[int, int], thermal: tuple[int, int], homography: np.ndarray) -> RigCalibration:
    return RigCalibration(
        "homography", CameraModel(rgb), CameraModel(thermal), 10.0, homography=homography
    )


@pytest.fixture
def engine() -> StubEngine:
    return StubEngine()


@pytest.fixture
def perception(engine: StubEngine) -> Perception:
    return Perception(engine, None, PipelineConfig())


@pytest.mark.parametrize(
    ("rgb", "thermal"), [(True, False), (False, True), (True, True)], ids=["rgb", "thermal", "both"]
)
def test_works_with_either_camera(
    perception: Perception, engine: StubEngine, rgb: bool, thermal: bool
) -> None:
    result = perception.process(
        pair(rgb_frame() if rgb else None, thermal_frame() if thermal else None),
        probe=True,
        registered_preview=True,
    )
    assert result.present == engine.present == (rgb, thermal)
    assert result.stamp_ns == 5
    assert len(result.detections.boxes) == 2
    assert result.dominance.mdi == pytest.approx(float(rgb) - float(thermal), abs=1e-6)
    assert result.dominance.exact_mdi is not None
    assert set(result.timings_ms) == {"preprocess", "infer", "postprocess"}
    given_rgb, given_thermal, _ = engine.given[-1]
    assert bool(given_rgb.any()) is rgb
    assert bool(given_thermal.any()) is thermal
    assert (result.thermal_registered is not None) is thermal


def test_the_engine_gets_the_rgb_image_as_it_is(perception: Perception, engine: StubEngine) -> None:
    frame = rgb_frame()
    perception.process(pair(frame, None))
    assert np.array_equal(engine.given[-1][0][0], frame.image)


SIZES = [(1280, 720), (1279, 717), (641, 479), (333, 555), (640, 480), (97, 61)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("alone", ["rgb", "thermal", "both"])
def test_boxes_are_in_original_rgb_pixels(size: tuple[int, int], alone: str) -> None:
    """Non-square and odd sizes, also while RGB is dead; within a pixel of the plain ratio."""
    width, height = size
    engine = StubEngine()
    scale = min(INPUT[0] / width, INPUT[1] / height)
    truth = np.array([[0.1 * width, 0.2 * height, 0.5 * width, 0.9 * height]])
    engine.boxes, engine.scores = [tuple(truth[0] * scale)], [0.9]
    homography = np.diag([width / 320, height / 240, 1.0])
    perception = Perception(engine, rig(size, (320, 240), homography), PipelineConfig())
    rgb = rgb_frame(size) if alone != "thermal" else None
    thermal = thermal_frame() if alone != "rgb" else None
    found = perception.process(pair(rgb, thermal)).detections
    assert found.image_size == size
    assert np.abs(found.boxes - truth).max() < 1.0


def test_thermal_lands_where_the_rig_says() -> None:
    """A warm rectangle of a 320x240 camera comes out at its place in the 1280x720 RGB image."""
    engine = StubEngine()
    perception = Perception(engine, rig((1280, 720), (320, 240), SHIFT), PipelineConfig())
    counts = np.full((240, 320), 29000, np.uint16)
    counts[80:140, 100:130] = 31000
    preview = perception.process(
        pair(None, Frame(counts, 1, "t", "16UC1")), registered_preview=True
    ).thermal_registered
    assert preview is not None
    assert preview.shape == (720, 1280)
    y, x = np.nonzero(preview > 127)
    # pixel centres are whole numbers for the homography, corners lie half a pixel before them
    corners = np.array([[99.5, 79.5, 1], [129.5, 139.5, 1]]) @ SHIFT.T
    assert [x.min() - 0.5, x.max() + 0.5] == pytest.approx(corners[:, 0].tolist(), abs=1.0)
    assert [y.min() - 0.5, y.max() + 0.5] == pytest.approx(corners[:, 1].tolist(), abs=1.0)
    _, thermal, _ = engine.given[-1]
    rows, columns = np.nonzero(thermal[0, 0] > 0.5)
    inside = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    expected = (corners[:, :2] + 0.5).ravel() / 2
    assert np.abs(inside - expected).max() <= 1.0


def test_partial_thermal_coverage_is_told_to_the_network() -> None:
    engine = StubEngine()
    small = np.array([[2.0, 0, 300], [0, 2.0, 100], [0, 0, 1]])
    Perception(engine, rig((1280, 720), (320, 240), small), PipelineConfig()).process(
        pair(rgb_frame((1280, 720)), thermal_frame())
    )
    present = engine.given[-1][2][0]
    assert present[0].sum() == 20 * 11  # 640x360 of 640x480, the last half row counts
    assert 0.2 < present[1].mean() < 0.35


def test_sizes_may_change_in_flight(perception: Perception, engine: StubEngine) -> None:
    for rgb, thermal in [((640, 480), (320, 240)), ((1280, 960), (320, 240)),
                         ((1280, 960), (160, 120)), ((320, 240), (160, 120))]:  # fmt: skip
        result = perception.process(pair(rgb_frame(rgb), thermal_frame(thermal)))
        assert result.present == (True, True)
        assert result.detections.image_size == rgb
    assert perception.process(pair(None, thermal_frame())).detections.image_size == (320, 240)


def test_thermal_alone_before_any_rgb_uses_its_own_pixels(perception: Perception) -> None:
    assert perception.process(pair(None, thermal_frame())).detections.image_size == (320, 240)
    assert perception.process(pair(rgb_frame(), None)).detections.image_size == (640, 480)


def test_a_reset_forgets_the_rgb_size(perception: Perception) -> None:
    perception.process(pair(rgb_frame((1280, 960)), thermal_frame()))
    perception.reset()
    assert perception.process(pair(None, thermal_frame())).detections.image_size == (320, 240)
    known = Perception(perception.engine, rig((1280, 720), (320, 240), SHIFT), PipelineConfig())
    known.process(pair(rgb_frame((640, 480)), None))
    known.reset()
    assert known.process(pair(None, thermal_frame())).detections.image_size == (1280, 720)


def test_the_rgb_size_may_be_told_beforehand(perception: Perception) -> None:
    perception.expect_rgb_size((1280, 960))
    assert perception.process(pair(None, thermal_frame())).detections.image_size == (1280, 960)
    assert perception.process(pair(rgb_frame(), None)).detections.image_size == (640, 480)
    with pytest.raises(ImageError, match=r"got 0x480, wanted pixels > 0; check .*camera_info"):
        perception.expect_rgb_size((0, 480))


def test_thermal_is_normalised_once_though_it_serves_several_pairs(
    perception: Perception, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    whole = ThermalNormalizer.__call__

    def counting(self: ThermalNormalizer, image, encoding, stamp_ns, out=None):
        calls.append(stamp_ns)
        return whole(self, image, encoding, stamp_ns, out)

    monkeypatch.setattr(ThermalNormalizer, "__call__", counting)
    first, second = thermal_frame(stamp_ns=1), thermal_frame(stamp_ns=2)
    for thermal in (first, first, first, second):
        perception.process(pair(rgb_frame(), thermal))
    assert calls == [1, 2]
    perception.config = replace(perception.config, kelvin_scale=0.04)
    perception.process(pair(rgb_frame(), second))
    perception.reset()
    perception.process(pair(rgb_frame(), second))
    assert calls == [1, 2, 2, 2]


def test_threshold_and_count_are_live(perception: Perception, engine: StubEngine) -> None:
    def count(**changes: float) -> int:
        perception.config = replace(PipelineConfig(), **changes)
        return len(perception.process(pair(rgb_frame(), None)).detections.boxes)

    assert count() == 2
    assert count(score_threshold=0.5) == 1
    assert count(score_threshold=0.95) == 0
    assert count(max_detections=1) == 1
    assert count(score_threshold=0.0, max_detections=5) == 2


def test_boxes_are_clipped_and_padding_holds_no_objects() -> None:
    engine = StubEngine()
    engine.boxes = [(-5, -5, 700, 300), (100, 400, 200, 470), (10, 350, 20, 380)]
    engine.scores = [0.9, 0.8, 0.7]
    perception = Perception(engine, None, PipelineConfig(max_detections=2))
    found = perception.process(pair(rgb_frame((1280, 720)), None)).detections
    assert found.boxes.tolist() == [[0, 0, 1280, 600], [20, 700, 40, 720]]
    assert found.scores == pytest.approx([0.9, 0.7])


BAD_THERMAL = [
    Frame(np.zeros((240, 320), np.float64), 1, "", "32FC1"),
    Frame(np.zeros((240, 320), np.uint8), 1, "", "16UC1"),
    Frame(np.zeros((240, 320, 4), np.uint8), 1, "", "mono8"),
    Frame(np.full((240, 320), np.nan, np.float32), 1, "", "32FC1"),
    Frame(np.zeros((0, 0), np.uint8), 1, "", "mono8"),
    Frame(np.zeros(7, np.uint8), 1, "", "mono8"),
    Frame(np.zeros((240, 320), np.uint8), 1, "", "plasma"),
]
BAD_RGB = [
    Frame(np.zeros((480, 640), np.uint8), 1, "", "rgb8"),
    Frame(np.zeros((480, 640, 4), np.uint8), 1, "", "rgb8"),
    Frame(np.zeros((480, 640, 3), np.uint16), 1, "", "rgb8"),
    Frame(np.zeros((0, 640, 3), np.uint8), 1, "", "rgb8"),
]


@pytest.mark.parametrize("bad", BAD_THERMAL, ids=lambda f: f"{f.encoding}-{f.image.shape}")
def test_bad_thermal_frame_does_not_cost_the_rgb_frame(perception: Perception, bad: Frame) -> None:
    assert perception.process(pair(rgb_frame(), thermal_frame())).present == (True, True)
    result = perception.process(pair(rgb_frame(), bad), registered_preview=True)
    assert result.present == (True, False)
    assert result.thermal_registered is None
    assert perception.warnings[-1].startswith("this thermal frame is not used: thermal image")
    assert perception.process(pair(rgb_frame(), thermal_frame())).present == (True, True)
    assert not any("not used" in w for w in perception.warnings)


@pytest.mark.parametrize("bad", BAD_RGB, ids=lambda f: f"{f.image.dtype}-{f.image.shape}")
def test_bad_rgb_frame_does_not_cost_the_thermal_frame(perception: Perception, bad: Frame) -> None:
    perception.process(pair(rgb_frame(), thermal_frame()))
    result = perception.process(pair(bad, thermal_frame()))
    assert result.present == (False, True)
    assert result.detections.image_size == (640, 480)  # boxes stay in the known RGB image
    assert perception.warnings[-1].startswith("this rgb frame is not used: rgb image")


def test_two_bad_frames_are_an_error(perception: Perception) -> None:
    with pytest.raises(ImageError, match="rgb image"):
        perception.process(pair(BAD_RGB[0], BAD_THERMAL[0]))
    with pytest.raises(MdaclError, match="pair without frames"):
        perception.process(pair(None, None))
    assert perception.process(pair(rgb_frame(), None)).present == (True, False)


def test_without_calibration_equal_shapes_are_taken_for_one_view(perception: Perception) -> None:
    perception.process(pair(rgb_frame(), None))
    assert perception.warnings == ()
    perception.process(pair(rgb_frame(), thermal_frame()))
    assert perception.warnings == (
        "no rig calibration: thermal is taken to show the same view as RGB",
    )


def test_without_calibration_other_shapes_leave_thermal_out(perception: Perception) -> None:
    result = perception.process(pair(rgb_frame((1280, 720)), thermal_frame()))
    assert result.present == (True, False)
    assert "thermal is not used" in perception.warnings[0]
    with pytest.raises(CalibrationError, match="aspect ratio"):
        perception.process(pair(None, thermal_frame()))


def test_rig_for_another_size_leaves_thermal_out(engine: StubEngine) -> None:
    perception = Perception(engine, rig((1280, 720), (320, 240), SHIFT), PipelineConfig())
    assert perception.process(pair(rgb_frame(), thermal_frame())).present == (True, False)
    assert "1280x720" in perception.warnings[0]
    assert perception.process(pair(rgb_frame((1280, 720)), thermal_frame())).present == (True, True)
    assert perception.warnings == ()


def test_picture_too_narrow_for_a_cell_says_so(perception: Perception) -> None:
    with pytest.raises(MdaclError, match="cover no 32-pixel cell"):
        perception.process(pair(rgb_frame((2000, 30)), None))


@pytest.mark.parametrize(
    "values",
    [
        {"score_threshold": 1.5},
        {"score_threshold": float("nan")},
        {"max_detections": 0},
        {"kelvin_scale": 0.0},
        {"kelvin_scale": float("inf")},
    ],
)
def test_values_out_of_range(values: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=f"{next(iter(values))}: got .*, wanted"):
        PipelineConfig(**values)  # type: ignore[arg-type]


def test_real_network_from_files_to_answer(tmp_path: Path) -> None:
    """Model folder, torch engine and both cameras, in one call and without a build."""
    config = PipelineConfig(
        model=str(save_random_model(tmp_path, MICRO)),
        engine="torch",
        input_width=128,
        input_height=96,
        score_threshold=0.0,
        duplicate_iou=1.0,
    )
    perception = build_pipeline(config)
    both = perception.process(pair(rgb_frame(), thermal_frame()), probe=True)
    assert len(both.detections.boxes) == MICRO.top_k
    assert (both.detections.boxes[:, 2:] > both.detections.boxes[:, :2]).all()
    assert both.dominance.exact_mdi is not None
    assert -1 < both.dominance.exact_mdi < 1
    alone = perception.process(pair(rgb_frame(), None), probe=True).dominance
    assert (alone.mdi, alone.exact_mdi) == (1.0, 1.0)
    assert alone.gates[1] == alone.entropy[1] == 0


def test_duplicates_of_a_class_are_left_out() -> None:
    from mdacl_ros.pipeline.duplicates import without_duplicates

    boxes = np.array([[0, 0, 10, 20], [1, 0, 11, 20], [1, 0, 11, 20], [40, 0, 50, 20]], np.float32)
    scores = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    labels, everything = np.array([0, 0, 1, 0]), np.ones(4, bool)
    kept = without_duplicates(boxes, scores, labels, everything, 0.7)
    assert kept.tolist() == [True, False, True, True]  # another class is another object
    assert without_duplicates(boxes, scores, labels, everything, 1.0).all()
    assert not without_duplicates(boxes, scores, labels, ~everything, 0.7).any()
    alone = np.array([False, True, False, False])
    assert without_duplicates(boxes, scores, labels, alone, 0.7).tolist() == alone.tolist()
