"""Nodes as processes of their own, their log, and the signals that end them."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from std_srvs.srv import Trigger

import mdacl_ros

from .bench import wait_until
from .cameras import Cameras

BLOB_NODE = [sys.executable, str(Path(__file__).with_name("blob_node.py"))]
REAL_NODE = [sys.executable, "-m", "mdacl_ros.nodes.start", "detector_node"]

SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


def python_path() -> str:
    """The checkout first: it may be tested without being installed."""
    root = str(Path(mdacl_ros.__file__).resolve().parent.parent)
    return os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])


class Process:
    """A node process whose log lines are collected."""

    def __init__(
        self, command: list[str], remappings: Iterable[str] = (), **parameters: str
    ) -> None:
        arguments = [x for name, value in parameters.items() for x in ("-p", f"{name}:={value}")]
        arguments += [x for remapping in remappings for x in ("-r", remapping)]
        self.process = subprocess.Popen(
            [*command, "--ros-args", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": python_path()},
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def log(self) -> str:
        return "".join(self.lines)

    def wait_for(self, text: str) -> None:
        def said() -> bool:
            assert self.process.poll() is None, f"ended before {text!r}:\n{self.log()}"
            return text in self.log()

        wait_until(said, f"{text!r} in the log", timeout=30)

    def end(self, number: signal.Signals) -> int:
        """Send a signal; the exit status. No end has a traceback; the time it took is logged."""
        asked = time.monotonic()
        self.process.send_signal(number)
        status = self.process.wait(timeout=20)
        logging.getLogger(__name__).info("ended after %.2f s", time.monotonic() - asked)
        self._reader.join()
        assert "Traceback" not in self.log(), self.log()
        return status

    def kill(self) -> None:
        """End it in any case; does nothing once it has ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join()


def ask_to_reload(cameras: Cameras) -> None:
    """Call ``~/reload_engine`` and do not wait for its answer."""
    client = cameras.node.create_client(Trigger, "/detector_node/reload_engine")
    wait_until(client.service_is_ready, "the service")
    client.call_async(Trigger.Request())
