"""The options of every command that runs the detector: the node's own parameters, offline.

``--config detector.yaml`` reads the node's parameter file, ``--set NAME=VALUE`` sets any parameter
of it, and the most used parameters have an option of their own. A later one in this list wins.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mdacl_ros.config.parameter_file import read_parameter_file
from mdacl_ros.config.parameters import PIPELINE, SPECS, unknown
from mdacl_ros.config.pipeline_config import PipelineConfig
from mdacl_ros.errors import EngineError, ParameterError
from mdacl_ros.runtime.engine import Progress
from mdacl_ros.small_file import user_path

OPTIONS = {
    "--model": "model",
    "--engine": "engine",
    "--precision": "precision",
    "--device": "device",
    "--size": "input size",
    "--calibration": "calibration",
    "--threshold": "score_threshold",
    "--max-skew": "max_skew",
    "--partner-timeout": "partner_timeout",
    "--thermal-clock-offset": "thermal_clock_offset",
    "--clock-offset": "thermal_clock_offset",
    "--reliance-rate": "reliance_rate",
}
"""Options of single parameters and what they set; ``--size`` sets two."""

ENGINE_OPTIONS = ("--model", "--engine", "--precision", "--device", "--size")
"""What every command that loads an engine has."""


def add_pipeline_options(parser: argparse.ArgumentParser, *options: str) -> None:
    """Declare ``--config``, ``--set`` and options of single parameters.

    Args:
        parser: Gets them.
        options: Some of :data:`OPTIONS`.
    """
    group = parser.add_argument_group("pipeline: parameters of the detector node")
    group.add_argument("--config", type=Path, metavar="FILE", help="the node's detector.yaml")
    group.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE",
        help="any parameter in config/detector.yaml; may be repeated",
    )  # fmt: skip
    for option in options:
        if option == "--size":
            group.add_argument(option, metavar="WIDTHxHEIGHT", help="network input, e.g. 640x480")
            continue
        spec = SPECS[OPTIONS[option]]
        group.add_argument(
            option,
            type=type(spec.default),
            choices=spec.choices or None,
            help=f"{spec.description} (default: {spec.default})".replace("%", "%%"),
        )


def given_parameters(args: argparse.Namespace) -> dict[str, Any]:
    """Every parameter that ``--config``, ``--set`` or an option names, checked.

    Returns:
        Values by parameter name; also the node's own, and ``qos_overrides.*`` from ``--set``.

    Raises:
        ParameterError: A name is unknown, or a value of the wrong type or out of bounds.
    """
    found = read_parameter_file(args.config) if args.config is not None else {}
    found |= _set_parameters(args)
    for option, name in OPTIONS.items():
        value = getattr(args, option[2:].replace("-", "_"), None)
        if value is None:
            continue
        if option == "--size":
            found["input_width"], found["input_height"] = parse_size(value)
        else:
            found[name] = SPECS[name].check(name, value)
    return found


def pipeline_config(args: argparse.Namespace, **defaults: Any) -> PipelineConfig:
    """The pipeline that arguments ask for, without ROS.

    Args:
        args: Of :func:`add_pipeline_options`.
        defaults: Values that differ from the node's unless given.

    Raises:
        ParameterError: As :func:`given_parameters`; or ``--set`` names a parameter that only a
            running node reads.
    """
    for name in _set_parameters(args):
        if name not in PIPELINE:
            raise ParameterError(f"argument --set: {name} has no effect here, only in the node")
    return PipelineConfig(**(defaults | pipeline_parameters(given_parameters(args))))


def pipeline_parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the node's parameters that the pipeline reads."""
    return {name: value for name, value in values.items() if name in PIPELINE}


def node_parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters for a node process, which may run in another folder: paths made absolute."""
    found = dict(values)
    if found.get("calibration"):
        found["calibration"] = str(user_path(found["calibration"]).resolve())
    if found.get("model") and user_path(found["model"]).is_dir():
        found["model"] = str(user_path(found["model"]).resolve())
    return found


def parse_size(text: str) -> tuple[int, int]:
    """Read ``WIDTHxHEIGHT``.

    Raises:
        EngineError: It is something else.
    """
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise EngineError(f"argument --size: got {text!r}, wanted WIDTHxHEIGHT, e.g. 640x480")
    return int(width), int(height)


def progress_printer() -> Progress:
    """Return a progress that shows a build on stderr, a line for each change."""
    shown: tuple[int, str] | None = None

    def show(fraction: float, what: str) -> None:
        nonlocal shown
        report = (round(100 * fraction), what)
        if report != shown:
            print(f"building engine: {report[0]:3d} %  {what}", file=sys.stderr, flush=True)
            shown = report

    return show


def _set_parameters(args: argparse.Namespace) -> dict[str, Any]:
    """What ``--set`` names."""
    found: dict[str, Any] = {}
    for text in args.set:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ParameterError(f"argument --set: got {text!r}, wanted NAME=VALUE")
        if name in SPECS:
            parsed = value if isinstance(SPECS[name].default, str) else _number(value)
            found[name] = SPECS[name].check(name, parsed)
        elif name.startswith("qos_overrides."):
            found[name] = _number(value)
        else:
            raise ParameterError(f"argument --set: {name}: {unknown(name, list(SPECS))}")
    return found


def _number(text: str) -> object:
    """A number or true/false where the text reads as one, else the text."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
