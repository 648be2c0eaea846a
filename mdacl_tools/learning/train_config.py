"""What a training run is made of, read from YAML."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

import yaml

from mdacl_ros.errors import ModelError
from mdacl_ros.network.config import SIZES, DetectorConfig
from mdacl_ros.types import LABELS
from mdacl_ros.unique_yaml import load_unique_yaml
from mdacl_tools.learning.augmentation import AugmentationConfig
from mdacl_tools.learning.distillation import DistillationConfig
from mdacl_tools.learning.equilibrium import EquilibriumConfig
from mdacl_tools.learning.guidance_loss import GuidanceConfig
from mdacl_tools.learning.misleading import MISLEADING


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One training run.

    Attributes:
        size: Detector size, ``small`` or ``nano``.
        annotations: Registered pairs, relative to the data folder: COCO files, or folders of data
            sets, of which the split ``train`` is taken.
        steps: Optimiser steps.
        batch_size: Pairs per step.
        learning_rate: Peak rate of the new layers.
        backbone_factor: Rate of the pre-trained streams relative to it.
        weight_decay: AdamW decay of weights (not of biases and norms).
        warmup: Steps of linear warm-up before the cosine decay.
        start: Model folder whose weights the run begins with, matched by camera, name and shape;
            empty: ImageNet streams, everything else new.
        imitation: First steps, of a detector with light stems, in which stems and fusion learn
            from ImageNet's Lite0 what to feed the trunk; the schedule of the learning rate begins
            behind them.
        frozen_blocks: Leading blocks of whole streams (and their stems) that keep the weights they
            begin with.
        ema_decay: Decay of the averaged weights that are shipped.
        simulated: Number of procedural scenes mixed in; 0 for none.
        simulated_share: Share of each batch drawn from them.
        rgb_annotations: The same of colour images without a partner.
        rgb_share: Share of each batch drawn from them.
        thermal_annotations: The same of thermal images without a partner.
        thermal_share: Share of each batch drawn from them.
        pair_annotations: The same of further pairs.
        pair_share: Share of each batch drawn from them.
        guidance: Losses of the hierarchical cross-modal guidance (HCG).
        equilibrium: Adversarial equilibrium regularisation (AER).
        distillation: Learning from another model.
        precision: ``float32`` or ``bf16`` (autocast).
        checkpoint_every: Steps between checkpoints.
        snapshot_every: Steps between kept weights for ``mdacl analyse dynamics``; 0: none.
        seed: Seed of initialisation, order and augmentation.
        threads: CPU threads of torch; 0 leaves its default.
        workers: Processes that prepare batches; 0: the training process does.
        detector: Changes to the architecture of that size, keys as in ``detector`` of a model.yaml,
            e.g. ``{fusion: sum}``.
        augmentation: Paired augmentation.
    """

    size: str = "small"
    annotations: tuple[str, ...] = ("msrs/train.json",)
    steps: int = 2400
    batch_size: int = 16
    learning_rate: float = 1.5e-3
    backbone_factor: float = 0.2
    weight_decay: float = 0.02
    warmup: int = 150
    start: str = ""
    imitation: int = 0
    frozen_blocks: int = 3
    ema_decay: float = 0.998
    simulated: int = 240
    simulated_share: float = 0.2
    rgb_annotations: tuple[str, ...] = ()
    rgb_share: float = 0.0
    thermal_annotations: tuple[str, ...] = ()
    thermal_share: float = 0.0
    pair_annotations: tuple[str, ...] = ()
    pair_share: float = 0.0
    guidance: GuidanceConfig = field(default_factory=GuidanceConfig)
    equilibrium: EquilibriumConfig = field(default_factory=EquilibriumConfig)
    distillation: DistillationConfig = field(default_factory=DistillationConfig)
    precision: str = "float32"
    checkpoint_every: int = 100
    snapshot_every: int = 0
    seed: int = 0
    threads: int = 0
    workers: int = 1
    detector: dict[str, Any] = field(default_factory=dict)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)

    def detector_config(self) -> DetectorConfig:
        """The architecture this run trains.

        Raises:
            ModelError: Unknown size or override.
        """
        if self.size not in SIZES:
            raise ModelError(f"size is {self.size!r}, wanted one of {list(SIZES)}")
        return DetectorConfig.from_dict(SIZES[self.size].to_dict() | self.detector)


