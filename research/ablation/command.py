"""``mdacl ablation run|table|scores``: train and score every variant, lay out what was measured."""

from __future__ import annotations

import argparse
from pathlib import Path

from mdacl_ros.errors import ParameterError
from mdacl_ros.resources import find_resource
from mdacl_tools.learning.allocator import restart_with_allocator_settings
from research.ablation.plan import AblationPlan, Unit, load_plan

DOCS = Path("docs")
"""Where results and tables are kept, relative to the checkout."""

RESULTS = DOCS / "ablation"
RUN = Path("runs/ablation")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="run|table|scores")
    run_parser = actions.add_parser("run", help="train and score what is not done yet; resumable")
    table_parser = actions.add_parser("table", help="make docs/ablation.json, .md and figure")
    for part in (run_parser, table_parser):
        part.add_argument("--config", type=Path, default=None, help="config/ablation.yaml")
        part.add_argument("--run", type=Path, default=RUN, help="folder of checkpoints and models")
        part.add_argument("--results", type=Path, default=RESULTS, help="folder of result files")
    run_parser.add_argument(
        "--data", type=Path, default=None, help="data folder (default ../shared/data)"
    )
    run_parser.add_argument("--only", default=None, help="variants, separated by commas")
    run_parser.add_argument("--seeds", default=None, help="seeds, separated by commas")
    run_parser.add_argument(
        "--worker", default="0/1", help="number of this worker / of all that run side by side"
    )
    run_parser.set_defaults(do=_run)
    table_parser.add_argument(
        "--docs", type=Path, default=DOCS, help="folder of ablation.md, which has the markers"
    )
    table_parser.set_defaults(do=_table)
    _add_scores_arguments(
        actions.add_parser("scores", help="write docs/scores into the model cards and the README")
    )


def _add_scores_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--root", type=Path, default=Path(), help="checkout with README.md, models/, docs/scores/"
    )
    parser.set_defaults(do=_scores)


def run(args: argparse.Namespace) -> int:
    """Do what is asked."""
    return int(args.do(args))


def _plan(args: argparse.Namespace) -> AblationPlan:
    return load_plan(args.config or find_resource("config/ablation.yaml"))


def _run(args: argparse.Namespace) -> int:
    """Work through the plan; 1 where a unit failed."""
    restart_with_allocator_settings()
    from mdacl_tools.learning.training_data import TrainingData
    from mdacl_tools.recordings.datasets.data_folder import data_folder
    from research.ablation.runner import Workplace, work, work_order

    plan = _plan(args)
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


def _table(args: argparse.Namespace) -> int:
    """Compute everything from the result files, write it, and print it."""
    from research.ablation.chart import draw_ablation
    from research.ablation.layout import PICTURE, generated_part
    from research.ablation.markers import write_block
    from research.ablation.report import make_report
    from research.ablation.results import read_results, write_json

    plan = _plan(args)
    report = make_report(plan, read_results(plan, args.results, args.run))
    text = generated_part(report)
    write_block(args.docs / "ablation.md", text)
    write_json(args.docs / "ablation.json", report.to_json())
    written = ["ablation.md", "ablation.json"]
    if report.rows:
        draw_ablation(report.rows, args.docs / PICTURE)
        written.append(PICTURE)
    print(f"{text}\n\nwrote {', '.join(str(args.docs / name) for name in written)}")
    return 0


def _scores(args: argparse.Namespace) -> int:
    """Write the shipped models' scores between the markers of their cards and of the README."""
    from research.ablation.markers import write_block
    from research.ablation.scores import card_block, overview_block, read_model_scores

    folder = args.root / DOCS / "scores"
    names = sorted((p.name for p in folder.glob("*/")), key=lambda n: (n != "small", n))
    if not names:
        raise ParameterError(f"{folder}: holds no model's scores; see docs/training.md")
    models = [read_model_scores(folder / name) for name in names]
    pages = {args.root / "models" / m.name / "MODEL_CARD.md": card_block(m) for m in models}
    pages[args.root / "README.md"] = overview_block(models)
    for page, block in pages.items():
        write_block(page, block)
    print(f"wrote the scores in {', '.join(str(page) for page in pages)}")
    return 0


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
