"""``mdacl evaluate``: recordings judged offline, a report each; data sets scored as a table."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from mdacl_ros.errors import MdaclError
from mdacl_tools.cli.unused_options import refuse_unused
from mdacl_tools.corruption import CORRUPTIONS
from mdacl_tools.recordings.dataset_recording import is_dataset
from mdacl_tools.recordings.input_options import EXIT_INCOMPLETE, add_input_options, input_options
from mdacl_tools.recordings.storage.bag_path import is_bag
from mdacl_tools.scoring import dataset_scores as data_sets
from mdacl_tools.scoring.evaluation_input import open_for_evaluation
from mdacl_tools.scoring.fleet import evaluate_all
from mdacl_tools.scoring.jobs import Job, Outcome, check_exists, plan_jobs
from mdacl_tools.scoring.report import Report
from mdacl_tools.scoring.settings import EvaluationSettings, build
from mdacl_tools.util.pipeline_options import (
    ENGINE_OPTIONS,
    add_pipeline_options,
    given_parameters,
    pipeline_config,
)
from mdacl_tools.util.progress import progress_bar

EXIT_ERROR = 2

DEFAULT_OUT = Path("evaluation_out")

PAIRING_OPTIONS = (
    "--calibration", "--threshold", "--max-skew", "--partner-timeout", "--thermal-clock-offset",
    "--reliance-rate",
)  # fmt: skip

RESULTS = ("report.html", "report.json", "frames.jsonl", "annotated")
"""What may be in the folder of a recording."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "path", type=Path, nargs="+", metavar="RECORDING",
        help="bags (mcap, sqlite3), folders of clips, or one data set (folder or COCO json)",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=None,
        help="folder for report.json and frames.jsonl, one in it for each of several recordings "
        f"(bags: {DEFAULT_OUT}); a .json file: the scores of a data set only",
    )  # fmt: skip
    parser.add_argument("--labels", type=Path, help="ground truth of a bag, a COCO json")
    parser.add_argument("--fused-only", action="store_true", help="leave out the absent cameras")
    parser.add_argument(
        "--corruptions", nargs="*", metavar="KIND",
        help=f"also score corrupted images; all kinds, or some of {', '.join(CORRUPTIONS)}",
    )  # fmt: skip
    add_input_options(parser)
    parser.add_argument(
        "--stills", action="store_true", default=None,
        help="judge each pair without a past, as data sets are",
    )  # fmt: skip
    parser.add_argument(
        "--realtime-drops", type=float, metavar="MS",
        help="drop pairs as a detector that takes so long would",
    )  # fmt: skip
    add_pipeline_options(parser, *ENGINE_OPTIONS, *PAIRING_OPTIONS)
    _add_presenting(parser)
    _add_running(parser)


