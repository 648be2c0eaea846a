"""Many recordings: spread, resumed, one of them broken."""

import json
import shutil
import sys

import pytest

from mdacl_ros.errors import MdaclError
from mdacl_tools.recordings.bag_writer import write_bag
from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording
from mdacl_tools.scoring import fleet
from mdacl_tools.scoring.fleet import core_shares, evaluate_all
from mdacl_tools.scoring.jobs import plan_jobs, request_key

from .blob_perception import blob_settings, build_blobs

SETTINGS = blob_settings()


@pytest.fixture
def bags(tmp_path):
    for name, seconds in (("a", 0.6), ("b", 0.8), ("c", 0.5)):
        faults = RigFaults(duration_s=seconds, freeze_s=None, rgb_size=(160, 120))
        write_bag(SyntheticRecording(faults), tmp_path / name)
    return [tmp_path / name for name in "abc"]


def contents(folder) -> dict[str, str]:
    """Every file of an output folder by relative path, reports without their times."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            text = path.read_text()
            if path.name == "report.json":
                values = json.loads(text)
                del values["timing"]
                text = json.dumps(values)
            found[str(path.relative_to(folder))] = text
    return found


def test_two_processes_give_the_same_bytes_as_one(bags, tmp_path) -> None:
    for workers in (1, 2):
        jobs = plan_jobs(bags, tmp_path / f"out{workers}")
        outcomes = list(evaluate_all(jobs, SETTINGS, build_blobs, workers=workers))
        assert [outcome.job for outcome in outcomes] == jobs
        assert all(outcome.report is not None for outcome in outcomes)
    one, two = contents(tmp_path / "out1"), contents(tmp_path / "out2")
    assert sorted(one) == [f"{n}/{f}" for n in "abc" for f in ("frames.jsonl", "report.json")]
    assert one == two


def test_finished_recordings_are_not_done_again(bags, tmp_path, monkeypatch) -> None:
    jobs = plan_jobs(bags, tmp_path / "out")
    list(evaluate_all(jobs, SETTINGS, build_blobs))
    evaluated = []
    real = fleet.evaluate_job
    monkeypatch.setattr(
        fleet, "evaluate_job", lambda job, *rest: evaluated.append(job) or real(job, *rest)
    )
    before = contents(tmp_path / "out")
    assert all(o.kept and o.report for o in evaluate_all(jobs, SETTINGS, build_blobs))
    assert evaluated == []
    shutil.rmtree(bags[1])
    write_bag(SyntheticRecording(RigFaults(duration_s=1.0, rgb_size=(160, 120))), bags[1])
    (jobs[2].out / "frames.jsonl").unlink()
    kept = [outcome.kept for outcome in evaluate_all(jobs, SETTINGS, build_blobs)]
    assert kept == [True, False, False]
    assert contents(tmp_path / "out")["c/frames.jsonl"] == before["c/frames.jsonl"]
    evaluated.clear()
    list(evaluate_all(jobs[:1], blob_settings(score_threshold=0.6), build_blobs))
    list(evaluate_all(jobs[:1], blob_settings(score_threshold=0.6), build_blobs, again=True))
    assert len(evaluated) == 2


def test_a_broken_recording_does_not_stop_the_others(bags, tmp_path) -> None:
    (mcap,) = bags[1].glob("*.mcap")
    mcap.write_bytes(b"nothing")
    outcomes = list(evaluate_all(plan_jobs(bags, tmp_path / "out"), SETTINGS, build_blobs))
    assert [outcome.report is None for outcome in outcomes] == [False, True, False]
    assert "no message is left of it" in outcomes[1].error
    assert not (tmp_path / "out" / "b").exists()


def test_folders_are_named_apart(tmp_path) -> None:
    paths = [tmp_path / "x" / "bag", tmp_path / "y" / "bag", tmp_path / "z.mcap"]
    names = [job.out.name for job in plan_jobs(paths, tmp_path / "out")]
    assert names == ["bag", "bag_2", "z"]
    assert plan_jobs(paths[:1], tmp_path / "out")[0].out == tmp_path / "out"


def test_the_key_follows_what_is_asked_for(tmp_path) -> None:
    labels = tmp_path / "labels.json"
    labels.write_text("{}")
    asked = blob_settings(labels=labels)
    key = request_key(asked, build_blobs)
    assert key == request_key(asked, build_blobs)
    labels.write_text("{ }")
    assert key != request_key(asked, build_blobs)
    assert key != request_key(SETTINGS, build_blobs)


def test_cores_are_dealt_out(monkeypatch) -> None:
    monkeypatch.setattr(fleet, "_cores", lambda: {3, 5, 7, 9, 11})
    assert core_shares(2) == [{3, 7, 11}, {5, 9}]
    assert core_shares(6) == [{3}, {5}, {7}, {9}, {11}, {3}]


def test_without_ray_it_is_one_line(bags, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    jobs = plan_jobs(bags, tmp_path / "out")
    with pytest.raises(MdaclError, match=r"ray is not installed; pip install ray, or .*--workers"):
        list(evaluate_all(jobs, SETTINGS, build_blobs, ray="local"))
