from __future__ import annotations

from collections.abc import Iterator

import pytest

from .budget import bounded_memory


@pytest.fixture(autouse=True)
def no_unbounded_memory() -> Iterator[None]:
    with bounded_memory():
        yield
