"""How models do where one camera misleads: mAP50, and false positives at an equal recall.

research/benchmarks/misleading.py models/small runs/v2/model --size 416x320 --out scores.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from mdacl_tools.learning.misleading import MISLEADING
from mdacl_tools.recordings.datasets.data_folder import data_folder
from mdacl_tools.recordings.open_recording import open_recording
from mdacl_tools.scoring.in_memory import MemoryRecording
from mdacl_tools.util.pipeline_options import parse_size
from research.ablation.scoring import perception_of
from research.analysis.misleading import RECALL, misleading_scores


def main() -> None:
    """Print a row a kind, and write everything measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, nargs="+", help="model folders")
    parser.add_argument("--data", default="msrs/test.json", help="pairs, in the data folder")
    parser.add_argument("--size", default="416x320", help="network input WIDTHxHEIGHT")
    parser.add_argument("--images", type=int, default=None, help="pairs, spread evenly (all)")
    parser.add_argument("--recall", type=float, default=RECALL, help="for false positives")
    parser.add_argument("--kinds", nargs="*", choices=MISLEADING, default=[*MISLEADING])
    parser.add_argument("--threads", type=int, default=0, help="CPU threads")
    parser.add_argument("--out", type=Path, default=None, help="JSON file")
    args = parser.parse_args()
    recording = MemoryRecording(open_recording(data_folder() / args.data), args.images)
    values = {key: getattr(args, key) for key in ("data", "size", "images", "recall")}
    models = {}
    for model in args.model:
        print(f"{model}\n{'kind':<22}{'mAP50':>7}{'false':>8}{'recall':>8}")
        with perception_of(model, parse_size(args.size), args.threads) as perception:
            models[str(model)] = misleading_scores(
                perception, recording, args.kinds, args.recall, tell
            )
        if args.out is not None:
            args.out.write_text(json.dumps(values | {"models": models}, indent=2) + "\n")


def tell(kind: str, scores: Mapping[str, float | None]) -> None:
    """Print the scores of one kind."""
    cells = (f"{scores[k]}" for k in ("map50", "false_positives", "recall"))
    print(f"{kind:<22}{next(cells):>7}{next(cells):>8}{next(cells):>8}", flush=True)


if __name__ == "__main__":
    main()
