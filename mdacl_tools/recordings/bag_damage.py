"""What reading a damaged bag raises, in one kind of error that says where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mdacl_ros.errors import ImageError, MdaclError, RecordingError


@contextmanager
def damage_named(where: str) -> Iterator[None]:
    """Turn whatever reading a bag raises into a :class:`RecordingError` that says where.

    The bag library meets damaged bytes with errors of every kind (struct, index, Unicode, SQL,
    memory), none of which tells a user that the file is broken. An image that its camera cannot
    have is read as it was recorded: its error keeps its own words.
    """
    try:
        yield
    except RecordingError:
        raise
    except ImageError as error:
        raise RecordingError(f"{where}: {error}") from error
    except Exception as error:
        reason = str(error) if isinstance(error, MdaclError) else f"{type(error).__name__}: {error}"
        line = " ".join(reason.split())[:300]
        raise RecordingError(
            f"{where}: {line}; the bag is damaged: record or copy it anew"
        ) from error
