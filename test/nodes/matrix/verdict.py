"""Judges what was seen of each fault, and lays it out as a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..blob_engine import BlobEngine
from .cases import COMPRESSED, FROM_START, NO_USABLE, RELIABLE, Case
from .trial import COMPLAINT, PARAMETERS, REST_S, START_S, Status, Trial, longest_gap

SILENCE_S = 1.0
"""Longest time without an answer that nothing tells of."""

LONGEST_BEAT_S = 1.5
"""Longest time between two diagnostics, which come once per second."""

RESUME_FRAMES = 20
"""RGB frames, one second of them, within which answers from both cameras have to be back."""


STALL_S = 0.3
"""A camera of the test itself that stood still for so long may be called dead."""

RECOVERING = ("cameras", "images", "inference")
"""Statuses that have to be well again at the end; without camera_info *calibration* never is."""


@dataclass(frozen=True)
class Verdict:
    """What one fault did.

    Attributes:
        case: The fault.
        alive: Whether diagnostics kept coming at least every 1.5 s.
        gaps_s: Longest time without an answer before, during and after it.
        told_s: When /diagnostics first complained as expected, seconds after the fault began.
        message: What they said.
        grown: By how much the counter grew.
        resumed: RGB frames from the fault's end to the first answer from both cameras.
        stall_s: Longest time that the test's own cameras stood still: a busy machine.
        blamed: Whether the other camera, which nothing befell, was called dead.
        recovered: Whether every status was well again at the end.
    """

    case: Case
    alive: bool
    gaps_s: tuple[float, float, float]
    told_s: float | None
    message: str
    grown: int
    resumed: int | None
    stall_s: float
    blamed: bool
    recovered: bool

    def faults(self) -> list[str]:
        """What is not as it has to be; empty where all is well."""
        case, slack = self.case, self.stall_s
        found = [] if self.alive else ["diagnostics stopped"]
        if self.gaps_s[0] > SILENCE_S + slack or self.gaps_s[2] > SILENCE_S + slack:
            found.append(f"silent for {max(self.gaps_s[0], self.gaps_s[2]):.1f} s without a fault")
        if case.answers and self.gaps_s[1] > SILENCE_S + slack:
            found.append(f"no answer for {self.gaps_s[1]:.1f} s")
        if case.part and (self.told_s is None or self.told_s > SILENCE_S + slack):
            found.append("not told" if self.told_s is None else f"told after {self.told_s:.2f} s")
        if case.counter:
            name, least, most = case.counter
            if not least - 20 * slack <= self.grown <= most + 20 * slack:
                found.append(f"{name} grew by {self.grown}, not {least} to {most}")
        if self.resumed is None or self.resumed > RESUME_FRAMES * (1 + slack):
            found.append(f"resumed after {self.resumed} frames")
        if self.blamed and slack < STALL_S:
            found.append("the other camera is blamed")
        if not self.recovered:
            found.append("diagnostics do not recover")
        return found


def judge(trial: Trial) -> list[Verdict]:
    """Judge every fault of a finished trial."""
    windows = trial.record.windows()
    assert len(windows) == len(trial.cases), (windows, trial.record.faults)
    return [_judge(trial, case, *window) for case, window in zip(trial.cases, windows, strict=True)]


def _judge(trial: Trial, case: Case, begin: float, end: float) -> Verdict:
    record, over = trial.record, end + REST_S - 0.3
    times = [time_s for time_s, _ in record.answers]
    told = [
        (time_s - begin, message)
        for time_s, statuses, _ in record.health
        if begin <= time_s <= end + 0.5 and (message := _complaint(case, statuses))
    ]
    back = next((t for t, present in record.answers if t >= end and present == "rgb+thermal"), None)
    sent = trial.cameras.sent["rgb"]
    stall = max(
        longest_gap(frames, max(begin - 1.0, frames[0]), over) - 1 / trial.cameras.rates[camera]
        for camera, frames in trial.cameras.sent.items()
    )
    last = [statuses for time_s, statuses, _ in record.health if time_s <= over][-1]
    beats = [time_s for time_s, _, _ in record.health]
    return Verdict(
        case,
        alive=longest_gap(beats, begin, over) < LONGEST_BEAT_S + stall,
        gaps_s=(
            0.0 if case.from_start else longest_gap(times, begin - 1.0, begin),
            longest_gap(times, begin, end),
            longest_gap(times, end, over),
        ),
        told_s=told[0][0] if told else None,
        message=told[0][1] if told else "",
        grown=_count(trial, case, over) - _count(trial, case, begin),
        resumed=None if back is None else sum(end <= time_s <= back for time_s in sent),
        stall_s=max(0.0, stall),
        blamed=any(
            begin + case.from_start * SILENCE_S <= time_s <= over and _blames(case, statuses)
            for time_s, statuses, _ in record.health
        ),
        recovered=all(last[part][0] == 0 for part in RECOVERING),
    )


def _complaint(case: Case, statuses: dict[str, Status]) -> str:
    """What a beat of diagnostics says about the case; empty where it says nothing of it."""
    level, message = statuses.get(case.part, (0, ""))
    return message if case.said and level >= COMPLAINT and case.said in message else ""


def _blames(case: Case, statuses: dict[str, Status]) -> bool:
    """Whether a beat of diagnostics takes the camera to be dead that nothing befell."""
    other = {"rgb": "thermal", "thermal": "rgb"}.get(case.camera)
    return other is not None and NO_USABLE.format(other) in statuses.get("cameras", (0, ""))[1]


def _count(trial: Trial, case: Case, when: float) -> int:
    """The case's counter in the newest diagnostics before a time."""
    if case.counter is None:
        return 0
    values = [values for time_s, _, values in trial.record.health if time_s <= when][-1]
    return int(float(values.get(case.counter[0], "0")))


