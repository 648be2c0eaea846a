"""``report.html``: one file that says first what matters and asks nothing of a network.

write_page(folder, recording=recording)     # folder holds report.json and frames.jsonl
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from mdacl_ros.sensing.registration.rig_types import RigCalibration
from mdacl_ros.whole_file import write_whole
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.report import formatting as words
from mdacl_tools.report.charts import time_chart
from mdacl_tools.report.course import read_timeline
from mdacl_tools.report.histograms import Histogram, histogram
from mdacl_tools.report.page_images import Pictures, take_pictures
from mdacl_tools.report.tables import all_tables
from mdacl_tools.scoring.conclusions import BALANCED
from mdacl_tools.scoring.frames import FRAMES_FILE
from mdacl_tools.scoring.report import Report, read_report

PAGE_FILE = "report.html"

BASELINES = ("fused", "thermal absent", "rgb absent")


@dataclass(frozen=True, slots=True)
class Bars:
    """One number of both cameras beside that of each alone.

    Attributes:
        title: What is measured.
        note: What is better.
        rows: ``(kind, words, text, share)``; the kind is a class of the style sheet, the share in
            [0, 1] the length of the bar.
    """

    title: str
    note: str
    rows: tuple[tuple[str, str, str, float], ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A number that stands for itself."""

    name: str
    text: str
    note: str


def write_page(
    folder: Path, recording: Recording | None = None, rig: RigCalibration | None = None
) -> Path:
    """Write the page of one evaluation beside its ``report.json``, whole or not at all.

    Args:
        folder: Holds ``report.json`` and ``frames.jsonl``.
        recording: What was evaluated, for the pictures; without, the page has none.
        rig: Calibration that was used.

    Raises:
        RecordingError: A file is missing or damaged, or the recording is another one.
    """
    report, frames = read_report(folder), folder / FRAMES_FILE
    pictures = Pictures()
    if recording is not None:
        pictures = take_pictures(report, frames, recording, rig)
    line = read_timeline(frames, float(report.settings["threshold"]))
    text = templates().get_template("report.html.j2").render(
        report=report,
        level=report.verdict.level,
        bars=key_bars(report),
        facts=key_facts(report),
        pictures=pictures,
        chart=time_chart(line, report.events),
        histograms=_histograms(report),
        tables=all_tables(report),
    )  # fmt: skip
    return write_whole(folder / PAGE_FILE, text)


@lru_cache(maxsize=1)
def templates() -> Environment:
    """The page's templates; everything from outside is escaped."""
    environment = Environment(
        loader=PackageLoader("mdacl_tools.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["words"] = words
    return environment


def key_bars(report: Report) -> tuple[Bars, ...]:
    """The scores that decide, fused and with each camera alone."""
    if "fused" not in report.scores:
        return ()
    fused = report.scores["fused"]
    bars = [_bars(report, "mAP50", "all classes; percent", lambda s: s.map50)]
    bars += [
        _bars(report, f"AP50 {name}", "percent", lambda s, name=name: s.ap50_by_class.get(name))
        for name in fused.ap50_by_class
    ]
    if fused.lamr.get("reasonable") is not None:
        note = "persons; less is better"
        bars.append(_bars(report, "Miss rate", note, lambda s: s.lamr.get("reasonable")))
    return tuple(bars)


def _bars(report: Report, title: str, note: str, pick: Any) -> Bars:
    rows = []
    for mode in BASELINES:
        if mode in report.scores:
            value = pick(report.scores[mode])
            row = (mode.split()[0], words.mode_words(mode), words.percent(value), value or 0.0)
            rows.append(row)
    return Bars(title, note, tuple(rows))


def key_facts(report: Report) -> tuple[Fact, ...]:
    """Numbers beside the scores."""
    counts, flicker, timing = report.counts, report.flicker, report.timing
    lost = sum(sum(causes.values()) for causes in (counts.get("dropped") or {}).values())
    reliance: float | None = report.mdi.get("reliance_mean")
    facts = [
        Fact("Reliance", words.signed(reliance), _leads(reliance)),
        Fact("Mean MDI", words.signed(mean_mdi(report)), "how features and gradients lean"),
        Fact("Answers", words.number(counts.get("processed")), _from_cameras(counts)),
    ]
    if lost or counts.get("dropped_busy"):
        total = lost + (counts.get("dropped_busy") or 0)
        facts.append(Fact("Dropped", words.number(total), "images without a result"))
    if flicker.get("share") is not None:
        share = words.percent(flicker["share"])
        facts.append(Fact("Flicker", f"{share} %", "of detections come or go for one frame"))
    mean = report.detections_per_frame.get("mean")
    if mean is not None:
        facts.append(Fact("Detections", f"{mean:.1f}", "in a frame, on average"))
    if median := (timing.get("infer_ms") or {}).get("p50"):
        facts.append(Fact("Detector", f"{median:.0f} ms", "a frame, median on this machine"))
    return tuple(facts)


def mean_mdi(report: Report) -> float | None:
    """Mean index of the answers from both cameras; of all, where there are none."""
    paired: float | None = report.mdi.get("paired_mean")
    return report.mdi.get("mean") if paired is None else paired


def _leads(reliance: float | None) -> str:
    if reliance is None:
        return "not measured with both cameras"
    if abs(reliance) < BALANCED:
        return "of the pairs: both cameras alike"
    return f"of the pairs: mostly on {'RGB' if reliance > 0 else 'thermal'}"


def _from_cameras(counts: dict[str, Any]) -> str:
    """How many answers rest on a single camera."""
    alone = {"RGB": counts.get("single_rgb"), "thermal": counts.get("single_thermal")}
    parts = [f"{words.number(n)} from {camera} alone" for camera, n in alone.items() if n]
    return ", ".join(parts) or "all from both cameras"


def _histograms(report: Report) -> tuple[Histogram, ...]:
    given = report.histograms
    drawn = (
        histogram("Latency", report.timing.get("latency_ms") or {}, "ms"),
        histogram("Skew, thermal to RGB", given.get("skew_ms") or {}, "ms"),
        histogram("Time between results", given.get("interval_ms") or {}, "ms"),
        histogram("Dominance (MDI)", given.get("mdi") or {}),
        histogram("Detections in a frame", report.detections_per_frame.get("histogram") or {}),
    )
    return tuple(chart for chart in drawn if chart is not None)
