"""What is said of INT8 on a CPU before anything is built."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mdacl_ros.resources import find_resource
from mdacl_ros.runtime import openvino_kind
from mdacl_ros.runtime.choice import choose
from mdacl_ros.runtime.loading import cache_parts
from mdacl_ros.runtime.model_facts import read_model_facts
from mdacl_ros.runtime.openvino_kind import OpenVinoKind
from mdacl_ros.runtime.quantisation import QUANTISATION

NANO = find_resource("models/nano")


@pytest.fixture
def vouching(tmp_path: Path) -> Path:
    """A model folder that vouches for int8."""
    folder = tmp_path / "model"
    shutil.copytree(NANO, folder)
    with (folder / "model.yaml").open("a") as stream:
        stream.write("precisions: [float32, int8]\n")
    return folder


def test_int8_without_ranges_is_refused_with_the_command(vouching: Path) -> None:
    (vouching / QUANTISATION).unlink()
    why = OpenVinoKind().refusal("int8", "cpu", read_model_facts(vouching))
    assert why.endswith("has no quantisation.json; make it with `mdacl quantise`")


@pytest.mark.parametrize(
    ("flags", "chosen"), [({"avx2"}, "float32"), ({"avx2", "avx512_vnni"}, "int8")]
)
def test_auto_takes_int8_only_with_vnni(
    vouching: Path, monkeypatch: pytest.MonkeyPatch, flags: set[str], chosen: str
) -> None:
    monkeypatch.setattr(openvino_kind, "cpu_flags", lambda: frozenset(flags))
    choice = choose("openvino", "auto", "cpu", read_model_facts(vouching))
    assert choice.precision == chosen
    assert choose("openvino", "int8", "cpu", read_model_facts(vouching)).precision == "int8"


def test_other_ranges_are_another_engine(vouching: Path) -> None:
    kind = OpenVinoKind()
    keys = [cache_parts(vouching, kind, p, (64, 64)) for p in ("int8", "float32", "bf16")]
    assert keys[0] != keys[1] == keys[2]
    (vouching / QUANTISATION).write_text("{}")
    assert cache_parts(vouching, kind, "int8", (64, 64)) != keys[0]
