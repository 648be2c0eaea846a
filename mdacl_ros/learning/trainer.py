"""The training loop: resumable to the step, deterministic under a seed."""

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
from torch import Tensor, nn
from tqdm import tqdm

from mdacl_ros.errors import ModelError
from mdacl_ros.learning.average import AveragedWeights
from mdacl_ros.learning.batches import Batch, TrainingPairs, training_loader
from mdacl_ros.learning.losses import detection_loss
from mdacl_ros.learning.train_config import TrainConfig
from mdacl_ros.network.backbone import Backbone
from mdacl_ros.network.detector import LEVELS, Detector
from mdacl_ros.network.diversity import channel_entropy
from mdacl_ros.network.dominance import dominance_shares, mdi

ONE_TO_MANY = 10
CHECKPOINT = "checkpoint.pt"


class Trainer:
    """Trains one detector and keeps its averaged weights.

    Args:
        config: The run.
        pairs: Augmented training stream.
        folder: Where checkpoints and ``log.jsonl`` go; a checkpoint there is resumed.
    """

    def __init__(self, config: TrainConfig, pairs: TrainingPairs, folder: Path) -> None:
        torch.manual_seed(config.seed)
        self.config, self.pairs, self.folder = config, pairs, folder
        self.detector = Detector(config.detector_config())
        cast(Any, self.detector).to(memory_format=torch.channels_last)  # torch's types lack it
        for stream in _streams(self.detector):
            stream.load_imagenet()
        self.frozen = _freeze(self.detector, config.frozen_blocks)
        self.optimizer = torch.optim.AdamW(_parameter_groups(self.detector, config))
        self.average = AveragedWeights(self.detector, config.ema_decay)
        self.step = 0
        folder.mkdir(parents=True, exist_ok=True)

    def run(self) -> Detector:
        """Train to the last step and return the detector with averaged weights."""
        self.resume()
        self._trim_log()
        loader = training_loader(self.pairs, self.config.batch_size, self.step, self.config.steps)
        bar = tqdm(loader, initial=self.step, total=self.config.steps, desc="train", unit="step")
        with (self.folder / "log.jsonl").open("a") as log:
            for batch in bar:
                record = self.train_step(batch)
                bar.set_postfix(loss=f"{record['loss']:.2f}", mdi=f"{record['mdi']:+.2f}")
                log.write(json.dumps(record) + "\n")
                if self.step % self.config.checkpoint_every == 0:
                    log.flush()
                    self.save()
        self.save()
        return self.average.detector

    def train_step(self, batch: Batch) -> dict[str, float]:
        """One optimiser step; returns what is logged."""
        started = time.monotonic()
        self.detector.train()
        for module in self.frozen:
            module.eval()
        self._schedule()
        inputs = self.detector.encode(batch.rgb, batch.thermal, batch.present)
        for x in inputs.features:
            x.retain_grad()
        levels, _ = self.detector.fuse(inputs.features, inputs.masks)
        size = (batch.rgb.shape[3], batch.rgb.shape[2])
        assert self.detector.auxiliary_head is not None
        many = detection_loss(self.detector.auxiliary_head(levels), batch.truth, size, ONE_TO_MANY)
        # the one-to-one head learns on features that the denser head shapes (arXiv 2405.14458)
        one = detection_loss(self.detector.head([x.detach() for x in levels]), batch.truth, size, 1)
        loss = many.total + one.total
        if not torch.isfinite(loss):
            raise ModelError(
                f"training: loss is {loss.item()} at step {self.step}; lower learning_rate "
                f"(now {self.config.learning_rate}) or check the data; the last checkpoint is kept"
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.detector.parameters(), 10.0)
        self.optimizer.step()
        self.step += 1
        self.average.update(self.detector, self.step)
        return {
            "step": self.step,
            "loss": loss.item(),
            "many_classify": many.classify.item(),
            "many_regress": many.regress.item(),
            "one_classify": one.classify.item(),
            "one_regress": one.regress.item(),
            **batch_dominance(inputs.features, batch.present),
            "seconds": time.monotonic() - started,
        }

    def _schedule(self) -> None:
        warm = min(1.0, (self.step + 1) / max(1, self.config.warmup))
        done = max(
            0.0, (self.step - self.config.warmup) / max(1, self.config.steps - self.config.warmup)
        )
        factor = warm * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor

    def save(self) -> None:
        """Write the checkpoint atomically."""
        state = {
            "step": self.step,
            "config": self._recipe(),
            "detector": self.detector.state_dict(),
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
            state: dict[str, Any] = torch.load(path, weights_only=True)
            self.detector.load_state_dict(state["detector"])
            self.average.detector.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError, KeyError, EOFError, UnpicklingError) as error:
            raise ModelError(
                f"{path}: checkpoint does not fit this configuration "
                f"({' '.join(str(error).split())[:200]}); use another run folder"
            ) from error
        if state.get("config", self._recipe()) != self._recipe():
            raise ModelError(
                f"{path}: was trained with another configuration ({state['config']}); use another "
                "run folder, so that a model's record tells how it was made"
            )
        self.step = int(state["step"])

    def _recipe(self) -> str:
        """Everything that decides the weights, but for how long the run is meant to last."""
        values = asdict(self.config)
        for name in ("steps", "checkpoint_every", "threads"):
            del values[name]
        return json.dumps(values, sort_keys=True)

    def _trim_log(self) -> None:
        """Drop steps after the checkpoint: they are taken again."""
        path = self.folder / "log.jsonl"
        if path.exists():
            lines = path.read_text().splitlines(keepends=True)
            kept = [x for x in lines if x.endswith("\n") and json.loads(x)["step"] <= self.step]
            path.write_text("".join(kept))


