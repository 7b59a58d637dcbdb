"""What commands print: results on stdout, everything said to people on stderr."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console


def console() -> Console:
    """A Rich console on stderr; imported on first use because `--help` must not pay for it."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def note(text: str) -> None:
    """One line for a person, on stderr."""
    typer.echo(text, err=True)


def building() -> Callable[[str, int, int], None]:
    """What is told of long building: each thing once, by name, when it begins. Nothing where all is built."""
    told: set[str] = set()

    def begun(what: str, done: int, total: int) -> None:  # noqa: ARG001
        if what not in told:
            told.add(what)
            note(f"building {what} …")

    return begun


def warn(text: str) -> None:
    """One warning for a person, on stderr, in yellow when it is a terminal."""
    typer.secho(f"warning: {text}", fg="yellow", err=True)


def print_json(value: Any) -> None:
    """A result for machines: one JSON value and a newline on stdout."""
    import orjson

    typer.echo(orjson.dumps(value, default=str).decode())


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> None:
    """A result for people: a table on stdout."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    Console(highlight=False).print(table)
