"""Runs a node as a process: signals end it cleanly, in order, without a traceback."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Protocol, cast

import rclpy
from rclpy.context import Context
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

JOIN_TIMEOUT = 10.0
"""Seconds granted to a callback in progress; an engine build gives up within about one."""

STOP_LATENCY = 0.2
"""Seconds after which an idle executor looks whether it is to stop."""


class RunnableNode(Protocol):
    """A node that :func:`run_node` can run: what it needs beyond ``rclpy.node.Node``."""

    @property
    def context(self) -> Context:
        """The node's ROS context."""

    def destroy_node(self) -> None:
        """Take the node down."""

    def start(self) -> None:
        """Do what is to be done first in the executor's thread."""

    def request_stop(self) -> None:
        """Give up what takes long; called from another thread."""

    @property
    def hangs(self) -> bool:
        """Whether a thread was left behind that does not return."""


def run_node(make_node: Callable[[], RunnableNode], args: list[str] | None = None) -> int:
    """Initialise ROS, spin one node until SIGINT, SIGTERM or shutdown, and clean up.

    Our own signal handlers instead of rclpy's: those invalidate the context at once, and threads
    that still publish would fail. The executor spins in a thread of its own, because the main
    thread is the one that Python delivers signals to.

    Args:
        make_node: Creates the node.
        args: Command line; ``sys.argv`` if omitted.

    Returns:
        The process's exit status: 0, or 1 when a callback failed.
    """
    stop = threading.Event()
    # A queue whose put() may interrupt itself: an Event set by a handler could deadlock.
    ended: SimpleQueue[None] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.put(None))
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    node = make_node()
    executor = SingleThreadedExecutor()
    executor.add_node(cast(Node, node))
    failures: list[BaseException] = []
    thread = threading.Thread(
        target=_spin, args=(executor, node, stop, failures), name="executor", daemon=True
    )
    thread.start()
    while thread.is_alive():
        with contextlib.suppress(Empty):
            ended.get(timeout=STOP_LATENCY)
            break
    stop.set()
    _finish(executor, node, thread)
    for failure in failures:
        sys.excepthook(type(failure), failure, failure.__traceback__)
    return 1 if failures else 0


def _spin(
    executor: Executor, node: RunnableNode, stop: threading.Event, failures: list[BaseException]
) -> None:
    """Run callbacks until told to stop; whatever ends this also ends the process."""
    try:
        node.start()
        while not stop.is_set() and node.context.ok():
            executor.spin_once(timeout_sec=STOP_LATENCY)
    except ExternalShutdownException:
        pass
    except Exception as error:  # the boundary of the thread: reported by the main thread
        failures.append(error)
    finally:
        stop.set()


def _finish(executor: Executor, node: RunnableNode, thread: threading.Thread) -> None:
    """Join the executor's thread, then destroy the node, then ROS: in this order nothing aborts."""
    node.request_stop()
    thread.join(JOIN_TIMEOUT)
    if thread.is_alive():
        # Python cannot end a thread; leaving while it spins would abort in the middleware.
        print("A callback does not end: leaving without clean-up.", file=sys.stderr)
        sys.stderr.flush()
        os._exit(1)
    executor.shutdown()
    node.destroy_node()
    rclpy.try_shutdown()
    if node.hangs:
        print("An inference does not return: leaving without it.", file=sys.stderr)
        sys.stderr.flush()
        os._exit(0)
