"""Damaged bytes by the ten thousand: fewer kinds of damage than hypothesis finds, many more tries.

A failure names the target, its number and the seed (``MDACL_FUZZ_SEED``), which make it again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mdacl_ros.errors import MdaclError
from mdacl_ros.network.model_yaml import MODEL_YAML
from mdacl_ros.runtime.model_facts import read_model_facts
from mdacl_ros.sensing.images import image_frame
from mdacl_tools.live.faults.scenario import load_scenario
from mdacl_tools.recordings.bag_writer import COMPRESSED, IMAGE

from .budget import TRIES
from .mutations import damaged
from .test_images import FILES, header
from .test_loaders import MESSAGES, MODEL, RIG, SCENARIO, TYPES, left_out, use_rig

SEED = int(os.environ.get("MDACL_FUZZ_SEED", "0"))
KINDS = ("set", "delete", "insert", "repeat", "cut", "zero")

Consume = Callable[[bytes, Path], object]


def random_edits(rng: np.random.Generator) -> list[tuple[str, float, int, bytes]]:
    """One to five edits for :func:`.mutations.damaged`."""
    return [
        (
            KINDS[rng.integers(len(KINDS))],
            float(rng.random()),
            int(rng.integers(1, 64)),
            rng.bytes(int(rng.integers(1, 9))),
        )
        for _ in range(rng.integers(1, 6))
    ]


def compressed(camera: Any) -> Consume:
    """Decode a file as a camera's compressed image."""

    def consume(data: bytes, _folder: Path) -> object:
        message = SimpleNamespace(header=header(), format="jpeg", data=data)
        return image_frame(message, camera)

    return consume


def bag_message(kind: str, camera: Any) -> Consume:
    """Decode a message out of a bag."""

    def consume(data: bytes, _folder: Path) -> object:
        with left_out(camera):
            return image_frame(TYPES.deserialize_cdr(data, kind), camera)

    return consume


def file(name: str, load: Callable[[Path], object]) -> Consume:
    """Write the bytes to a file and load it."""

    def consume(data: bytes, folder: Path) -> object:
        path = folder / name
        path.write_bytes(data)
        return load(path)

    return consume


def weights(path: Path) -> object:
    from mdacl_ros.network.weights import read_weights

    return read_weights(path)


def safetensors() -> bytes:
    import torch
    from safetensors.torch import save

    return save({"a": torch.zeros(8), "b.running_mean": torch.ones(2, 3)})


TARGETS: dict[str, tuple[Callable[[], bytes], Consume]] = {
    "jpeg_rgb": (lambda: FILES[0], compressed("rgb")),
    "png_rgb": (lambda: FILES[1], compressed("rgb")),
    "jpeg_thermal": (lambda: FILES[2], compressed("thermal")),
    "png16_thermal": (lambda: FILES[4], compressed("thermal")),
    "bag_image_rgb": (lambda: MESSAGES[IMAGE], bag_message(IMAGE, "rgb")),
    "bag_image_thermal": (lambda: MESSAGES[IMAGE], bag_message(IMAGE, "thermal")),
    "bag_compressed_rgb": (lambda: MESSAGES[COMPRESSED], bag_message(COMPRESSED, "rgb")),
    "bag_compressed_thermal": (lambda: MESSAGES[COMPRESSED], bag_message(COMPRESSED, "thermal")),
    "weights": (safetensors, file("weights.safetensors", weights)),
    "model_yaml": (lambda: MODEL, file(MODEL_YAML, lambda p: read_model_facts(p.parent))),
    "calibration": (lambda: RIG, file("rig.yaml", use_rig)),
    "scenario": (lambda: SCENARIO, file("scenario.yaml", load_scenario)),
}


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_bytes(name: str, tmp_path: Path) -> None:
    if name == "weights":
        pytest.importorskip("torch")
    make, consume = TARGETS[name]
    good, refused = make(), 0
    for number in range(TRIES):
        data = damaged(good, random_edits(np.random.default_rng([SEED, number])))
        try:
            consume(data, tmp_path)
        except MdaclError as error:
            refused += 1
            line = str(error)
        except BaseException as error:
            raise AssertionError(f"{name}, number {number} of seed {SEED}: {data!r}") from error
        else:
            line = ""
        assert "\n" not in line, f"{name}, number {number} of seed {SEED}: {line}"
    print(f"{name}: {refused} of {TRIES} damaged inputs refused, the others were usable")
    assert refused > 0
