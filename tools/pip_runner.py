"""Run pip in a virtual environment: a short progress line, one-line errors, CPU builds of torch."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CPU_INDEX = "https://download.pytorch.org/whl/cpu"

_CAUSES = (
    (r"No space left on device", "the disk is full; free some space and run make again"),
    (
        r"Temporary failure in name resolution|Failed to establish a new connection"
        r"|Network is unreachable|NameResolutionError|ReadTimeout|ProxyError|NewConnectionError"
        r"|from versions: none",
        "the package index cannot be reached; check the network or set PIP_INDEX_URL",
    ),
)


class SetUpError(Exception):
    """The environment cannot be made; the text is one line for the user."""


def explain(output: str) -> str:
    """Turn pip's output into one line that says what went wrong and what to do."""
    for pattern, remedy in _CAUSES:
        if re.search(pattern, output):
            return remedy
    errors = [line for line in output.splitlines() if line.startswith("ERROR:")]
    return (errors or output.splitlines() or ["pip failed without a message"])[-1]


def _show(text: str) -> None:
    """Show progress: one changing line on a terminal, a line now and then in a log."""
    if sys.stdout.isatty():
        print(f"\r\033[K      {text}", end="", flush=True)
    else:
        print(f"      {text}", flush=True)


def pip_install(python: Path, arguments: list[str]) -> None:
    """Run ``pip install`` and show how far it is.

    Args:
        python: The environment's interpreter.
        arguments: What follows ``pip install``.

    Raises:
        SetUpError: pip failed; the text names the cause and the remedy.
    """
    command = [str(python), "-m", "pip", "install", "--no-input", *arguments]
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PYTHONUNBUFFERED="1")
    environment.pop("PYTHONPATH", None)
    lines: list[str] = []
    seen = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            lines.append(line.rstrip())
            seen += line.startswith("Collecting ")
            if line.startswith("Collecting ") and (sys.stdout.isatty() or seen % 25 == 0):
                _show(f"{seen:3d} fetched, now {line.split()[1]}")
            elif line.startswith("Installing collected packages"):
                _show(f"unpacking {line.count(',') + 1} packages")
    if sys.stdout.isatty() and lines:
        print("\r\033[K", end="", flush=True)
    if pip.returncode:
        raise SetUpError(explain("\n".join(lines)))


def resolve(python: Path, arguments: list[str]) -> list[dict[str, dict[str, object]]]:
    """Ask pip what it would install, without fetching more than metadata.

    Args:
        python: The environment's interpreter.
        arguments: What follows ``pip install``.

    Returns:
        The ``install`` list of pip's installation report.

    Raises:
        SetUpError: pip failed; the text names the cause and the remedy.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ["--dry-run", "--ignore-installed", "--quiet", "--report", str(report)]
        command = [str(python), "-m", "pip", "install", *options, *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SetUpError(explain(done.stdout + done.stderr))
        found: list[dict[str, dict[str, object]]] = json.loads(report.read_text())["install"]
        return found


def pulls_cuda(metadata: dict[str, object]) -> bool:
    """Tell whether this build of torch brings the CUDA libraries along (several GB)."""
    wanted = metadata.get("requires_dist") or []
    assert isinstance(wanted, list)
    return any(re.match(r"(nvidia|cuda)-", str(item)) for item in wanted)


def torch_index_options(python: Path, requirement: str) -> list[str]:
    """Choose where torch comes from: the configured index, or PyTorch's own for its CPU build.

    Args:
        python: The environment's interpreter.
        requirement: For example ``torch==2.13.0``.

    Returns:
        Extra options for ``pip install``. ``TORCH_INDEX`` in the environment overrules: a URL, or
        ``default`` to take what the configured index has, CUDA included.
    """
    index = os.environ.get("TORCH_INDEX", "")
    if index == "default":
        return []
    if not index:
        found = resolve(python, ["--no-deps", requirement])
        if not found or not pulls_cuda(found[0]["metadata"]):
            return []
        index = CPU_INDEX
        print(f"      {requirement}: CPU build from {index}", flush=True)
    return ["--index-url", index]
