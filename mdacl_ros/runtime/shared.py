"""One engine for several users in a process: loaded once, answering one call at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mdacl_ros.network.model_yaml import MODEL_YAML, WEIGHTS
from mdacl_ros.runtime.engine import Engine, Progress
from mdacl_ros.types import ByteArray, FloatArray, Predictions

Key = tuple[Any, ...]


@dataclass(eq=False)
class _Entry:
    """An engine, how many use it, and whose turn it is."""

    engine: Engine
    users: int = 0
    turn: threading.Lock = field(default_factory=threading.Lock)


class SharedEngine:
    """A user's handle of an engine that others may use as well; see :class:`.engine.Engine`.

    Calls of several users run one after the other: engines keep their buffers between calls, and
    two at once would fight for the same cores anyway.
    """

    def __init__(self, entry: _Entry, release: Callable[[], None]) -> None:
        self._entry, self._release = entry, release
        self._closed = False
        engine = entry.engine
        self.name, self.precision, self.device = engine.name, engine.precision, engine.device
        self.input_size, self.labels = engine.input_size, engine.labels
        self.estimate = engine.estimate

    def infer(
        self, rgb: ByteArray, thermal: FloatArray, present: FloatArray, *, probe: bool = False
    ) -> Predictions:
        """Wait for this user's turn, and run the detector."""
        with self._entry.turn:
            return self._entry.engine.infer(rgb, thermal, present, probe=probe)

    def close(self) -> None:
        """Give the engine up; it is released with its last user."""
        if not self._closed:
            self._closed = True
            self._release()


class SharedEngines:
    """Loads engines like ``load``, but each only once; safe from several threads.

    Args:
        load: For example :func:`mdacl_ros.runtime.load_engine`.
    """

    def __init__(self, load: Callable[..., Engine]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._entries: dict[Key, _Entry] = {}

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
        """Return a handle of an engine; loaded now unless an equal one is in use."""
        key = (model.resolve(), _version(model), engine, precision, device, input_size)
        with self._lock:  # a second user waits for the first one's loading
            entry = self._entries.get(key)
            if entry is None:
                loaded = self._load(
                    model,
                    engine=engine,
                    precision=precision,
                    device=device,
                    input_size=input_size,
                    progress=progress,
                )
                entry = self._entries[key] = _Entry(loaded)
            entry.users += 1
        return SharedEngine(entry, lambda: self._give_up(key, entry))

    def _give_up(self, key: Key, entry: _Entry) -> None:
        """One user less; the last one closes the engine."""
        with self._lock:
            entry.users -= 1
            if entry.users == 0:
                del self._entries[key]
                entry.engine.close()


def _version(model: Path) -> tuple[tuple[int, int], ...]:
    """What tells whether a model folder's files were replaced since."""
    files = (model / MODEL_YAML, model / WEIGHTS)
    return tuple((f.stat().st_mtime_ns, f.stat().st_size) for f in files if f.is_file())
