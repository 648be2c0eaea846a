from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mdacl_ros.config.launch_arguments import boolean, existing_file, number, whole_number
from mdacl_ros.errors import ParameterError


@pytest.mark.parametrize(
    ("text", "value"),
    [(t, True) for t in ("true", "True", "1", "yes", "on", "TRUE")]
    + [(t, False) for t in ("false", "False", "0", "no", "off", " false ")],
)
def test_booleans_are_those_of_launch(text: str, value: bool) -> None:
    assert boolean("rviz", text) is value


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (boolean, "maybe", "argument x:=maybe: wanted true or false"),
        (boolean, "", "argument x:=: wanted true or false"),
        (boolean, "2", "wanted true or false"),
        (number, "abc", "argument x:=abc: wanted a number"),
        (number, "nan", "argument x:=nan: wanted a number"),
        (whole_number, "1.5", "argument x:=1.5: wanted a whole number"),
        (existing_file, "/nowhere/a.yaml", "argument x:=/nowhere/a.yaml: no such file"),
        (existing_file, "/", "argument x:=/: is a folder"),
    ],
)
def test_what_cannot_be_meant_names_the_argument(
    read: Callable[[str, str], object], text: str, said: str
) -> None:
    with pytest.raises(ParameterError, match=r"^argument x:=") as caught:
        read("x", text)
    assert said in str(caught.value)


def test_sound_values_are_read(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.touch()
    assert existing_file("params_file", str(file)) == str(file)
    assert (number("rate", "0.5"), whole_number("loops", "3")) == (0.5, 3)
