"""Numbers and pictures of a run that is written down by hand: every value is known."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from mdacl_ros.types import LABELS
from mdacl_tools.live.processes import Usage
from mdacl_tools.live.run_log import Answer, RunLog, SentFrame, read_sent_log
from mdacl_tools.recordings.recording import RecordingPhase
from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording
from mdacl_tools.report.demo_report import write_report
from mdacl_tools.report.run_metrics import summarize

FAULTS = RigFaults(
    duration_s=2.0, rgb_hz=10.0, thermal_hz=10.0, freeze_s=None, thermal_clock_offset_ns=0
)
SHIFT = 10**18


@pytest.fixture
def recording() -> SyntheticRecording:
    made = SyntheticRecording(FAULTS)
    first = 10**9
    made.phases = (
        RecordingPhase("clear", first, first + 10**9),
        RecordingPhase("smoke", first + 10**9, first + 2 * 10**9),
    )
    return made


def perfect_run(recording, *, skip=()) -> RunLog:
    run = RunLog(labels=LABELS)
    for event in recording:
        stamp = event.frame.stamp_ns
        run.sent.append(SentFrame(event.camera, stamp + SHIFT, stamp, 0.5))
        if event.camera == "rgb" and len(run.answers) not in skip:
            box = recording.truth(stamp).boxes
            mdi = 0.5 if stamp < 2 * 10**9 else -0.5
            latency = 10.0 + len(run.answers)
            values = {"mdi": f"{mdi}", "present": "rgb+thermal", "latency_ms": f"{latency}"}
            scores, labels = np.array([0.9], np.float32), np.zeros(1, np.int64)
            run.answers.append(Answer(stamp + SHIFT, box, scores, labels, values))
    count = len(run.answers)
    run.counts = {"frames_rgb": 20, "frames_thermal": 18, "pairs": 20, "dropped_busy": 2}
    run.counts |= {"processed": count, "published": count, "single_rgb": 1, "single_thermal": 2}
    run.usage = [Usage(1.0, 100.0, 0.0), Usage(2.0, 140.0, 1.0), Usage(5.0, 120.0, 5.0)]
    return run


def test_the_numbers_of_a_known_run(recording):
    metrics = summarize(perfect_run(recording), recording, (64, 48))
    assert metrics["frames_sent"] == {"rgb": 20, "thermal": 20, "total": 40}
    assert metrics["frames_in"]["total"] == 38
    assert metrics["dropped"] == {"busy": 2, "transport_rgb": 0, "transport_thermal": 2}
    assert metrics["single_modality_frames"] == 3
    assert metrics["stamps_match"] is True
    assert metrics["latency_ms"] == {"p50": 19.5, "p95": 28.05, "p99": 28.81}
    assert metrics["cpu_percent"] == 80.0
    assert metrics["rss_mb"] == 140.0
    assert metrics["mdi"]["mean"] == 0.0
    assert metrics["mdi"]["by_phase"] == {"clear": 0.5, "smoke": -0.5}
    assert metrics["detections"]["by_class"] == {"person": 20}
    assert metrics["map50"] == metrics["map"] == 1.0
    assert metrics["ap50_by_class"] == {"person": 1.0}
    assert json.loads(json.dumps(metrics)) == metrics


def test_a_foreign_stamp_is_noticed(recording):
    run = perfect_run(recording)
    wrong = run.answers[3]
    run.answers[3] = Answer(
        wrong.stamp_ns + 1, wrong.boxes, wrong.scores, wrong.labels, wrong.values
    )
    assert summarize(run, recording, (64, 48))["stamps_match"] is False


def test_an_answer_without_rgb_carries_the_thermal_stamp_and_the_offset(recording):
    run = perfect_run(recording)
    run.thermal_clock_offset_ns = 40_000_000
    run.sent.append(SentFrame("thermal", 5_000, 3, 0.0))
    run.answers.append(
        Answer(
            40_005_000, *[np.zeros((0, 4)), np.zeros(0), np.zeros(0, int)], {"present": "thermal"}
        )
    )
    assert run.recorded_stamps()[40_005_000] == 3
    assert summarize(run, recording, (64, 48))["stamps_match"] is True


def test_a_run_without_answers_has_numbers_too(recording, tmp_path):
    metrics = write_report(RunLog(labels=LABELS), recording, tmp_path)
    assert metrics["processed"] == 0
    assert metrics["stamps_match"] is False
    assert metrics["latency_ms"]["p50"] is None
    assert (tmp_path / "mdi_timeline.png").is_file()


def test_the_report_keeps_real_time_when_frames_were_dropped(recording, tmp_path):
    run = perfect_run(recording, skip=())
    run.answers = run.answers[::5]
    write_report(run, recording, tmp_path)
    video = cv2.VideoCapture(str(tmp_path / "video.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 16  # 1.5 s at 10 Hz, and the last answer
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert names == ["01_clear.png", "02_smoke.png"]
    results = json.loads((tmp_path / "detections.json").read_text())
    assert [row["image_id"] for row in results] == [1, 2, 3, 4]
    assert results[0]["category_id"] == 1


def test_a_cut_off_line_of_the_sent_log_is_left_out(tmp_path):
    row = '{"camera": "rgb", "stamp_ns": 5, "recorded_ns": 3, "late_ms": 0.1}\n'
    (tmp_path / "log").write_text(row + row[:20])
    assert read_sent_log(tmp_path / "log") == [SentFrame("rgb", 5, 3, 0.1)]
    assert read_sent_log(tmp_path / "absent") == []
