"""The rendered demo scenes, kept as a bag: rendering live would take the detector's CPU."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from mdacl_tools.recordings.bag_writer import write_bag
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.scenes.version import picture_version
from mdacl_tools.util.progress import progress_bar


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/mdacl_ros/scenes``, by default under ``~/.cache``."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "mdacl_ros" / "scenes"


def scene_key(scenario: object) -> str:
    """Changes with whatever changes the pixels: scenario, simulation code, library versions."""
    return hashlib.sha256((repr(scenario) + picture_version()).encode()).hexdigest()[:16]


def find_scenes(scenario: object) -> Path | None:
    """The bag of a scenario that was rendered before, ``None`` if there is none."""
    path = cache_folder() / scene_key(scenario)
    return path if (path / "metadata.yaml").is_file() else None


def render_scenes(recording: Recording, scenario: object) -> Path:
    """Render a scenario into the cache, with a progress bar; scenes of older versions go.

    RGB is kept as jpeg, as many cameras deliver it, thermal without loss. The bag appears under
    its name only once it is complete.
    """
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / scene_key(scenario)
    total = sum(recording.frames.values())
    part = Path(tempfile.mkdtemp(prefix=".part_", dir=folder))
    try:
        with progress_bar("rendering the simulated scenes (once)", total) as advance:
            write_bag(
                recording,
                part / "bag",
                compress={"rgb": "jpeg", "thermal": "png"},
                on_frame=lambda event: advance(1),
            )
        for old in folder.glob("[!.]*"):
            shutil.rmtree(old, ignore_errors=True)
        (part / "bag").rename(final)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return final
