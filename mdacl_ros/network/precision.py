"""The detector in half precision or INT8, said explicitly in the graph.

TensorRT 11 knows strongly typed networks only, and explicit quantisation is the one kind that every
library reads alike. So casts and quantisers are operations of the network, and every engine is
built from the same description. What is measured on maps or has pixels as its unit stays float32:
gate, entropies, energies, softplus, box arithmetic (half precision has steps of 0.5 px above
512 px, and sums over a map overflow it). Ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from mdacl_ros.errors import ModelError
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.layers import SameConv2d

PARTS = ("streams", "guidance", "fusions", "trunk", "neck", "head")
"""The parts of a detector that have convolutions."""

STEPS = 127
"""Largest magnitude of a symmetric INT8 value."""

Quantiser = Callable[[Tensor, Tensor], Tensor]
"""``(x, amax) -> x`` on the symmetric INT8 grid, in the type of x. ``amax`` is a scalar for the
inputs of a convolution, ``(O, 1, 1, 1)`` for its weights. TensorRT's build gives
``torch.ops.tensorrt.quantize_op``."""


def fake_quantiser(weight_steps: int = STEPS) -> Quantiser:
    """The reference quantiser, in operations that PyTorch computes and OpenVINO recognises.

    Args:
        weight_steps: Largest magnitude of a quantised weight. 63 for CPUs: without VNNI they add
            two products of 8 bits in 16, which overflows with 127.
    """

    def quantise(x: Tensor, amax: Tensor) -> Tensor:
        if amax.dim() == 0:
            zero = torch.zeros((), dtype=torch.int32)
            y = torch.fake_quantize_per_tensor_affine(
                x.float(), amax / STEPS, zero, -STEPS - 1, STEPS
            )
        else:
            scale = (amax / weight_steps).flatten()
            zeros = torch.zeros(len(scale), dtype=torch.int32)
            y = torch.fake_quantize_per_channel_affine(
                x.float(), scale, zeros, 0, -weight_steps, weight_steps
            )
        return y.to(x.dtype)

    return quantise


class TypedConv2d(nn.Module):
    """A convolution that says in which type it computes and where it is quantised.

    Casts and quantises before the padding: TensorRT folds a padding into the convolution only if
    nothing stands between them, and zero is on the INT8 grid.

    Args:
        conv: With norms folded.
        dtype: Type in which it computes.
        widen: Give float32 out, whatever ``dtype`` is.
        amax: Largest magnitude of the inputs; ``None``: not quantised.
        quantiser: Used on inputs and, per output channel, on weights; :func:`fake_quantiser`
            unless given.
    """

    weight: Tensor
    bias: Tensor | None
    amax: Tensor
    weight_amax: Tensor

    def __init__(
        self,
        conv: nn.Conv2d,
        dtype: torch.dtype,
        widen: bool,
        amax: float | None = None,
        quantiser: Quantiser | None = None,
    ) -> None:
        super().__init__()
        self.dtype, self.widen = dtype, widen
        self.quantiser = quantiser or fake_quantiser()
        self.uneven = conv.uneven if isinstance(conv, SameConv2d) else None
        assert not isinstance(conv.padding, str)
        self.stride, self.padding, self.dilation = conv.stride, conv.padding, conv.dilation
        self.groups = conv.groups
        weight = conv.weight.detach()
        bias = None if conv.bias is None else conv.bias.detach().to(dtype)
        self.register_buffer("weight", weight.to(dtype))
        self.register_buffer("bias", bias)
        self.quantised = amax is not None
        if amax is not None:
            largest = weight.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-8)
            self.register_buffer("amax", torch.tensor(max(amax, 1e-8)))
            self.register_buffer("weight_amax", largest)  # (O, 1, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """As the convolution it stands for."""
        x, weight = x.to(self.dtype), self.weight
        if self.quantised:
            x = self.quantiser(x, self.amax)
            weight = self.quantiser(weight, self.weight_amax)
        if self.uneven is not None:
            x = F.pad(x, self.uneven)
        y = F.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
        return y.float() if self.widen else y


class Float32Levels(nn.Module):
    """A stream whose levels are float32: gate and entropies are measured on them.

    Args:
        stream: Gives a list of levels.
    """

    def __init__(self, stream: nn.Module) -> None:
        super().__init__()
        self.stream = stream

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map an image to its levels."""
        return [level.float() for level in self.stream(x)]


