"""Sizes in bytes, as they are shown to people. Used by presentation, and where an error names a size."""

from __future__ import annotations


def format_size(size: float) -> str:
    """At most three digits and a unit: ``12 KiB``, ``71.4 MiB``, ``1.5 GiB``."""
    for unit in ("B", "KiB", "MiB"):
        if size < 999.5:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} GiB" if size < 999.5 else f"{size / 1024:.3g} TiB"
