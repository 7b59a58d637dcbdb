"""`fhirwright reindex`: make the search index of stored resources again, here and now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.cli.terminal import note, print_json
from server.settings import read_settings


def reindex(
    types: Annotated[list[str] | None, typer.Argument(help="Resource types; all without one.")] = None,
    database: Annotated[str | None, typer.Option(help="Database URL; FHIRWRIGHT_DATABASE otherwise.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Make the search index of stored resources again. Searches and writes may go on; safe to run again."""
    from fhir_profiles.definitions import load
    from server.interactions.fhir import Fhir
    from server.phi.keys import keys_of
    from server.search.reindex import reindex as run
    from server.store import open_store

    settings = read_settings(database=database, data=data)
    if unknown := sorted(set(types or ()) - set(load().resource_types)):
        raise typer.BadParameter(f"R4 has no resource type {', '.join(unknown)}.")
    store = open_store(settings.database_url, keys=keys_of(settings))
    done, tenth = 0, -1
    try:
        indexing = Fhir(store, settings).indexing
        for done, of in run(store, indexing, types or (), settings.base_url or ""):
            if not json and (reached := done * 10 // max(of, 1)) > tenth:
                tenth = reached
                note(f"{done:,} of {of:,} resources")
    finally:
        store.close()
    if json:
        print_json({"indexed": done})
    else:
        note(f"{done:,} resources were indexed again.")
