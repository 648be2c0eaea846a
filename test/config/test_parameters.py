from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mdacl_ros.config.parameters import SPECS, NodeParameters, updated
from mdacl_ros.errors import MdaclError, ModelError, ParameterError
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime.registry import ENGINES
from mdacl_ros.sensing.pairing.synchronizer import SyncConfig

DEFAULTS = NodeParameters()


def test_defaults_are_valid() -> None:
    values = {name: getattr(DEFAULTS, name) for name in SPECS}
    assert updated(DEFAULTS, values) == DEFAULTS


def test_the_shipped_file_holds_the_defaults() -> None:
    text = find_resource("config/detector.yaml").read_text(encoding="utf-8")
    values = yaml.safe_load(text)["/**"]["ros__parameters"]
    assert updated(DEFAULTS, values) == DEFAULTS
    assert set(values) == set(SPECS)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("score_threshold", 1.5, "0.0 to 1.0"),
        ("score_threshold", float("nan"), "0.0 to 1.0"),
        ("score_threshold", "high", "float"),
        ("max_detections", 0, "1 to 1000"),
        ("max_detections", 1.5, "int"),
        ("input_width", 650, "steps of 32"),
        ("frozen_after", -1, "0 to 1000"),
        ("engine", "onnx", ", ".join(("auto", *ENGINES))),
        ("reuse_partner", 1, "bool"),
        ("partner_timeout", 0.0, "0.01 to"),
    ],
)
def test_a_refusal_names_parameter_got_and_wanted(name: str, value: object, wanted: str) -> None:
    with pytest.raises(ParameterError) as raised:
        SPECS[name].check(name, value)
    assert str(raised.value).startswith(f"parameter {name}: got {value!r}")
    assert wanted in str(raised.value)


def test_an_integer_serves_as_a_float() -> None:
    assert updated(DEFAULTS, {"score_threshold": 1}).score_threshold == 1.0
    assert isinstance(SPECS["max_skew"].check("max_skew", 1), float)


def test_seconds_become_nanoseconds() -> None:
    config = updated(DEFAULTS, {"max_skew": 0.05, "thermal_clock_offset": -0.04}).sync_config()
    assert config.max_skew_ns == 50_000_000
    assert config.thermal_clock_offset_ns == -40_000_000


def test_the_frozen_limits_reach_the_synchronizer() -> None:
    assert DEFAULTS.sync_config().frozen_after == 5
    assert DEFAULTS.sync_config().frozen_ns("thermal") == 1_500_000_000
    config = updated(DEFAULTS, {"frozen_after": 30, "thermal_shutter": 0.0}).sync_config()
    assert (config.frozen_after, config.frozen_ns("thermal")) == (30, config.frozen_ns("rgb"))


def test_the_synchronizer_has_no_other_defaults() -> None:
    assert DEFAULTS.sync_config() == SyncConfig()


def test_model_by_path_or_by_name(tmp_path: Path) -> None:
    assert updated(DEFAULTS, {"model": str(tmp_path)}).model_folder() == tmp_path
    with pytest.raises(ModelError, match="no folder"):
        updated(DEFAULTS, {"model": str(tmp_path / "absent")}).model_folder()
    with pytest.raises(MdaclError, match="unheard-of"):
        updated(DEFAULTS, {"model": "unheard-of"}).model_folder()
