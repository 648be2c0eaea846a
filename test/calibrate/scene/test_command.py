import json
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from mdacl_ros.errors import CalibrationError
from mdacl_ros.sensing.registration.rig import CameraModel, RigCalibration, load_rig, save_rig
from mdacl_ros.types import other_camera
from mdacl_tools.calibrate.scene.command import initial_guess
from mdacl_tools.calibrate.scene.frames import SceneFrames, collect_frames
from mdacl_tools.cli.main import main
from mdacl_tools.recordings.bag_writer import write_bag

from ..scenes import FRAMES, SIZE, ListRecording, displaced, event, scene_recording

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "m3svd" / "videos"


@cache
def _recording() -> ListRecording:
    return scene_recording()


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scene") / "bag"
    write_bag(_recording(), path)
    return path


def _frames(recording: ListRecording, **options: int) -> SceneFrames:
    return collect_frames(recording, **{"count": 40, "max_skew_ns": 50_000_000, **options})


def test_each_rgb_frame_gets_the_nearest_thermal_frame():
    frames = _frames(_recording())
    assert len(frames.colours) == FRAMES
    assert set(frames.skews_ns) == {4_000_000}


def test_frames_are_spread_over_the_recording():
    frames = _frames(_recording(), count=4)
    assert len(frames.colours) == 4
    assert np.array_equal(frames.colours[-1], _recording().events[-2].frame.image)


def test_a_clock_offset_is_honoured():
    shifted = ListRecording(
        [
            event(e.camera, e.time_ns / 1e9, e.frame.image, 5.0 if e.camera == "thermal" else 0.0)
            for e in _recording().events
        ]
    )
    with pytest.raises(CalibrationError, match=r"3.896 s apart.*--thermal-clock-offset"):
        _frames(shifted)
    assert len(_frames(shifted, clock_offset_ns=5_000_000_000).colours) == FRAMES


def test_a_change_of_resolution_is_named():
    events = list(_recording().events)
    events[6] = event("rgb", 0.3, np.zeros((120, 160, 3), np.uint8))
    with pytest.raises(CalibrationError, match="rgb images change from 320x240 to 160x120"):
        _frames(ListRecording(events))


def test_a_camera_that_is_missing_is_named():
    events = [e for e in _recording().events if e.camera == "rgb"]
    with pytest.raises(CalibrationError, match=r"has no thermal frames.*--thermal-topic"):
        _frames(ListRecording(events))


def test_swapped_topics_are_suspected():
    events = [
        event(other_camera(e.camera), e.time_ns / 1e9, e.frame.image) for e in _recording().events
    ]
    with pytest.raises(CalibrationError, match="look exchanged: swap --rgb-topic"):
        _frames(ListRecording(events))


def test_the_assumed_view_shares_the_optical_axis():
    frames = _frames(_recording())
    guess = initial_guess(None, frames)
    assert np.allclose(guess, np.eye(3))


def test_a_rough_rig_is_read_and_checked(tmp_path):
    frames = _frames(_recording())
    sizes = {"rgb": CameraModel(SIZE), "thermal": CameraModel(SIZE)}
    rig = RigCalibration("homography", homography=displaced(), **sizes)
    save_rig(rig, tmp_path / "rig.yaml")
    guess = initial_guess(tmp_path / "rig.yaml", frames)
    assert np.allclose(guess / guess[2, 2], displaced() / displaced()[2, 2], atol=1e-6)
    other = RigCalibration("identity", CameraModel((640, 480)), CameraModel((640, 480)))
    save_rig(other, tmp_path / "other.yaml")
    with pytest.raises(CalibrationError, match="is for rgb images of 640x480, got 320x240"):
        initial_guess(tmp_path / "other.yaml", frames)


def test_a_bag_becomes_a_calibration_and_a_picture(bag, tmp_path, capsys):
    out = tmp_path / "rig.yaml"
    assert main(["calibrate", "scene", str(bag), "--out", str(out), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    rig = load_rig(out)
    assert rig.kind == "homography"
    assert rig.rgb.size == rig.thermal.size == SIZE
    assert np.allclose(rig.homography, report["homography"])
    assert report["sha256"] == rig.sha256
    assert yaml.safe_load(out.read_text())["version"] == 1
    picture = cv2.imread(str(tmp_path / "rig.png"))
    assert picture.shape[1] == 3 * SIZE[0]
    assert picture.std() > 20
    assert sorted(p.name for p in tmp_path.iterdir()) == ["rig.png", "rig.yaml"]


def _refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["calibrate", "scene", *map(str, arguments)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    lines = [line for line in output.err.splitlines() if ": note: " not in line]
    assert len(lines) == 1
    return lines[0]


def test_refusals_are_one_line_and_leave_no_file(tmp_path, capsys):
    write_bag(scene_recording(1, 2), tmp_path / "bag")
    out = tmp_path / "out"
    out.mkdir()
    line = _refused(capsys, tmp_path / "bag", "--out", out / "rig.yaml")
    assert "no calibration" in line
    assert not list(out.iterdir())


def test_unreadable_bags_and_bad_options_are_one_line(bag, tmp_path, capsys):
    broken = tmp_path / "broken.mcap"
    broken.write_bytes(b"not a bag")
    assert "broken.mcap" in _refused(capsys, broken)
    assert "no such file" in _refused(capsys, tmp_path / "nowhere")
    assert "existing folder" in _refused(capsys, bag, "--out", tmp_path / "no" / "rig.yaml")
    assert "--frames" in _refused(capsys, bag, "--frames", "0")
    assert "got 4 pairs" in _refused(capsys, bag, "--frames", "4", "--out", tmp_path / "r.yaml")
    assert not (tmp_path / "r.yaml").exists()


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason=f"no data set in {DATA}")
def test_a_real_recording_is_close_to_the_data_sets_own_registration(tmp_path):
    out = tmp_path / "rig.yaml"
    arguments = [str(DATA), "--clip", "0117_1605", "--frames", "20", "--out", str(out)]
    assert main(["calibrate", "scene", *arguments]) == 0
    centre = load_rig(out).homography @ (320, 240, 1)
    assert np.abs(centre[:2] / centre[2] - (320, 240)).max() < 6
