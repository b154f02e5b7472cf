"""``fxkit bench``: the time of a block against the time that it lasts."""

from __future__ import annotations

from collections.abc import Sequence

from fxkit.cli.arguments import Parser, console, number, settings, show_json
from fxkit.errors import FxkitError

__all__ = ["run"]


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser("bench", "Measure how long a model takes for a block of samples.")
    parser.add_argument(
        "model", metavar="MODEL", help="a model file, a run folder, or the name of a model"
    )
    parser.add_argument(
        "settings", nargs="*", metavar="key=value", help="for a name: model.hidden=16, ..."
    )
    parser.add_argument(
        "--blocks", default="64,128,512", help="samples in a block (default: %(default)s)"
    )
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="how long to measure each (default: 2)"
    )
    parser.add_argument("--threads", type=int, default=1, help="processor threads (default: 1)")
    parser.add_argument(
        "--sample-rate", type=int, default=44_100, help="for a name: Hz (default: 44100)"
    )
    parser.add_json()
    parsed = parser.read(arguments)
    blocks = _blocks(parsed.blocks)
    import fxkit

    times = fxkit.bench(
        parsed.model,
        blocks=blocks,
        seconds=parsed.seconds,
        threads=parsed.threads,
        sample_rate=parsed.sample_rate,
        **settings(parsed.settings),
    )
    if parsed.json:
        show_json([time.to_plain() for time in times])
        return 0
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("block", "lasts, us", "median, us", "99 %, us", "real-time factor"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("computed by", style="dim")
    for time in times:
        table.add_row(
            str(time.block),
            f"{time.bound_us:.0f}",
            f"{time.median_us:.1f}",
            f"{time.p99_us:.1f}",
            number(time.factor, 3),
            time.backend,
        )
    out = console()
    out.print(table)
    out.print("a real-time factor below 1 keeps up; 0.1 leaves nine tenths of the core free")
    return 0


def _blocks(text: str) -> list[int]:
    try:
        blocks = [int(part) for part in text.split(",")]
    except ValueError:
        blocks = []
    if not blocks or min(blocks) < 1:
        raise FxkitError(f"--blocks {text}: write sizes from 1 up, as in 64,128,512")
    return blocks
