"""Every ``--option`` that a text of ours names exists in the commands that can print it."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import mdacl_tools
from mdacl_tools.cli.main import COMMANDS
from mdacl_tools.cli.subcommands import in_checkout, load_command

ROOT = Path(mdacl_tools.__file__).parent.parent
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")

OTHERS = {"--ros-args", "--help", "--version", "--clock", "--node"}
"""Options of ROS' own commands, of ``mdacl`` itself, and of the doctor, which names itself."""

CALIBRATIONS = ("target", "scene", "clock", "check")
OPENERS = (
    "evaluate", "convert recording", "self-label", "demo", *(f"calibrate {c}" for c in CALIBRATIONS)
)  # fmt: skip
"""Commands that open a recording."""

FOLDERS = {
    "mdacl_tools/recordings": OPENERS,
    "mdacl_ros/sensing": (*OPENERS, "data check"),
    "mdacl_tools/calibrate/board": ("calibrate target",),
    "mdacl_tools/calibrate/scene": ("calibrate scene",),
    "mdacl_tools/calibrate/clock": ("calibrate clock",),
    "mdacl_tools/calibrate/check": ("calibrate check",),
    "mdacl_tools/calibrate": tuple(f"calibrate {c}" for c in CALIBRATIONS),
    "mdacl_tools/cli/evaluate.py": ("evaluate",),
    "mdacl_tools/cli/convert.py": ("convert recording",),
    "mdacl_tools/cli/self_label.py": ("self-label",),
    "mdacl_tools/cli/demo.py": ("demo",),
    "mdacl_tools/cli/data.py": ("data check",),
}
"""Which commands print what stands in a folder or file; the first that fits counts."""

EXCEPTIONS = {
    # A truth of the bag that cannot be read is met by what scores.
    ("mdacl_tools/recordings/bag_truth.py", "--labels"): ("evaluate",),
    # What is written is written by convert alone.
    ("mdacl_tools/recordings/bag_file.py", "--storage"): ("convert recording",),
    # Commands whose clock cannot be shifted do not print it.
    ("mdacl_tools/recordings/stamp_log.py", "--thermal-clock-offset"): (
        "evaluate",
        *(f"calibrate {name}" for name in CALIBRATIONS),
    ),
    ("mdacl_tools/recordings/datasets/data_folder.py", "--data"): None,
}


def options_of(parser: argparse.ArgumentParser, name: str) -> Iterator[tuple[str, set[str]]]:
    """Every command with its options, those of subcommands by themselves."""
    own = {option for action in parser._actions for option in action.option_strings}
    yield name, own
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub, inner in action.choices.items():
                yield from options_of(inner, f"{name} {sub}")


@pytest.fixture(scope="module")
def options() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, command in COMMANDS.items():
        if in_checkout(command.module):
            parser = argparse.ArgumentParser()
            load_command(command.module).add_arguments(parser)
            found.update(options_of(parser, name))
    return found


def texts(path: Path) -> Iterator[str]:
    """The strings of a module but docstrings and the names of its own options."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
            skipped.update(id(part) for part in ast.walk(node))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in skipped
        ):
            yield node.value


MODULES = sorted(
    str(path.relative_to(ROOT))
    for package in ("mdacl_tools", "mdacl_ros/sensing")
    for path in (ROOT / package).rglob("*.py")
    if any(OPTION.search(text) for text in texts(path))
)


@pytest.mark.parametrize("module", MODULES)
def test_options_that_are_named_exist_where_they_are_named(module, options):
    commands = next((c for start, c in FOLDERS.items() if module.startswith(start)), None)
    for text in texts(ROOT / module):
        ours = re.sub(r"mdacl analyse[^;]*|`[^`]*`", "", text)
        for option in set(OPTION.findall(ours)) - OTHERS:
            printed_by = EXCEPTIONS.get((module, option), commands)
            if printed_by is None:
                assert any(option in known for known in options.values()), f"{option} in {text!r}"
                continue
            lacking = [name for name in printed_by if option not in options[name]]
            assert not lacking, f"{option} in {text!r} is no option of {', '.join(lacking)}"


def test_every_command_that_opens_recordings_takes_the_same_options(options):
    wanted = {"--clip", "--split", "--rgb-topic", "--thermal-topic", "--camera"}
    assert {name: wanted - options[name] for name in OPENERS} == {n: set() for n in OPENERS}
