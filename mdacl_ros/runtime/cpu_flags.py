"""What this CPU computes fast in hardware, as the kernel lists it."""

from __future__ import annotations

from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_FAST_INT8 = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})
_BF16 = frozenset({"avx512_bf16", "amx_bf16", "avx_ne_convert"})


def cpu_flags(file: Path = _CPUINFO) -> frozenset[str] | None:
    """The CPU's flags (x86) or features (ARM); ``None`` where the kernel does not list them."""
    if not file.is_file():
        return None
    for line in file.read_text(errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return None


def has_fast_int8(flags: frozenset[str] | None) -> bool:
    """Whether 8-bit products are summed in one instruction (VNNI, AMX): else INT8 gains nothing.

    ARM's flags for it (``asimddp``, ``i8mm``) are not counted: nobody has measured there yet.
    """
    return bool(_FAST_INT8 & (flags or frozenset()))


def has_bf16(flags: frozenset[str] | None) -> bool:
    """Whether the CPU has bf16 as OpenVINO uses it (AVX512-BF16, AMX, AVX-NE-CONVERT)."""
    return bool(_BF16 & (flags or frozenset()))
