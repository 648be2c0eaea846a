"""``mdacl calibrate``: thermal pixels onto RGB pixels, and how far that is to be trusted."""

from __future__ import annotations

import argparse
import importlib

CALIBRATIONS: dict[str, tuple[str, str]] = {
    "target": ("mdacl_ros.calibrate.target.command", "lenses and relative pose from a board"),
    "scene": ("mdacl_ros.calibrate.scene.command", "register the cameras by an ordinary scene"),
    "clock": ("mdacl_ros.calibrate.clock.command", "measure the thermal clock by what moves"),
    "check": ("mdacl_ros.calibrate.check.command", "how far a calibration is off on a recording"),
}
"""Module and summary of each; a module has ``add_arguments(parser)`` and ``run(args) -> int``."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the calibrations."""
    commands = parser.add_subparsers(metavar="WHAT", required=True, dest="calibration")
    for name, (module, summary) in CALIBRATIONS.items():
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[:1].upper()}{summary[1:]}.",
            formatter_class=parser.formatter_class,
        )
        importlib.import_module(module).add_arguments(command)


def run(args: argparse.Namespace) -> int:
    """Run the calibration that was named."""
    module, _ = CALIBRATIONS[args.calibration]
    return int(importlib.import_module(module).run(args))
