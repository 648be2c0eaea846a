"""Picture of reliance and MDI over two smoke clips and a clear one, for docs/dominance.md.

.venv/bin/python research/benchmarks/reliance_timeline.py [--out docs/images/reliance_smoke.png]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib
import numpy as np
from blank import clip
from reliance import CLIPS, Row, measure

from mdacl_ros.resources import find_resource
from mdacl_ros.runtime import load_engine
from mdacl_tools.recordings.datasets.data_folder import data_folder

matplotlib.use("Agg")
from matplotlib import pyplot

RATE = 30.0  # frames per second of the clips
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
    axis.set(title=name, ylim=(-1.08, 1.08), xlabel="seconds")


def main() -> None:
    """Measure the clips and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/images/reliance_smoke.png"))
    parser.add_argument("--every", type=int, default=15, help="only every n-th frame")
    parser.add_argument("--data", type=Path, default=None)
    args = parser.parse_args()
    data = args.data or data_folder()
    engine = load_engine(find_resource("models/small"), engine="openvino")
    figure, axes = pyplot.subplots(1, len(CLIPS), figsize=(12, 3.4), sharey=True)
    for axis, name in zip(axes, CLIPS, strict=True):
        rows = [
            measure(engine, np.ascontiguousarray(i["rgb"][..., ::-1]), i["thermal"])[1]
            for i in clip(data, f"{name}.mp4", args.every)
        ]
        seconds = np.arange(len(rows)) * args.every / RATE
        draw(axis, name, seconds, rows, max(1, round(RATE / args.every)))
        both, rgb, thermal = np.sum([row.evidence for row in rows], axis=0)
        print(f"{name}: {len(rows)} frames, reliance {(rgb - thermal) / both:+.2f}")
    axes[0].set_ylabel("-1 thermal alone, +1 RGB alone")
    axes[-1].legend(loc="lower right", fontsize=8)
    figure.tight_layout()
    figure.savefig(args.out, dpi=110)


if __name__ == "__main__":
    main()
