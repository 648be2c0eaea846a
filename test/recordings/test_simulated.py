"""The simulated recording: same frames live and from the cache, truth for every RGB frame."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mdacl_tools.recordings.scene_cache import cache_folder, find_scenes
from mdacl_tools.recordings.simulated import SimulatedRecording
from mdacl_tools.scenes import Phase, Scenario, Scene, SceneConfig

SCENARIO = Scenario(
    config=SceneConfig(seed=1, size=(320, 240), thermal_size=(160, 120), people=(2, 2)),
    phases=(Phase("day", 0.0, 0.3), Phase("freeze", 0.3, 0.5)),
    duration_s=0.5,
    rgb_hz=10.0,
    thermal_hz=10.0,
    thermal_gaps=((0.3, 0.5),),
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_frames_and_truth_are_the_same_from_the_cache(capfd):
    live = SimulatedRecording(SCENARIO)
    assert live.frames == {"rgb": 5, "thermal": 3}
    assert [phase.name for phase in live.phases] == ["day", "freeze"]
    events = list(live)
    assert find_scenes(SCENARIO) is None
    live.prepare()
    assert "rendering the simulated scenes (once): 100 %" in capfd.readouterr().err
    cached = SimulatedRecording(SCENARIO)
    for want, got in itertools.zip_longest(events, cached):
        assert (got.camera, got.time_ns, got.frame.stamp_ns, got.frame.encoding) == (
            want.camera,
            want.time_ns,
            want.frame.stamp_ns,
            want.frame.encoding,
        )
        difference = np.abs(got.frame.image.astype(int) - want.frame.image)
        assert difference.mean() < (4 if want.camera == "rgb" else 1e-9)
        if want.camera == "rgb":
            truth, expected = cached.truth(want.frame.stamp_ns), live.truth(want.frame.stamp_ns)
            assert truth.boxes == pytest.approx(expected.boxes, abs=0.01)
            assert truth.labels.tolist() == expected.labels.tolist()
    cached.prepare()
    assert capfd.readouterr().err == ""
    assert len(list(cache_folder().iterdir())) == 1
    live.close()
    cached.close()


def test_truth_is_known_before_a_frame_was_played():
    recording = SimulatedRecording(SCENARIO)
    stamp = SCENARIO.start_ns + 200_000_000
    early = recording.truth(stamp)
    events = {e.frame.stamp_ns: e for e in recording if e.camera == "rgb"}
    assert stamp in events
    again = SimulatedRecording(SCENARIO)
    list(again)
    assert early.boxes == pytest.approx(again.truth(stamp).boxes)
    assert recording.truth(5) is None


def test_camera_info_is_that_of_the_camera_that_painted_the_scene():
    recording = SimulatedRecording(SCENARIO)
    drawn_with = Scene(SCENARIO.config).place.camera
    rgb, thermal = recording.camera_model("rgb"), recording.camera_model("thermal")
    world = drawn_with.to_camera(np.array([[0.5, 1.0, 8.0], [-2.0, 0.2, 15.0]]))
    for model, scale in ((rgb, 1.0), (thermal, 0.5)):
        seen = world @ model.matrix.T
        # The simulation counts from the image's corner, camera_info from a pixel's centre.
        pixels = seen[:, :2] / seen[:, 2:] + 0.5
        assert pixels == pytest.approx(drawn_with.to_pixels(world) * scale)
    assert (rgb.size, thermal.size) == ((320, 240), (160, 120))
