"""Where a training runs: this CPU, one GPU, or every process that torchrun has started."""

from __future__ import annotations

import os

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy

from mdacl_ros.errors import ModelError
from mdacl_tools.learning.train_config import PRECISIONS, TrainConfig


def training_fabric(config: TrainConfig, device: str = "auto") -> Fabric:
    """Devices, precision and strategy of a run.

    Under ``torchrun --nproc_per_node N`` each process takes one GPU (or its share of the CPU).

    Args:
        config: Gives the precision.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        ModelError: An unknown device, or no GPU where one is wanted.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise ModelError(f"--device: got {device!r}, wanted auto, cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise ModelError("--device cuda: torch finds no GPU; install its CUDA build or use cpu")
    on_gpu = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    if on_gpu:
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    world = int(os.environ.get("WORLD_SIZE", "1"))
    fabric = Fabric(
        accelerator="cuda" if on_gpu else "cpu",
        devices=local,
        num_nodes=world // local,
        # with modality dropout a process may have no image for one of the streams
        strategy=DDPStrategy(find_unused_parameters=True) if world > 1 else "auto",
        precision=PRECISIONS[config.precision],  # type: ignore[arg-type]
    )
    fabric.launch()
    return fabric
