"""Pairs of images of a recording or a folder: still, evenly spread, never more than asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from mdacl_ros.errors import CalibrationError
from mdacl_ros.types import MODALITIES, Frame, Modality
from mdacl_tools.calibrate.board.grey_images import grey_of, is_colourful
from mdacl_tools.calibrate.board.pair_types import ImagePair, PairSource
from mdacl_tools.calibrate.board.recorded_pairs import recorded_pairs
from mdacl_tools.recordings.datasets.folders import images_by_stem, pair_files, subfolder
from mdacl_tools.recordings.datasets.images import read_rgb, read_thermal

RGB_FOLDERS, THERMAL_FOLDERS = ("rgb", "visible"), ("thermal", "infrared")
_EXCHANGED = "the folders rgb/ and thermal/ look exchanged: rename them"


def read_pairs(source: PairSource) -> Iterator[ImagePair]:
    """Read the pairs that are worth looking at.

    Args:
        source: Where they are.

    Yields:
        Pairs in order; one camera's images all have one size.

    Raises:
        RecordingError: Nothing is there, or it cannot be read.
        CalibrationError: There are no pairs, sizes differ, or the cameras are exchanged.
    """
    sizes: dict[Modality, tuple[int, int]] = {}
    count = 0
    for pair in _folder(source) if is_pair_folder(source.path) else recorded_pairs(source):
        count += 1
        for camera, image in pair.images.items():
            size = (image.shape[1], image.shape[0])
            if sizes.setdefault(camera, size) != size:
                first = "x".join(map(str, sizes[camera]))
                raise CalibrationError(
                    f"{source.path}: {camera} at {pair.name}: got {size[0]}x{size[1]} after"
                    f" {first}, wanted one resolution per camera; calibrate each by itself"
                )
        yield pair
    if not count:
        raise CalibrationError(
            f"{source.path}: got no rgb and thermal images within {source.max_skew} s of each"
            " other, wanted pairs; set --thermal-clock-offset, or --max-skew to the slower"
            " camera's period"
        )


def is_pair_folder(path: Path) -> bool:
    """Whether this is a folder of images by camera, not a recording."""
    folders = [subfolder(path, names) for names in (RGB_FOLDERS, THERMAL_FOLDERS)]
    return any(folder is not None and images_by_stem(folder) for folder in folders)


def input_files(path: Path) -> list[Path]:
    """The files that a calibration is made from, sorted."""
    if path.is_file():
        return [path]
    if not is_pair_folder(path):
        return sorted(file for file in path.rglob("*") if file.is_file())
    found = (subfolder(path, names) for names in (RGB_FOLDERS, THERMAL_FOLDERS))
    return [file for folder in found if folder for file in images_by_stem(folder).values()]


def _folder(source: PairSource) -> Iterator[ImagePair]:
    """Pairs of equal name; every n-th of too many."""
    rgb, thermal = (subfolder(source.path, n) for n in (RGB_FOLDERS, THERMAL_FOLDERS))
    pairs = pair_files(rgb or source.path / "rgb", thermal or source.path / "thermal")
    both = {name: files for name, files in pairs.items() if all(f.is_file() for f in files)}
    if not both:
        raise CalibrationError(
            f"{source.path}: got no two images of one name in rgb/ and thermal/, wanted pairs such"
            " as rgb/01.png and thermal/01.png; rename them"
        )
    chosen = np.linspace(0, len(both) - 1, min(source.most, len(both))).round().astype(int)
    for name in (list(both)[i] for i in chosen):
        first, second = both[name]
        _refuse_grey(first)
        _refuse_colour(second)
        counts, encoding = read_thermal(second)
        frames: dict[Modality, Frame] = {
            "rgb": Frame(read_rgb(first), 0),
            "thermal": Frame(counts, 0, encoding=encoding),
        }
        yield ImagePair(name, {c: grey_of(frames[c], c) for c in MODALITIES})


def _refuse_grey(path: Path) -> None:
    """Refuse what no colour camera writes; exchanged folders need not show by their colours."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is not None and (image.ndim == 2 or image.dtype != np.uint8):
        channels = 1 if image.ndim == 2 else image.shape[2]
        raise CalibrationError(
            f"{path}: got {channels} channel{'s' * (channels > 1)} of {image.dtype}, wanted a"
            f" colour image of 8 bits; {_EXCHANGED}, or save it in colour"
        )


def _refuse_colour(path: Path) -> None:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is not None and image.ndim == 3 and is_colourful(np.asarray(image[..., :3], np.uint8)):
        raise CalibrationError(f"{path}: got a colour image, wanted a thermal one; {_EXCHANGED}")
