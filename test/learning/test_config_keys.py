"""The table of keys says what the YAML takes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mdacl_tools.cli.main import main
from mdacl_tools.learning.config_keys import config_keys, keys_table
from mdacl_tools.learning.train_config import TrainConfig, train_config_from

ROOT = Path(__file__).parents[2]


def test_every_key_with_its_default_makes_the_default_config() -> None:
    values: dict = {}
    for key in config_keys():
        if key.default == ():
            continue  # an empty list is left out, not written
        *section, name = key.name.split(".")
        default = list(key.default) if isinstance(key.default, tuple) else key.default
        (values.setdefault(section[0], {}) if section else values)[name] = default
    assert train_config_from(yaml.safe_load(yaml.safe_dump(values)), "defaults") == TrainConfig()


def test_every_key_is_explained() -> None:
    assert all(key.meaning.endswith(".") and ":" not in key.name for key in config_keys())


def test_the_guide_shows_the_table_and_the_command_prints_it(capsys: pytest.CaptureFixture) -> None:
    assert keys_table() in (ROOT / "docs/training.md").read_text()
    with pytest.raises(SystemExit) as ended:
        main(["train", "--keys"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == keys_table()
