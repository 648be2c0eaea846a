"""One demo run: detector and player as real ROS processes, watched until all is processed."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mdacl_ros.errors import EngineError, MdaclError
from mdacl_tools.live.live_view import LiveState, LiveView, PlainView, open_view
from mdacl_tools.live.processes import NodeProcess, cpu_percent, prepare_environment
from mdacl_tools.live.run_log import RunLog, read_sent_log
from mdacl_tools.recordings.recording import Recording

if TYPE_CHECKING:
    from mdacl_tools.live.monitor import Monitor

DETECTOR = ("mdacl_ros.nodes.start", "detector_node")
PLAYER = ("mdacl_tools.live.start", "player_node")

TICK_S = 0.2
SETTLE_TIMEOUT_S = 20.0
"""How long the detector may take for what is left once the player has ended."""

LATENCY_WINDOW = 60
"""Answers that the live latency is taken over."""

TRUTH_THRESHOLD = 0.05
"""With ground truth the node publishes more than is shown: AP needs the whole curve."""


TRANSITION_FAILED = ("configure failed", "activate failed")
"""How the detector's diagnostics begin after a lifecycle transition that it could not make."""


class NodeError(MdaclError):
    """A node process that ended although it should not have."""


class DemoRun:
    """Runs the nodes and collects what they did.

    Args:
        recording: What is played (for titles and truth; the player opens it on its own).
        player_parameters: ROS parameters of the player.
        detector_parameters: ROS parameters of the detector.
        out: Folder for logs.

    Attributes:
        threshold: Score from which a detection is shown and counted.
    """

    def __init__(
        self,
        recording: Recording,
        player_parameters: dict[str, object],
        detector_parameters: dict[str, object],
        out: Path,
    ) -> None:
        self.threshold = 0.3
        self._recording = recording
        self._player_parameters = player_parameters
        self._detector_parameters = detector_parameters
        self._logs = out / "logs"
        self._sent_log = self._logs / "sent.jsonl"
        self._log = RunLog(labels=())
        self._processes: list[NodeProcess] = []

    def execute(self, *, live: bool = True) -> RunLog:
        """Play the whole recording; Ctrl-C ends it early and keeps what there is.

        Args:
            live: Show a live view where stdout is a terminal.

        Raises:
            EngineError: If the detector cannot be configured.
            NodeError: If a node ended with an error.
        """
        self._logs.mkdir(parents=True, exist_ok=True)
        self._sent_log.unlink(missing_ok=True)
        domain = prepare_environment()
        print(f"ROS_DOMAIN_ID={domain}, logs in {self._logs}", flush=True)
        # Only now: rclpy reads the environment when it is loaded.
        from mdacl_tools.live.monitor import monitoring

        self._log.thermal_clock_offset_ns = round(
            float(str(self._detector_parameters.get("thermal_clock_offset", 0.0))) * 1e9
        )
        with monitoring() as monitor:
            try:
                with open_view() if live else contextlib.nullcontext(PlainView()) as view:
                    self._play(monitor, view)
            except KeyboardInterrupt:
                self._log.interrupted = True
                print("interrupted: stopping the nodes, writing what there is", file=sys.stderr)
            finally:
                self._stop()
            return self._collect(monitor)

    def _play(self, monitor: Monitor, view: LiveView) -> None:
        detector = self._start_detector()
        while not (monitor.status.state == "active" and monitor.connected):
            self._check(detector, monitor)
            view.show(self._state(monitor))
            time.sleep(TICK_S)
        # Only now: answers published before the monitor is connected would be missing.
        player = self._start_player()
        while player.returncode is None:
            self._check(detector, monitor)
            if monitor.answer_count and (usage := detector.usage()):
                self._log.usage.append(usage)  # from the first answer on: not the start-up
            view.show(self._state(monitor))
            time.sleep(TICK_S)
        if player.returncode != 0:
            raise NodeError(f"player node ended with {player.returncode}: {player.last_lines()}")
        for _ in self._until_settled(monitor):
            self._check(detector, monitor)
            view.show(self._state(monitor))
            time.sleep(TICK_S)
        view.show(self._state(monitor))

    def _start_detector(self) -> NodeProcess:
        truth = {"score_threshold": min(TRUTH_THRESHOLD, self.threshold)}
        published = truth if self._recording.has_truth else {"score_threshold": self.threshold}
        detector = NodeProcess(
            "detector node",
            DETECTOR,
            published | self._detector_parameters | {"autostart": True},
            self._logs / "detector_node.log",
        )
        self._processes.append(detector)
        return detector

    def _start_player(self) -> NodeProcess:
        player = NodeProcess(
            "player node",
            PLAYER,
            self._player_parameters | {"sent_log": str(self._sent_log)},
            self._logs / "player_node.log",
        )
        self._processes.append(player)
        return player

    def _check(self, detector: NodeProcess, monitor: Monitor) -> None:
        if detector.returncode is not None:
            raise NodeError(
                f"detector node ended with {detector.returncode}: {detector.last_lines()}"
            )
        failed = [w for w in monitor.status.warnings if w.startswith(TRANSITION_FAILED)]
        if failed:
            raise EngineError(f"detector node: {failed[0]}")

    def _until_settled(self, monitor: Monitor) -> Iterator[None]:
        """Yield until nothing changes from one diagnostics message to the next, a second later."""
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        previous: tuple[int, ...] = ()
        number = monitor.status.number
        while time.monotonic() < deadline:
            status = monitor.status
            if status.number > number:
                number = status.number
                names = ("processed", "published", "frames_rgb", "frames_thermal")
                counts = (monitor.answer_count, *(status.count(name) for name in names))
                if counts == previous:
                    return
                previous = counts
            yield

    def _stop(self) -> None:
        """End both nodes, the player first; a second Ctrl-C does not leave one behind."""
        for process in reversed(self._processes):
            try:
                process.stop()
            except KeyboardInterrupt:
                process.stop()

    def _collect(self, monitor: Monitor) -> RunLog:
        log, status = self._log, monitor.status
        log.sent = read_sent_log(self._sent_log)
        log.answers = monitor.answers()
        log.labels = monitor.labels  # answers may have brought new ones
        log.threshold = self.threshold
        log.node = dict(status.values)
        names = ("frames_", "pairs", "single_", "processed", "published", "dropped_", "clock_")
        log.counts = {k: status.count(k) for k in status.values if k.startswith(names)}
        return log

    def _state(self, monitor: Monitor) -> LiveState:
        """What the view shows now."""
        status, newest = monitor.status, monitor.newest(LATENCY_WINDOW)
        title = f"mdacl_ros  {self._recording.name}"
        if not newest:
            return LiveState(title, stage=_stage(status.values))
        # The two messages of an answer arrive one after the other: the newest may lack its MDI.
        last = next((a for a in reversed(newest) if a.dominance is not None), newest[-1])
        latencies = [ms for answer in newest if (ms := answer.number("latency_ms")) is not None]
        p50_p95 = np.percentile(latencies, [50, 95]) if latencies else None
        shown = last.labels[last.scores >= self.threshold].tolist()
        recorded_s = (last.stamp_ns - monitor.first_stamp_ns) / 1e9 * self._rate
        return LiveState(
            title=title,
            done=recorded_s / max(self._recording.duration_ns / 1e9, 1e-3),
            phase=self._phase(recorded_s),
            rates={
                "rgb": status.number_of("rate_rgb") or 0.0,
                "thermal": status.number_of("rate_thermal") or 0.0,
                "answers": status.number_of("rate_published") or 0.0,
            },
            latency_ms=None if p50_p95 is None else (float(p50_p95[0]), float(p50_p95[1])),
            found=Counter(monitor.labels[label] for label in shown),
            reliance=last.reliance,
            present=last.present,
            dropped=status.drops(),
            cpu_percent=cpu_percent(self._log.usage[-6:]),
            rss_mb=self._log.usage[-1].rss_mb if self._log.usage else None,
            warnings=status.warnings,
        )

    @property
    def _rate(self) -> float:
        return float(str(self._player_parameters.get("rate", 1.0)))

    def _phase(self, recorded_s: float) -> str:
        phases = self._recording.phases
        if not phases:
            return ""
        stamp = phases[0].start_ns + recorded_s * 1e9
        return next((p.name for p in phases if p.start_ns <= stamp < p.end_ns), "")


def _stage(values: dict[str, str]) -> str:
    """What the detector does before its first answer, in words."""
    if not values:
        return "starting the nodes"
    if progress := values.get("progress"):
        return progress
    if values.get("state") == "active":
        return "waiting for the first result"
    return f"detector node: {values.get('state') or 'starting'}"
