from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mdacl_ros.runtime.child_process import child_environment


def test_child_finds_the_package_beside_a_folder_of_its_name(tmp_path: Path) -> None:
    """As in the folder that a checkout was cloned into."""
    (tmp_path / "mdacl_ros").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "mdacl_tools.cli.main", "--version"],
        cwd=tmp_path,
        env=child_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("mdacl ")


def test_child_environment_adds_to_ours() -> None:
    assert child_environment(MDACL_TEST="1")["MDACL_TEST"] == "1"
    assert "PATH" in child_environment()
