"""The ``mdacl`` command: a table of subcommands, each loaded only when it is called.

A command module has a docstring, ``add_arguments(parser)`` and ``run(args) -> int``.
"""

from __future__ import annotations

import argparse
import difflib
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from mdacl_ros import __version__
from mdacl_ros.errors import MdaclError
from mdacl_tools.cli.subcommands import load_command

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
OURS = ("mdacl_ros", "mdacl_tools", "research")


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand: the module that runs it and its line in ``mdacl --help``."""

    module: str
    summary: str


COMMANDS: dict[str, Command] = {
    "demo": Command(
        "mdacl_tools.cli.demo", "play a recording through the real ROS node and report on it"
    ),
    "convert": Command("mdacl_tools.cli.convert", "turn videos or any recording into a bag"),
    "evaluate": Command(
        "mdacl_tools.cli.evaluate",
        "judge recordings offline: report, scores, with a camera removed",
    ),
    "report": Command(
        "mdacl_tools.cli.report", "write the pages of evaluations, and an index over them"
    ),
    "compare": Command("mdacl_tools.cli.compare", "two reports on one recording: better or worse?"),
    "train": Command("mdacl_tools.cli.train", "train a detector from a YAML file"),
    "quantise": Command(
        "mdacl_tools.learning.quantise_command", "measure the ranges that INT8 engines need"
    ),
    "self-label": Command("mdacl_tools.cli.self_label", "label a recording for self-training"),
    "ablation": Command(
        "research.ablation.command", "train and score the variants of the table; lay it out"
    ),
    "analyse": Command(
        "mdacl_tools.cli.analyse", "missing and corrupted cameras, training dynamics, features"
    ),
    "data": Command("mdacl_tools.cli.data", "check a data set: pairs, boxes, classes, duplicates"),
    "calibrate": Command(
        "mdacl_tools.cli.calibrate", "register the thermal camera with the colour camera"
    ),
    "doctor": Command(
        "mdacl_ros.doctor.command", "look at a running system: what is wrong, what to do"
    ),
    "build": Command("mdacl_tools.cli.build", "build an engine ahead of the first start"),
    "bench": Command("mdacl_tools.cli.bench", "what a frame costs on this machine"),
    "info": Command("mdacl_tools.cli.info", "parameters and operations of a detector"),
}
"""Add a line to add a command."""


class UsageError(MdaclError):
    """A command line that cannot be understood."""


class _Parser(argparse.ArgumentParser):
    """Reports mistakes as :class:`UsageError` instead of a page of usage."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}; see {self.prog} --help")


class _HelpFormatter(argparse.HelpFormatter):
    """Shows the defaults that say something."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        text = action.help
        if not text or action.default in (None, False, [], argparse.SUPPRESS):
            return text
        return f"{text} (default: %(default)s)"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments; ``sys.argv`` unless given.

    Returns:
        Exit code: 0 well, 2 an error the user can mend (one line on stderr), 130 interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    _print_any_text()
    try:
        return _run(arguments)
    except UsageError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    except BrokenPipeError:  # `mdacl info | head`
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except (MdaclError, ImportError, OSError, RuntimeError) as error:
        line = _one_line(error)
        if not line:
            raise
        print(f"mdacl: {line}", file=sys.stderr)
        return EXIT_USAGE


def _print_any_text() -> None:
    """Let names be printed that the locale has no letters for, escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _one_line(error: Exception) -> str:
    """What a user can do about an error; empty: it is a mistake of this program."""
    if isinstance(error, MdaclError):
        return str(error)
    if isinstance(error, ImportError):
        missing = (error.name or "").partition(".")[0]
        if missing in OURS:
            return ""
        if isinstance(error, ModuleNotFoundError):
            return (
                f"{missing} is not installed; install the workshop: "
                "pip install 'mdacl_ros[tools]' (mdacl train: 'mdacl_ros[train]')"
            )
        return (
            f"{missing or 'a library'} cannot be imported ({' '.join(str(error).split())[:200]}); "
            "is it built for this Python and NumPy?"
        )
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}; check the path, its permissions and the disk"
    # rclpy's errors are RuntimeErrors of the binding's own module.
    if type(error).__module__.partition(".")[0] in ("rclpy", "_rclpy_pybind11"):
        return f"ROS: {' '.join(str(error).split())[:300]}"
    return ""


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_help())
        return 0 if arguments else EXIT_USAGE
    name, *rest = arguments
    if name in ("-V", "--version"):
        print(f"mdacl {__version__}")
        return 0
    if name not in COMMANDS:
        raise UsageError(f"mdacl: unknown command {name!r}{_nearest(name, COMMANDS)}")
    module, summary = load_command(COMMANDS[name].module), COMMANDS[name].summary
    parser = _Parser(
        prog=f"mdacl {name}",
        description=f"{summary[:1].upper()}{summary[1:]}.",
        formatter_class=_HelpFormatter,
    )
    module.add_arguments(parser)
    args, unknown = parser.parse_known_args(rest)
    if unknown:
        parts = [a.choices for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        parsers = [parser, *(p for choices in parts for p in choices.values())]
        options = [o for p in parsers for action in p._actions for o in action.option_strings]
        parser.error(f"unknown argument {unknown[0]!r}{_nearest(unknown[0], options)}")
    return int(module.run(args))


def _nearest(word: str, choices: Sequence[str] | dict[str, Command]) -> str:
    match = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.5)
    if match:
        return f", did you mean {match[0]}?"
    return f", wanted one of {', '.join(choices)}" if len(choices) < 20 else ""


def _help() -> str:
    width = max(len(name) for name in COMMANDS)
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: mdacl COMMAND [options]      mdacl COMMAND --help      mdacl --version",
            "",
            "RGB-thermal detection that says which camera the detections rest on.",
            "",
            "commands:",
            *lines,
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
