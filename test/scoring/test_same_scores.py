"""Through a bag, or as images: the same scores to the last bit."""

import json
import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mdacl_ros.pipeline import PipelineConfig
from mdacl_ros.types import LABELS
from mdacl_tools.recordings.bag_writer import write_bag
from mdacl_tools.recordings.open_recording import open_recording
from mdacl_tools.scoring.dataset_scores import MODES
from mdacl_tools.scoring.evaluate_recording import evaluate_recording
from mdacl_tools.scoring.pair_scoring import SCORE_FLOOR, evaluate
from mdacl_tools.scoring.settings import EvaluationSettings, build

from .blob_perception import blob_settings, build_blobs

DATA = Path(os.environ.get("MDACL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


@pytest.fixture
def data_set(tmp_path):
    """Six pairs of two sizes, two by night, with blobs of which not all are where they belong."""
    root = tmp_path / "set"
    for folder in ("rgb", "thermal"):
        (root / folder).mkdir(parents=True)
    rng, images, annotations = np.random.default_rng(3), [], []
    for k in range(1, 7):
        width, height = (160, 128) if k % 2 else (200, 160)
        rgb = rng.integers(0, 60, (height, width, 3)).astype(np.uint8)
        thermal = rng.integers(0, 60, (height, width)).astype(np.uint8)
        for label, image in ((1, thermal), (2, rgb)):
            x, y = (int(v) for v in rng.integers(5, 60, 2))
            w, h = (int(v) for v in rng.integers(14, 60, 2))
            image[y : y + h, x : x + w] = 250
            shift = 0 if rng.random() < 0.7 else 12
            box = [x + shift, y + 1, w, h]
            annotations.append({"image_id": k, "category_id": label, "bbox": box, "iscrowd": 0})
        cv2.imwrite(str(root / f"rgb/{k}.png"), rgb)
        cv2.imwrite(str(root / f"thermal/{k}.png"), thermal)
        files = {"rgb": f"rgb/{k}.png", "thermal": f"thermal/{k}.png", "file_name": f"{k}.png"}
        time = "night" if k > 4 else "day"
        images.append({"id": k, "width": width, "height": height, "time": time, **files})
    categories = [{"id": i + 1, "name": name} for i, name in enumerate(LABELS)]
    coco = {"images": images, "annotations": annotations, "categories": categories}
    (root / "test.json").write_text(json.dumps(coco))
    return root


def compare(path, tmp_path, settings, build_perception, compress) -> None:
    """The data-set reader's own pass, a report on the data set, a report on a bag of it."""
    perception = build_perception(settings)
    perception.config = PipelineConfig(score_threshold=SCORE_FLOOR)
    recording = open_recording(path)
    want = {mode: evaluate(perception, recording, removed) for mode, removed in MODES.items()}
    write_bag(recording, tmp_path / "bag", compress=compress)
    for name, source in {"set": path, "bag": tmp_path / "bag"}.items():
        asked = replace(settings, stills=True if name == "bag" else None)
        report = evaluate_recording(source, tmp_path / f"out_{name}", asked, perception)
        assert report.counts["scored"] == len(want["fused"].readings)
        for mode, evaluation in want.items():
            scores = report.scores[mode]
            assert scores.map50 == evaluation.scores.map50
            assert scores.map == evaluation.scores.map
            assert scores.ap50_by_class == evaluation.scores.ap50_by_class
            assert scores.map_by_class == evaluation.scores.map_by_class
            assert scores.mdi == pytest.approx(evaluation.mdi, abs=1e-12)
            if name == "set":
                found = {part: values["map50"] for part, values in scores.parts.items()}
                parts = evaluation.parts.items()
                assert found == {part: inner.scores.map50 for part, inner in parts}


@pytest.mark.parametrize("compress", [None, "png"])
def test_a_bag_scores_as_the_images_it_was_made_of(data_set, tmp_path, compress) -> None:
    compare(data_set, tmp_path, blob_settings(), build_blobs, compress)


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "msrs").is_dir(), reason=f"no data in {DATA}")
def test_msrs_scores_the_same_through_a_bag(tmp_path) -> None:
    """Every sixth pair of the test set: by day and by night."""
    source, some = DATA / "msrs", tmp_path / "msrs"
    some.mkdir()
    for folder in (path for path in source.iterdir() if path.is_dir()):
        (some / folder.name).symlink_to(folder)
    coco = json.loads((source / "test.json").read_text())
    coco["images"] = coco["images"][::6]
    kept = {image["id"] for image in coco["images"]}
    coco["annotations"] = [a for a in coco["annotations"] if a["image_id"] in kept]
    (some / "test.json").write_text(json.dumps(coco))
    settings = EvaluationSettings(PipelineConfig(model="nano"))
    compare(some, tmp_path, settings, build, "png")
