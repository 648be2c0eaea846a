"""How many examples each fuzz test tries, and what every one of them is held to."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, settings

from mdacl_ros.errors import MdaclError

TRIES = int(os.environ.get("MDACL_FUZZ", "30"))
"""Examples of a test of cost 1; :func:`inputs` tells how many that makes in all."""

COSTS: list[int] = []
"""Cost of every fuzz test that was imported."""

MAX_GROWTH_MB = 600
"""No malformed input may cost more: the largest picture accepted takes 64 million pixels."""


def fuzz(cost: int = 1) -> Callable[[Any], Any]:
    """Hypothesis settings of one fuzz test; ``cost`` divides the number of examples."""
    COSTS.append(cost)
    return settings(
        max_examples=_examples(cost, TRIES),
        deadline=None,  # hangs are pytest-timeout's; machines differ
        database=None,
        derandomize=TRIES < 1000,  # the normal run is the same every time, the long one is not
        suppress_health_check=list(HealthCheck),
    )


def _examples(cost: int, tries: int) -> int:
    return max(5, tries // cost)


def inputs(tries: int) -> int:
    """Inputs that the imported tests try where one of cost 1 tries so many."""
    return sum(_examples(cost, tries) for cost in COSTS)


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Fail if the process's peak memory grows by more than :data:`MAX_GROWTH_MB`."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < MAX_GROWTH_MB, f"peak memory grew by {grown:.0f} MB"


def refused(load: Callable[[], object], kind: type[MdaclError]) -> bool:
    """Whether ``load`` refuses with one line of the right kind; anything else passes through."""
    try:
        load()
    except kind as error:
        line = str(error)
    else:
        return False
    assert line.strip()
    assert "\n" not in line
    return True
