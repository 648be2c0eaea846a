"""Does the node keep up with two cameras of 30 Hz? The whole node, before and after a change.

    .venv/bin/python research/benchmarks/real_time.py [--before REVISION] [--seconds 60] [--rounds
    1]

Real processes over DDS: cameras (640x480 rgb8 and 16UC1, 30 Hz each) -> detector node -> listener.
Two layouts: everything on the same cores, and cameras and listener pinned to the first core. With
``--before`` the node of a git revision takes turns with this checkout's; engines of both are built
or found in the cache first. Latency is the time from the stamp to the arrival at the listener.
``share`` is the part of the pairs sent that were answered, ``start`` the time from the node's
process start to the log line that it is active.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from vision_msgs.msg import Detection2DArray

ROOT = Path(__file__).resolve().parent.parent.parent
SIZE, RATE = (640, 480), 30.0
SETTLE_S = 3.0
"""Seconds of streaming before the measurement: warm caches, discovered topics."""

START_LIMIT_S = 180.0
COLUMNS = ("share", "results/s", "p50 ms", "p95 ms", "p99 ms", "CPU %", "memory MB", "start s")


def image(array: np.ndarray, encoding: str) -> Image:
    """A message of an image; its stamp is set for each frame."""
    message = Image(height=array.shape[0], width=array.shape[1], encoding=encoding)
    message.header.frame_id = "camera"
    message.step = array.strides[0]
    message.data.frombytes(array.tobytes())
    return message


def play() -> None:
    """Publish both cameras until the parent closes our standard input."""
    rclpy.init()
    node, rng = Node("real_time_cameras"), np.random.default_rng(0)
    width, height = SIZE
    qos = QoSProfile(depth=1)
    publishers = [node.create_publisher(Image, f"{c}/image_raw", qos) for c in ("rgb", "thermal")]
    pairs = [
        (
            image(rng.integers(0, 256, (height, width, 3), np.uint8), "rgb8"),
            image(rng.integers(29000, 30500, (height, width), np.uint16), "16UC1"),
        )
        for _ in range(8)
    ]
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    due = time.monotonic()
    for pair in itertools.cycle(pairs):
        if ended.wait(max(0.0, due - time.monotonic())):
            break
        now = time.time_ns()
        for publisher, message in zip(publishers, pair, strict=True):
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(now, 10**9)
            publisher.publish(message)
        print(now, flush=True)
        due += 1 / RATE
    node.destroy_node()
    rclpy.shutdown()


@dataclass
class Listener:
    """Collects arrivals: ``(stamp, arrival)`` in nanoseconds of the wall clock."""

    arrivals: list[tuple[int, int]] = field(default_factory=list)

    def __call__(self, message: Detection2DArray) -> None:
        """Take one result."""
        stamp = message.header.stamp
        self.arrivals.append((stamp.sec * 10**9 + stamp.nanosec, time.time_ns()))


@contextlib.contextmanager
def listening() -> Iterator[Listener]:
    """A listener that spins in a thread."""
    rclpy.init()
    node, listener = Node("real_time_listener"), Listener()
    node.create_subscription(
        Detection2DArray, "/detector_node/detections", listener, QoSProfile(depth=50)
    )

    def spin() -> None:
        with contextlib.suppress(ExternalShutdownException):
            rclpy.spin(node)

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield listener
    finally:
        rclpy.shutdown()
        thread.join()
        node.destroy_node()


def environment(tree: Path) -> dict[str, str]:
    """Ours, with a checkout's package first."""
    return os.environ | {"PYTHONPATH": str(tree), "PYTHONUNBUFFERED": "1"}


def build(tree: Path) -> None:
    """Have the engine of a checkout in the cache."""
    moved = (tree / "mdacl_tools").is_dir()  # revisions before the move have one package
    module = "mdacl_tools.cli.main" if moved else "mdacl_ros.cli"
    command = [sys.executable, "-m", module, "build"]
    subprocess.run(command, env=environment(tree), cwd=tree, check=True)


