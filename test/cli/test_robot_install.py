"""A robot has the package without the workshop's libraries."""

from __future__ import annotations

import subprocess
import sys

import pytest

WORKSHOP = (
    "PIL", "jinja2", "lightning_fabric", "matplotlib", "mcap", "psutil", "pycocotools", "rich",
    "tensorboardX", "tqdm",
)  # fmt: skip


def mdacl(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process that has none of the workshop's libraries."""
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({WORKSHOP})); "
        "from mdacl_tools.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("command", ["build", "info", "bench", "doctor"])
def test_a_robots_commands_need_no_workshop(command: str) -> None:
    done = mdacl(command, "--help")
    assert done.returncode == 0, done.stderr


def test_info_runs_without_the_workshop() -> None:
    done = mdacl("info", "--size", "64x64")
    assert done.returncode == 0, done.stderr
    assert "parameters" in done.stdout


@pytest.mark.parametrize(
    "arguments", [["evaluate", "--help"], ["compare", "--help"], ["report", "/nowhere"]], ids=str
)
def test_the_others_say_in_one_line_what_is_missing(arguments: list[str]) -> None:
    done = mdacl(*arguments)
    assert done.returncode == 2
    assert "is not installed; install the workshop: pip install 'mdacl_ros[tools]'" in done.stderr
    assert done.stderr.count("\n") == 1
