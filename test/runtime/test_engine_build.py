"""The process that builds an engine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mdacl_ros.errors import ModelError
from mdacl_ros.runtime import engine_build
from mdacl_ros.runtime.openvino_kind import OpenVinoKind


def test_reports_are_alone_on_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what C++ code prints on the file descriptor goes elsewhere."""

    def build(self, model, size, precision, folder, progress) -> None:
        os.write(1, b"a library talks without a line end")
        progress(0.5, f"{model} {size[0]}x{size[1]} {precision}")
        raise ModelError("no weights")

    monkeypatch.setattr(OpenVinoKind, "build", build)
    kind = [OpenVinoKind.__module__, OpenVinoKind.__name__]
    kept, path = os.dup(1), tmp_path / "stdout"
    try:
        with path.open("wb") as stream:
            os.dup2(stream.fileno(), 1)
            assert engine_build.main([*kind, "float32", "64", "32", "m", "f"]) == 1
    finally:
        os.dup2(kept, 1)
        os.close(kept)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"fraction": 0.5, "what": "m 64x32 float32"},
        {"error": "no weights", "kind": "ModelError"},
    ]
