"""Seconds from a signal to the end of the node's process, in every state it may be in.

    .venv/bin/python research/benchmarks/shutdown.py [--runs 7]

Real processes, with a cheap engine in place of the network; both cameras stream. States and signals
take turns, so that whatever else the machine does befalls all of them alike.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "test"))
from nodes.bench import wait_until
from nodes.cameras import Cameras
from nodes.process import BLOB_NODE, Process, ask_to_reload

SETTLE_S = 0.5
"""Seconds that an active node answers frames before the signal."""

ACTIVE = "active: waiting for /rgb/image_raw"
BUILDING, SILENT = "building engine: 0% starting", "loading without a word"


def configure(node: Process, cameras: Cameras) -> None:
    """Configure the node, and leave it at that."""
    node.wait_for("waiting to be configured")
    client = cameras.node.create_client(ChangeState, "/detector_node/change_state")
    wait_until(client.service_is_ready, "the service")
    transition = Transition(id=Transition.TRANSITION_CONFIGURE)
    client.call_async(ChangeState.Request(transition=transition))
    node.wait_for("configured: blob")


def stream(node: Process, cameras: Cameras) -> None:
    """Let the node answer frames."""
    node.wait_for(ACTIVE)
    cameras.stream()
    time.sleep(SETTLE_S)


def reload(sign: str) -> Callable[[Process, Cameras], None]:
    """Ask for another engine while the node answers frames; ``sign`` tells that it is loaded."""

    def reach(node: Process, cameras: Cameras) -> None:
        stream(node, cameras)
        ask_to_reload(cameras)
        node.wait_for(sign)

    return reach


STATES: dict[str, tuple[str, Callable[[Process, Cameras], None]]] = {
    "inactive": ("", configure),
    "active, streaming": ("", stream),
    "building the engine": ("ENDLESS_BUILD", lambda node, _: node.wait_for(BUILDING)),
    "loading, not interruptible": ("SILENT_LOAD", lambda node, _: node.wait_for(SILENT)),
    "reloading, building": ("RELOAD_ENDLESS_BUILD", reload(BUILDING)),
    "reloading, not interruptible": ("RELOAD_SILENT_LOAD", reload(SILENT)),
}
"""By name: what the blob node is told by its environment, and how the state is reached."""


def seconds_to_end(state: str, number: signal.Signals, model: str) -> float:
    """Bring a node into a state, send the signal, and wait for its end.

    Raises:
        RuntimeError: It ended with a status other than 0.
    """
    variable, reach = STATES[state]
    os.environ.update({variable: "1"} if variable else {})
    node = Process(BLOB_NODE, autostart=str(state != "inactive").lower(), model=model)
    os.environ.pop(variable, None)
    try:
        with Cameras() as cameras:
            reach(node, cameras)
            asked = time.monotonic()
            status = node.end(number)
            seconds = time.monotonic() - asked
    finally:
        node.kill()
    if status:
        raise RuntimeError(f"{state}, {number.name}: status {status}\n{node.log()}")
    return seconds


def main() -> int:
    """Try every state with both signals, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as model:
        for _ in range(runs):
            for state in STATES:
                for number in (signal.SIGINT, signal.SIGTERM):
                    taken[state, number.name].append(seconds_to_end(state, number, model))
    print(f"seconds from the signal to the end, median (longest) of {runs}")
    for (state, name), seconds in taken.items():
        print(f"{state:30} {name:8} {statistics.median(seconds):.2f} ({max(seconds):.2f})")
    print(f"machine load at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return 0


if __name__ == "__main__":
    sys.exit(main())
