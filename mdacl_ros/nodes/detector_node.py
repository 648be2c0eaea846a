"""The lifecycle node: cameras in, detections and modality dominance out.

configure loads the engine and the calibration, activate subscribes and starts the inference
thread, deactivate and cleanup undo it. A transition that cannot be made fails with one line that
says why; the node stays up and can be configured again once the cause is mended.
"""

from __future__ import annotations

import re
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.qos_overriding_options import QoSOverridingOptions
from std_msgs.msg import Header

from mdacl_ros.errors import EngineError, MdaclError
from mdacl_ros.nodes import diagnostics, messages, topics
from mdacl_ros.nodes.engine_reload import EngineReload
from mdacl_ros.nodes.heartbeat import Heartbeat
from mdacl_ros.nodes.parameter_server import ParameterServer
from mdacl_ros.nodes.parameters import RELOADED, NodeParameters
from mdacl_ros.nodes.process import run_node
from mdacl_ros.nodes.result_publishers import ResultPublishers
from mdacl_ros.nodes.session import EXIT_WAIT, STOP_WAIT, DetectionSession
from mdacl_ros.nodes.snapshot import take_snapshot
from mdacl_ros.perception import Perception
from mdacl_ros.runtime import load_engine
from mdacl_ros.runtime.engine import Engine, Progress
from mdacl_ros.sensing.rig import RigCalibration, load_rig

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class EngineFactory(Protocol):
    """Loads an engine; :func:`mdacl_ros.runtime.load_engine` unless a test brings its own."""

    def __call__(
        self,
        model: Path,
        *,
        engine: str,
        precision: str,
        input_size: tuple[int, int],
        progress: Progress | None,
    ) -> Engine:
        """Load or build the engine."""
        ...


