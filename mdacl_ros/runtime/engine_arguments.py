"""The arguments with which commands choose an engine; values are those of the registry."""

from __future__ import annotations

import argparse

from mdacl_ros.runtime.engine_kind import AUTO
from mdacl_ros.runtime.registry import device_names, engine_names, precision_names


def add_engine_arguments(parser: argparse.ArgumentParser, default: str | None = AUTO) -> None:
    """Declare ``--engine``, ``--precision`` and ``--device``.

    Args:
        parser: Gets them.
        default: Of all three.
    """
    for name, values, text in (
        ("engine", engine_names(), "library that runs the network"),
        ("precision", precision_names(), "its arithmetic"),
        ("device", device_names(), "where it runs"),
    ):
        parser.add_argument(f"--{name}", choices=values, default=default, help=text)
