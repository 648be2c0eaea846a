import json
from dataclasses import replace

import numpy as np
import pytest

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import GroundTruth
from mdacl_tools.scoring.frames import FRAMES_FILE, FrameRecord, FrameWriter, read_frames
from mdacl_tools.scoring.report import (
    EventSpan,
    ModeScores,
    Report,
    Verdict,
    WorstFrame,
    read_report,
    write_report,
)

REPORT = Report(
    recording={"name": "bag"},
    settings={"threshold": 0.3},
    counts={"pairs": 2},
    scores={"fused": ModeScores(0.5, 0.25, {"person": 0.5}, lamr={"reasonable": None})},
    mdi={"mean": 0.1},
    events=(EventSpan("dark", 1, 2),),
    histograms={},
    detections_per_frame={},
    flicker={},
    worst={"misses": (WorstFrame(0, 1, 40.0, [[0, 0, 20, 40, 0]]),)},
    verdict=Verdict("warn", ("Half of the persons are found.",)),
    timing={"wall_s": 1.0},
)


def record(index: int = 0, **changes) -> FrameRecord:
    rng = np.random.default_rng(index)
    truth = GroundTruth(rng.random((1, 4), np.float32), np.array([2]), np.array([True]))
    return replace(
        FrameRecord(
            index, 10**18 + 1 + index, True, False, -3.25, 0.1, None, (1.0, 0.0), (0.3, 0.0),
            (64, 48), rng.random((3, 4), np.float32) * 600, rng.random(3, np.float32),
            np.array([0, 1, 2]), truth, ("dark",),
        ),
        **changes,
    )  # fmt: skip


def test_frames_read_back_exactly_as_they_were(tmp_path) -> None:
    records = [record(0), record(1, truth=None, events=()), record(2, boxes=np.zeros((0, 4)))]
    records[2] = replace(records[2], scores=np.zeros(0), labels=np.zeros(0, int))
    with FrameWriter(tmp_path / FRAMES_FILE) as out:
        for item in records:
            out.write(item)
    found = list(read_frames(tmp_path / FRAMES_FILE))
    assert [item.to_json() for item in found] == [item.to_json() for item in records]
    assert found[0].boxes.tobytes() == records[0].boxes.tobytes()
    assert found[0].scores.tobytes() == records[0].scores.tobytes()
    assert found[0].truth.boxes.tobytes() == records[0].truth.boxes.tobytes()
    assert found[2].boxes.shape == (0, 4)
    assert found[1].truth is None


def test_a_report_reads_back_as_it_was(tmp_path) -> None:
    write_report(REPORT, tmp_path)
    assert read_report(tmp_path) == read_report(tmp_path / "report.json") == REPORT
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": "other"}, "not a report; wanted the schema mdacl_ros/report"),
        ({"version": 9}, "version 9, wanted 1; evaluate again"),
        ({"mdi": ...}, "damaged"),
    ],
)
def test_a_wrong_report_gets_one_clear_line(tmp_path, change, says) -> None:
    values = {k: v for k, v in (REPORT.to_json() | change).items() if v is not ...}
    (tmp_path / "report.json").write_text(json.dumps(values))
    with pytest.raises(RecordingError, match=says):
        read_report(tmp_path)


def test_a_damaged_frame_line_is_named(tmp_path) -> None:
    (tmp_path / FRAMES_FILE).write_text(json.dumps(record().to_json()) + "\n{\n")
    with pytest.raises(RecordingError, match="line 2 is no frame record"):
        list(read_frames(tmp_path / FRAMES_FILE))
