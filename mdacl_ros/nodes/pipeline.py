"""What a configured node works with: engine, calibration and the perception made of both."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from mdacl_ros.config.parameters import RELOADED, NodeParameters
from mdacl_ros.errors import CalibrationError, EngineError
from mdacl_ros.pipeline.perception import Perception
from mdacl_ros.runtime.choice import EngineChoice
from mdacl_ros.runtime.engine import Engine, Progress
from mdacl_ros.sensing.registration.rig import RigCalibration, load_rig
from mdacl_ros.types import MODALITIES, Modality

SILENCE = 2.0
"""Seconds after which a build that reported progress no longer counts as one that does; it tells
its progress several times a second."""


FileStamp = tuple[object, ...]
"""What tells one state of a file from another."""

Sizes = Mapping[Modality, tuple[int, int]]
"""``(width, height)`` of cameras' images."""


class EngineFactory(Protocol):
    """Loads an engine; :func:`mdacl_ros.runtime.load_engine` unless a test brings its own."""

    def __call__(
        self,
        model: Path,
        *,
        engine: str,
        precision: str,
        device: str,
        input_size: tuple[int, int],
        progress: Progress | None,
    ) -> Engine:
        """Load or build the engine."""
        ...


class Pipeline:
    """Engine, calibration and perception; each can be exchanged while the node is configured.

    Args:
        factory: Loads engines.
        progress: Told how far an engine build is.

    Attributes:
        engine: The loaded engine, or ``None`` while unconfigured.
        rig: The rig calibration, or ``None`` while unconfigured or without one.
        perception: The newest detector pipeline, or ``None``.
        choice: What engine, precision and device ``auto`` became, ``None`` while unconfigured.
    """

    def __init__(self, factory: EngineFactory, progress: Progress) -> None:
        self.engine: Engine | None = None
        self.rig: RigCalibration | None = None
        self.perception: Perception | None = None
        self.choice: EngineChoice | None = None
        self._factory, self._tell = factory, progress
        # Threads that load an engine, each with when it last told its progress.
        self._loads: dict[int, float | None] = {}
        self._loaded_with = NodeParameters()
        self._calibration: FileStamp = ()
        self._checked: tuple[FileStamp, RigCalibration | None] | None = None

    @property
    def loads(self) -> bool:
        """Whether an engine is being loaded, or built, in whatever thread."""
        return bool(self._loads)

    @property
    def loads_silently(self) -> bool:
        """Whether one is loaded without telling progress, so that nothing can end it."""
        now = time.monotonic()
        return any(told is None or now - told > SILENCE for told in list(self._loads.values()))

    def pending(self, parameters: NodeParameters) -> bool:
        """Whether parameters name another engine than the one that runs."""
        return self.engine is not None and any(
            getattr(parameters, name) != getattr(self._loaded_with, name) for name in RELOADED
        )

    def load(self, parameters: NodeParameters) -> Engine:
        """Read the calibration and load, or build, the engine.

        Raises:
            MdaclError: One of them cannot be used.
        """
        self._calibration = file_stamp(parameters)
        self.rig = read_rig(parameters)
        self.engine, self.choice = self.load_engine(parameters)
        self._loaded_with = parameters
        return self.engine

    def load_engine(self, parameters: NodeParameters) -> tuple[Engine, EngineChoice]:
        """Load, or build, the engine that parameters name; the present one stays.

        Returns:
            The engine, and why it is this one.

        Raises:
            MdaclError: It cannot be loaded.
        """
        thread = threading.get_ident()
        self._loads[thread] = None
        try:
            model = parameters.model_folder()
            choice = parameters.choose_engine()
            engine = self._factory(
                model,
                engine=choice.engine,
                precision=choice.precision,
                device=choice.device,
                input_size=parameters.input_size,
                progress=self._progress,
            )
            return engine, choice
        finally:
            del self._loads[thread]

    def _progress(self, fraction: float, text: str) -> None:
        """Pass progress on; a build that is done tells no more of it."""
        self._loads[threading.get_ident()] = time.monotonic() if fraction < 1 else None
        self._tell(fraction, text)

    def take_engine(
        self, engine: Engine, choice: EngineChoice, parameters: NodeParameters
    ) -> Engine:
        """Use another engine; returns the old one, which may still be at work.

        Raises:
            EngineError: There is no engine any more in whose place it could come.
        """
        if self.engine is None:
            engine.close()
            raise EngineError("reload_engine: the node was cleaned up meanwhile; configure it")
        old, self.engine, self.choice = self.engine, engine, choice
        self._loaded_with = parameters
        return old

    def forget_checked(self) -> None:
        """Forget a calibration that was checked, and then refused by somebody else."""
        self._checked = None

    def check_rig(
        self, parameters: NodeParameters, sizes: Mapping[Modality, tuple[int, int]]
    ) -> None:
        """Read the calibration that parameters name, for :meth:`take_rig` afterwards.

        Args:
            parameters: They name it.
            sizes: ``(width, height)`` of the images that arrive, where known.

        Raises:
            CalibrationError: It cannot be used; nothing has changed.
        """
        if self.engine is None:
            return
        stamp = file_stamp(parameters)
        if stamp == self._calibration:
            return
        rig = read_rig(parameters)
        if rig is not None:
            check_sizes(rig, sizes, parameters.calibration)
        self._checked = stamp, rig

    def take_rig(self, parameters: NodeParameters) -> bool:
        """Use the calibration that was checked; returns whether it is another one."""
        if self.engine is None or self._checked is None:
            return False
        (self._calibration, self.rig), self._checked = self._checked, None
        return True

    def make_perception(self, parameters: NodeParameters) -> Perception:
        """A detector pipeline that remembers no pair."""
        assert self.engine is not None
        self.perception = Perception(self.engine, self.rig, parameters, background=True)
        return self.perception

    def unload(self, *, close: bool) -> None:
        """Let go of everything; safe after half of a load.

        Args:
            close: Whether to close the engine; closing it under a call would crash.
        """
        if self.engine is not None and close:
            self.engine.close()
        self.engine = self.perception = self.rig = self.choice = None


def check_sizes(rig: RigCalibration, sizes: Sizes, file: str) -> None:
    """Refuse a rig of other images than arrive: its map would fit neither.

    Raises:
        CalibrationError: It is for another size of a camera's images.
    """
    for camera, model in zip(MODALITIES, (rig.rgb, rig.thermal), strict=True):
        size = sizes.get(camera, model.size)
        if size != model.size:
            wanted, seen = ("x".join(map(str, x)) for x in (model.size, size))
            raise CalibrationError(
                f"calibration {file}: is for {camera} images of {wanted}, {seen} arrive; calibrate "
                "at that size, or change the driver's first"
            )


def file_stamp(parameters: NodeParameters) -> FileStamp:
    """Which calibration parameters name, as the file is now: it may be made anew in its place."""
    path = parameters.calibration_path
    if path is None:
        return ()
    try:
        status = path.stat()
    except OSError:
        return (str(path),)
    return str(path), status.st_mtime_ns, status.st_size, status.st_ino


def read_rig(parameters: NodeParameters) -> RigCalibration | None:
    """Read the calibration that the parameters name, ``None`` without one."""
    path = parameters.calibration_path
    return None if path is None else load_rig(path)
