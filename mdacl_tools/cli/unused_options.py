"""Options that a way of evaluating has no use for: refused by name, never ignored."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from mdacl_ros.errors import MdaclError

NOT_LIVE = ("corruptions", "realtime_drops", "stills", "workers", "ray", "again")
"""What only the offline pipeline does; a live run is one process and never the same twice."""

NOT_OF_A_TABLE = (
    "threshold", "rgb_topic", "thermal_topic", "clip", "max_skew", "partner_timeout",
    "thermal_clock_offset", "realtime_drops", "reliance_rate", "annotate", "again", "workers",
    "ray", "rate",
)  # fmt: skip
"""What a data set's table of scores knows nothing of."""

LIVE_ONLY = ("rate",)

REMEDY = "give --out FOLDER for a report"


def refuse_unused(
    args: argparse.Namespace,
    add_arguments: Callable[[argparse.ArgumentParser], None],
    *,
    table: bool,
) -> None:
    """Refuse options that would change nothing.

    Args:
        args: What was asked for.
        add_arguments: Tells the defaults: a value that is the default asks for nothing.
        table: Whether only a data set's table of scores is wanted.

    Raises:
        MdaclError: Names the options.
    """
    defaults = argparse.ArgumentParser()
    add_arguments(defaults)
    names: tuple[str, ...]
    if args.live:
        names, why = NOT_LIVE, "has no effect with --live; leave one of them out"
    elif table:
        names, why = NOT_OF_A_TABLE, "has no effect on a data set's table of scores; " + REMEDY
    else:
        names, why = LIVE_ONLY, "has no effect without --live"
    given = [name for name in names if getattr(args, name) != defaults.get_default(name)]
    if given:
        options = ", ".join("--" + name.replace("_", "-") for name in given)
        raise MdaclError(f"argument {options}: {why}")
