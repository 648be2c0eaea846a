"""Commands with commands of their own: a table of modules becomes parsers.

A module has a docstring, ``add_arguments(parser)`` and ``run(args) -> int``.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping
from types import ModuleType

from mdacl_ros.resources import ResourceError, find_resource

Table = Mapping[str, tuple[str, str]]
"""Module and summary by name."""


def in_checkout(module: str) -> bool:
    """Whether a module can be run: those of ``research`` lie in a checkout, not installed.

    Puts the checkout on the path, where the command is started from elsewhere.
    """
    if module.partition(".")[0] != "research":
        return True
    try:
        root = str(find_resource("research").parent)
    except ResourceError:
        return False
    if root not in sys.path:
        sys.path.append(root)
    return True


def load_command(module: str) -> ModuleType:
    """Import a command's module.

    Raises:
        ResourceError: It is one of ``research``, and this is no checkout.
    """
    if not in_checkout(module):
        raise ResourceError(f"{module}: is not installed; run it from a checkout of mdacl_ros")
    return importlib.import_module(module)


def add_subcommands(parser: argparse.ArgumentParser, table: Table, dest: str) -> None:
    """Declare the commands of a table.

    Args:
        parser: Of the command they belong to.
        table: What there is.
        dest: Attribute of the parsed arguments that will hold the name.
    """
    table = {name: row for name, row in table.items() if in_checkout(row[0])}
    commands = parser.add_subparsers(metavar="{" + ",".join(table) + "}", required=True, dest=dest)
    for name, (module, summary) in table.items():
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[:1].upper()}{summary[1:]}.",
            formatter_class=parser.formatter_class,
        )
        load_command(module).add_arguments(command)


def run_subcommand(args: argparse.Namespace, table: Table, dest: str) -> int:
    """Run the command that was named."""
    module, _ = table[getattr(args, dest)]
    return int(load_command(module).run(args))
