"""`fhirwright migrate`: bring the database to the schema of this version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.cli.terminal import note, print_json
from server.settings import read_settings


def migrate(
    database: Annotated[str | None, typer.Option(help="Database URL; FHIRWRIGHT_DATABASE otherwise.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    app_role: Annotated[
        str | None, typer.Option(help="A PostgreSQL role to run the server as, which can only add to the audit trail.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Bring the database to the schema of this version. Safe to run again; data stays."""
    from server.jobs.schema import prepare
    from server.store.migrate import HEAD
    from server.store.migrate import migrate as run

    settings = read_settings(database=database, data=data)
    settings.data.mkdir(parents=True, exist_ok=True)
    changed = run(settings.direct_url, settings.database_url)
    prepare(settings.direct_url, upgrade=True)
    if app_role is not None:
        from server.store.roles import grant

        try:
            grant(settings.direct_url, app_role)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    if json:
        print_json({"revision": HEAD, "changed": changed})
    else:
        note(f"The database {'is now' if changed else 'was already'} at revision {HEAD}.")
