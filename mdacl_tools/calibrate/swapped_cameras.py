"""What to say where the two cameras of a recording look exchanged, for every calibration alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mdacl_ros.errors import CalibrationError, ImageError, ImageKindError, RecordingError

EXCHANGED = "the RGB and the thermal topic look exchanged: swap --rgb-topic and --thermal-topic"


@contextmanager
def exchange_told(where: str) -> Iterator[None]:
    """Turn an image that cannot be used into one line, with the hint where it is of another camera.

    Args:
        where: The recording, for errors that do not say yet where they were met.

    Raises:
        CalibrationError: An image cannot be used.
        RecordingError: The recording is damaged.
    """
    try:
        yield
    except (ImageError, RecordingError) as error:
        image = error if isinstance(error, ImageError) else error.__cause__
        if not isinstance(image, ImageError):
            raise
        line = f"{where}: {error}" if error is image else str(error)
        hint = f"; {EXCHANGED}" if isinstance(image, ImageKindError) else ""
        raise CalibrationError(f"{line}{hint}") from error
