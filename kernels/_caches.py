"""The sizes of a core's caches, which decide how large a block is worked on at a time."""

from pathlib import Path

UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}
# For systems that don't report sizes: small enough for any core of the last ten years.
USUAL = {"L1d": 32 * 2**10, "L2": 256 * 2**10, "L3": 8 * 2**20}


def cache_bytes() -> dict[str, int]:
    """Cache level ("L1d", "L2", ...) -> bytes, as Linux reports them for the first core; empty on other systems."""
    caches = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
            size_bytes = int(size[:-1]) * UNITS[size[-1]] if size[-1] in UNITS else int(size)
        except (OSError, ValueError, IndexError):
            continue
        if kind != "Instruction":
            caches[f"L{level}" + ("d" if kind == "Data" else "")] = size_bytes
    return caches


SIZES = USUAL | cache_bytes()
L1_BYTES, L2_BYTES, LAST_BYTES = SIZES["L1d"], SIZES["L2"], max(SIZES.values())
