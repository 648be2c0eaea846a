"""Where built engines are kept, and how it is known that they are still right."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mdacl_ros.errors import EngineError

MANIFEST = "manifest.json"
_PART = ".building-"
_ABANDONED = 24 * 3600.0  # seconds: no build takes a day, its process was killed


def cache_root() -> Path:
    """``$MDACL_CACHE``, or ``mdacl_ros/engines`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    if named := os.environ.get("MDACL_CACHE"):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "mdacl_ros" / "engines"


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def engine_key(parts: dict[str, Any]) -> str:
    """A short stable name for everything that makes an engine what it is."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


class EngineCache:
    """A folder of built engines, one subfolder each, written atomically and verified on load.

    Args:
        root: The folder; :func:`cache_root` unless given.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or cache_root()

    def find(self, parts: dict[str, Any]) -> Path | None:
        """Return the folder of an intact engine, or ``None`` when there is none.

        An entry whose files do not match its manifest is removed, so that it is built anew.
        """
        folder = self.root / engine_key(parts)
        if not folder.is_dir():
            return None
        if not _intact(folder):
            shutil.rmtree(folder, ignore_errors=True)
            return None
        return folder

    def changed_libraries(self, parts: dict[str, Any]) -> str:
        """Say which libraries' versions differ from those of an entry for the same engine.

        Args:
            parts: As for :meth:`find`, of an engine that is not in the cache.

        Returns:
            ``openvino 2026.3.0 -> 2026.4.0``; empty where no entry differs in its libraries alone.
        """
        now = parts.get("libraries", {})
        for path in self.root.glob(f"*/{MANIFEST}"):
            try:
                kept = json.loads(path.read_text())["parts"]
                was = kept.pop("libraries")
            except (OSError, ValueError, KeyError, TypeError):
                continue  # damaged, or removed by another process: find() deals with it
            same = json.loads(json.dumps({**parts, "libraries": None}, default=str))
            if {**kept, "libraries": None} == same:
                return ", ".join(
                    f"{name} {was.get(name)} -> {now.get(name)}"
                    for name in sorted({*was, *now})
                    if was.get(name) != now.get(name)
                )
        return ""

    @contextmanager
    def store(self, parts: dict[str, Any]) -> Iterator[Path]:
        """Yield a folder to build into; it appears in the cache whole or not at all.

        Raises:
            EngineError: The cache folder cannot be written.
        """
        with self.scratch() as part:
            yield part
            with self._explained():
                self._keep(part, parts)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yield a folder for an engine of one use; it is removed afterwards.

        Raises:
            EngineError: The cache folder cannot be written.
        """
        with self._explained():
            part = self._new_folder()
        try:
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _new_folder(self) -> Path:
        """Make an empty folder on the cache's own file system, so that it can be moved at once."""
        self.root.mkdir(parents=True, exist_ok=True)
        for left in self.root.glob(f"{_PART}*"):
            with contextlib.suppress(FileNotFoundError):  # another process cleans up as well
                if time.time() - left.stat().st_mtime > _ABANDONED:
                    shutil.rmtree(left, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=_PART, dir=self.root))

    def _keep(self, part: Path, parts: dict[str, Any]) -> None:
        """Give a finished folder its manifest and its name."""
        digests = {f.name: file_digest(f) for f in sorted(part.iterdir())}
        (part / MANIFEST).write_text(json.dumps({"parts": parts, "files": digests}, indent=1))
        target = self.root / engine_key(parts)
        if not (target.is_dir() and _intact(target)):  # another process may have been faster
            shutil.rmtree(target, ignore_errors=True)
            part.replace(target)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say what can be done where the folder cannot be written, or its disk is full."""
        try:
            yield
        except OSError as error:
            raise EngineError(
                f"engine cache: cannot write to {self.root} ({error.strerror}); make room there, "
                "or set MDACL_CACHE to a folder of your own"
            ) from error


def _intact(folder: Path) -> bool:
    """Whether every file of the manifest is there, byte for byte."""
    try:
        files = json.loads((folder / MANIFEST).read_text())["files"]
        return all(file_digest(folder / name) == digest for name, digest in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
