from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import other_camera
from mdacl_tools.learning.samples import load_sample, read_pairs, simulated_samples
from mdacl_tools.recordings.datasets.data_folder import data_folder
from mdacl_tools.scenes.version import picture_version

COCO = {
    "images": [
        {"id": 7, "rgb": "rgb/a.png", "thermal": "thermal/a.png", "time": "night",
         "not_exhaustive_category_ids": [3]},
        {"id": 9, "rgb": "rgb/b.png", "thermal": "thermal/b.png"},
    ],
    "annotations": [
        {"image_id": 7, "category_id": 1, "bbox": [2, 3, 4, 5], "label_sets": ["infrared"]},
        {"image_id": 7, "category_id": 2, "bbox": [10, 3, 8, 5], "iscrowd": 1},
    ],
}  # fmt: skip


@pytest.fixture
def annotations(tmp_path: Path) -> Path:
    for folder, shape in (("rgb", (24, 32, 3)), ("thermal", (24, 32))):
        (tmp_path / folder).mkdir()
        for name in "ab":
            image = np.zeros(shape, np.uint8)
            image[3:8, 2:6] = (10, 20, 200) if len(shape) == 3 else 250
            cv2.imwrite(str(tmp_path / folder / f"{name}.png"), image)
    (tmp_path / "coco.json").write_text(json.dumps(COCO))
    return tmp_path / "coco.json"


def test_reads_pairs_with_their_truth(annotations: Path) -> None:
    first, second = read_pairs(annotations)
    assert first.image_id == 7
    assert first.meta["time"] == "night"
    assert first.boxes.tolist() == [[2, 3, 6, 8], [10, 3, 18, 8]]
    assert first.labels.tolist() == [0, 1]
    assert first.ignore.tolist() == [False, True]
    assert first.visible.tolist() == [[False, True], [True, True]]
    assert first.not_exhaustive == (2,)
    assert second.boxes.shape == (0, 4)
    assert second.visible.shape == (0, 2)


def test_loads_rgb_order_and_normalised_thermal(annotations: Path) -> None:
    sample = load_sample(read_pairs(annotations)[0], 3)
    assert sample.rgb[4, 3].tolist() == [200, 20, 10]
    assert sample.thermal.dtype == np.float32
    assert sample.thermal.min() >= 0
    assert sample.thermal.max() <= 1
    assert sample.thermal[4, 3] > sample.thermal[20, 20]
    assert sample.exhaustive.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not a JSON file"),
        ("[]", "not COCO json"),
        ("{}", "field 'images' is missing"),
        (json.dumps(COCO | {"images": [{"id": 7, "rgb": "a"}]}), "is missing"),
        (json.dumps(COCO | {"annotations": [{"image_id": 7, "category_id": 1}]}), "'bbox'"),
        (
            json.dumps(
                COCO | {"annotations": [{"image_id": 7, "category_id": 1, "bbox": [1, 2, 3]}]}
            ),
            "not COCO json",
        ),
    ],
)
def test_broken_annotations(annotations: Path, content: str, message: str) -> None:
    annotations.write_text(content)
    with pytest.raises(RecordingError, match=message) as caught:
        read_pairs(annotations)
    assert "coco.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files(annotations: Path, capfd: pytest.CaptureFixture) -> None:
    with pytest.raises(RecordingError, match=r"absent\.json: no such file"):
        read_pairs(annotations.with_name("absent.json"))
    record = read_pairs(annotations)[0]
    record.thermal.write_bytes(b"")
    with pytest.raises(RecordingError, match=r"a\.png: is not a readable image"):
        load_sample(record, 3)
    record.thermal.unlink()
    with pytest.raises(RecordingError, match=r"a\.png: cannot be read \(No such file.*data check"):
        load_sample(record, 3)
    assert capfd.readouterr() == ("", "")  # OpenCV says nothing beside it


def test_unregistered_pair_is_refused(annotations: Path) -> None:
    record = read_pairs(annotations)[0]
    cv2.imwrite(str(record.thermal), np.zeros((12, 32), np.uint8))
    with pytest.raises(RecordingError, match="register the pair first"):
        load_sample(record, 3)


def test_smaller_thermal_of_the_same_view_is_enlarged(annotations: Path) -> None:
    record = read_pairs(annotations)[0]
    small = np.zeros((12, 16), np.uint8)
    small[:6] = 200
    cv2.imwrite(str(record.thermal), small)
    sample = load_sample(record, 3)
    assert sample.thermal.shape == sample.rgb.shape[:2] == (24, 32)
    assert sample.thermal[4, 16] > sample.thermal[20, 16]


def test_images_shrink_at_load_with_their_boxes(annotations: Path) -> None:
    record = read_pairs(annotations)[0]
    sample = load_sample(record, 3, longest=16)
    assert sample.rgb.shape == (12, 16, 3)
    assert sample.thermal.shape == (12, 16)
    assert sample.boxes.tolist() == [[1, 1.5, 3, 4], [5, 1.5, 9, 4]]
    assert np.array_equal(load_sample(record, 3, longest=99).rgb, load_sample(record, 3).rgb)


@pytest.mark.parametrize("camera", ["rgb", "thermal"])
def test_one_camera_leaves_the_other_black(annotations: Path, camera: str) -> None:
    coco = json.loads(annotations.read_text())
    for image in coco["images"]:
        image["file_name"] = image.pop(camera)
        image.pop(other_camera(camera))
    annotations.write_text(json.dumps(coco))
    with pytest.raises(RecordingError, match="--camera rgb or --camera thermal"):
        read_pairs(annotations)
    sample = load_sample(read_pairs(annotations, camera=camera)[0], 3)
    is_rgb = camera == "rgb"
    assert sample.cameras == (is_rgb, not is_rgb)
    assert sample.rgb.shape == (24, 32, 3)
    assert sample.thermal.shape == (24, 32)
    assert (sample.rgb.max() > 0, sample.thermal.max() > 0) == sample.cameras
    assert not (sample.visible & ~np.array(sample.cameras)).any()


def test_label_without_a_class_is_refused(annotations: Path) -> None:
    with pytest.raises(RecordingError, match=r"categories \[1, 2\], wanted 1 to 1"):
        load_sample(read_pairs(annotations)[0], 1)


def test_simulated_scenes_are_rendered_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = simulated_samples(1, 3, tmp_path)
    monkeypatch.setattr("mdacl_tools.learning.samples._render_scene", None)
    (second,) = simulated_samples(1, 3, tmp_path)
    assert np.array_equal(first.rgb, second.rgb)
    assert first.rgb.shape[:2] == first.thermal.shape
    assert first.thermal.dtype == np.float32
    assert len(first.boxes) == len(first.labels) == len(first.visible)
    assert [p.relative_to(tmp_path).parts for p in tmp_path.rglob("*.npz")] == [
        (picture_version(), "100000.npz")
    ]


def test_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDACL_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    monkeypatch.setenv("MDACL_DATA", str(tmp_path / "absent"))
    with pytest.raises(RecordingError, match="set MDACL_DATA"):
        data_folder()


def test_shared_recordings_are_readable() -> None:
    try:
        path = data_folder() / "msrs" / "test.json"
    except RecordingError as error:
        pytest.skip(str(error))
    if not path.exists():
        pytest.skip(f"{path} is not here")
    records = read_pairs(path)
    sample = load_sample(records[0], 3)
    assert sample.rgb.shape == (480, 640, 3)
    assert (sample.boxes >= 0).all()
