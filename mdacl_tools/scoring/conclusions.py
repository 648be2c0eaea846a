"""The result in plain sentences, by rules that anyone can check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mdacl_tools.scoring.report import Level, ModeScores, Verdict

GOOD_MAP50, POOR_MAP50 = 0.5, 0.2
LOST_SHARE = 0.05
"""Share of frames, or of time with one camera, from which it is said."""
FLICKER_SHARE = 0.2
BALANCED = 0.1
"""|mean MDI| below which the answers are said to rest on both cameras."""
FUSION_LOSS = 0.01
"""mAP50 by which one camera alone may be better before it is said."""

UNPAIRED_SHARE = 0.5
"""Frames of a camera beyond its pairs, as a share of the other's single frames, from which the two
did not find each other."""

Line = tuple[Level, str]
_RANK: dict[Level, int] = {"bad": 0, "warn": 1, "ok": 2}


def judge(
    recording: Mapping[str, Any],
    counts: Mapping[str, Any],
    scores: Mapping[str, ModeScores],
    mdi: Mapping[str, Any],
    event_frames: Mapping[str, int],
    flicker: Mapping[str, Any],
    mismatch: str = "",
    warp: str = "",
) -> Verdict:
    """Put the numbers of a report into words.

    Args:
        recording: As in the report.
        counts: As in the report.
        scores: As in the report.
        mdi: As in the report.
        event_frames: Number of frames of each event.
        flicker: As in the report.
        mismatch: Why no label fits; empty if some do or none were given.
        warp: Why the calibration cannot be right; empty for nothing.
    """
    lines: list[Line] = [
        *_warp(warp),
        *_accuracy(scores, mismatch, counts),
        *_losses(recording, counts),
        *_cameras(recording, counts, event_frames),
        *_rest(counts, mdi, flicker),
    ]
    level: Level = min((line[0] for line in lines), key=_RANK.__getitem__, default="ok")
    ordered = sorted(lines, key=lambda line: _RANK[line[0]])  # stable
    return Verdict(level, tuple(sentence for _, sentence in ordered))


def _warp(remark: str) -> list[Line]:
    return [("warn", f"{remark[0].upper()}{remark[1:]}.")] if remark else []


def _accuracy(
    scores: Mapping[str, ModeScores], mismatch: str, counts: Mapping[str, Any]
) -> list[Line]:
    if mismatch:
        return [("bad", f"No score: {mismatch}.")]
    fused = scores.get("fused")
    if fused is None or fused.map50 is None:
        return [("ok", "No ground truth: nothing is said about accuracy.")]
    level: Level = "ok" if fused.map50 >= GOOD_MAP50 else "warn"
    level = "bad" if fused.map50 < POOR_MAP50 else level
    objects = sum(fused.objects.values())
    lines: list[Line] = [
        (level, f"mAP50 {_percent(fused.map50)} over {fused.images} frames with {objects} objects.")
    ]
    alone = {m: s.map50 for m, s in scores.items() if m.endswith("absent") and s.map50 is not None}
    for mode, value in alone.items():
        gain = fused.map50 - value
        camera = mode.removesuffix(" absent")
        if gain < -FUSION_LOSS:
            lines.append(
                ("warn", f"Without {camera} the score is {100 * -gain:.1f} points higher.")
            )
        else:
            lines.append(("ok", f"Without {camera} the score is {100 * gain:.1f} points lower."))
    if unmatched := counts["labels_unmatched"]:
        lines.append(("warn", f"{unmatched} labelled images match no processed frame."))
    return lines


def _losses(recording: Mapping[str, Any], counts: Mapping[str, Any]) -> list[Line]:
    lines: list[Line] = [("warn", f"Damaged: {line}.") for line in recording["damage"]]
    lines += [("warn", f"{_capital(line)}.") for line in recording.get("warnings", ())]
    lines += [("ok", f"Note: {line}.") for line in recording.get("notes", ())]
    for text in recording["assumptions"]:
        lines.append(("warn" if "not used" in text else "ok", f"Note: {text}."))
    if unreadable := sum(counts["unreadable"].values()):
        lines.append(("warn", f"{unreadable} images could not be decoded and were left out."))
    if counts["failed"]:
        lines.append(("warn", f"{counts['failed']} frames could not be used by the detector."))
    for camera, causes in counts["dropped"].items():
        received, dropped = counts[f"frames_{camera}"], sum(causes.values())
        if camera == "rgb" and dropped > LOST_SHARE * received:
            cause = max(causes, key=causes.get)
            lines.append(
                (
                    "warn",
                    f"{_percent(dropped / received)} of the {camera} frames were not processed "
                    f"(most: {cause}).",
                )
            )
    if busy := counts["dropped_busy"]:
        lines.append(("warn", f"{busy} pairs were dropped because the detector was busy."))
    return lines


def _cameras(
    recording: Mapping[str, Any], counts: Mapping[str, Any], event_frames: Mapping[str, int]
) -> list[Line]:
    lines: list[Line] = []
    processed = max(1, counts["processed"])
    for camera, other in (("rgb", "thermal"), ("thermal", "rgb")):
        alone = counts[f"single_{other}"] / processed
        frames, unreadable = counts[f"frames_{camera}"], counts["unreadable"].get(camera, 0)
        if frames == 0 and unreadable:
            lines.append(
                (
                    "bad",
                    f"None of the {unreadable} {camera} images could be read: {other} was judged "
                    "alone.",
                )
            )
        elif frames == 0:
            lines.append(("warn", f"There is no {camera} camera in it: {other} was judged alone."))
        elif alone > LOST_SHARE:
            # A camera that delivered is not missing: its frames found no partner.
            there = frames - counts["pairs"] > UNPAIRED_SHARE * alone * processed
            how = "found no partner near in time" if there else "was missing"
            if any(f"{camera} is not used" in text for text in recording["assumptions"]):
                how = "was not used"
            lines.append(("warn", f"{camera} {how} in {_percent(alone)} of the frames."))
    for name, frames in event_frames.items():
        if name.startswith("missing_"):
            continue
        level: Level = "warn" if name.startswith("freeze_") else "ok"
        what = name.replace("_", " of ")
        lines.append((level, f"{_percent(frames / processed)} of the frames: {what}."))
    return lines


def _rest(
    counts: Mapping[str, Any], mdi: Mapping[str, Any], flicker: Mapping[str, Any]
) -> list[Line]:
    lines: list[Line] = []
    if not counts["processed"]:
        return [("bad", "No frame was processed.")]
    mean = mdi["paired_mean"]
    if mean is not None:
        leader = "RGB" if mean > 0 else "thermal"
        how = f"lean on {leader}" if abs(mean) >= BALANCED else "rest on both about equally"
        lines.append(("ok", f"With both cameras the detections {how} (mean MDI {mean:+.2f})."))
    share = flicker["share"]
    if share is not None:
        level: Level = "warn" if share > FLICKER_SHARE else "ok"
        lines.append((level, f"{_percent(share)} of the detections flicker."))
    return lines


def _capital(line: str) -> str:
    return line[:1].upper() + line[1:]


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"
