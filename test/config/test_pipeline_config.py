"""One name everywhere: field, parameter of the node, key of detector.yaml, option of a command."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from mdacl_ros.config.parameter_file import read_parameter_file
from mdacl_ros.config.parameters import SPECS, NodeParameters
from mdacl_ros.config.pipeline_config import PipelineConfig
from mdacl_ros.errors import ParameterError
from mdacl_ros.resources import find_resource
from mdacl_tools.util.pipeline_options import (
    ENGINE_OPTIONS,
    OPTIONS,
    add_pipeline_options,
    given_parameters,
    pipeline_config,
)

FIELDS = {f.name: f.metadata["spec"] for f in fields(PipelineConfig)}


def asked(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_pipeline_options(parser, *OPTIONS)
    return parser.parse_args(arguments)


def other_value(name: str) -> object:
    """A value that is not the default."""
    spec = FIELDS[name]
    if spec.choices:
        return spec.choices[-1]
    if isinstance(spec.default, bool):
        return not spec.default
    if isinstance(spec.default, str):
        return "other"
    return spec.default + spec.step if spec.step else spec.high


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_is_a_parameter_a_key_and_an_option(name: str, tmp_path: Path) -> None:
    value = other_value(name)
    assert SPECS[name] is FIELDS[name]
    assert getattr(NodeParameters(**{name: value}), name) == value
    text = str(value).lower() if isinstance(value, bool) else str(value)
    assert getattr(pipeline_config(asked("--set", f"{name}={text}")), name) == value
    shipped = yaml.safe_load(find_resource("config/detector.yaml").read_text())
    shipped["/**"]["ros__parameters"][name] = value
    file = tmp_path / "detector.yaml"
    file.write_text(yaml.safe_dump(shipped))
    assert getattr(pipeline_config(asked("--config", str(file))), name) == value


def test_the_shipped_file_is_the_default_offline_too() -> None:
    file = str(find_resource("config/detector.yaml"))
    assert pipeline_config(asked("--config", file)) == PipelineConfig() == pipeline_config(asked())


def test_an_option_wins_over_set_and_set_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "detector.yaml"
    file.write_text("/rig/detector_node: {ros__parameters: {max_skew: 1, mdi: 0}}")
    with pytest.raises(ParameterError, match=r"detector.yaml: parameter mdi: there is no such"):
        given_parameters(asked("--config", str(file)))
    file.write_text(
        "/camera: {ros__parameters: {exposure: 3}}\n"
        "detector_node: {ros__parameters: {max_skew: 1, use_sim_time: true, residual_warn: 3}}"
    )
    arguments = ["--config", str(file), "--set", "score_threshold=0.4"]
    assert pipeline_config(asked(*arguments)).max_skew == 1.0
    assert given_parameters(asked(*arguments))["residual_warn"] == 3.0
    arguments += ["--set", "max_skew=0.5", "--threshold", "0.6", "--size", "320x256"]
    config = pipeline_config(asked(*arguments))
    assert (config.max_skew, config.score_threshold) == (0.5, 0.6)
    assert config.input_size == (320, 256)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[1, 2]", "has no ros__parameters"),
        ("a: {b: 1", "cannot be read"),
        ("/**: {ros__parameters: {max_skew: fast}}", "parameter max_skew: got 'fast'"),
        ("/**: {ros__parameters: {max_skw: 1}}", "did you mean max_skew"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "detector.yaml"
    file.write_text(text)
    with pytest.raises(ParameterError, match=says) as raised:
        read_parameter_file(file)
    assert "\n" not in str(raised.value)


def test_every_command_takes_the_engine_by_its_options() -> None:
    assert set(ENGINE_OPTIONS) <= set(OPTIONS)