def half(
    detector: Detector, parts: Sequence[str] = PARTS, dtype: torch.dtype = torch.float16
) -> Detector:
    """Compute the convolutions of ``parts`` in 16 bit, in place.

    Args:
        detector: In eval mode, norms folded (:func:`mdacl_ros.network.probe.fold_norms`).
        parts: Of :data:`PARTS`. For the gradient probe ``("streams",)``: gradients underflow.
        dtype: ``torch.float16`` or ``torch.bfloat16``.
    """
    measured = measured_convolutions(detector)
    for owner, leaf, _, conv in list(_convolutions(detector, parts)):
        setattr(owner, leaf, TypedConv2d(conv, dtype, conv in measured))
    if "streams" in parts:
        detector.streams = nn.ModuleList(Float32Levels(s) for s in detector.streams)
    return detector


def quantised(
    detector: Detector,
    ranges: Mapping[str, float],
    quantiser: Quantiser | None = None,
    parts: Sequence[str] = PARTS,
    dtype: torch.dtype = torch.float32,
) -> Detector:
    """Quantise inputs and weights of the convolutions of ``parts`` to INT8, in place.

    Symmetric; one range for the inputs of a convolution, one for each of its output channels'
    weights. All but :func:`measured_convolutions` are quantised.

    Args:
        detector: In eval mode, norms folded (:func:`mdacl_ros.network.probe.fold_norms`).
        ranges: Largest magnitude of each convolution's inputs, by the names of
            :func:`quantisable`.
        quantiser: The engine's own operation; :func:`fake_quantiser` unless given.
        parts: Of :data:`PARTS`. For the gradient probe ``("streams",)``.
        dtype: Type of what is not INT8; float16 as by :func:`half`.

    Raises:
        ModelError: A convolution has no range.
    """
    if missing := sorted(set(quantisable(detector, parts)) - set(ranges)):
        raise ModelError(
            f"quantisation: no range for {missing[0]} and {len(missing) - 1} more convolutions; "
            "make it again with `mdacl quantise`"
        )
    measured = measured_convolutions(detector)
    for owner, leaf, name, conv in list(_convolutions(detector, parts)):
        if conv not in measured:
            widen = dtype == torch.float32
            setattr(owner, leaf, TypedConv2d(conv, dtype, widen, ranges[name], quantiser))
    return detector if dtype == torch.float32 else half(detector, parts, dtype)


def quantisable(detector: Detector, parts: Sequence[str] = PARTS) -> dict[str, nn.Conv2d]:
    """The convolutions that :func:`quantised` replaces, by name."""
    measured = measured_convolutions(detector)
    return {name: c for _, _, name, c in _convolutions(detector, parts) if c not in measured}


def measured_convolutions(detector: Detector) -> set[nn.Module]:
    """Convolutions whose outputs are measured or become pixels; under 5 % of the work.

    The head's last ones, what each camera adds to the fusion, mask and re-projection of the
    guidance.
    """
    found: set[nn.Module] = {b[-1] for b in (*detector.head.classify, *detector.head.regress)}
    for fusion in detector.fusions:
        found.update(fusion.get_submodule("project").children())
    if detector.guidance is not None:
        found.update({detector.guidance.mask, *detector.guidance.reproject})
    return found


def _convolutions(
    detector: Detector, parts: Sequence[str]
) -> Iterator[tuple[nn.Module, str, str, nn.Conv2d]]:
    """Each convolution's owner, its name there, its name in the detector, and itself."""
    for part in parts:
        root = getattr(detector, part)
        if root is None:
            continue
        for path, owner in root.named_modules(prefix=part):
            for leaf, child in owner.named_children():
                if isinstance(child, nn.Conv2d):
                    yield owner, leaf, f"{path}.{leaf}", child
