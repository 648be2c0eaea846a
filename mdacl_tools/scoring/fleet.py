"""Many recordings: one after the other, in several processes, or on a Ray cluster.

A recording is evaluated whole by one process, and nothing of one enters another's numbers, so the
results are the same bit for bit however they are spread.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

from mdacl_ros.errors import EngineError, MdaclError
from mdacl_ros.pipeline.perception import Perception
from mdacl_tools.scoring.evaluate_recording import evaluate_recording
from mdacl_tools.scoring.jobs import Job, Outcome, finished, request_key
from mdacl_tools.scoring.report import Report, write_report
from mdacl_tools.scoring.settings import Build, EvaluationSettings, resolved

Advance = Callable[[int], None]

_perceptions: dict[str, Perception] = {}
"""One in a process: loading an engine takes seconds."""


def evaluate_all(
    jobs: Sequence[Job],
    settings: EvaluationSettings,
    build: Build,
    *,
    workers: int = 1,
    ray: str | None = None,
    again: bool = False,
    advance: Advance = lambda steps: None,
) -> Iterator[Outcome]:
    """Evaluate recordings; outcomes come in the order of the jobs.

    Args:
        jobs: What goes where.
        settings: With what.
        build: Makes the perception of a process.
        workers: Processes on this machine.
        ray: Address of a Ray cluster that sees the same files; ``local`` starts one here.
        again: Also evaluate what was finished before.
        advance: Told the number of frames read, with one worker.

    Yields:
        One outcome a job; an error of one recording does not stop the others.

    Raises:
        MdaclError: The model or the cluster cannot be used: nothing could be evaluated.
    """
    settings = resolved(settings)
    key = request_key(settings, build)
    done = {job: None if again else finished(job, key) for job in jobs}
    to_do = [job for job in jobs if done[job] is None]
    if ray is not None:
        fresh = _on_ray(to_do, settings, build, ray)
    elif workers > 1 and len(to_do) > 1:
        fresh = _in_processes(to_do, settings, build, min(workers, len(to_do)))
    else:
        fresh = (evaluate_job(job, settings, build, advance) for job in to_do)
    for job in jobs:
        report = done[job]
        yield next(fresh) if report is None else Outcome(job, report, kept=True)


def evaluate_job(
    job: Job, settings: EvaluationSettings, build: Build, advance: Advance = lambda steps: None
) -> Outcome:
    """Evaluate one recording in this process; errors a user can mend become the outcome."""
    key = request_key(settings, build)
    if key not in _perceptions:
        _perceptions.clear()
        _perceptions[key] = build(settings)
    try:
        report = evaluate_recording(job.path, job.out, settings, _perceptions[key], advance)
    except EngineError:
        raise
    except MdaclError as error:
        return Outcome(job, error=str(error))
    return Outcome(job, _keyed(report, key, job.out))


def _keyed(report: Report, key: str, out: Path) -> Report:
    """Note what was asked for: only now is the report finished."""
    keyed = replace(report, settings=report.settings | {"request": key})
    write_report(keyed, out)
    return keyed


def _in_processes(
    jobs: list[Job], settings: EvaluationSettings, build: Build, workers: int
) -> Iterator[Outcome]:
    """Several processes, each with its share of the cores, engines built once before."""
    build(settings).engine.close()
    context = multiprocessing.get_context("spawn")  # threads of an engine do not survive a fork
    shares: Any = context.Queue()
    for share in core_shares(workers):
        shares.put(share)
    pool = ProcessPoolExecutor(workers, context, initializer=_take_cores, initargs=(shares,))
    try:
        for future in [pool.submit(evaluate_job, job, settings, build) for job in jobs]:
            yield future.result()
    except BrokenProcessPool as error:
        raise MdaclError(
            "argument --workers: a worker process ended before its time (out of memory?); use "
            "fewer, what is finished is kept"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)  # after Ctrl-C: not the recordings that still wait


def core_shares(workers: int) -> list[set[int]]:
    """The cores of this process dealt out to workers; some serve two where there are too few."""
    cores = sorted(_cores())
    shares = [set(cores[i::workers]) for i in range(workers)]
    return [share or {cores[i % len(cores)]} for i, share in enumerate(shares)]


def _cores() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def _take_cores(shares: Any) -> None:
    """Run on one share of the cores only."""
    share = shares.get()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, share)


def _on_ray(
    jobs: list[Job], settings: EvaluationSettings, build: Build, address: str
) -> Iterator[Outcome]:
    """One task a recording on a Ray cluster whose machines see the same files."""
    try:
        import ray
    except ImportError as error:
        raise MdaclError(
            "argument --ray: the package ray is not installed; pip install ray, or use --workers"
        ) from error
    started = not ray.is_initialized()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it reports usage to a server otherwise
    try:
        if started:
            _check_address(address)
            ray.init(address=address, log_to_driver=False, include_dashboard=False)
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise MdaclError(
            f"argument --ray: no cluster at {address} ({reason}); start one with `ray start "
            "--head`, or use --ray local"
        ) from error
    try:
        task = ray.remote(num_cpus=1)(evaluate_job)
        whole = [Job(job.path.resolve(), job.out.resolve()) for job in jobs]
        references = [task.remote(job, settings, build) for job in whole]
        for job, reference in zip(jobs, references, strict=True):
            yield replace(ray.get(reference), job=job)
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", error)  # what a task raised, on another machine
        if isinstance(cause, MdaclError):
            raise cause from error
        reason = str(error).strip().splitlines()[-1][:200]
        raise MdaclError(
            f"argument --ray: a worker failed ({reason}); every machine of the cluster needs this "
            "package and the same files"
        ) from error
    finally:
        if started:
            ray.shutdown()


def _check_address(address: str) -> None:
    """Try to reach ``host:port``: Ray itself tries for minutes.

    Raises:
        OSError: Nobody listens there.
        ValueError: The port is no number.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host:
        socket.create_connection((host, int(port)), timeout=10).close()