def load_train_config(path: Path) -> TrainConfig:
    """Read a run's YAML.

    Raises:
        ModelError: The file is missing, no YAML, or has unknown keys or values of a wrong type.
    """
    try:
        values = load_unique_yaml(path.read_text())
    except OSError as error:
        raise ModelError(f"{path}: cannot read the training config ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if values is None:
        raise ModelError(f"{path}: is empty, wanted a training config; see config/train_small.yaml")
    return train_config_from(values, str(path))


def train_config_from(values: object, where: str) -> TrainConfig:
    """Make a run's configuration from plain values.

    Args:
        values: Mapping of :class:`TrainConfig` fields, nested ones as mappings.
        where: File that the values came from, for messages.

    Raises:
        ModelError: Unknown keys or values of a wrong type.
    """
    mapping = _checked(where, "", values, TrainConfig)
    for name, kind in _SECTIONS.items():
        section = _checked(where, f"{name}.", mapping.get(name, {}), kind)
        mapping[name] = kind(**section)
    if mapping.get("precision", "float32") not in PRECISIONS:
        raise ModelError(
            f"{where}: precision is {mapping['precision']!r}, wanted one of {list(PRECISIONS)}"
        )
    config = TrainConfig(**mapping)
    _check_ranges(where, config)
    size = mapping["augmentation"].size
    if len(size) != 2 or any(side < 32 or side % 32 for side in size):
        raise ModelError(
            f"{where}: augmentation.size is {list(size)}, wanted width and height, multiples of 32"
        )
    try:
        labels = config.detector_config().labels
    except ModelError as error:
        raise ModelError(f"{where}: {str(error).removeprefix('model.yaml: ')}") from error
    if labels != LABELS[: len(labels)]:
        raise ModelError(
            f"{where}: detector.labels is {list(labels)}, wanted {list(LABELS)}: data sets are "
            "read as these; see docs/training.md"
        )
    return config


RANGES: dict[str, tuple[float, float]] = {
    "steps": (1, math.inf),
    "batch_size": (1, math.inf),
    "checkpoint_every": (1, math.inf),
    "learning_rate": (1e-9, 1.0),
    "backbone_factor": (0, 100.0),
    "weight_decay": (0, 1.0),
    "warmup": (0, math.inf),
    "frozen_blocks": (0, 16),
    "ema_decay": (0, 0.999999),
    "simulated": (0, math.inf),
    "snapshot_every": (0, math.inf),
    "imitation": (0, math.inf),
    "seed": (0, 2**63 - 1),
    "threads": (0, 4096),
    "workers": (0, 4096),
    "augmentation.shift": (0, 1000.0),
    "augmentation.thermal_tone": (0, 1.0),
}
"""Least and greatest value of numbers; shares and probabilities, and all others, are within 0 and 1
or, as weights of losses, from 0 up."""

WEIGHTS = ("guidance.", "equilibrium.", "distillation.")
"""Sections whose numbers weigh losses."""


def _check_ranges(where: str, config: TrainConfig) -> None:
    """Refuse numbers with which a run would fail later, or make weights that are none."""
    numbers = asdict(config)
    for section in _SECTIONS:
        numbers |= {f"{section}.{key}": value for key, value in numbers.pop(section).items()}
    for key, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        high = math.inf if key.startswith(WEIGHTS) else 1.0
        low, high = RANGES.get(key, (0.0, high))
        if not low <= value <= high or math.isinf(value):
            wanted = f"{low:g} to {high:g}" if high < math.inf else f"{low:g} or more"
            raise ModelError(f"{where}: {key} is {value:g}, wanted {wanted}")
    zoom = config.augmentation.scale
    if len(zoom) != 2 or not 0 < zoom[0] <= zoom[1] <= 100:
        raise ModelError(
            f"{where}: augmentation.scale is {list(zoom)}, wanted the least and the greatest zoom"
        )
    if wrong := sorted(set(config.augmentation.mislead_kinds) - set(MISLEADING)):
        raise ModelError(
            f"{where}: augmentation.mislead_kinds has {wrong}, wanted some of {list(MISLEADING)}"
        )
    mixed = ("rgb", "thermal", "pair")
    if config.simulated_share + sum(getattr(config, f"{name}_share") for name in mixed) > 1:
        raise ModelError(
            f"{where}: simulated_share, rgb_share, thermal_share and pair_share add up to more "
            "than 1"
        )
    for name in mixed:
        if getattr(config, f"{name}_share") and not getattr(config, f"{name}_annotations"):
            raise ModelError(f"{where}: {name}_share is set without {name}_annotations")
    if config.imitation and config.detector_config().architecture != "one_trunk":
        raise ModelError(f"{where}: imitation is for detectors with light stems, set it to 0")


PRECISIONS = {"float32": "32-true", "bf16": "bf16-mixed"}
"""Names in a configuration, and what they are called in Lightning Fabric."""

_SECTIONS: dict[str, type] = {
    "augmentation": AugmentationConfig,
    "guidance": GuidanceConfig,
    "equilibrium": EquilibriumConfig,
    "distillation": DistillationConfig,
}


def _checked(where: str, prefix: str, values: object, kind: type) -> dict[str, Any]:
    """A copy of the values with lists as tuples, once they are known to fit."""
    known = {f.name for f in fields(kind)}
    if not isinstance(values, dict):
        raise ModelError(
            f"{where}: {prefix or 'the file'} is no mapping; wanted keys of {sorted(known)}"
        )
    if unknown := sorted(set(values) - known):
        raise ModelError(
            f"{where}: unknown keys {[prefix + str(k) for k in unknown]}, wanted {sorted(known)}"
        )
    defaults = kind()
    for key, value in values.items():
        _check_value(f"{where}: {prefix}{key}", value, getattr(defaults, key))
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}


def _check_value(where: str, value: object, default: object) -> None:
    """Refuse a value of another type than the default's; YAML reads ``1e-3`` as text."""
    if is_dataclass(default):
        return
    if isinstance(default, tuple):
        if not isinstance(value, list) or not value:
            raise ModelError(
                f"{where} is {value!r}, wanted a list like {list(default) or ['folder/train.json']}"
            )
        for item in value:
            _check_value(where, item, default[0] if default else "")
        return
    fits = isinstance(value, type(default)) or (
        isinstance(default, float) and isinstance(value, int)
    )
    if not fits or isinstance(value, bool):
        hint = "; write 1.0e-3, not 1e-3" if isinstance(default, float) else ""
        raise ModelError(
            f"{where} is {value!r}, wanted {type(default).__name__} like {default!r}{hint}"
        )
