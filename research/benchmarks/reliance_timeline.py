"""Reliance and MDI over two smoke clips and a clear one: docs/dominance.md's figure and numbers.

    .venv/bin/python research/benchmarks/reliance_timeline.py [--out docs/images/...] [--every N]

Also what a robot would publish that measures at 2 Hz and holds the value between, against the exact
reliance of each frame; and when the diagnostics would warn.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib
import numpy as np
from blank import clip
from reliance import BOTH, CLIPS, Row, measure, pair_correlation

from mdacl_ros.health.dominance_watch import RelianceWatch
from mdacl_ros.health.status_part import OK
from mdacl_ros.pipeline.reliance import HeldReliance, Reliance, reliance_of
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime import load_engine
from mdacl_ros.types import DominanceReading
from mdacl_tools.recordings.datasets.data_folder import data_folder

matplotlib.use("Agg")
from matplotlib import pyplot

RATE = 30.0  # frames per second of the clips
RELIANCE_RATE, WARN, HYSTERESIS = 2.0, 0.8, 0.1  # as in config/detector.yaml
HALF = (0.5, 0.5)
THICK = {"0117_1605": (3.3, 10.0), "0117_1620": (5.0, np.inf)}
"""Seconds in which smoke hides the people from RGB, by eye."""
RGB, THERMAL, MDI = "#0072b2", "#d55e00", "#7a7a7a"


def smoothed(rows: list[Row], window: int) -> np.ndarray:
    """Reliance over ``window`` measurements, averaged by evidence, NaN where nothing is seen."""
    both, rgb, thermal = np.array([row.evidence for row in rows]).T
    kernel = np.ones(window)
    sums = [np.convolve(x, kernel)[: len(rows)] for x in (both, rgb, thermal)]
    value = np.clip((sums[1] - sums[2]) / np.maximum(sums[0], 1e-9), -1, 1)
    return np.where(sums[0] / window < 0.2, np.nan, value)


def draw(axis: pyplot.Axes, name: str, seconds: np.ndarray, rows: list[Row], window: int) -> None:
    """One clip: single measurements as dots, the second's average as a line, MDI below them."""
    axis.axhline(0, color="#cccccc", linewidth=1)
    axis.plot(seconds, [row.exact_mdi for row in rows], color=MDI, linewidth=1.5, label="MDI")
    values = np.array([row.reliance for row in rows])
    colours = np.where(values >= 0, RGB, THERMAL)
    axis.scatter(seconds, values, c=colours, s=14, label="reliance, one frame")
    axis.plot(seconds, smoothed(rows, window), color="black", label="reliance, one second")
    if name in THICK:
        start, end = THICK[name]
        axis.axvspan(start, min(end, seconds[-1]), color="#eeeeee", zorder=0)
    axis.set(title=name, ylim=(-1.08, 1.08), xlabel="seconds")


def published(seconds: np.ndarray, rows: list[Row]) -> tuple[np.ndarray, np.ndarray]:
    """The value held at each frame (NaN: nothing seen), and whether diagnostics warn."""
    held, watch, due = HeldReliance(), RelianceWatch(), 0.0
    values, alarms = [], []
    for now, row in zip(seconds.tolist(), rows, strict=True):
        measured = None
        if now >= due:
            due = now + 1 / RELIANCE_RATE
            measured = Reliance(reliance_of(*row.evidence), row.evidence)
            reading = DominanceReading(row.mdi, HALF, HALF, HALF, HALF, evidence=row.evidence)
            watch.update(reading, BOTH, now)
        value = held.update(measured, BOTH, round(now * 1e9))
        values.append(np.nan if value is None else value)
        alarms.append(watch.part(now, WARN, HYSTERESIS, {})[0] != OK)
    return np.array(values), np.array(alarms)


def weighted(evidence: np.ndarray) -> float:
    """Reliance of several frames ``(N, 3)``, averaged by evidence."""
    both, rgb, thermal = evidence.sum(0)
    return float(np.clip((rgb - thermal) / both, -1, 1)) if both > 0 else float("nan")


def report(name: str, seconds: np.ndarray, rows: list[Row]) -> list[tuple[float, float]]:
    """Print a row of numbers; return held and exact values of the frames that have both."""
    evidence = np.array([row.evidence for row in rows])
    start, end = THICK.get(name, (np.inf, np.inf))
    thick = (seconds >= start) & (seconds < end)
    held, alarms = published(seconds, rows)
    exact = np.array([row.reliance for row in rows])
    known = ~np.isnan(held) & ~np.isnan(exact)
    pairs = list(zip(held[known].tolist(), exact[known].tolist(), strict=True))
    error = np.abs(held - exact)[known].mean()
    first = f"{seconds[alarms.argmax()]:.1f} s" if alarms.any() else "never"
    print(
        f"{name:<12}{len(rows):>7}{weighted(evidence):>+10.2f}{weighted(evidence[thick]):>+8.2f}{pair_correlation(pairs):>10.2f}"
        f"{error:>8.2f}{first:>9}{alarms.mean():>8.0%}"
    )
    return pairs


def main() -> None:
    """Measure the clips and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/images/reliance_smoke.png"))
    parser.add_argument("--every", type=int, default=5, help="only every n-th frame")
    parser.add_argument("--data", type=Path, default=None)
    args = parser.parse_args()
    data = args.data or data_folder()
    engine = load_engine(find_resource("models/small"), engine="openvino")
    pairs: list[tuple[float, float]] = []
    print(
        f"{'clip':<12}{'frames':>7}{'reliance':>10}{'thick':>8}{'held: rho':>10}{'error':>8}",
        end="",
    )
    print(f"{'warns at':>9}{'share':>8}")
    figure, axes = pyplot.subplots(1, len(CLIPS), figsize=(12, 3.4), sharey=True)
    for axis, name in zip(axes, CLIPS, strict=True):
        rows = [
            measure(engine, np.ascontiguousarray(i["rgb"][..., ::-1]), i["thermal"])[1]
            for i in clip(data, f"{name}.mp4", args.every)
        ]
        seconds = np.arange(len(rows)) * args.every / RATE
        draw(axis, name, seconds, rows, max(1, round(RATE / args.every)))
        pairs += report(name, seconds, rows)
    error = np.mean([abs(a - b) for a, b in pairs])
    print(
        f"all: held against exact, Spearman {pair_correlation(pairs):.2f}, mean error {error:.2f}"
    )
    axes[0].set_ylabel("-1 thermal alone, +1 RGB alone")
    axes[0].legend(loc="lower left", fontsize=8)
    figure.tight_layout()
    figure.savefig(args.out, dpi=110)


if __name__ == "__main__":
    main()
