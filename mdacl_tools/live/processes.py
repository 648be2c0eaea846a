"""ROS nodes as child processes: started, watched, and stopped whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from mdacl_ros.local_ros import local_environment
from mdacl_ros.runtime.child_process import child_environment, prepare_child

STOP_SIGNALS = ((signal.SIGINT, 10.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))
"""What a process is sent to end it, and how many seconds it gets each time."""


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds used so far, resident memory in MB, and the monotonic time of the reading."""

    cpu_s: float
    rss_mb: float
    time_s: float


class NodeProcess:
    """A node in its own process and session; its output goes to a log file.

    In a session of its own a Ctrl-C at the terminal reaches only the parent, which then stops its
    nodes in order. Should the parent be killed, the kernel ends the node (Linux).

    Args:
        name: For messages.
        program: Python module to run, and the arguments that come before ROS's.
        parameters: ROS parameters.
        log: File for stdout and stderr.
    """

    def __init__(
        self, name: str, program: Sequence[str], parameters: Mapping[str, object], log: Path
    ) -> None:
        self.name = name
        self.log = log
        command = [sys.executable, "-m", *program, "--ros-args"]
        for key, value in parameters.items():
            command += ["-p", f"{key}:={_ros_value(value)}"]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=prepare_child,
                env=child_environment(PYTHONUNBUFFERED="1"),
            )
        self._usage = psutil.Process(self._process.pid)

    @property
    def returncode(self) -> int | None:
        """Exit code, ``None`` while running."""
        return self._process.poll()

    def usage(self) -> Usage | None:
        """CPU time and memory, ``None`` once the process has ended."""
        try:
            times, memory = self._usage.cpu_times(), self._usage.memory_info()
        except psutil.NoSuchProcess:
            return None
        return Usage(times.user + times.system, memory.rss / 1e6, time.monotonic())

    def stop(self) -> int:
        """End the process: SIGINT, then SIGTERM, then SIGKILL.

        Returns:
            Its exit code.
        """
        for number, patience in STOP_SIGNALS:
            if self._process.poll() is not None:
                break
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        return self._process.wait()

    def last_lines(self, count: int = 3) -> str:
        """The end of its log in one line, for error messages."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return " | ".join(line.strip() for line in lines[-count:]) or "no output"


def _ros_value(value: object) -> str:
    """A parameter value as YAML; texts are quoted, so that ``1605`` stays a text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def prepare_environment() -> int:
    """Keep this run's ROS traffic on this machine and apart from others.

    Sets what the user did not set: discovery on localhost, a domain of this process, and a Fast DDS
    profile whose shared memory holds whole images.

    Returns:
        The ROS domain.
    """
    os.environ.update(local_environment(os.environ))
    # 0 to 101 are the domains whose ports lie below Linux's ephemeral ports; 0 is everyone's.
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    return int(os.environ["ROS_DOMAIN_ID"])


def cpu_percent(readings: Sequence[Usage]) -> float | None:
    """Mean CPU between the first and the last reading, 100 is one core."""
    if len(readings) < 2:
        return None
    seconds = readings[-1].time_s - readings[0].time_s
    return 100.0 * (readings[-1].cpu_s - readings[0].cpu_s) / max(seconds, 1e-6)
