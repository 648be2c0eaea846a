"""What a detector is made of: sizes and variants are data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from mdacl_ros.errors import ModelError
from mdacl_ros.types import LABELS

FusionKind = Literal["concat", "sum", "cross_attention"]
Architecture = Literal["two_streams", "one_trunk"]
MODALITIES = ("rgb", "thermal")


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """Architecture of one detector; stored in ``model.yaml`` beside the weights.

    Attributes:
        name: Size or variant name.
        labels: Class names in label order.
        modalities: Which cameras have a stream: ``rgb``, ``thermal`` or both, in this order. A
            detector of one has neither gate nor guidance and answers as if the other were absent.
        architecture: ``two_streams``: a whole EfficientNet-Lite0 for each camera, fused at strides
            8, 16 and 32. ``one_trunk``: a light stem for each camera, fused once at stride 8, and
            one trunk behind it.
        blocks: Which of EfficientNet-Lite0's 16 blocks each stream, or the trunk, keeps.
        stem_channels: Channels of a light stem at strides 2, 4 and 8 (``one_trunk``).
        neck_channels: Width of the fused pyramid.
        head_depth: Depthwise-separable layers in each head branch.
        gate_channels: Width of the space in which the calibration gate compares modalities.
        guidance_channels: Width of the shared space of the low-level guidance.
        fusion: How the modalities are combined.
        use_gate: Pre-fusion calibration gate on or off (off only for ablations).
        use_guidance: Low-level cross-modal guidance on or off (off only for ablations).
        top_k: Fixed number of predictions.
    """

    name: str
    labels: tuple[str, ...] = LABELS
    modalities: tuple[str, ...] = MODALITIES
    architecture: Architecture = "two_streams"
    blocks: tuple[int, ...] = tuple(range(16))
    stem_channels: tuple[int, ...] = (16, 32, 64)
    neck_channels: int = 96
    head_depth: int = 2
    gate_channels: int = 64
    guidance_channels: int = 24
    fusion: FusionKind = "concat"
    use_gate: bool = True
    use_guidance: bool = True
    top_k: int = 100

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain YAML-ready values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DetectorConfig:
        """Read a configuration back from plain values.

        Raises:
            ModelError: A key this version does not know, a value of the wrong type, or ``name`` is
                missing.
        """
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ModelError(
                f"model.yaml: detector has unknown keys {unknown}, wanted some of {sorted(known)}; "
                "was the model written by a newer mdacl_ros?"
            )
        if "name" not in values:
            raise ModelError("model.yaml: detector.name is missing; write e.g. `name: small`")
        arguments: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        _check_values(arguments)
        return cls(**arguments)


def _check_values(arguments: dict[str, Any]) -> None:
    """Refuse values of another type than the defaults', before they fail deep in a layer."""
    defaults = DetectorConfig("")
    for key, value in arguments.items():
        wanted = type(getattr(defaults, key))
        items = value if wanted is tuple and isinstance(value, tuple) else ()
        kind = str if key in ("labels", "modalities") else int
        if type(value) is not wanted or any(type(item) is not kind for item in items):
            name = f"list of {kind.__name__}" if wanted is tuple else wanted.__name__
            raise ModelError(f"model.yaml: detector.{key} is {value!r}, wanted {name}")
        if wanted is int and value < 1:
            raise ModelError(f"model.yaml: detector.{key} is {value}, wanted 1 or more")
    modalities = arguments.get("modalities", MODALITIES)
    if modalities not in (MODALITIES, MODALITIES[:1], MODALITIES[1:]):
        raise ModelError(
            f"model.yaml: detector.modalities is {list(modalities)}, wanted [rgb, thermal], [rgb] "
            "or [thermal]"
        )
    if len(arguments.get("stem_channels", defaults.stem_channels)) != 3:
        raise ModelError(
            f"model.yaml: detector.stem_channels is {list(arguments['stem_channels'])}, wanted "
            "three: at strides 2, 4 and 8"
        )
    for key, choice in (("fusion", FusionKind), ("architecture", Architecture)):
        value = arguments.get(key, getattr(defaults, key))
        if value not in get_args(choice):
            raise ModelError(
                f"model.yaml: detector.{key} is {value!r}, wanted one of {get_args(choice)}"
            )


SIZES: dict[str, DetectorConfig] = {
    "small": DetectorConfig("small"),
    "nano": DetectorConfig(
        "nano",
        blocks=(0, 1, 2, 3, 4, 5, 6, 8, 9, 11, 12),
        neck_channels=64,
        head_depth=1,
        gate_channels=32,
        guidance_channels=16,
    ),
    "small_v2": DetectorConfig(
        "small_v2", architecture="one_trunk", blocks=(5, 6, 7, 8, 9, 10, 11, 12, 13, 14)
    ),
    "nano_v2": DetectorConfig(
        "nano_v2",
        architecture="one_trunk",
        blocks=(5, 6, 8, 9, 11, 12),
        stem_channels=(12, 24, 48),
        neck_channels=64,
        head_depth=1,
        gate_channels=32,
        guidance_channels=16,
    ),
}
"""The sizes that can be trained; ``small`` and ``nano`` are shipped, ``..._v2`` are to follow."""
