"""Whatever is set from outside: the parameters stay valid, or nothing of the change is taken."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mdacl_ros.errors import ParameterError

from .budget import fuzz, refused
from .mutations import ODD_VALUES

NAMES = st.integers(0, 100)


@fuzz()
@given(st.dictionaries(NAMES, ODD_VALUES, min_size=1, max_size=4))
def test_parameter_changes(changes: dict[int, Any]) -> None:
    from mdacl_ros.config.parameters import SPECS, NodeParameters, updated

    names = sorted(SPECS)
    named = {names[i % len(names)]: value for i, value in changes.items()}
    if refused(lambda: updated(NodeParameters(), named), ParameterError):
        return
    result = updated(NodeParameters(), named)
    for name, value in named.items():
        assert getattr(result, name) == value
        assert type(getattr(result, name)) is type(SPECS[name].default)
    result.sync_config()
