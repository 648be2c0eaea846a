"""``mdacl ablation run|table``: train and score every variant, lay out the table."""

from __future__ import annotations

import argparse
from pathlib import Path

from mdacl_ros.ablation.plan import AblationPlan, Unit, load_plan
from mdacl_ros.errors import ParameterError
from mdacl_ros.learning.allocator import restart_with_allocator_settings
from mdacl_ros.resources import find_resource

RESULTS = Path("docs/ablation")
"""Where the units' results are kept, relative to the checkout."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="run|table")
    run_parser = actions.add_parser("run", help="train and score what is not done yet; resumable")
    run_parser.add_argument("--config", type=Path, default=None, help="config/ablation.yaml")
    run_parser.add_argument(
        "--run", type=Path, default=Path("runs/ablation"), help="folder of checkpoints and models"
    )
    run_parser.add_argument(
        "--data", type=Path, default=None, help="data folder (default ../shared/data)"
    )
    run_parser.add_argument("--results", type=Path, default=RESULTS, help="folder of result files")
    run_parser.add_argument("--only", default=None, help="variants, separated by commas")
    run_parser.add_argument("--seeds", default=None, help="seeds, separated by commas")
    run_parser.add_argument(
        "--worker", default="0/1", help="number of this worker / of all that run side by side"
    )


def run(args: argparse.Namespace) -> int:
    """Do what is asked."""
    return _run(args)


def _run(args: argparse.Namespace) -> int:
    """Work through the plan; 1 where a unit failed."""
    restart_with_allocator_settings()
    from mdacl_ros.ablation.runner import Workplace, work, work_order
    from mdacl_ros.learning.data_folder import data_folder
    from mdacl_ros.learning.training_data import TrainingData

    plan = load_plan(args.config or find_resource("config/ablation.yaml"))
    worker = parse_worker(args.worker)
    units = work_order(chosen_units(plan, args.only, args.seeds), worker)
    data = args.data or data_folder()
    place = Workplace(
        run=args.run,
        results=args.results,
        training=TrainingData(data, args.run.parent / "simulated"),
        scored=data / plan.evaluation.data,
    )
    failed = work(plan, units, place)
    if failed:
        print(f"failed: {', '.join(failed)}; start again to try them again", flush=True)
    return int(bool(failed))


def chosen_units(plan: AblationPlan, only: str | None, seeds: str | None) -> list[Unit]:
    """The plan's units, or a part of them.

    Args:
        plan: The ablation.
        only: Names of variants separated by commas, ``None`` for all.
        seeds: Seeds separated by commas, ``None`` for all.

    Raises:
        ParameterError: A name or seed the plan does not have.
    """
    names = list(plan.variants) if only is None else only.split(",")
    if unknown := [n for n in names if n not in plan.variants]:
        raise ParameterError(
            f"--only: got {unknown[0]!r}, wanted some of {','.join(plan.variants)}"
        )
    known = [str(s) for s in plan.seeds]
    numbers = known if seeds is None else seeds.split(",")
    if unknown := [n for n in numbers if n not in known]:
        raise ParameterError(f"--seeds: got {unknown[0]!r}, wanted some of {','.join(known)}")
    return [u for u in plan.units() if u.variant in names and str(u.seed) in numbers]


def parse_worker(text: str) -> tuple[int, int]:
    """Read ``i/n``.

    Raises:
        ParameterError: No such two numbers, or i is not from 0 to n - 1.
    """
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and int(number) < int(count)):
        raise ParameterError(f"--worker: got {text!r}, wanted i/n with i from 0 to n-1, e.g. 0/2")
    return int(number), int(count)
