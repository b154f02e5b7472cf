"""``fxkit list``: every plug-in, who brings it, and what it is or what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from fxkit.cli.arguments import Parser, console, show_json

__all__ = ["run"]


def run(arguments: Sequence[str]) -> int:
    """Run the command; a broken plug-in is shown, and is no failure of the list."""
    parser = Parser(
        "list", "Show every plug-in, its distribution and version, and one line about it."
    )
    parser.add_argument(
        "--names", action="store_true", help="names and distributions only; imports no plug-in"
    )
    parser.add_json()
    parsed = parser.read(arguments)
    from dataclasses import asdict

    from fxkit.api import REGISTRIES
    from fxkit.registry import Status

    found: dict[str, list[Status]] = {}
    if parsed.names:
        for kind, registry in REGISTRIES.items():
            entries = registry.entries()
            found[kind] = [
                Status(name, tuple(e for e in entries if e.name == name), "", "")
                for name in registry.names()
            ]
    else:
        import fxkit

        found = fxkit.plugins()
    if parsed.json:
        show_json({kind: [asdict(status) for status in found[kind]] for kind in found})
        return 0
    from rich.table import Table
    from rich.text import Text

    out = console()
    for kind, statuses in found.items():
        out.print(f"[bold]{_PLURAL[kind]}[/bold]")
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 2))
        table.add_column(style="cyan", no_wrap=True)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for status in statuses:
            owners = " and ".join(entry.owner for entry in status.entries)
            problem = Text(status.problem, style="red")
            table.add_row(status.name, owners, problem if status.problem else Text(status.summary))
        out.print(table if statuses else "  none")
    return 0


_PLURAL = {"model": "models", "loss": "losses", "task": "tasks", "format": "formats"}
