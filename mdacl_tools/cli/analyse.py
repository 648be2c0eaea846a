"""``mdacl analyse``: the analyses of the papers, each with a table and a picture."""

from __future__ import annotations

import argparse

from mdacl_tools.cli.subcommands import Table, add_subcommands, run_subcommand

ANALYSES: Table = {
    "removal": (
        "mdacl_tools.cli.analyse_removal",
        "score with none to all of the frames without one camera",
    ),
    "corruption": (
        "mdacl_tools.cli.analyse_corruption",
        "score with each camera corrupted, at five strengths",
    ),
    "dynamics": (
        "research.analysis.dynamics_command",
        "what a training run did to the balance of the cameras",
    ),
    "features": (
        "research.analysis.features_command",
        "gates and feature maps by day, at night and in smoke",
    ),
}
"""Module and summary of each; a module has ``add_arguments(parser)`` and ``run(args) -> int``."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the analyses."""
    add_subcommands(parser, ANALYSES, "analysis")


def run(args: argparse.Namespace) -> int:
    """Run the analysis that was named."""
    return run_subcommand(args, ANALYSES, "analysis")