HEAD = """# Fault matrix

Made by a test run against real ROS processes (fake cameras, 20 Hz RGB and 9 Hz thermal, then
`fault_injector_node`, then the detector node with a cheap engine in place of the network): do not
edit. `make fault-matrix` makes it again.

Engine: `{engine}` (test/nodes/blob_engine.py). The detector's parameters that are not the default:
{parameters}. The last rows are {compressed} with both transports `compressed` (JPEG and PNG),
{reliable} where the detector asks for reliable RGB images, and {from_start} whose fault is there
before the detector is active and lasts {start_s:g} s.

The other faults last {fault_s:g} s; times are seconds. *alive*: diagnostics kept coming. *gap*:
longest time without a result in the second before, while and after it. *reported*: time until
/diagnostics complained. *counter*: by how much it grew, and how much it had to. *resumed*: RGB
frames (20 a second) from the fault's end to the first result that rests on both cameras. *stall*:
longest time the test's own cameras stood still, i.e. how busy the machine was. A row is ok when no
gap without a word is longer than 1 s, the counter grew as it had to, /diagnostics complained within
1 s, never called the other camera dead and recovered, and results resumed within 20 frames; *stall*
is granted on top of each time.

| fault | alive | gap before / during / after | reported | counter | resumed | stall | status |
|---|---|---|---|---|---|---|---|
"""


def head(fault_s: float) -> str:
    """What stands above the rows."""
    return HEAD.format(
        fault_s=fault_s,
        engine=BlobEngine.name,
        parameters=", ".join(f"`{name}: {value}`" for name, value in PARAMETERS.items()),
        compressed=len(COMPRESSED),
        reliable=len(RELIABLE),
        from_start=len(FROM_START),
        start_s=START_S,
    )


def write_table(verdicts: list[Verdict], path: Path, fault_s: float) -> None:
    """Write the table as a whole."""
    rows = [row(verdict) for verdict in verdicts]
    said = "\n".join(f"- {v.case.name}: \u201c{v.message}\u201d" for v in verdicts if v.message)
    text = head(fault_s) + "\n".join(rows)
    text += f"\n\n## What /diagnostics said\n\n{said}\n"
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def row(v: Verdict) -> str:
    """One line of the table."""
    gaps = " / ".join(f"{gap:.2f}" for gap in v.gaps_s)
    told = "" if not v.case.part else "no" if v.told_s is None else f"{v.told_s:.2f}"
    counter = _counter(v)
    resumed = "no" if v.resumed is None else str(v.resumed)
    verdict = "; ".join(v.faults()) or "ok"
    alive = "yes" if v.alive else "no"
    cells = (v.case.name, alive, gaps, told, counter, resumed, f"{v.stall_s:.2f}", verdict)
    return f"| {' | '.join(cells)} |"


def _counter(v: Verdict) -> str:
    """By how much the counter grew, and how much it had to."""
    if v.case.counter is None:
        return ""
    name, least, most = v.case.counter
    return f"{name} +{v.grown} ({least if least == most else f'{least} to {most}'})"