def batch_dominance(features: list[Tensor], present: Tensor) -> dict[str, float]:
    """Training-time dominance of a batch, from the gradients that the loss left on the features.

    After arXiv 2601.00598; own formulation. Only pairs with both cameras present count.

    Args:
        features: Calibrated features, level-major (rgb, thermal), with ``.grad``.
        present: ``(B, 2, h, w)`` availability.
    """
    both = present.flatten(2).amax(2).amin(1) > 0  # (B,)
    if not both.any():
        return {"mdi": 0.0, "entropy_rgb": 0.0, "entropy_thermal": 0.0, "share_rgb": 0.5}
    with torch.no_grad():
        responses = [(x * x.grad).abs().flatten(1).sum(1) for x in features if x.grad is not None]
        g = torch.stack(responses, 1).unflatten(1, (LEVELS, 2)).sum(1)[both]  # (b, M)
        h = torch.stack([channel_entropy(x) for x in features], 1)
        h = h.unflatten(1, (LEVELS, 2)).mean(1)[both]
        shares = dominance_shares(h, g)
    return {
        "mdi": mdi(shares).mean().item(),
        "entropy_rgb": h[:, 0].mean().item(),
        "entropy_thermal": h[:, 1].mean().item(),
        "share_rgb": (g[:, 0] / g.sum(1).clamp(min=1e-12)).mean().item(),
    }


def _streams(detector: Detector) -> list[Backbone]:
    return [s for s in detector.streams if isinstance(s, Backbone)]


def _freeze(detector: Detector, blocks: int) -> list[nn.Module]:
    """Keep the stems and the first blocks of both streams at their ImageNet weights."""
    if blocks <= 0:
        return []
    frozen = [m for s in _streams(detector) for m in (s.stem, *s.blocks[:blocks])]
    for module in frozen:
        module.requires_grad_(False)
    return frozen


def _parameter_groups(detector: Detector, config: TrainConfig) -> list[dict[str, Any]]:
    """Split into streams and new layers, with and without weight decay."""
    groups: dict[tuple[bool, bool], list[Tensor]] = {}
    for name, parameter in _trainable(detector):
        key = (name.startswith("streams."), parameter.dim() > 1)
        groups.setdefault(key, []).append(parameter)
    return [
        {
            "params": parameters,
            "peak": config.learning_rate * (config.backbone_factor if pretrained else 1.0),
            "lr": 0.0,
            "weight_decay": config.weight_decay if decays else 0.0,
        }
        for (pretrained, decays), parameters in sorted(groups.items())
    ]


def _trainable(detector: Detector) -> Iterator[tuple[str, nn.Parameter]]:
    return ((n, p) for n, p in detector.named_parameters() if p.requires_grad)
