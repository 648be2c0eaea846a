"""The training loop: one CPU, one GPU or many; resumable to the step, deterministic by seed."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from mdacl_ros.errors import ModelError
from mdacl_ros.network.backbone import Backbone
from mdacl_ros.network.detector import Detector
from mdacl_tools.learning.average import AveragedWeights
from mdacl_tools.learning.batches import Batch, TrainingPairs, collate, training_loader
from mdacl_tools.learning.equilibrium import rate_weights
from mdacl_tools.learning.imitation import Imitation
from mdacl_tools.learning.interrupt import TrainingInterrupted, stop_between_steps
from mdacl_tools.learning.start import load_start
from mdacl_tools.learning.step import TrainingStep
from mdacl_tools.learning.train_config import TrainConfig
from mdacl_tools.learning.training_log import TrainingLog

CHECKPOINT = "checkpoint.pt"
SNAPSHOTS = "snapshots"

_SETTLED_ON = 16  # items of the training stream from which the imitation takes its scale

_NO_CAMERA = -1  # of weights that belong to no stream

_ALLOCATOR = "DefaultCPUAllocator"  # named by torch's error for want of memory on the CPU


class Trainer:
    """Trains one detector and keeps its averaged weights.

    Args:
        config: The run.
        pairs: Augmented training stream.
        folder: Where checkpoints, ``log.jsonl`` and curves go; a checkpoint there is resumed.
        fabric: Devices, precision and strategy; ``None``: this process, float32 on the CPU.
    """

    def __init__(
        self, config: TrainConfig, pairs: TrainingPairs, folder: Path, fabric: Fabric | None = None
    ) -> None:
        self.fabric = fabric if fabric is not None else Fabric(accelerator="cpu", devices=1)
        torch.manual_seed(config.seed)
        self.config, self.pairs, self.folder = config, pairs, folder
        self._data = pairs.fingerprint()
        self.detector = Detector(config.detector_config())
        cast(Any, self.detector).to(memory_format=torch.channels_last)  # torch's types lack it
        for part in (*_streams(self.detector), self.detector.trunk):
            if part is not None:
                part.load_imagenet()
        self.imitation = Imitation() if config.imitation else None
        if self.imitation is not None:
            self.imitation.settle(self.detector, collate([pairs[i] for i in range(_SETTLED_ON)]))
        if config.start:
            new = load_start(self.detector, Path(config.start))
            taken = len(self.detector.state_dict()) - len(new)
            self.fabric.print(f"start: {taken} of {taken + len(new)} weights are {config.start}'s")
        self.frozen = _freeze(self.detector, config.frozen_blocks)
        self.step_module = TrainingStep(
            self.detector, config.guidance, config.equilibrium, config.distillation
        )
        optimizer = torch.optim.AdamW(_parameter_groups(self.step_module, config))
        self.module, self.optimizer = self.fabric.setup(self.step_module, optimizer)
        self.average = AveragedWeights(self.detector, config.ema_decay)
        self.step = 0
        make_run_folder(folder)

    def run(self) -> Detector:
        """Train to the last step and return the detector with averaged weights.

        Raises:
            ModelError: The loss diverged, memory ran out, or the run folder belongs to another run.
            TrainingInterrupted: SIGINT or SIGTERM came; the steps so far are kept.
        """
        self.resume()
        if self.step:
            done = self.step == self.config.steps
            how = "has all its steps" if done else "continues"
            self.fabric.print(f"{self.folder}: {how}, after step {self.step}")
        if self.fabric.is_global_zero:
            described = {"detector": self.detector.config.to_dict(), "training": self._recipe()}
            (self.folder / "config.json").write_text(json.dumps(described, indent=2) + "\n")
        with (
            stop_between_steps() as stop,
            TrainingLog(self.folder, self.step, self.fabric.is_global_zero) as log,
            tqdm(
                self._batches(),
                initial=self.step,
                total=self.config.steps,
                desc=f"train {self.folder.name}",
                unit="step",
                disable=not self.fabric.is_global_zero,
            ) as bar,
        ):
            for batch in bar:
                record = self._step_within_memory(batch)
                bar.set_postfix_str(_shown(record))
                log.write(record)
                self._keep(log)
                if stop.asked:
                    log.flush()
                    self.save()
                    raise TrainingInterrupted(self.step)
        self.save()
        return self.average.detector

    def _batches(self) -> Iterator[Batch]:
        loader = training_loader(
            self.pairs,
            self.config.batch_size,
            self.step,
            self.config.steps,
            self.config.workers,
            (self.fabric.global_rank, self.fabric.world_size),
        )
        return (self.fabric.to_device(batch) for batch in loader)

    def _keep(self, log: TrainingLog) -> None:
        if self.config.snapshot_every and self.step % self.config.snapshot_every == 0:
            self._snapshot()
        if self.step % self.config.checkpoint_every == 0:
            log.flush()
            self.save()

    def _step_within_memory(self, batch: Batch) -> dict[str, float]:
        try:
            return self.train_step(batch)
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError) or _ALLOCATOR in str(error):
                raise ModelError(
                    f"training: out of memory on {self.fabric.device} at step {self.step}, "
                    f"batch_size {self.config.batch_size}, augmentation.size "
                    f"{self.config.augmentation.size}; lower either, or raise frozen_blocks; the "
                    "last checkpoint is kept"
                ) from error
            raise

    def train_step(self, batch: Batch) -> dict[str, float]:
        """One optimiser step; returns what is logged."""
        started = time.monotonic()
        self.module.train()
        for frozen in self.frozen:
            frozen.eval()
        rate = self._schedule()
        imitation = self.imitation if self.step < self.config.imitation else None
        losses = self.module(batch, min(1.0, self.step / max(1, self.config.steps)), imitation)
        loss = losses["loss"]
        if not torch.isfinite(loss):
            raise ModelError(
                f"training: loss is {loss.item()} at step {self.step}; lower learning_rate "
                f"(now {self.config.learning_rate}) or check the data; the last checkpoint is kept"
            )
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        dominance = self.step_module.dominance()
        self.fabric.clip_gradients(self.module, self.optimizer, max_norm=10.0)
        self.optimizer.step()
        self._agree()
        self.step += 1
        self.average.update(self.detector, self.step)
        return {
            "step": self.step,
            **{name: value.item() for name, value in losses.items()},
            **dominance,
            "learning_rate": rate,
            "seconds": time.monotonic() - started,
        }

    def _agree(self) -> None:
        """Let every process go on with the same running dominance."""
        if self.fabric.world_size > 1:
            for value in self.step_module.running.buffers():
                value.copy_(cast(Tensor, self.fabric.all_reduce(value, reduce_op="mean")))

    def _schedule(self) -> float:
        """Warm up and decay; the steps of the imitation come first, at the peak."""
        before, warmup = self.config.imitation, self.config.warmup
        step = self.step - before if self.step >= before else self.step
        warm = min(1.0, (step + 1) / max(1, warmup))
        total = max(1, self.config.steps - before - warmup)
        done = max(0.0, (step - warmup) / total) if self.step >= before else 0.0
        factor = warm * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2)
        weights = rate_weights(self.step_module.running.shares, self.config.equilibrium.damping)
        for group in self.optimizer.param_groups:
            camera = group["camera"]
            balance = 1.0 if camera == _NO_CAMERA else float(weights[camera])
            group["lr"] = group["peak"] * factor * balance
        return self.config.learning_rate * factor

    def _snapshot(self) -> None:
        """Keep the weights as they are now, for the analysis of the training's course."""
        if self.fabric.is_global_zero:
            folder = self.folder / SNAPSHOTS
            folder.mkdir(exist_ok=True)
            state = {k: v.contiguous() for k, v in self.detector.state_dict().items()}
            save_file(state, folder / f"step_{self.step:06d}.safetensors")

    def save(self) -> None:
        """Write the checkpoint atomically."""
        if not self.fabric.is_global_zero:
            return
        state = {
            "step": self.step,
            "config": self._recipe(),
            "data": self._data,
            "module": self.step_module.state_dict(),
            "average": self.average.detector.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        part = self.folder / (CHECKPOINT + ".part")
        torch.save(state, part)
        part.replace(self.folder / CHECKPOINT)

    def resume(self) -> None:
        """Continue from the folder's checkpoint, if there is one.

        Raises:
            ModelError: The checkpoint belongs to another configuration or is damaged.
        """
        path = self.folder / CHECKPOINT
        if not path.exists():
            return
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            self.step_module.load_state_dict(state["module"])
            self.average.detector.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (EOFError, UnpicklingError) as error:
            raise ModelError(
                f"{path}: is damaged; remove it to start again, or use another run folder"
            ) from error
        except (RuntimeError, ValueError, KeyError) as error:
            raise ModelError(
                f"{path}: checkpoint does not fit this configuration "
                f"({' '.join(str(error).split())[:200]}); use another run folder"
            ) from error
        if state.get("config", self._recipe()) != self._recipe():
            raise ModelError(
                f"{path}: was trained with another configuration "
                f"({_differences(state['config'], self._recipe())}); use another run folder, so "
                "that a model's record tells how it was made"
            )
        if state.get("data", self._data) != self._data:
            raise ModelError(
                f"{path}: the data have changed since (other images, or other boxes); use another "
                "run folder"
            )
        self.step = int(state["step"])
        if self.step > self.config.steps:
            raise ModelError(
                f"{path}: has taken {self.step} steps already, steps is {self.config.steps}; raise "
                "it, or use another run folder"
            )

    def _recipe(self) -> str:
        """Everything that decides the weights, but for how long the run is meant to last."""
        values = asdict(self.config)
        for name in ("steps", "checkpoint_every", "snapshot_every", "threads", "workers"):
            del values[name]
        return json.dumps(values, sort_keys=True)


def make_run_folder(folder: Path, what: str = "run folder", option: str = "--run") -> None:
    """Make a folder that a run writes to.

    Args:
        folder: Where.
        what: What it is called in the message.
        option: Of the command line, which names it.

    Raises:
        ModelError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(
            f"{what} {folder}: cannot be made ({error.strerror}); name another one with {option}"
        ) from error


def _differences(before: str, now: str) -> str:
    """The keys in which two recipes differ, with both values."""
    old, new = _flat(json.loads(before)), _flat(json.loads(now))
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    return ", ".join(f"{key} {old.get(key)}, now {new.get(key)}" for key in keys)


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return flat


def _shown(record: dict[str, float]) -> str:
    return ", ".join(f"{name} {record[name]:+.2f}" for name in ("loss", "mdi") if name in record)


def _streams(detector: Detector) -> list[Backbone]:
    return [s for s in detector.streams if isinstance(s, Backbone)]


def _freeze(detector: Detector, blocks: int) -> list[nn.Module]:
    """Keep the stems and the first blocks of the streams at the weights they begin with."""
    if blocks <= 0:
        return []
    frozen = [m for s in _streams(detector) for m in (s.stem, *s.blocks[:blocks])]
    for module in frozen:
        module.requires_grad_(False)
    return frozen


def _parameter_groups(module: TrainingStep, config: TrainConfig) -> list[dict[str, Any]]:
    """Split into pre-trained and new layers, with and without decay, and by camera where damped."""
    light = module.detector.trunk is not None
    pretrained = "detector.trunk.blocks." if light else "detector.streams."
    groups: dict[tuple[bool, bool, int], list[Tensor]] = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            camera = _camera(name) if config.equilibrium.damping > 0 else _NO_CAMERA
            key = (
                name.startswith(pretrained),
                parameter.dim() > 1,
                camera,
            )
            groups.setdefault(key, []).append(parameter)
    return [
        {
            "params": parameters,
            "peak": config.learning_rate * (config.backbone_factor if slow else 1.0),
            "lr": 0.0,
            "weight_decay": config.weight_decay if decays else 0.0,
            "camera": camera,
        }
        for (slow, decays, camera), parameters in sorted(groups.items())
    ]


def _camera(name: str) -> int:
    """Which stream a parameter of the training step belongs to."""
    parts = name.split(".")
    return int(parts[2]) if parts[:2] == ["detector", "streams"] else _NO_CAMERA
