"""Listing the images of a data set's folders, and pairing them by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mdacl_ros.errors import RecordingError

IMAGE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"))


def images_by_stem(folder: Path) -> dict[str, Path]:
    """The images of a folder by name without suffix, sorted; hidden files are left out."""
    if not folder.is_dir():
        return {}
    return {p.stem: p for p in sorted(folder.iterdir()) if _is_image(p)}


def has_images(folder: Path) -> bool:
    """Whether there is an image in the folder."""
    return folder.is_dir() and any(_is_image(path) for path in folder.iterdir())


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def subfolder(root: Path, names: Sequence[str]) -> Path | None:
    """The first of the named folders that is there."""
    return next((root / name for name in names if (root / name).is_dir()), None)


def pair_files(
    rgb: Path, thermal: Path, stems: Sequence[str] | None = None
) -> dict[str, tuple[Path, Path]]:
    """Pair the images of two folders by name.

    Args:
        rgb: Folder of colour images.
        thermal: Folder of thermal images.
        stems: Only these names; all that either folder holds unless given.

    Returns:
        By name, sorted: both paths. A partner that is missing has the path where it should be.
    """
    folders = (rgb, thermal)
    files = [images_by_stem(folder) for folder in folders]
    suffixes = [_suffix(found) for found in files]
    wanted = sorted(files[0].keys() | files[1].keys()) if stems is None else list(stems)
    pairs = {}
    for stem in wanted:
        first, second = (
            found.get(stem, folder / (stem + suffix))
            for found, folder, suffix in zip(files, folders, suffixes, strict=True)
        )
        pairs[stem] = (first, second)
    return pairs


def _suffix(files: dict[str, Path]) -> str:
    return next(iter(files.values())).suffix if files else ".jpg"


def read_list(path: Path) -> list[str]:
    """Read a list of image names, a line each; suffixes of images are taken off.

    Raises:
        RecordingError: The file cannot be read.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path}: cannot read the list of images ({error})") from error
    stems = [line.split()[0] for line in lines if line]
    return [s[: s.rindex(".")] if Path(s).suffix.lower() in IMAGE_SUFFIXES else s for s in stems]
