"""What a demo run leaves behind: numbers, detections, pictures, video."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import cv2

from mdacl_ros.sensing.registration.rig import load_rig
from mdacl_tools.live.run_log import RunLog
from mdacl_tools.recordings.recording import Recording, RecordingPhase
from mdacl_tools.report.annotated_video import VIDEO_FPS, Picture, VideoFile, render_pictures
from mdacl_tools.report.mdi_timeline import draw_timeline
from mdacl_tools.report.run_metrics import summarize
from mdacl_tools.util.progress import progress_bar

KEY_FRAMES = 5
"""Key frames of a recording without phases."""


def write_report(
    run: RunLog,
    recording: Recording,
    out: Path,
    *,
    calibration: Path | None = None,
    video: bool = True,
) -> dict[str, Any]:
    """Write ``metrics.json``, ``detections.json``, ``mdi_timeline.png``, video and key frames.

    The numbers come first, so that an interrupted report still has them.

    Args:
        run: What happened.
        recording: What was played.
        out: Existing folder; results of an earlier run in it are replaced.
        calibration: Rig calibration that the node used.
        video: Draw the video and the key frames.

    Returns:
        The content of ``metrics.json``.
    """
    image_size = _image_size(recording)
    metrics = summarize(run, recording, image_size)
    _write_json(out / "metrics.json", metrics)
    _write_json(out / "detections.json", coco_results(run), indent=None)
    draw_timeline(run, recording, out / "mdi_timeline.png")
    if video and run.answers:
        try:
            _write_pictures(run, recording, out, calibration)
        except KeyboardInterrupt:
            run.interrupted = True
            print("interrupted: the video is not complete", file=sys.stderr)
    return metrics


def coco_results(run: RunLog) -> list[dict[str, Any]]:
    """Detections as COCO results; ``image_id`` numbers the answers from 1.

    Beside COCO's fields: ``stamp_ns`` as published and ``recorded_ns``, the stamp of the same
    frame in the recording.
    """
    recorded = run.recorded_stamps()
    results = []
    for image_id, answer in enumerate(run.answers, start=1):
        rows = zip(
            answer.boxes.tolist(), answer.scores.tolist(), answer.labels.tolist(), strict=True
        )
        for (x0, y0, x1, y1), score, label in rows:
            results.append(
                {
                    "image_id": image_id,
                    "stamp_ns": answer.stamp_ns,
                    "recorded_ns": recorded.get(answer.stamp_ns),
                    "category_id": label + 1,
                    "category": run.labels[label],
                    "bbox": [round(v, 2) for v in (x0, y0, x1 - x0, y1 - y0)],
                    "score": round(score, 4),
                }
            )
    return results


def _write_pictures(run: RunLog, recording: Recording, out: Path, calibration: Path | None) -> None:
    """One pass over the recording draws the video and picks the key frames."""
    rig = load_rig(calibration) if calibration else None
    # As fast as there are answers to show; a slide show keeps its pace.
    fps = min(VIDEO_FPS, max(recording.fps.values()))
    frames = out / "frames"
    shutil.rmtree(frames, ignore_errors=True)
    frames.mkdir()
    writer = VideoFile(out, fps)
    keys = _KeyFrames(run, recording)
    total = max(1, round(recording.duration_ns / 1e9 * fps))
    try:
        with progress_bar("drawing the video", total) as advance:
            for picture in render_pictures(run, recording, rig, fps=fps):
                advance(writer.show(picture))
                keys.offer(picture)
    finally:
        writer.close()
        keys.write(frames)


class _KeyFrames:
    """Keeps the picture with most detections from the middle of each phase or equal part."""

    def __init__(self, run: RunLog, recording: Recording) -> None:
        self._best: dict[str, Picture] = {}
        self._parts = list(recording.phases) or _equal_parts(run)
        self._ranks: dict[str, tuple[bool, int, int]] = {}

    def offer(self, picture: Picture) -> None:
        """Keep a picture if it is the best of its part so far."""
        stamp = picture.recorded_ns
        for part in self._parts:
            if part.start_ns <= stamp < part.end_ns:
                off_centre = abs(2 * stamp - part.start_ns - part.end_ns)
                # The middle half of a part shows what its name says.
                inside = 2 * off_centre <= part.end_ns - part.start_ns
                rank = (inside, picture.detections if inside else 0, -off_centre)
                if part.name not in self._ranks or rank > self._ranks[part.name]:
                    self._ranks[part.name] = rank
                    self._best[part.name] = picture

    def write(self, folder: Path) -> None:
        for number, (name, picture) in enumerate(self._best.items(), start=1):
            path = folder / f"{number:02d}_{name}.png"
            cv2.imwrite(str(path), cv2.cvtColor(picture.image, cv2.COLOR_RGB2BGR))


def _equal_parts(run: RunLog) -> list[RecordingPhase]:
    stamps = [frame.recorded_ns for frame in run.sent]
    first = min(stamps, default=0)
    length = (max(stamps, default=0) - first) // KEY_FRAMES + 1
    starts = [first + i * length for i in range(KEY_FRAMES)]
    return [RecordingPhase(f"part{i + 1}", start, start + length) for i, start in enumerate(starts)]


def _image_size(recording: Recording) -> tuple[int, int]:
    """Width and height of the first RGB frame (thermal where there is no RGB)."""
    size = (0, 0)
    for event in recording:
        size = event.frame.image.shape[1], event.frame.image.shape[0]
        if event.camera == "rgb":
            break
    return size


def _write_json(path: Path, content: Any, indent: int | None = 2) -> None:
    path.write_text(json.dumps(content, indent=indent) + "\n", encoding="utf-8")
