"""``--model`` of every command: a shipped name or a folder, found the same way as the node's."""

from __future__ import annotations

import argparse
from pathlib import Path

from mdacl_ros.network.model_folder import find_model

DEFAULT = "small"


def add_model_option(
    parser: argparse.ArgumentParser,
    what: str = "shipped name (small, nano) or model folder",
    default: str | None = DEFAULT,
) -> None:
    """Declare ``--model``; parsed, it is the folder as text, see :func:`model_folder`."""
    parser.add_argument("--model", default=default, metavar="NAME|FOLDER", help=what)


def model_folder(args: argparse.Namespace) -> Path:
    """The folder that ``--model`` means.

    Raises:
        ModelError: There is none.
    """
    return find_model(args.model or DEFAULT)
