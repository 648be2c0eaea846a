from __future__ import annotations

from pathlib import Path

import pytest

from mdacl_ros.runtime.cpu_flags import cpu_flags, has_bf16, has_fast_int8

X86 = "processor\t: 0\nmodel name\t: some CPU\nflags\t\t: fpu avx2 {}\nbugs\t: none\n"
ARM = "processor\t: 0\nBogoMIPS\t: 62.50\nFeatures\t: fp asimd asimddp {}\nCPU part\t: 0xd42\n"


@pytest.mark.parametrize(
    ("text", "flags", "int8", "bf16"),
    [
        (X86, "", False, False),
        (X86, "avx512_vnni", True, False),
        (X86, "avx_vnni", True, False),
        (X86, "avx512_vnni avx512_bf16", True, True),
        (X86, "amx_int8 amx_bf16", True, True),
        (ARM, "i8mm bf16", False, False),  # not measured there yet: float32
    ],
)
def test_what_is_fast(text: str, flags: str, int8: bool, bf16: bool, tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(text.format(flags))
    found = cpu_flags(file)
    assert found is not None
    assert set(flags.split()) <= found
    assert (has_fast_int8(found), has_bf16(found)) == (int8, bf16)


def test_a_system_that_lists_nothing(tmp_path: Path) -> None:
    assert cpu_flags(tmp_path / "none") is None
    (tmp_path / "cpuinfo").write_text("processor : 0\n")
    assert cpu_flags(tmp_path / "cpuinfo") is None
    assert not has_fast_int8(None)
    assert not has_bf16(None)
