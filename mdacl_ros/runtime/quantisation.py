"""``quantisation.json`` of a model folder: ranges for INT8, so that no robot calibrates."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from mdacl_ros.errors import ModelError
from mdacl_ros.network.model_yaml import WEIGHTS
from mdacl_ros.runtime.cache import file_digest
from mdacl_ros.small_file import read_small_text
from mdacl_ros.whole_file import write_whole

QUANTISATION = "quantisation.json"
_REMEDY = "make it with `mdacl quantise`"


@dataclass(frozen=True, slots=True)
class Quantisation:
    """What INT8 needs to know of a model besides its weights.

    Attributes:
        weights_sha256: Of the weights that the ranges were measured with.
        data: Where the images came from.
        pairs: How many pairs were looked at.
        ranges: Largest magnitude of the inputs of each quantised convolution, by its name in the
            detector.
    """

    weights_sha256: str
    data: str
    pairs: int
    ranges: dict[str, float]


def read_quantisation(model: Path) -> Quantisation:
    """Read a model folder's ranges.

    Raises:
        ModelError: The file is missing, damaged, or was made with other weights.
    """
    path = model / QUANTISATION
    if not path.is_file():
        raise ModelError(f"int8: {path} does not exist; {_REMEDY}")
    try:
        values = json.loads(read_small_text(path))
        found = Quantisation(
            weights_sha256=str(values["weights_sha256"]),
            data=str(values["data"]),
            pairs=int(values["pairs"]),
            ranges={str(name): float(amax) for name, amax in values["ranges"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"int8: {path} cannot be read ({error!r}); {_REMEDY}") from error
    if not all(0.0 <= amax < float("inf") for amax in found.ranges.values()):
        raise ModelError(f"int8: {path} holds a range that is no magnitude; {_REMEDY}")
    if found.weights_sha256 != file_digest(model / WEIGHTS):
        raise ModelError(f"int8: {path} was made with other weights than {WEIGHTS}; {_REMEDY}")
    return found


def write_quantisation(model: Path, values: Quantisation) -> None:
    """Write a model folder's ranges, whole or not at all."""
    text = json.dumps(asdict(values), indent=0) + "\n"
    write_whole(model / QUANTISATION, text.encode())
