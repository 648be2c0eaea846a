"""Charts are drawn from data: where, and how much of it."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdacl_tools.report.axes import nice_ticks
from mdacl_tools.report.charts import LEAST_BAR, LEFT, RIGHT, WIDTH
from mdacl_tools.report.charts import time_chart as draw
from mdacl_tools.report.course import read_timeline
from mdacl_tools.report.histograms import histogram
from mdacl_tools.scoring.frames import FrameWriter
from mdacl_tools.scoring.report import EventSpan
from report.made import answers, two_cameras

RECORDS = answers(two_cameras())


def timeline(folder, records, columns: int = 720):
    with FrameWriter(folder / "frames.jsonl") as out:
        for record in records:
            out.write(record)
    return read_timeline(folder / "frames.jsonl", 0.3, columns)


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


def test_a_curve_goes_through_the_values(tmp_path):
    chart = draw(timeline(tmp_path, RECORDS), ())
    panel = chart.panels[0]
    drawn = points(dict(panel.paths)["line"])
    assert len(drawn) == len(RECORDS)
    assert drawn[0][0] == LEFT
    assert drawn[-1][0] == WIDTH - RIGHT
    middle, half = panel.top + panel.height / 2, panel.height / 2
    heights = [(middle - y) / half for _, y in drawn]
    assert heights == pytest.approx([record.mdi for record in RECORDS], abs=0.002)
    assert chart.readout["mdi"] == pytest.approx([r.mdi for r in RECORDS], abs=0.001)


def test_an_absent_camera_interrupts_its_curve_only(tmp_path):
    chart = draw(timeline(tmp_path, RECORDS), ())
    gates = dict(chart.panels[1].paths)
    assert gates["rgb-line"].count("M") == 1
    assert gates["thermal-line"].count("M") == 2
    absent = [pair[1] for pair in chart.readout["gates"]].count(-1.0)
    assert absent == sum(not record.thermal for record in RECORDS) > 0


def test_a_pause_interrupts_all_curves(tmp_path):
    late = [replace(r, stamp_ns=r.stamp_ns + 10**10) for r in RECORDS[30:]]
    chart = draw(timeline(tmp_path, RECORDS[:30] + late), ())
    assert dict(chart.panels[0].paths)["line"].count("M") == 2


def test_a_long_recording_is_thinned_out_but_its_peaks_stay(tmp_path):
    many = [
        replace(RECORDS[0], index=i, stamp_ns=10**9 + i * 10**8, mdi=-0.9 if i == 777 else 0.1)
        for i in range(2000)
    ]
    line = timeline(tmp_path, many, columns=100)
    assert len(line.mdi) == 100
    assert line.mdi_low.min() == -0.9
    assert line.mdi.min() > -0.9
    assert line.mdi.mean() == pytest.approx(np.mean([r.mdi for r in many]))


def test_one_frame_and_none_can_be_drawn(tmp_path):
    for records in (RECORDS[:1], []):
        chart = draw(timeline(tmp_path, records), ())
        assert len(chart.readout["x"]) == len(records)


def test_events_lie_where_they_were(tmp_path):
    first = RECORDS[0].stamp_ns
    spans = [
        EventSpan("dark", first + 10**9, first + 15 * 10**8),
        EventSpan("smoke", first, first),
        EventSpan("dark", first, first + 10**8),
    ]
    chart = draw(timeline(tmp_path, RECORDS), spans)
    assert [(lane.name, len(lane.bars)) for lane in chart.lanes] == [("dark", 2), ("smoke", 1)]
    x, width, text = chart.lanes[0].bars[0]
    scale = (WIDTH - RIGHT - LEFT) / ((RECORDS[-1].stamp_ns - first) / 1e9)
    assert x == pytest.approx(LEFT + scale, abs=0.1)
    assert width == pytest.approx(0.5 * scale, abs=0.1)
    assert text == "dark: 1.0 to 1.5 s"
    assert chart.lanes[1].bars[0][1] == LEAST_BAR  # a single frame is still seen


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 12))
def test_ticks_are_round_and_not_too_many(low, span, most):
    ticks = nice_ticks(low, low + span, most)
    assert len(ticks) <= most + 1
    assert all(low - 1e-6 * span <= t <= low + span * (1 + 1e-6) for t in ticks)
    steps = [b - a for a, b in itertools.pairwise(ticks)]
    assert all(step == pytest.approx(steps[0], rel=1e-3) for step in steps)


def test_a_histogram_shows_what_was_counted_and_cuts_empty_ends():
    edges = [0, 10, 20, 30, 40, 50, 60, 1_000_000]
    chart = histogram("Interval", {"edges": edges, "counts": [0, 0, 4, 8, 0, 0, 0]}, "ms")
    assert [bar[4] for bar in chart.bars] == ["20 to 30 ms: 4", "30 to 40 ms: 8"]
    assert chart.bars[1][3] == pytest.approx(2 * chart.bars[0][3], abs=0.1)
    assert [tick.text for tick in chart.ticks] == ["10", "20", "30", "40", "50"]
    rest = histogram("Interval", {"edges": edges, "counts": [0, 0, 0, 0, 0, 1, 2]}, "ms")
    assert rest.bars[-1][4] == "60 to more ms: 2"
    assert histogram("Nothing", {"edges": edges, "counts": [0] * 7}) is None
    assert histogram("Nothing", {}) is None
