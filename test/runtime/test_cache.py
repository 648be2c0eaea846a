from __future__ import annotations

import errno
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from mdacl_ros import network
from mdacl_ros.errors import EngineError
from mdacl_ros.runtime.cache import EngineCache, cache_root, engine_key
from mdacl_ros.runtime.loading import cache_parts
from mdacl_ros.runtime.registry import ENGINES

PARTS = {"engine": "test", "weights": "abc"}


def fill(cache: EngineCache, text: str = "graph") -> Path:
    with cache.store(PARTS) as part:
        (part / "graph.bin").write_text(text)
    folder = cache.find(PARTS)
    assert folder is not None
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    return EngineCache(tmp_path / "engines")


def test_stored_engine_is_found(cache: EngineCache) -> None:
    assert cache.find(PARTS) is None
    assert (fill(cache) / "graph.bin").read_text() == "graph"
    assert cache.find({**PARTS, "weights": "other"}) is None


def test_a_change_of_libraries_alone_is_named(cache: EngineCache) -> None:
    parts = PARTS | {"input_size": [64, 32], "libraries": {"openvino": "2026.3.0", "torch": "2.13"}}
    with cache.store(parts) as part:
        (part / "graph.bin").write_text("graph")
    newer = parts | {"libraries": {"openvino": "2026.4.0", "torch": "2.13"}}
    assert cache.changed_libraries(newer) == "openvino 2026.3.0 -> 2026.4.0"
    assert cache.changed_libraries(newer | {"weights": "other"}) == ""
    next(cache.root.glob("*/manifest.json")).write_text("[1]")
    assert cache.changed_libraries(newer) == ""


def test_interrupted_build_leaves_nothing(cache: EngineCache) -> None:
    with pytest.raises(KeyboardInterrupt), cache.store(PARTS) as part:  # noqa: PT012
        (part / "graph.bin").write_text("half")
        assert cache.find(PARTS) is None
        raise KeyboardInterrupt
    assert list(cache.root.iterdir()) == []


@pytest.mark.parametrize("damage", ["change", "truncate", "remove", "manifest", "no manifest"])
def test_damaged_entry_is_removed_and_built_anew(cache: EngineCache, damage: str) -> None:
    folder = fill(cache)
    path = folder / ("manifest.json" if "manifest" in damage else "graph.bin")
    if damage in ("remove", "no manifest"):
        path.unlink()
    elif damage == "truncate":
        path.write_text("gra")
    else:
        path.write_text("[1]" if damage == "manifest" else "grabh")
    assert cache.find(PARTS) is None
    assert not folder.exists()
    assert (fill(cache) / "graph.bin").read_text() == "graph"


def test_two_builds_at_once_both_succeed(cache: EngineCache) -> None:
    with cache.store(PARTS) as slow:
        (slow / "graph.bin").write_text("graph")
        fast = fill(cache)
        assert fast.is_dir()
    assert cache.find(PARTS) == fast
    assert [p.name for p in cache.root.iterdir()] == [fast.name]


def test_unusable_cache_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = EngineCache(tmp_path / "file" / "engines")
    with pytest.raises(EngineError, match=r"cannot write to .*set MDACL_CACHE"):
        fill(cache)


def test_full_disk_says_so(cache: EngineCache, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(EngineError, match=r"No space.*; make room"), cache.store(PARTS) as part:
        (part / "graph.bin").touch()
    assert list(cache.root.iterdir()) == []


def test_builds_of_killed_processes_are_removed_after_a_day(cache: EngineCache) -> None:
    old, new = cache.root / ".building-old", cache.root / ".building-new"
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "graph.bin").touch()
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (two_days_ago, two_days_ago))
    fill(cache)
    assert not old.exists()
    assert new.exists()


def test_key_depends_on_everything_but_order() -> None:
    assert engine_key({"a": 1, "b": [1, 2]}) == engine_key({"b": [1, 2], "a": 1})
    assert engine_key({"a": 1}) != engine_key({"a": 2})


def parts(model: Path, size: tuple[int, int] = (160, 128)) -> dict[str, Any]:
    return cache_parts(model, ENGINES["openvino"], "float32", size)


def test_key_follows_weights_size_and_model(model: Path, tmp_path: Path) -> None:
    first = parts(model)
    assert parts(model) == first
    assert first["libraries"]["openvino"] != "absent"
    other = Path(shutil.copytree(model, tmp_path / "other"))
    data = bytearray((other / "weights.safetensors").read_bytes())
    data[-1] ^= 1
    (other / "weights.safetensors").write_bytes(data)
    keys = {engine_key(p) for p in (first, parts(other))}
    keys.add(engine_key(parts(model, (128, 160))))
    assert len(keys) == 3


def test_key_follows_the_code_of_the_network(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = engine_key(parts(model))
    folder = tmp_path / "network"
    shutil.copytree(Path(network.__file__).parent, folder)
    monkeypatch.setattr(network, "__file__", str(folder / "__init__.py"))
    assert engine_key(parts(model)) == before
    with (folder / "head.py").open("a") as source:
        source.write("# changed")
    assert engine_key(parts(model)) != before


def test_root_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDACL_CACHE", "/somewhere")
    assert cache_root() == Path("/somewhere")
    monkeypatch.delenv("MDACL_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert cache_root() == Path("/cache/mdacl_ros/engines")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_root() == Path.home() / ".cache/mdacl_ros/engines"


def test_an_engine_of_one_use_leaves_nothing(cache: EngineCache) -> None:
    with cache.scratch() as folder:
        (folder / "graph.bin").write_text("graph")
        assert folder.parent == cache.root
    assert not list(cache.root.iterdir())
