"""The command as it is called: outputs, exit codes, one line for every mistake."""

import json

import pytest
from recordings.datasets import trees
from scoring.blob_perception import build_blobs

from mdacl_tools.cli import evaluate as command
from mdacl_tools.cli.main import main
from mdacl_tools.recordings.bag_writer import write_bag
from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording

FAULTS = RigFaults(duration_s=1.0, freeze_s=None, rgb_size=(320, 240))


@pytest.fixture
def bag(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "build", build_blobs)
    monkeypatch.chdir(tmp_path)
    write_bag(SyntheticRecording(FAULTS), tmp_path / "bag")
    return tmp_path / "bag"


def test_a_bag_is_reported_on_in_a_few_lines(bag, tmp_path, capsys) -> None:
    assert main(["evaluate", str(bag)]) == 0
    printed = capsys.readouterr()
    assert "frames/s" in printed.out
    assert "mAP50" in printed.out
    assert "100 %" in printed.err
    values = json.loads((tmp_path / "evaluation_out" / "report.json").read_text())
    assert (values["schema"], values["version"]) == ("mdacl_ros/report", 1)
    assert main(["evaluate", str(bag)]) == 0
    assert "finished before" in capsys.readouterr().out


def test_exit_codes_tell_what_is_missing(bag, tmp_path, capsys) -> None:
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps({"images": [{"id": 1, "stamp_ns": 5}], "annotations": []}))
    assert main(["evaluate", str(bag), "--labels", str(labels), "--out", "labelled"]) == 3
    assert "none of its 1 images matches a frame of bag" in capsys.readouterr().out
    (mcap,) = bag.glob("*.mcap")
    data = mcap.read_bytes()
    mcap.write_bytes(data[: len(data) * 2 // 3])
    assert main(["evaluate", str(bag), "--out", "cut"]) == 3
    assert "Damaged: bag.mcap: ends in the middle of a record" in capsys.readouterr().out
    mcap.write_bytes(data[:50])
    assert main(["evaluate", str(bag), "--out", "nothing"]) == 2
    error = capsys.readouterr().err
    assert "no message is left of it" in error
    assert "Traceback" not in error
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--out", "scores.json"], "--out: got scores.json, wanted a folder"),
        (["--workers", "0"], "--workers: got 0, wanted 1 or more"),
        (["--threshold", "2"], "parameter score_threshold: got 2.0, wanted 0.0 to 1.0"),
        (["--corruptions", "rgb_snow"], "corruption 'rgb_snow' is unknown"),
        (["--labels", "none.json", "--again"], "none.json: cannot read the annotation file"),
        (["--rgb-topic", "/nothing"], "got rgb topic /nothing, wanted one of its image topics"),
        (["--live", "--rate", "0"], "--rate: got 0.0, wanted more than 0"),
        (["--live", "--rate", "inf"], "--rate: got inf, wanted more than 0"),
        (["--max-skew", "nan"], "parameter max_skew: got nan, wanted 0.0 to 10.0"),
        (["--partner-timeout", "inf"], "parameter partner_timeout: got inf, wanted 0.01 to 60.0"),
        (["--set", "kelvin_scale=0"], "parameter kelvin_scale: got 0.0, wanted 1e-06 to 10.0"),
        (["--set", "residual_warn=3"], "residual_warn has no effect here, only in the node"),
        (["--config", "none.yaml"], "parameter file none.yaml: cannot be read"),
        (["--realtime-drops", "nan"], "simulated_latency_ms: got nan"),
        (["--reliance-rate", "nan"], "parameter reliance_rate: got nan"),
        (["--thermal-clock-offset", "nan"], "parameter thermal_clock_offset: got nan"),
    ],
)
def test_a_mistake_is_one_line(bag, capsys, arguments, says) -> None:
    assert main(["evaluate", str(bag), *arguments]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if " %" not in line]
    assert len(lines) == 1
    assert says in lines[0]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (
            [
                "--live",
                "--reliance-rate",
                "1",
                "--corruptions",
                "--realtime-drops",
                "50",
                "--stills",
            ],
            "--corruptions, --realtime-drops, --stills: has no effect with --live",
        ),
        (
            ["--live", "--workers", "2", "--ray", "local", "--again"],
            "--workers, --ray, --again: has no effect with --live",
        ),
        (["--rate", "2"], "--rate: has no effect without --live"),
    ],
)
def test_an_option_without_effect_is_refused_by_name(bag, capsys, arguments, named) -> None:
    assert main(["evaluate", str(bag), "--out", "out", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"mdacl: argument {named}")
    assert not (bag.parent / "out").exists()


@pytest.mark.parametrize("out", [[], ["--out", "scores.json"]])
def test_a_table_of_scores_refuses_what_it_cannot_show(tmp_path, capsys, out) -> None:
    path = trees.llvip(tmp_path / "data")
    asked = ["--annotate", "--threshold", "0.5", "--workers", "2"]
    assert main(["evaluate", str(path), *out, *asked]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mdacl: argument --threshold, --annotate, --workers: has no effect on")
    assert line.endswith("give --out FOLDER for a report")


@pytest.mark.parametrize("out", ["taken", "taken/below"])
def test_an_out_that_is_a_file_is_told_before_any_work(
    bag, tmp_path, capsys, monkeypatch, out
) -> None:
    monkeypatch.setattr(command, "build", None)  # an engine that is not even asked for
    (tmp_path / "taken").write_text("mine")
    assert main(["evaluate", str(bag), "--out", out]) == 2
    error = capsys.readouterr().err
    assert error == "mdacl: argument --out: taken is a file, wanted a folder; give another name\n"
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_missing_recording_is_told_before_any_work(bag, capsys) -> None:
    assert main(["evaluate", str(bag), "nowhere.mcap", "--out", "out"]) == 2
    assert "recording nowhere.mcap: no such file or folder" in capsys.readouterr().err
    assert not (bag.parent / "out").exists()


def test_unclear_topics_are_one_question(bag, tmp_path, capsys) -> None:
    """Two colour cameras: the line names both, and the option."""
    text = (bag / "metadata.yaml").read_text().replace("/thermal/image_raw", "/rgb2/image_raw")
    (bag / "metadata.yaml").write_text(text)
    (mcap,) = bag.glob("*.mcap")
    data = mcap.read_bytes().replace(b"/thermal/image_raw", b"/rgb_two/image_raw")
    mcap.write_bytes(data)
    (bag / "metadata.yaml").unlink()
    assert main(["evaluate", str(mcap), "--out", "out"]) == 2
    error = capsys.readouterr().err
    assert "which image topics are the cameras? 2 could be the rgb camera" in error
    assert "/rgb_two/image_raw" in error
    assert "--rgb-topic and --thermal-topic" in error
