"""The scoring analyses from the command line, on a tiny data set."""

import json
from dataclasses import replace

import pytest

from mdacl_tools.cli.main import main

from .runs import CONFIG, write_data_set
from .test_features import save_model


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    folder = tmp_path_factory.mktemp("analyse")
    model, data = save_model(folder / "model", CONFIG), write_data_set(folder / "data")
    common = ["--model", model, "--data", data, "--engine", "torch", "--size", "64x64"]
    return [str(option) for option in common], folder


def test_removal_with_baselines(options, capsys) -> None:
    common, folder = options
    out = folder / "removal"
    alone = [
        str(save_model(folder / camera, replace(CONFIG, modalities=(camera,))))
        for camera in ("rgb", "thermal")
    ]
    command = ["analyse", "removal", *common, "--out", str(out), "--baselines"]
    assert main([*command, *reversed(alone)]) == 2
    assert "is a detector of thermal, wanted one of rgb alone" in capsys.readouterr().err
    assert main([*command, alone[0], str(folder / "model")]) == 2
    assert "is a detector of rgb and thermal, wanted" in capsys.readouterr().err
    assert main([*command, *alone]) == 0
    values = json.loads((out / "removal.json").read_text())
    assert len(values["rows"]) == 10
    assert set(values["baselines"]) == {"rgb", "thermal"}
    assert values["images"] == 4
    assert len(values["weights_sha256"]) == 64
    assert (out / "removal.png").stat().st_size > 10_000
    text = capsys.readouterr().out
    assert "25% of rgb" in text
    assert "mAP50 night" in text


def test_corruption_writes_the_shift_rows_for_the_calibration_check(options, capsys) -> None:
    common, folder = options
    out, extra = folder / "corruption", folder / "robustness.json"
    command = ["analyse", "corruption", *common, "--images", "2", "--out", str(out)]
    assert main([*command, "--json", str(extra)]) == 0
    assert extra.read_text() == (out / "corruption.json").read_text()
    values = json.loads(extra.read_text())
    assert [row["pixels"] for row in values["shift"]] == [1, 2, 4, 8, 16]
    assert len(values["rows"]) == 50
    assert (out / "corruption.png").stat().st_size > 10_000
    assert "mean corruption retention" in capsys.readouterr().out


def test_one_kind_alone_is_enough_for_the_calibration_check(options) -> None:
    common, folder = options
    out = folder / "shift"
    command = ["analyse", "corruption", *common, "--images", "2", "--out", str(out)]
    assert main([*command, "--kinds", "thermal_shift"]) == 0
    values = json.loads((out / "corruption.json").read_text())
    assert [row["pixels"] for row in values["shift"]] == [1, 2, 4, 8, 16]
    assert len(values["rows"]) == 5
    assert (out / "corruption.png").stat().st_size > 5_000


def test_mixed_corruption_on_some_images(options) -> None:
    common, folder = options
    command = ["analyse", "corruption", *common, "--out", str(folder / "mixed")]
    assert main([*command, "--mixed", "--images", "2"]) == 0
    values = json.loads((folder / "mixed/corruption.json").read_text())
    assert len(values["rows"]) == 10
    assert values["shift"] == []
    assert values["images"] == 2


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["analyse"], "arguments are required: {removal,corruption,dynamics,features}"),
        (["analyse", "remove"], "invalid choice: 'remove'"),
        (["analyse", "corruption", "--kinds", "mist"], "invalid choice: 'mist'"),
        (["analyse", "removal", "--data", "nowhere"], "nowhere: no such file"),
        (["analyse", "dynamics", "--run", "nowhere"], "nowhere: has no log.jsonl"),
        (["analyse", "features", "--model", "nowhere"], "parameter model: no folder 'nowhere'"),
        (["analyse", "removal", "--out", "/dev/null/x"], "cannot be created"),
    ],
)
def test_mistakes_are_told_in_one_line(command, message, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(command) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