class DetectorNode(LifecycleNode):
    """Detects in RGB-thermal pairs and tells which camera the answer rests on.

    Attributes:
        engine: The loaded engine, or ``None`` while unconfigured.
        perception: The detector pipeline of the newest active phase, or ``None``.
        rig: The rig calibration, or ``None`` while unconfigured or without one.
        session: What runs while active; kept, stopped, for its counters afterwards.
        progress: What configuring is doing, with percent, or empty.
        configure_error: Why configuring failed the last time, or empty.
    """

    def __init__(self, *, engine_factory: EngineFactory = load_engine, **node_options: Any) -> None:
        super().__init__(topics.NODE_NAME, **node_options)
        self.engine: Engine | None = None
        self.perception: Perception | None = None
        self.rig: RigCalibration | None = None
        self.session: DetectionSession | None = None
        self.progress = ""
        self.configure_error = ""
        self.state_label = "unconfigured"
        self._engine_factory = engine_factory
        self._results: ResultPublishers | None = None
        self._stopping = False
        # Transitions and exchanges run one at a time, also in a multi-threaded executor.
        self._lock = threading.RLock()
        self._loaded_with = self._loading_with = NodeParameters()
        self._rig_path = ""
        self._next_rig: RigCalibration | None = None
        self._told: tuple[tuple[bytes, str], ...] = ()
        self._heartbeat_error = ""
        self._server = ParameterServer(self, self._on_parameters, self._check_parameters)
        for error in self._server.errors.values():
            self.get_logger().error(error)
        self._diagnostics_publisher = self.create_publisher(
            DiagnosticArray,
            topics.DIAGNOSTICS,
            topics.reliable_results(),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        self._reload = EngineReload(self, self._reloaded, self._use_engine)
        self._heartbeat = Heartbeat(self.publish_diagnostics, self._watch, self._on_beat_error)

    @property
    def parameters(self) -> NodeParameters:
        """The valid parameters in force."""
        return self._server.values

    @property
    def engine_pending(self) -> bool:
        """Whether parameters name another engine than the one that runs."""
        now, then = self.parameters, self._loaded_with
        return self.engine is not None and any(
            getattr(now, name) != getattr(then, name) for name in RELOADED
        )

    @property
    def hangs(self) -> bool:
        """Whether an inference that does not return was left behind."""
        return self.session is not None and self.session.hangs

    def start(self) -> None:
        """Configure and activate if parameter ``autostart`` says so."""
        if not self.parameters.autostart:
            name = self.get_fully_qualified_name()
            self.get_logger().info(f"waiting to be configured: ros2 lifecycle set {name} configure")
        elif self.trigger_configure() == SUCCESS:
            self.trigger_activate()

    def request_stop(self) -> None:
        """Let an engine build in progress give up at its next sign of life."""
        self._stopping = True

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model, build or load its engine, and read the calibration."""
        self.configure_error = ""
        return self._transition("configure", self._configure, self._unload, "inactive")

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe and start detecting."""
        super().on_activate(state)
        result = self._transition("activate", self._activate, self._stop, "active")
        if result != SUCCESS:
            super().on_deactivate(state)
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe and finish the pair in work; counters stay readable."""
        with self._lock:
            self._stop()
            self.state_label = "inactive"
            return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release the engine and the output topics."""
        with self._lock:
            result = super().on_cleanup(state)
            self._unload()
            self.state_label = "unconfigured"
            return result

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop from any state."""
        with self._lock:
            self._stop()
            self._unload()
            self.state_label = "finalized"
            return SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Return to unconfigured after an error in a transition."""
        with self._lock:
            self._stop()
            self._unload()
            self.state_label = "unconfigured"
            return SUCCESS

    def destroy_node(self) -> None:
        """Stop all threads, publish the last counters, and take the node down."""
        self._stop()
        self._heartbeat.stop()
        self.publish_diagnostics()
        self._unload()
        super().destroy_node()

    def publish_diagnostics(self) -> None:
        """Publish /diagnostics now; called once per second."""
        if not self.context.ok():
            return
        statuses = self._statuses()
        self._told = _gist(statuses)
        header = Header(stamp=self.get_clock().now().to_msg())
        self._diagnostics_publisher.publish(messages.to_diagnostics(header, statuses))

    def _statuses(self) -> list[DiagnosticStatus]:
        """The node's health at this moment."""
        return diagnostics.statuses(self.get_fully_qualified_name(), take_snapshot(self))

    def _watch(self) -> bool:
        """Look after the inference; return whether /diagnostics cannot wait for their second."""
        if self.session is not None and self.state_label == "active":
            self.session.watch()
        return _gist(self._statuses()) != self._told

    def _on_beat_error(self, error: Exception) -> None:
        """Say once that diagnostics cannot be made; they are tried again."""
        line = f"diagnostics failed: {type(error).__name__}: {error}"
        if line != self._heartbeat_error and self.context.ok():
            self._heartbeat_error = line
            self.get_logger().error(line)

    def _transition(
        self, name: str, action: Callable[[], None], undo: Callable[[], None], label: str
    ) -> TransitionCallbackReturn:
        """Run a transition's work; on any error log one line, undo, and fail cleanly."""
        try:
            with self._lock:
                action()
        except Exception as error:  # rclpy would swallow it and leave the node half configured
            line = str(error) if isinstance(error, MdaclError) else traceback.format_exc().rstrip()
            self.get_logger().error(f"{name} failed: {line}")
            self.configure_error = f"{name} failed: {str(error) or type(error).__name__}"
            undo()
            return FAILURE
        finally:
            self.progress = ""
        self.state_label = label
        return SUCCESS

    def _configure(self) -> None:
        parameters = self._server.require_valid()
        self.progress = "loading"
        self.rig, self._rig_path = read_rig(parameters), parameters.calibration
        self.engine = self._load_engine(parameters)
        self._loaded_with = parameters
        self._results = ResultPublishers(self, self.engine.labels)
        self._server.locked = True
        self.get_logger().info(
            f"configured: {self.engine.name} {self.engine.precision} on {self.engine.device}, "
            f"input {parameters.input_width}x{parameters.input_height}"
        )

    def _load_engine(self, parameters: NodeParameters) -> Engine:
        """Load, or build, the engine that the parameters name."""
        return self._engine_factory(
            parameters.model_folder(),
            engine=parameters.engine,
            precision=parameters.precision,
            input_size=parameters.input_size,
            progress=self._on_progress,
        )

    def _activate(self) -> None:
        assert self.engine is not None
        assert self._results is not None
        if self.hangs:
            raise EngineError(
                "inference of the last active phase still hangs, and its engine with it; restart "
                "the node's process"
            )
        self.configure_error = ""
        # Anew each time: no picture from before a pause may colour what comes after it.
        self.perception = Perception(self.engine, self.rig, self.parameters.perception_config())
        self.session = DetectionSession(self, self.perception, self._results, self.parameters)
        self._results.publish_label_info(self.parameters.score_threshold)
        self.session.start()
        names = ", ".join(camera.topic for camera in self.session.cameras.values())
        self.get_logger().info(f"active: waiting for {names}")

    def _reloaded(self) -> Engine:
        """Load the engine anew; in a thread, while the old one goes on."""
        if self.engine is None:
            raise EngineError(
                "reload_engine: the node is not configured; configure loads the engine"
            )
        self._loading_with = self.parameters
        try:
            return self._load_engine(self._loading_with)
        finally:
            self.progress = ""

    def _use_engine(self, engine: Engine) -> str:
        """Go over to a new engine between two pairs; the old one is closed then."""
        with self._lock:
            if self.engine is None or self._results is None:
                engine.close()
                raise EngineError("reload_engine: the node was cleaned up meanwhile; configure it")
            old, self.engine, self._loaded_with = self.engine, engine, self._loading_with
            if self.state_label == "active":
                self._exchange()
            else:
                self._results.rename(engine.labels, self.parameters.score_threshold)
                if not self.hangs:
                    old.close()
        width, height = engine.input_size
        line = f"{engine.name} {engine.precision} on {engine.device}, input {width}x{height}"
        self.get_logger().info(f"engine reloaded: {line}")
        return line

    def _exchange(self) -> None:
        """Give the running session a pipeline of the present engine, rig and parameters."""
        assert self.engine is not None
        assert self.session is not None
        self.perception = Perception(self.engine, self.rig, self.parameters.perception_config())
        self.session.replace(self.perception)

    def _stop(self) -> None:
        if self.session is not None:
            self.session.stop(EXIT_WAIT if self._stopping else STOP_WAIT)

    def _unload(self) -> None:
        """Release what configure made; safe after half of it."""
        if self._results is not None:
            self._results.destroy()
        if self.engine is not None and not self.hangs:  # closing it under a call would crash
            self.engine.close()
        self.engine = self.perception = self.rig = self._results = None
        self._server.locked = False

    def _on_progress(self, fraction: float, text: str) -> None:
        """Show how far an engine build is; raise to end it when the process is to stop."""
        if self._stopping:
            raise EngineError("engine build given up: the node is shutting down")
        line = f"building engine: {fraction:.0%} {text}"
        if line != self.progress:
            self.get_logger().info(line)
        self.progress = line

    def _check_parameters(self, parameters: NodeParameters) -> None:
        """Refuse a calibration that cannot be read, before anything of the call is taken over."""
        if self.engine is not None and parameters.calibration != self._rig_path:
            self._next_rig = read_rig(parameters)

    def _on_parameters(self, parameters: NodeParameters) -> None:
        """Take accepted changes over while running."""
        if self.engine is not None and parameters.calibration != self._rig_path:
            with self._lock:
                self.rig, self._rig_path = self._next_rig, parameters.calibration
                if self.state_label == "active":
                    self._exchange()
        if self.perception is not None:
            self.perception.config = parameters.perception_config()
        if self.session is not None and self.state_label == "active":
            threshold_changed = (
                parameters.score_threshold != self.session.parameters.score_threshold
            )
            self.session.configure(parameters)
            if threshold_changed and self._results is not None:
                self._results.publish_label_info(parameters.score_threshold)


def _gist(statuses: list[DiagnosticStatus]) -> tuple[tuple[bytes, str], ...]:
    """What the statuses say, without the numbers, which always change."""
    return tuple((status.level, re.sub(r"[\d.]+", "#", status.message)) for status in statuses)


def read_rig(parameters: NodeParameters) -> RigCalibration | None:
    """Read the calibration that the parameters name, ``None`` without one."""
    path = parameters.calibration_path
    return None if path is None else load_rig(path)


def main(args: list[str] | None = None) -> int:
    """Run the detector node until SIGINT or SIGTERM."""
    return run_node(DetectorNode, args)


if __name__ == "__main__":
    sys.exit(main())
