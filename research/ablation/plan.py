"""What an ablation consists of, read from YAML: variants, seeds, budget, evaluation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from mdacl_ros.errors import ParameterError

_NOT_IN_WEIGHTS = ("threads", "workers", "checkpoint_every", "snapshot_every")
"""Settings of a run that leave its weights as they are."""


@dataclass(frozen=True, slots=True)
class AblationScoring:
    """How every unit is scored.

    Attributes:
        data: Data set of labelled pairs, relative to the data folder.
        size: Width and height of the network input, multiples of 32.
        corruption_stride: Every n-th pair is used for the corruptions and misleading cameras.
        misleading: Kinds of misleading cameras that are scored, of
            :data:`mdacl_tools.learning.misleading.MISLEADING`. Those that a variant's
            ``augmentation.mislead_kinds`` do not name are held out.
    """

    data: str = "msrs/test.json"
    size: tuple[int, int] = (512, 384)
    corruption_stride: int = 2
    misleading: tuple[str, ...] = ()

    def deciding(self) -> dict[str, Any]:
        """What decides the results; plans without misleading cameras keep their digests."""
        return {k: v for k, v in asdict(self).items() if v != ()}


@dataclass(frozen=True, slots=True)
class Unit:
    """One training run of the table.

    Attributes:
        variant: Row of the table.
        seed: Seed of initialisation, order and augmentation.
        config: Complete training config (keys of
            :class:`~mdacl_tools.learning.train_config.TrainConfig`); without ``start`` where the
            run begins with the first stage's weights.
        digest: Hash of everything that decides the weights.
        result_digest: The same with the evaluation.
    """

    variant: str
    seed: int
    config: dict[str, Any] = field(compare=False)
    digest: str
    result_digest: str

    @property
    def name(self) -> str:
        """``variant_seed``."""
        return f"{self.variant}_{self.seed}"

    @property
    def own_start(self) -> bool:
        """Whether it names weights to begin with itself (``start: ""``: ImageNet)."""
        return "start" in self.config


@dataclass(frozen=True, slots=True)
class AblationPlan:
    """An ablation.

    Attributes:
        seeds: Seeds of every variant.
        base: Training config that all runs share.
        variants: Overrides of ``base`` by name of the variant; ``seeds`` among them: some of the
            plan's, for a variant that is too dear for all.
        start: Overrides of ``base`` for the first stage, whose weights every run starts from that
            names no ``start`` itself; ``None``: runs start from ImageNet weights.
        evaluation: How every unit is scored.
    """

    seeds: tuple[int, ...]
    base: dict[str, Any]
    variants: dict[str, dict[str, Any]]
    start: dict[str, Any] | None
    evaluation: AblationScoring

    @property
    def start_config(self) -> dict[str, Any] | None:
        """Complete training config of the first stage."""
        return None if self.start is None else merged(self.base, self.start)

    @property
    def start_digest(self) -> str:
        """Hash of everything that decides the weights handed on."""
        config = self.start_config
        return "imagenet" if config is None else digest(_deciding(config))

    @property
    def start_result_digest(self) -> str:
        """The same with the evaluation."""
        return digest([self.start_digest, self.evaluation.deciding()])

    def units(self) -> list[Unit]:
        """All runs, seed by seed: a part of them already makes a table of all variants."""
        return [
            self._unit(name, seed)
            for seed in self.seeds
            for name, overrides in self.variants.items()
            if seed in overrides.get("seeds", self.seeds)
        ]

    def _unit(self, variant: str, seed: int) -> Unit:
        overrides = {k: v for k, v in self.variants[variant].items() if k != "seeds"}
        config = merged(self.base, overrides) | {"seed": seed}
        weights = digest([_deciding(config), "own" if "start" in config else self.start_digest])
        result = digest([weights, self.evaluation.deciding()])
        return Unit(variant, seed, config, weights, result)


def merged(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``overrides`` in it; mappings are merged, everything else is replaced."""
    result = dict(base)
    for key, value in overrides.items():
        old = result.get(key)
        both = isinstance(value, Mapping) and isinstance(old, Mapping)
        result[key] = merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def digest(values: object) -> str:
    """A short name for plain values, whatever the order of their keys."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _deciding(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in _NOT_IN_WEIGHTS}


def load_plan(path: Path) -> AblationPlan:
    """Read an ablation's YAML.

    Raises:
        ParameterError: The file is missing, no YAML, lacks a key or has an unknown one.
    """
    try:
        values = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ParameterError(f"{path}: cannot read the ablation ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    _check(path, "", values, AblationPlan, ("seeds", "base", "variants"))
    _check(path, "evaluation.", values.get("evaluation", {}), AblationScoring)
    variants = values["variants"]
    if not isinstance(variants, dict) or not all(isinstance(v, dict) for v in variants.values()):
        raise ParameterError(
            f"{path}: variants is {str(variants)[:80]}, wanted a mapping of names to overrides, "
            "e.g. `concat: {}`"
        )
    return AblationPlan(
        seeds=_seeds(path, values["seeds"]),
        base=values["base"],
        variants=variants,
        start=values.get("start"),
        evaluation=AblationScoring(**_tuples(values.get("evaluation", {}))),
    )


def _check(
    path: Path, prefix: str, values: object, kind: type, required: tuple[str, ...] = ()
) -> None:
    known = [f.name for f in fields(kind)]
    if not isinstance(values, dict):
        raise ParameterError(f"{path}: {prefix or 'the file'} is no mapping, wanted keys {known}")
    if unknown := sorted(set(values) - set(known)):
        raise ParameterError(
            f"{path}: unknown keys {[prefix + k for k in unknown]}, wanted {known}"
        )
    if missing := [k for k in required if k not in values]:
        raise ParameterError(f"{path}: {prefix}{missing[0]} is missing; see config/ablation.yaml")


def _seeds(path: Path, values: object) -> tuple[int, ...]:
    if not isinstance(values, list) or not values or any(type(v) is not int for v in values):
        raise ParameterError(f"{path}: seeds is {values!r}, wanted a list of integers like [0, 1]")
    return tuple(values)


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
