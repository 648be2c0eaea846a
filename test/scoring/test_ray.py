"""A real Ray cluster, in this process's machine: the bytes of one worker."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mdacl_ros.errors import MdaclError
from mdacl_tools.scoring.fleet import evaluate_all
from mdacl_tools.scoring.jobs import plan_jobs

from .blob_perception import blob_settings, build_blobs
from .test_fleet import bags, contents

__all__ = ["bags"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed"),
]
HERE = Path(__file__).resolve().parents[1]
PORT = 20_000 + os.getpid() % 10_000
RAY = [sys.executable, "-m", "ray.scripts.scripts"]


@pytest.fixture(autouse=True)
def modules_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray's workers import them by name."""
    monkeypatch.setenv("PYTHONPATH", f"{HERE}:{HERE.parent}")


@pytest.fixture
def cluster() -> Iterator[str]:
    """A cluster started as ``ray start --head`` does; its address."""
    address = f"127.0.0.1:{PORT}"
    head = ["start", "--head", f"--port={PORT}", "--node-ip-address=127.0.0.1", "--num-cpus=2"]
    head += ["--include-dashboard=false", "--disable-usage-stats"]
    subprocess.run([*RAY, *head], check=True, capture_output=True)
    yield address
    subprocess.run([*RAY, "stop"], check=True, capture_output=True)


def outcome_bytes(bags: list[Path], out: Path, ray: str | None) -> dict[str, str]:
    jobs = plan_jobs(bags, out)
    outcomes = list(evaluate_all(jobs, blob_settings(), build_blobs, ray=ray))
    assert [outcome.job for outcome in outcomes] == jobs
    assert all(outcome.report is not None for outcome in outcomes)
    return contents(out)


def test_a_cluster_started_here_gives_the_bytes_of_one_worker(bags, tmp_path) -> None:
    alone = outcome_bytes(bags[:2], tmp_path / "alone", None)
    assert outcome_bytes(bags[:2], tmp_path / "ray", "local") == alone


def test_so_does_a_cluster_that_runs_already(bags, tmp_path, cluster: str) -> None:
    alone = outcome_bytes(bags[:2], tmp_path / "alone", None)
    assert outcome_bytes(bags[:2], tmp_path / "ray", cluster) == alone


def test_a_broken_recording_does_not_stop_the_others(bags, tmp_path) -> None:
    (mcap,) = bags[0].glob("*.mcap")
    mcap.write_bytes(b"nothing")
    jobs = plan_jobs(bags[:2], tmp_path / "out")
    broken, whole = evaluate_all(jobs, blob_settings(), build_blobs, ray="local")
    assert broken.report is None
    assert str(bags[0]) in broken.error
    assert whole.report is not None


def test_a_worker_that_cannot_import_is_one_line(bags, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE.parent))
    jobs = plan_jobs(bags[:1], tmp_path / "out")
    with pytest.raises(
        MdaclError, match=r"a worker failed \(.*No module named.*every machine"
    ) as caught:
        list(evaluate_all(jobs, blob_settings(), build_blobs, ray="local"))
    assert "\n" not in str(caught.value)


def test_no_cluster_at_an_address_is_one_line(bags, tmp_path) -> None:
    jobs = plan_jobs(bags[:1], tmp_path / "out")
    with pytest.raises(MdaclError, match=r"argument --ray: no cluster at 127.0.0.1:1 ") as caught:
        list(evaluate_all(jobs, blob_settings(), build_blobs, ray="127.0.0.1:1"))
    assert "\n" not in str(caught.value)
