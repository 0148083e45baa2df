"""Figures of a benchmark, printed as one table at its end. Nothing here judges them: machines differ."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Figures:
    """What was measured so far.

    Attributes:
        rows: name, value with its unit, and remark.
    """

    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, name: str, value: str, remark: str = "") -> None:
        """Note one figure."""
        self.rows.append((name, value, remark))

    def seconds(self, name: str, samples: Sequence[float], remark: str = "") -> float:
        """Note the median of some durations in seconds, with their range, and return it."""
        median = statistics.median(samples)
        spread = f"n={len(samples)}, {min(samples):.3f} to {max(samples):.3f}" if len(samples) > 1 else ""
        self.add(name, f"{median:.3f} s", "; ".join(text for text in (spread, remark) if text))
        return median

    def table(self) -> str:
        """Return all of it as text."""
        load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
        head = [("machine", f"{os.cpu_count()} CPUs", f"load average now {load}")]
        rows = [*head, *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        return "\n".join(
            f"{name:<{widths[0]}}  {value:>{widths[1]}}  {remark}".rstrip() for name, value, remark in rows
        )


def timed(action: Callable[[], object]) -> float:
    """Return how many seconds an action takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began