@contextlib.contextmanager
def detecting(tree: Path, parameters: list[str]) -> Iterator[tuple[psutil.Process, float]]:
    """The node of a checkout, active; its process, and the seconds until it was."""
    arguments = [x for p in ("autostart:=true", *parameters) for x in ("-p", p)]
    command = [sys.executable, "-m", "mdacl_ros.nodes.start", "detector_node", "--ros-args"]
    began = time.monotonic()
    with subprocess.Popen(
        [*command, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(tree),
        cwd=tree,
    ) as child:
        assert child.stdout is not None
        lines: list[str] = []
        for line in child.stdout:
            lines.append(line)
            if "active: waiting for" in line:
                break
            if time.monotonic() - began > START_LIMIT_S:
                break
        else:
            raise SystemExit("the node ended:\n" + "".join(lines))
        started = time.monotonic() - began
        threading.Thread(target=child.stdout.read, daemon=True).start()
        try:
            yield psutil.Process(child.pid), started
        finally:
            child.terminate()


def measure(
    tree: Path, cores: set[int], seconds: float, parameters: list[str], listener: Listener
) -> list[float]:
    """One row of :data:`COLUMNS`."""
    with detecting(tree, parameters) as (process, started):
        player = subprocess.Popen(
            [sys.executable, __file__, "--play"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        time.sleep(SETTLE_S)
        begin, cpu = time.time_ns(), sum(process.cpu_times()[:2])
        time.sleep(seconds)
        end, cpu = time.time_ns(), sum(process.cpu_times()[:2]) - cpu
        memory = process.memory_info().rss / 2**20
        sent = player.communicate("")[0].split()
    pairs = {int(s) for s in sent if begin <= int(s) < end}
    delays = [(at - stamp) / 1e6 for stamp, at in listener.arrivals if stamp in pairs]
    if not delays:
        raise SystemExit(f"{tree}: no result within {seconds} s")
    lasted = (end - begin) / 1e9
    quantiles = (float(q) for q in np.percentile(delays, (50, 95, 99)))
    share, rate = len(delays) / len(pairs), len(delays) / lasted
    return [share, rate, *quantiles, 100 * cpu / lasted, memory, started]


@contextlib.contextmanager
def checkouts(before: str | None) -> Iterator[dict[str, Path]]:
    """The trees to compare, by name."""
    if before is None:
        yield {"now": ROOT}
        return
    with tempfile.TemporaryDirectory(prefix="real_time_") as folder:
        tree = Path(folder) / "before"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), before], check=True)
        try:
            yield {"before": tree, "now": ROOT}
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def main() -> None:
    """Print a row for each checkout and layout: the median of the rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", help="git revision to compare with")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=1, help="turns of every row")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME:=VALUE", help="parameter of the node"
    )
    parser.add_argument("--play", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.play:
        play()
        return
    everywhere = os.sched_getaffinity(0)
    layouts = {"same cores": everywhere, "cameras pinned": {min(everywhere)}}
    with checkouts(args.before) as trees, listening() as listener:
        for tree in trees.values():
            build(tree)
        rows: dict[tuple[str, str], list[list[float]]] = {}
        for _ in range(args.rounds):
            for layout, cores in layouts.items():
                for name, tree in trees.items():
                    row = measure(tree, cores, args.seconds, args.set, listener)
                    rows.setdefault((layout, name), []).append(row)
    load = psutil.getloadavg()[0]
    print(f"{len(everywhere)} cores, load {load:.1f}, {args.rounds} x {args.seconds:.0f} s a row")
    print(f"{'':24}" + "".join(f"{c:>11}" for c in COLUMNS))
    for (layout, name), found in rows.items():
        medians = np.median(np.array(found), axis=0)
        print(f"{layout + ', ' + name:24}" + "".join(f"{v:>11.2f}" for v in medians))


if __name__ == "__main__":
    main()
