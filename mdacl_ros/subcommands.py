"""Commands with commands of their own: a table of modules becomes parsers.

A module has a docstring, ``add_arguments(parser)`` and ``run(args) -> int``.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping

Table = Mapping[str, tuple[str, str]]
"""Module and summary by name."""


def add_subcommands(parser: argparse.ArgumentParser, table: Table, dest: str) -> None:
    """Declare the commands of a table.

    Args:
        parser: Of the command they belong to.
        table: What there is.
        dest: Attribute of the parsed arguments that will hold the name.
    """
    commands = parser.add_subparsers(metavar="{" + ",".join(table) + "}", required=True, dest=dest)
    for name, (module, summary) in table.items():
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[:1].upper()}{summary[1:]}.",
            formatter_class=parser.formatter_class,
        )
        importlib.import_module(module).add_arguments(command)


def run_subcommand(args: argparse.Namespace, table: Table, dest: str) -> int:
    """Run the command that was named."""
    module, _ = table[getattr(args, dest)]
    return int(importlib.import_module(module).run(args))
