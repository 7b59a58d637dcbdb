"""`fhirwright doctor`: check that everything the server needs is in place."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from server.cli.exits import Exit
from server.cli.terminal import print_json, print_table
from server.settings import read_settings


def doctor(
    database: Annotated[str | None, typer.Option(help="Database URL; FHIRWRIGHT_DATABASE otherwise.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    backups: Annotated[str | None, typer.Option(help="Directory or URI of backups to look at.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Tell what is wrong, why it matters and what to do; exit code 1 when something is."""
    from server.cli.checks import run_checks

    checks = list(run_checks(read_settings(database=database, data=data), backups))
    well = all(check.ok for check in checks)
    if json:
        print_json({"ok": well, "checks": [asdict(check) for check in checks]})
    else:
        rows = [("ok" if c.ok else "NO", c.name, " ".join(filter(None, (c.text, c.why, c.do)))) for c in checks]
        print_table(("", "check", "finding"), rows)
    if not well:
        raise typer.Exit(Exit.FAILED)
