"""Whole recordings, evaluated with a blob finder in place of the network."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from calibrate.rig_scenes import RGB, THERMAL, Still, rig
from nodes.blob_engine import BlobEngine
from rosbags.rosbag2 import Writer

from mdacl_ros.errors import RecordingError
from mdacl_ros.pipeline import Perception, PipelineConfig
from mdacl_ros.sensing.registration.rig_types import CameraModel, RigCalibration
from mdacl_tools.recordings.bag_writer import write_bag
from mdacl_tools.recordings.rig_recording import RigRecording
from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording
from mdacl_tools.scoring.evaluate_recording import evaluate_recording
from mdacl_tools.scoring.frames import read_frames
from mdacl_tools.scoring.report import read_report

from .blob_perception import blob_settings, build_blobs

FAULTS = RigFaults(
    duration_s=2.4, rgb_hz=15.0, freeze_s=(0.8, 1.8), rgb_size=(160, 120), thermal_size=(80, 60),
    thermal_clock_offset_ns=0,
)  # fmt: skip


@pytest.fixture
def bag(tmp_path):
    write_bag(SyntheticRecording(FAULTS), tmp_path / "bag")
    return tmp_path / "bag"


def evaluated(path, out, **changes):
    settings = blob_settings(**changes)
    return evaluate_recording(path, out, settings, build_blobs(settings))


def test_a_calibration_that_cannot_be_right_is_a_conclusion(tmp_path) -> None:
    write_bag(RigRecording(Still(pairs=6), rig(), 12.0), tmp_path / "bag")
    settings = blob_settings()
    sizes = CameraModel(RGB), CameraModel(THERMAL)
    for number, given in enumerate((RigCalibration("identity", *sizes), rig())):
        perception = Perception(BlobEngine(), given, PipelineConfig())
        report = evaluate_recording(tmp_path / "bag", tmp_path / str(number), settings, perception)
        said = [s for s in report.verdict.sentences if s.startswith("Calibration does not fit")]
        assert len(said) == (number == 0)
        assert report.verdict.level == "warn" or number


def without_timing(folder) -> str:
    values = json.loads((folder / "report.json").read_text())
    del values["timing"]
    return json.dumps(values, sort_keys=True)


def test_a_bag_gives_a_report_and_a_line_a_frame(bag, tmp_path) -> None:
    report = evaluated(bag, tmp_path / "out")
    sent = SyntheticRecording(FAULTS).frames
    counts = report.counts
    assert report.recording["frames"] == sent
    assert report.recording["topics"]["rgb"] == "/rgb/image_raw"
    assert counts["processed"] == counts["pairs"] + counts["single_rgb"] + counts["single_thermal"]
    assert counts["processed"] > 0.8 * sent["rgb"]
    assert counts["scored"] == counts["processed"]
    assert counts["truth_frames"] == sent["rgb"]
    for camera in ("rgb", "thermal"):
        gone = sum(counts["dropped"][camera].values())
        assert gone < counts[f"frames_{camera}"]
    frames = list(read_frames(tmp_path / "out" / "frames.jsonl"))
    assert [f.index for f in frames] == list(range(counts["processed"]))
    assert all(a.stamp_ns < b.stamp_ns for a, b in itertools.pairwise(frames))
    alone = [f for f in frames if not f.thermal]
    assert len(alone) == counts["single_rgb"] > 4
    assert all(f.mdi == 1.0 and "missing_thermal" in f.events for f in alone)
    (event,) = [e for e in report.events if e.name == "missing_thermal"]
    assert 0.3 < (event.end_ns - event.start_ns) / 1e9 < 1.0
    assert report.scores["fused"].ap50_by_class["person"] > 0.4  # not while thermal is missing
    assert set(report.scores) == {"fused", "rgb absent", "thermal absent"}
    assert report.scores["thermal absent"].map50 == 0.0  # blobs in RGB are called cars
    assert report.mdi["by_event"]["missing_thermal"] == 1.0
    assert any("thermal was missing" in line for line in report.verdict.sentences)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["frames.jsonl", "report.json"]
    assert read_report(tmp_path / "out") == report


def test_the_same_bag_gives_the_same_bytes(bag, tmp_path) -> None:
    for name in ("one", "two"):
        evaluated(bag, tmp_path / name, corruptions=("rgb_fog",), reliance_rate=2.0)
    assert without_timing(tmp_path / "one") == without_timing(tmp_path / "two")
    first, second = ((tmp_path / n / "frames.jsonl").read_bytes() for n in ("one", "two"))
    assert first == second
    report = read_report(tmp_path / "one")
    assert "corrupted rgb_fog" in report.scores
    assert report.mdi["exact_count"] in (4, 5)  # 2.4 s at 2 Hz


def test_a_busy_detector_is_simulated(bag, tmp_path) -> None:
    report = evaluated(bag, tmp_path / "out", simulated_latency_ms=100.0)
    whole = evaluated(bag, tmp_path / "whole")
    assert 15 <= report.counts["processed"] <= 24  # 2.4 s at 10 answers a second
    assert report.counts["processed"] + report.counts["dropped_busy"] == whole.counts["processed"]


def labels_file(path, key, values):
    """COCO json of the synthetic person at some frames."""
    source = SyntheticRecording(FAULTS)
    stamps = [e.frame.stamp_ns for e in source if e.camera == "rgb"]
    images, annotations = [], []
    for number in range(0, len(stamps), 4):
        x0, y0, x1, y1 = source.truth(stamps[number]).boxes[0].tolist()
        images.append({"id": number, "time": "day" if number < 10 else "night"})
        images[-1] |= {key: values(number, stamps[number])}
        annotations.append(
            {"image_id": number, "category_id": 1, "bbox": [x0, y0, x1 - x0, y1 - y0]}
        )
    path.write_text(json.dumps({"images": images, "annotations": annotations}))
    return path


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("stamp_ns", lambda number, stamp: stamp),
        ("frame", lambda number, stamp: number),
        ("file_name", lambda number, stamp: f"left/img_{number:06d}.png"),
        ("file_name", lambda number, stamp: f"{stamp}.png"),
    ],
)
def test_labels_are_found_by_stamp_number_or_name(bag, tmp_path, key, values) -> None:
    labels = labels_file(tmp_path / "labels.json", key, values)
    report = evaluated(bag, tmp_path / "out", labels=labels)
    count = len(json.loads(labels.read_text())["images"])
    assert report.counts["truth_frames"] == count
    assert 0.6 * count < report.counts["scored"] <= count
    assert report.scores["fused"].images == report.counts["scored"]
    assert report.scores["fused"].ap50_by_class["person"] > 0.4
    assert set(report.scores["fused"].parts) == {"day", "night"}
    assert set(report.scores["fused"].lamr) <= {"reasonable", "day", "night"}
    assert report.settings["truth"]["source"] == "labels.json"


def test_labels_of_another_recording_are_said_not_to_fit(bag, tmp_path) -> None:
    labels = labels_file(tmp_path / "l.json", "stamp_ns", lambda number, stamp: stamp + 10**15)
    report = evaluated(bag, tmp_path / "out", labels=labels)
    assert report.verdict.level == "bad"
    assert "none of its 9 images matches a frame of bag" in report.verdict.sentences[0]
    assert report.scores == {}
    assert report.counts["processed"] > 20  # the rest of the report is there
    nameless = labels_file(tmp_path / "n.json", "file_name", lambda number, stamp: "picture.png")
    with pytest.raises(RecordingError, match="does not say which frame it is of"):
        evaluated(bag, tmp_path / "none", labels=nameless)
    assert not (tmp_path / "none").exists()


def test_a_truncated_bag_is_judged_as_far_as_it_goes(tmp_path) -> None:
    source = SyntheticRecording(replace(FAULTS, rgb_size=(320, 240)))
    write_bag(source, tmp_path / "bag")
    (file,) = (tmp_path / "bag").glob("*.mcap")
    whole = evaluated(tmp_path / "bag", tmp_path / "whole")
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    report = evaluated(tmp_path / "bag", tmp_path / "out")
    assert 0.2 < report.counts["processed"] / whole.counts["processed"] < 0.8
    assert report.verdict.level == "warn"
    assert any("are lost" in line for line in report.verdict.sentences)
    before = list(read_frames(tmp_path / "whole" / "frames.jsonl"))
    after = list(read_frames(tmp_path / "out" / "frames.jsonl"))
    for one, other in zip(before, after[:-5], strict=False):
        assert one.to_json() == other.to_json()


@pytest.mark.parametrize(("camera", "other"), [("rgb", "thermal"), ("thermal", "rgb")])
def test_a_bag_of_one_camera_is_judged_whole(tmp_path, monkeypatch, camera, other) -> None:
    source = SyntheticRecording(replace(FAULTS, freeze_s=None))
    events = [event for event in source if event.camera == camera]
    monkeypatch.setattr(SyntheticRecording, "__iter__", lambda self: iter(events))
    write_bag(source, tmp_path / "bag")
    report = evaluated(tmp_path / "bag", tmp_path / "out")
    assert report.counts["processed"] == report.counts[f"single_{camera}"] == len(events)
    assert report.counts[f"frames_{other}"] == 0
    sentence = f"There is no {other} camera in it: {camera} was judged alone."
    assert sentence in report.verdict.sentences
    assert report.mdi["mean"] == (1.0 if camera == "rgb" else -1.0)
    assert report.events == ()


def test_an_empty_bag_is_one_clear_line(tmp_path) -> None:
    with Writer(tmp_path / "empty", version=8):
        pass
    with pytest.raises(RecordingError, match="empty"):
        evaluated(tmp_path / "empty", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_frozen_picture_is_an_event(tmp_path) -> None:
    """Stamps go on, the picture does not: first it is paired on, then RGB goes out alone."""
    faults = replace(FAULTS, freeze_s=None, duration_s=3.6)
    source = SyntheticRecording(faults)
    thermal = [e for e in source if e.camera == "thermal"]
    start = thermal[0].time_ns

    def frozen(event):
        if event.camera == "thermal" and 1.0 <= (event.time_ns - start) / 1e9 < 3.2:
            held = next(e for e in thermal if (e.time_ns - start) / 1e9 >= 1.0)
            return replace(event, frame=replace(event.frame, image=held.frame.image))
        return event

    class Frozen(SyntheticRecording):
        def __iter__(self):
            return (frozen(event) for event in super().__iter__())

    write_bag(Frozen(faults), tmp_path / "bag")
    report = evaluated(tmp_path / "bag", tmp_path / "out")
    (event,) = report.events
    assert event.name == "freeze_thermal"
    assert 1.4 < (event.end_ns - event.start_ns) / 1e9 < 2.2
    assert report.counts["dropped"]["thermal"]["frozen"] >= 2
    assert any("freeze of thermal" in line for line in report.verdict.sentences)


def test_detections_that_come_and_go_are_flicker(tmp_path) -> None:
    """The square is hidden in every tenth frame of both cameras."""

    class Blinking(SyntheticRecording):
        def __iter__(self):
            for event in super().__iter__():
                hidden = round((event.time_ns - 10**9) / 1e8) % 10 == 5
                image = np.full_like(event.frame.image, 40) if hidden else event.frame.image
                yield replace(event, frame=replace(event.frame, image=image))

    steady = replace(FAULTS, freeze_s=None, rgb_hz=10.0, thermal_hz=10.0)
    write_bag(Blinking(steady), tmp_path / "blinking")
    write_bag(SyntheticRecording(steady), tmp_path / "steady")
    reports = {n: evaluated(tmp_path / n, tmp_path / f"{n}_out") for n in ("blinking", "steady")}
    assert reports["steady"].flicker["share"] == 0.0
    flicker = reports["blinking"].flicker
    assert flicker["vanished"] >= 3
    assert 0.05 < flicker["share"] < 0.2
    assert reports["blinking"].worst["misses"]


def test_thermal_that_cannot_be_laid_over_rgb_is_said(tmp_path) -> None:
    """Another aspect ratio and no calibration: the network sees RGB alone."""
    source = SyntheticRecording(replace(FAULTS, freeze_s=None, thermal_size=(80, 80)))
    write_bag(source, tmp_path / "bag")
    report = evaluated(tmp_path / "bag", tmp_path / "out")
    assert report.counts["pairs"] == 0
    (text,) = report.recording["assumptions"]
    assert "thermal is not used" in text
    assert report.verdict.level in ("warn", "bad")


def test_a_database_gives_what_an_mcap_gives(bag, tmp_path) -> None:
    write_bag(SyntheticRecording(FAULTS), tmp_path / "sqlite3" / "bag", storage="sqlite3")
    evaluated(bag, tmp_path / "one", ablation=False)
    evaluated(tmp_path / "sqlite3" / "bag", tmp_path / "two", ablation=False)
    one, two = ((tmp_path / n / "frames.jsonl").read_bytes() for n in ("one", "two"))
    assert one == two
