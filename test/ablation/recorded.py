"""Result files as units leave them, with chosen numbers."""

from __future__ import annotations

from typing import Any

from research.ablation.plan import AblationPlan, AblationScoring
from research.ablation.results import Results, write_json

PLAN = AblationPlan(
    seeds=(0, 1),
    base={"steps": 4},
    variants={
        "rgb_only": {"detector": {"modalities": ["rgb"]}},
        "thermal_only": {"detector": {"modalities": ["thermal"]}},
        "concat": {},
        "concat_joint": {"start": ""},
        "mdacl": {"detector": {"use_gate": True}},
    },
    start={"steps": 9},
    evaluation=AblationScoring(size=(64, 64)),
)

MAP50 = {
    "rgb_only": 0.30,
    "thermal_only": 0.40,
    "concat": 0.45,
    "concat_joint": 0.42,
    "mdacl": 0.50,
}
MDI = {"rgb_only": 1.0, "thermal_only": -1.0, "concat": -0.20, "concat_joint": -0.40, "mdacl": 0.05}


def scores(map50: float) -> dict[str, Any]:
    return {
        "map50": map50,
        "map": map50 / 2,
        "ap50_by_class": {"person": map50 + 0.1, "car": map50 - 0.1},
        "truth_images": 4,
        "truth_objects": {"person": 7, "car": 3},
    }


def result(variant: str, seed: int, map50: float | None = None, **more: Any) -> dict[str, Any]:
    """One unit's file; a later seed is a point (0.01) better."""
    value = (MAP50[variant] if map50 is None else map50) + 0.01 * seed
    fused = variant not in ("rgb_only", "thermal_only")
    cameras = ["rgb", "thermal"] if fused else [variant.removesuffix("_only")]
    unit = next(u for u in PLAN.units() if (u.variant, u.seed) == (variant, seed))
    absent = {"rgb_absent": scores(0.38), "thermal_absent": scores(0.33)} if fused else {}
    return {
        "variant": variant,
        "seed": seed,
        "config_hash": unit.result_digest,
        "start_weights": "ab" * 32,
        "git": "0123456789ab",
        "steps": 4,
        "train_seconds": 60.0 * (seed + 1),
        "score_seconds": 30.0,
        "cameras": cameras,
        "params": 2_500_000,
        "gflops": 2.692,
        "scores": scores(value),
        "day": scores(value + 0.02),
        "night": scores(value - 0.02),
        "mdi": MDI[variant],
        "mdi_magnitude": abs(MDI[variant]),
        **absent,
        "corruption": {
            "images": 2,
            "clean_map50": 0.5,
            "map50": {f"{camera}_noise": 0.46 for camera in cameras},
        },
        **more,
    }


def results(variants: tuple[str, ...] = tuple(MAP50), seeds: tuple[int, ...] = (0, 1)) -> Results:
    units = {(v, s): result(v, s) for s in seeds for v in variants}
    missing = tuple(u.name for u in PLAN.units() if (u.variant, u.seed) not in units)
    return Results(units, missing)


def write_results(folder: Any, found: Results) -> None:
    for (variant, seed), values in found.units.items():
        write_json(folder / f"{variant}_{seed}.json", values)