def _add_presenting(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("presenting")
    group.add_argument("--no-page", action="store_true", help="leave out report.html")
    group.add_argument(
        "--annotate", action="store_true", help="also write annotated/, a bag for Foxglove and RViz"
    )


def _add_running(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("running")
    group.add_argument("--again", action="store_true", help="also what was finished before")
    group.add_argument("--workers", type=int, default=1, help="processes, a recording each")
    group.add_argument("--ray", metavar="ADDRESS", help="Ray cluster; 'local' starts one here")
    group.add_argument(
        "--live", action="store_true", help="through the real node over DDS: latency and drops"
    )
    group.add_argument("--rate", type=float, default=1.0, help="speed with --live")


def run(args: argparse.Namespace) -> int:
    """Evaluate and say what came of it."""
    table = _only_scores(args)
    refuse_unused(args, add_arguments, table=table)
    if table:
        config = pipeline_config(args)
        return data_sets.score(
            args.path[0], input_options(args), config, args.out, fused_only=args.fused_only
        )
    if args.out is not None and args.out.suffix == ".json":
        raise MdaclError(
            f"argument --out: got {args.out}, wanted a folder; a .json file is for one data set"
        )
    if args.workers < 1:
        raise MdaclError(f"argument --workers: got {args.workers}, wanted 1 or more")
    if args.annotate and args.no_page:
        raise MdaclError("argument --annotate: needs the page; leave --no-page out")
    jobs = plan_jobs(args.path, args.out or DEFAULT_OUT)
    check_exists(jobs)
    settings = settings_of(args)
    if args.live:
        from mdacl_tools.live.evaluate_live import evaluate_live

        live = (evaluate_live(job, settings, args.rate) for job in jobs)
        outcomes = [_presented(outcome, settings, args) for outcome in live]
    else:
        outcomes = _evaluate(jobs, settings, args)
    if len(jobs) > 1 and not args.no_page:
        _write_index(args.out or DEFAULT_OUT, outcomes)
    return _conclude(outcomes)


def settings_of(args: argparse.Namespace) -> EvaluationSettings:
    """The settings that arguments ask for."""
    kinds = args.corruptions
    return EvaluationSettings(
        pipeline=pipeline_config(args),
        fit_timeout="partner_timeout" not in given_parameters(args),
        rgb_topic=args.rgb_topic,
        thermal_topic=args.thermal_topic,
        clip=args.clip,
        split=args.split,
        camera=args.camera,
        labels=args.labels,
        ablation=not args.fused_only,
        corruptions=() if kinds is None else tuple(kinds or CORRUPTIONS),
        stills=args.stills,
        simulated_latency_ms=args.realtime_drops,
    )


def _only_scores(args: argparse.Namespace) -> bool:
    """Whether it is one data set of which a table of scores is wanted, and no report."""
    path = args.path[0]
    table = args.out is None or args.out.suffix == ".json"
    if len(args.path) > 1 or not table or args.live:
        return False
    if args.corruptions is not None or args.labels is not None:  # a table has no place for them
        return False
    return path.exists() and not is_bag(path) and is_dataset(path)


def _evaluate(
    jobs: list[Job], settings: EvaluationSettings, args: argparse.Namespace
) -> list[Outcome]:
    """Evaluate all, with a progress bar over frames or, in several processes, over recordings."""
    alone = args.workers == 1 and args.ray is None
    total = sum(_frames(job, settings) for job in jobs) if alone else len(jobs)
    outcomes = []
    with progress_bar("frames" if alone else "recordings", total) as advance:
        options = {"workers": args.workers, "ray": args.ray, "again": args.again}
        found = evaluate_all(
            jobs, settings, build, advance=advance if alone else lambda steps: None, **options
        )
        for outcome in found:
            outcomes.append(_presented(outcome, settings, args))
            if not alone:
                advance(1)
    return outcomes


def _presented(outcome: Outcome, settings: EvaluationSettings, args: argparse.Namespace) -> Outcome:
    """Write the page of an outcome, and what else is wanted of it; an error is noted in it."""
    report, job = outcome.report, outcome.job
    if report is None or args.no_page:
        return outcome
    from mdacl_tools.report.outputs import is_presented, present

    if outcome.kept and is_presented(job.out, annotate=args.annotate):
        return outcome
    try:
        present(job.path, job.out, settings, report, annotate=args.annotate)
    except MdaclError as error:
        return replace(outcome, error=str(error))
    return outcome


def _write_index(out: Path, outcomes: list[Outcome]) -> None:
    from mdacl_tools.report.index import write_index

    if folders := [outcome.job.out for outcome in outcomes if outcome.report is not None]:
        write_index(out, folders)


def _frames(job: Job, settings: EvaluationSettings) -> int:
    """Frames of a recording, for the progress bar; what is wrong with it is told later."""
    try:
        recording = open_for_evaluation(job.path, settings)
    except MdaclError:
        return 0
    try:
        return sum(recording.frames.values())
    finally:
        recording.close()


def _conclude(outcomes: list[Outcome]) -> int:
    """Print every outcome; the exit code is that of the worst."""
    code = 0
    for outcome in outcomes:
        if outcome.error:
            print(f"mdacl: {outcome.error}", file=sys.stderr)
            code = EXIT_ERROR
        if outcome.report is None:
            continue
        print(conclusion(outcome.report, outcome.job.out, outcome.kept))
        if code == 0 and incomplete(outcome.report):
            code = EXIT_INCOMPLETE
    return code


def incomplete(report: Report) -> bool:
    """Whether a part of the recording, a whole camera or all labels could not be used."""
    counts = report.counts
    truth = report.settings["truth"] is not None and counts["truth_frames"] == 0
    cameras = ("rgb", "thermal")
    lost = any(counts["unreadable"].get(c) and not counts[f"frames_{c}"] for c in cameras)
    both = all(counts[f"frames_{c}"] for c in cameras) and not counts["pairs"]
    unused = both and any("not used" in text for text in report.recording["assumptions"])
    return bool(report.recording["damage"]) or truth or lost or unused


def conclusion(report: Report, out: Path, kept: bool = False) -> str:
    """A report in a few lines."""
    counts = report.counts
    singles = counts["single_rgb"] + counts["single_thermal"]
    lines = [
        f"{report.recording['name']}: {report.verdict.level.upper()}"
        + (" (finished before)" if kept else ""),
        *(f"  {sentence}" for sentence in report.verdict.sentences),
        f"  {counts['processed']} frames ({counts['pairs']} pairs, {singles} with one camera), "
        f"{report.timing.get('frames_per_s', 0):.1f} frames/s",
        f"  {', '.join(str(out / name) for name in RESULTS if (out / name).exists())}",
    ]
    return "\n".join(lines)
