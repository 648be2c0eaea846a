"""``mdacl analyse``: the analyses of the papers, each with a table and a picture."""

from __future__ import annotations

import argparse

from mdacl_ros.analysis import (
    corruption_command,
    dynamics_command,
    features_command,
    removal_command,
)

ANALYSES = {
    "removal": (removal_command, "score with none to all of the frames without one camera"),
    "corruption": (corruption_command, "score with each camera corrupted, at five strengths"),
    "dynamics": (dynamics_command, "what a training run did to the balance of the cameras"),
    "features": (features_command, "gates and feature maps by day, at night and in smoke"),
}
"""Module and summary of each; a module has ``add_arguments(parser)`` and ``run(args) -> int``."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the analyses."""
    commands = parser.add_subparsers(metavar="ANALYSIS", required=True, dest="analysis")
    for name, (module, summary) in ANALYSES.items():
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[:1].upper()}{summary[1:]}.",
            formatter_class=parser.formatter_class,
        )
        module.add_arguments(command)


def run(args: argparse.Namespace) -> int:
    """Run the analysis that was named."""
    module, _ = ANALYSES[args.analysis]
    return int(module.run(args))
