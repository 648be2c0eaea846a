"""``mdacl calibrate``: thermal pixels onto RGB pixels, and how far that is to be trusted."""

from __future__ import annotations

import argparse

from mdacl_tools.cli.subcommands import Table, add_subcommands, run_subcommand

CALIBRATIONS: Table = {
    "target": ("mdacl_tools.calibrate.board.command", "lenses and relative pose from a board"),
    "scene": ("mdacl_tools.calibrate.scene.command", "register the cameras by an ordinary scene"),
    "clock": ("mdacl_tools.calibrate.clock.command", "measure the thermal clock by what moves"),
    "check": ("mdacl_tools.calibrate.check.command", "how far a calibration is off on a recording"),
}
"""Module and summary of each; a module has ``add_arguments(parser)`` and ``run(args) -> int``."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the calibrations."""
    add_subcommands(parser, CALIBRATIONS, "calibration")


def run(args: argparse.Namespace) -> int:
    """Run the calibration that was named."""
    return run_subcommand(args, CALIBRATIONS, "calibration")
