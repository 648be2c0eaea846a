import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from mdacl_ros.errors import CalibrationError
from mdacl_tools.calibrate.clock.estimate import ClockResult, estimate_clock
from mdacl_tools.calibrate.clock.signals import collect_signals
from mdacl_tools.cli.main import main
from mdacl_tools.recordings.bag_writer import write_bag

from ..scenes import ListRecording, event, moving_recording


def _estimate(recording: ListRecording, reach: float = 0.6) -> ClockResult:
    return estimate_clock(collect_signals(recording, 300.0), reach)


@pytest.mark.parametrize(
    ("offset", "rgb_hz", "thermal_hz"), [(-0.2113, 30.0, 9.0), (0.05, 10.0, 25.0)]
)
def test_a_known_offset_is_found_whichever_camera_is_faster(offset, rgb_hz, thermal_hz):
    result = _estimate(moving_recording(offset, rgb_hz=rgb_hz, thermal_hz=thermal_hz))
    assert result.refusal == ""
    assert abs(result.offset - offset) < 0.003
    assert result.rate_ppm is None


def test_lost_frames_do_not_matter():
    events = moving_recording(0.12).events
    rng = np.random.default_rng(1)
    kept = [e for e in events if rng.random() > 0.25]
    assert abs(_estimate(ListRecording(kept)).offset - 0.12) < 0.003


def test_a_drifting_clock_shows_in_the_rate():
    result = _estimate(moving_recording(0.03, seconds=32.0, rgb_hz=15.0, ppm=900.0), 0.2)
    assert result.rate_ppm == pytest.approx(900, abs=150)
    assert len(result.windows) == 3


def test_standing_still_is_refused():
    result = _estimate(moving_recording(0.0, path=lambda time_s: (80.0, 60.0)))
    assert "stands out" in result.refusal
    assert result.confidence == 0


def test_motion_that_repeats_itself_is_refused():
    def swing(time_s: float) -> tuple[float, float]:
        return 80 + 30 * float(np.sin(2 * np.pi * time_s / 0.5)), 60.0

    assert "stands out" in _estimate(moving_recording(0.0, path=swing), 1.0).refusal


def test_an_offset_beyond_the_range_is_not_made_up():
    assert _estimate(moving_recording(0.9), 0.4).refusal


def test_a_camera_without_frames_is_named():
    events = [e for e in moving_recording(0.0, seconds=3.0).events if e.camera == "rgb"]
    with pytest.raises(CalibrationError, match="has 0 thermal frames"):
        collect_signals(ListRecording(events), 10.0)


@pytest.mark.parametrize("camera", ["rgb", "thermal"])
def test_a_change_of_resolution_is_refused(camera, tmp_path, capsys):
    events = list(moving_recording(0.0, seconds=3.0).events)
    for k, one in enumerate(events[len(events) // 2 :], len(events) // 2):
        if one.camera == camera:
            small = cv2.resize(one.frame.image, (96, 72))
            events[k] = replace(one, frame=replace(one.frame, image=small))
    write_bag(ListRecording(events), tmp_path / "bag")
    assert main(["calibrate", "clock", str(tmp_path / "bag")]) == 2
    error = capsys.readouterr().err
    assert f"{camera} images change from 160x120 to 96x72" in error
    assert error.count("\n") == 1


def test_colour_on_the_thermal_topic_is_suspected_to_be_swapped():
    palette = np.zeros((48, 64, 3), np.uint8)
    palette[..., 0] = 200
    events = [event("thermal", k / 10, palette) for k in range(30)]
    with pytest.raises(CalibrationError, match=r"palette.*look exchanged"):
        collect_signals(ListRecording(events), 10.0)


def test_the_command_prints_what_to_set_and_draws_it(tmp_path, capsys):
    write_bag(moving_recording(0.0871), tmp_path / "bag")
    picture = tmp_path / "clock.png"
    arguments = ["calibrate", "clock", str(tmp_path / "bag"), "--out", str(picture)]
    assert main([*arguments, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["thermal_clock_offset"] == pytest.approx(0.0871, abs=0.003)
    assert report["rate_ppm"] is None
    assert cv2.imread(str(picture)).std() > 10


def test_bad_options_are_one_line(tmp_path, capsys):
    assert main(["calibrate", "clock", str(tmp_path), "--range", "0"]) == 2
    assert "--range" in capsys.readouterr().err
