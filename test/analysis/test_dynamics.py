import json
from dataclasses import replace

import numpy as np
import pytest

from mdacl_ros.errors import ModelError, RecordingError
from mdacl_tools.cli.main import main
from research.analysis.dynamics import chosen_snapshots, read_run
from research.analysis.snapshots import find_snapshots, load_snapshot, run_detector_config

from .runs import CONFIG, write_data_set, write_run


def test_quarters_follow_the_log(tmp_path) -> None:
    run = read_run(write_run(tmp_path / "a"))
    quarters = run.quarters("mdi")
    assert quarters == sorted(quarters)
    assert quarters[0] == pytest.approx(np.mean([-0.8 + 0.8 * s / 40 for s in range(1, 11)]))
    assert np.isnan(run.quarters("mdi_p5")).all()
    values = json.loads(json.dumps(run.to_json(), allow_nan=False))
    assert values["steps"] == 40
    assert "mdi_p5" not in values["mean_by_quarter"]


def test_gaps_in_the_log_are_passed_over(tmp_path) -> None:
    folder = write_run(tmp_path / "a")
    lines = (folder / "log.jsonl").read_text().splitlines()
    lines[:10] = [json.dumps({"step": i + 1, "loss": 1.0}) for i in range(10)]
    (folder / "log.jsonl").write_text("\n".join(lines))
    run = read_run(folder)
    assert np.isnan(run.quarters("mdi")[0])
    assert run.to_json()["mean_by_quarter"]["mdi"][0] is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "has no log.jsonl"),
        ("", "has 0 steps, wanted 2"),
        ('{"step": 1}\n{"step": 2', "not a JSON record a line"),
    ],
)
def test_unusable_logs_are_told_in_one_line(tmp_path, content, message) -> None:
    if content is not None:
        (tmp_path / "log.jsonl").write_text(content)
    with pytest.raises(RecordingError, match=message) as caught:
        read_run(tmp_path)
    assert "\n" not in str(caught.value)


def test_snapshots_are_spread_over_the_run(tmp_path) -> None:
    folder = write_run(tmp_path / "a")
    for step in (900, 100, 200, 500, 1000):
        (folder / f"snapshots/step_{step:06d}.safetensors").touch()
    (folder / "snapshots/notes.safetensors").touch()
    assert list(find_snapshots(folder)) == [100, 200, 500, 900, 1000]
    assert list(chosen_snapshots(folder, 3)) == [100, 500, 1000]
    assert list(chosen_snapshots(folder, 9)) == [100, 200, 500, 900, 1000]


def test_snapshots_load_with_the_run_s_config(tmp_path) -> None:
    folder = write_run(tmp_path / "a", snapshots=(10,))
    assert run_detector_config(folder) == CONFIG
    path = find_snapshots(folder)[10]
    assert not load_snapshot(CONFIG, path).training
    with pytest.raises(ModelError, match="does not fit the run's detector"):
        load_snapshot(replace(CONFIG, neck_channels=24), path)
    path.write_bytes(b"damaged")
    with pytest.raises(ModelError, match="not a readable snapshot"):
        load_snapshot(CONFIG, path)
    (folder / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="wanted JSON with the key `detector`"):
        run_detector_config(folder)
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"model\.yaml does not exist"):
        run_detector_config(folder)


def test_command_lays_two_runs_over_each_other(tmp_path, capsys) -> None:
    data = write_data_set(tmp_path / "data")
    fused = write_run(tmp_path / "fused/run", snapshots=(10, 40))
    alone = replace(CONFIG, modalities=("thermal",))
    thermal = write_run(tmp_path / "alone/run", snapshots=(40,), config=alone, fields=())
    command = ["analyse", "dynamics", "--run", str(fused), "--run", str(thermal)]
    command += ["--data", str(data), "--longest", "96", "--out", str(tmp_path / "out")]
    assert main(command) == 0
    values = json.loads((tmp_path / "out/dynamics.json").read_text())
    assert set(values) == {"run 0", "run 1"}
    assert set(values["run 0"]["linear_probe"]) == {"rgb", "thermal"}
    assert set(values["run 0"]["linear_probe"]["rgb"]) == {"10", "40"}
    assert set(values["run 1"]["linear_probe"]) == {"thermal"}
    assert (tmp_path / "out/dynamics.png").stat().st_size > 10_000
    out = capsys.readouterr().out
    assert "linear probe at step" in out
    assert "share_rgb" in out


def test_a_run_without_snapshots_is_shown_without_probes(tmp_path, capsys) -> None:
    folder = write_run(tmp_path / "a")
    assert main(["analyse", "dynamics", "--run", str(folder), "--out", str(tmp_path / "o")]) == 0
    assert "no linear probe" in capsys.readouterr().out
    assert (tmp_path / "o/dynamics.png").is_file()
