"""The benchmark's table and JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.bench.machine import Machine
from tests.bench.rounds import Line, Unit

HEADS = (
    "measure",
    "database",
    "size",
    "ours",
    "limit",
    "of limit",
    "peers (times faster)",
    "slope",
    "of limit's",
    "also",
)


def table(lines: Sequence[Line]) -> str:
    """The table, for a terminal."""
    rows = [HEADS, *(_cells(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def write(file: Path, machine: Machine, lines: Sequence[Line]) -> None:
    """The same as JSON: what the machine is, seconds for one unit of work, ratios, slopes."""
    text = json.dumps({"machine": machine, "lines": [asdict(line) for line in lines]}, indent=2, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")


def _cells(line: Line) -> tuple[str, ...]:
    peers = "; ".join(
        f"{name} {_told(time, line.unit)} ({line.of_peers[name]:.1f}x)" for name, time in line.peers.items()
    )
    also = ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}" for name, value in line.more.items()
    )
    return (
        line.measure,
        line.database,
        f"{line.size:,}",
        _told(line.ours, line.unit),
        _told(line.limit, line.unit),
        f"{line.of_limit:.3f}",
        peers or "–",
        *("–" if slope is None else f"{slope:+.3f}" for slope in (line.slope, line.slope_of_limit)),
        also,
    )


def _told(seconds: float, unit: Unit) -> str:
    match unit:
        case "/s":
            return f"{1 / seconds:,.0f}/s"
        case "µs":
            return f"{seconds * 1e6:,.1f} µs"
        case "s":
            return f"{seconds:.2f} s"
        case "MiB":
            return f"{seconds:.0f} MiB"
