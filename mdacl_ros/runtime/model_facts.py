"""What an engine has to know of a model besides its weights; read without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdacl_ros.errors import ModelError
from mdacl_ros.network.model_yaml import MODEL_YAML, read_model_yaml


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The part of ``model.yaml`` that the robot needs.

    Attributes:
        labels: Class names in label order.
        estimate: (slope, offset) that turns fusion energies into sensitivities, see
            :func:`mdacl_ros.pipeline.dominance_reading.read_dominance`.
        folder: The model folder.
        precisions: Those with which the model was measured and found as good as in float32; only
            these does ``precision: auto`` take.
    """

    labels: tuple[str, ...]
    estimate: tuple[float, float]
    folder: Path
    precisions: tuple[str, ...] = ("float32",)


def read_model_facts(model: Path) -> ModelFacts:
    """Read a model folder's facts.

    Raises:
        ModelError: ``model.yaml`` is missing or lacks labels, its estimate is no pair of numbers,
            or its precisions are no list.
    """
    values = read_model_yaml(model)
    labels = values["detector"].get("labels")
    if not isinstance(labels, list) or not labels:
        raise ModelError(
            f"{model / MODEL_YAML}: detector.labels is {labels!r}, wanted a list of class names"
        )
    estimate = values.get("dominance_estimate") or {}
    try:
        slope, offset = float(estimate.get("slope", 1.0)), float(estimate.get("offset", 0.0))
    except (AttributeError, TypeError, ValueError) as error:
        raise ModelError(
            f"{model / MODEL_YAML}: dominance_estimate is {estimate!r}, wanted the numbers slope "
            "and offset; remove it to use 1 and 0"
        ) from error
    return ModelFacts(
        labels=tuple(str(x) for x in labels),
        estimate=(slope, offset),
        folder=model,
        precisions=_precisions(values, model),
    )


def _precisions(values: dict[str, Any], model: Path) -> tuple[str, ...]:
    """The key ``precisions``; absent: float32 alone."""
    given = values.get("precisions", ["float32"])
    if not isinstance(given, list) or not all(isinstance(x, str) for x in given):
        raise ModelError(
            f"{model / MODEL_YAML}: precisions is {given!r}, wanted a list of names, "
            "e.g. [float32]; remove it for float32 alone"
        )
    return tuple(given)
