from __future__ import annotations

import json
from pathlib import Path

import pytest
from network.random_models import MICRO, save_random_model

from mdacl_ros.errors import ModelError
from mdacl_ros.network.model_yaml import WEIGHTS
from mdacl_ros.network.precision import quantisable
from mdacl_ros.network.weights import load_detector
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime.cache import file_digest
from mdacl_ros.runtime.quantisation import (
    QUANTISATION,
    Quantisation,
    read_quantisation,
    write_quantisation,
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = save_random_model(tmp_path / "model", MICRO)
    digest = file_digest(folder / WEIGHTS)
    write_quantisation(folder, Quantisation(digest, "msrs", 3, {"streams.0.stem.conv": 1.5}))
    return folder


def test_what_was_written_is_read(model: Path) -> None:
    found = read_quantisation(model)
    assert found.ranges == {"streams.0.stem.conv": 1.5}
    assert (found.data, found.pairs) == ("msrs", 3)


def test_a_missing_file_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"does not exist; make it with `mdacl quantise`"):
        read_quantisation(tmp_path)


def test_ranges_of_other_weights_are_refused(model: Path) -> None:
    save_random_model(model, MICRO)
    (model / WEIGHTS).write_bytes((model / WEIGHTS).read_bytes() + b"\0")
    with pytest.raises(ModelError, match=r"was made with other weights than weights\.safetensors"):
        read_quantisation(model)


@pytest.mark.parametrize(
    "content",
    [
        "not json",
        "[]",
        "{}",
        '{"weights_sha256": "a", "data": "b", "pairs": 1, "ranges": {"x": "y"}}',
        '{"weights_sha256": "a", "data": "b", "pairs": 1, "ranges": {"x": NaN}}',
        '{"weights_sha256": "a", "data": "b", "pairs": 1, "ranges": {"x": -1}}',
    ],
)
def test_a_damaged_file_is_refused_in_one_line(model: Path, content: str) -> None:
    (model / QUANTISATION).write_text(content)
    with pytest.raises(ModelError, match=r"int8: .*quantisation\.json") as caught:
        read_quantisation(model)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["small", "nano"])
def test_shipped_ranges_are_of_the_shipped_weights(name: str) -> None:
    folder = find_resource(f"models/{name}")
    found = read_quantisation(folder)
    assert set(found.ranges) == set(quantisable(load_detector(folder)))
    assert "train" in json.loads((folder / QUANTISATION).read_text())["data"]
