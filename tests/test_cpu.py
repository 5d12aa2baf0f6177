"""The compiled module describes the processor that it runs on."""

import platform

from sluicegate import _core


def test_describes_this_processor():
    info = _core.cpu_info()
    assert info.architecture == {"x86_64": "x86_64", "aarch64": "aarch64"}.get(platform.machine(), "unknown")
    assert info.best_isa in {"scalar", "avx2", "avx512", "avx512_bf16", "neon"}
    if info.best_isa != "scalar":
        assert info.best_isa in info.features
