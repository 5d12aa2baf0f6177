"""The compiled part of Sluicegate."""



class CpuInfo:
    """What the processor can do."""

    @property
    def architecture(self) -> str:
        """x86_64, aarch64 or unknown"""

    @property
    def brand(self) -> str:
        """what the processor calls itself, or an empty string"""

    @property
    def features(self) -> list[str]:
        """instruction sets that both processor and operating system allow"""

    @property
    def best_isa(self) -> str:
        """scalar, avx2, avx512 or neon"""

def cpu_info() -> CpuInfo:
    """Describe the processor; it is probed once."""
