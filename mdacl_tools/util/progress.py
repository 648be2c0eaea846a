"""A progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how far a loop of known length is, on stderr.

    Args:
        title: What is being done.
        total: Number of steps.

    Yields:
        ``advance(steps)``, to be called after each step.
    """
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(title, total=total)
            yield lambda steps: progress.advance(task, steps)
        return
    done = 0

    def advance(steps: int) -> None:
        nonlocal done
        before, done = done, done + steps
        if total > 0 and done * 10 // total > before * 10 // total:
            print(f"{title}: {min(100, done * 100 // total)} %", file=sys.stderr, flush=True)

    yield advance
