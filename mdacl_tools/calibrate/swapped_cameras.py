"""What to say where the two cameras of a recording look exchanged, for every calibration alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mdacl_ros.errors import CalibrationError, ImageError, ImageKindError, MdaclError
from mdacl_tools.recordings.losses import EXCHANGED as EXCHANGED
from mdacl_tools.recordings.losses import losses_of
from mdacl_tools.recordings.recording import Recording


@contextmanager
def exchange_told(recording: Recording) -> Iterator[None]:
    """Say so where all images of a camera are of a kind that only the other one can have.

    Args:
        recording: What is read inside.

    Raises:
        CalibrationError: An image cannot be used, or a camera has none that can be read.
    """
    try:
        yield
    except ImageError as error:
        hint = f"; {EXCHANGED}" if isinstance(error, ImageKindError) else ""
        raise CalibrationError(f"recording {recording.name}: {error}{hint}") from error
    except MdaclError as error:
        _refuse_lost(recording, error)
        raise
    else:
        _refuse_lost(recording, None)


def _refuse_lost(recording: Recording, error: MdaclError | None) -> None:
    """Refuse a recording of which a whole camera could not be read, with the cause."""
    losses = losses_of(recording)
    for cause in losses.causes:
        if cause.camera in losses.lost:
            hint = f"; {EXCHANGED}" if cause.exchanged else ""
            raise CalibrationError(
                f"recording {recording.name}: no {cause.camera} image can be read: "
                f"{cause.first}{hint}"
            ) from error
