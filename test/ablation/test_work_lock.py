from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from research.ablation.work_lock import claim, holder

HOLD = """
import sys, time
from pathlib import Path
from research.ablation.work_lock import claim
with claim(Path(sys.argv[1])) as ours:
    print(ours, flush=True)
    time.sleep(60)
"""


def test_claim_is_held_by_one_and_given_back(tmp_path: Path) -> None:
    path = tmp_path / "unit" / "claim.lock"
    with claim(path) as first:
        assert first
        with claim(path) as second:
            assert not second
    with claim(path) as again:
        assert again


def test_claim_of_a_killed_worker_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "claim.lock"
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        with claim(path) as ours:
            assert not ours
        assert holder(path) == f"process {other.pid}"
    finally:
        other.kill()
        other.wait()
    with claim(path, wait=True) as ours:
        assert ours
