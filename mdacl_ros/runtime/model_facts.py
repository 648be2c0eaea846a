"""What an engine has to know of a model besides its weights; read without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mdacl_ros.errors import ModelError
from mdacl_ros.network.model_yaml import MODEL_YAML, read_model_yaml


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The part of ``model.yaml`` that the robot needs.

    Attributes:
        labels: Class names in label order.
        estimate: (slope, offset) that turns fusion energies into sensitivities, see
            :func:`mdacl_ros.dominance_reading.read_dominance`.
    """

    labels: tuple[str, ...]
    estimate: tuple[float, float]


def read_model_facts(model: Path) -> ModelFacts:
    """Read a model folder's facts.

    Raises:
        ModelError: ``model.yaml`` is missing, lacks labels, or its estimate is no pair of numbers.
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
    return ModelFacts(labels=tuple(str(x) for x in labels), estimate=(slope, offset))
