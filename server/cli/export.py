"""`fhirwright export`: the database as NDJSON files, one for each resource type."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.terminal import note, print_json
from server.settings import read_settings

if TYPE_CHECKING:
    from server.jobs.exporting.pages import Pages


def export(
    folder: Annotated[Path, typer.Argument(help="Directory for the files; files of the same names are replaced.")],
    types: Annotated[list[str] | None, typer.Option("--type", help="Only this resource type; may be repeated.")] = None,
    since: Annotated[str | None, typer.Option(help="Only what was changed after this instant.")] = None,
    database: Annotated[str | None, typer.Option(help="Database URL; FHIRWRIGHT_DATABASE otherwise.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Write every resource, as it is stored, to TYPE.ndjson. A server may run beside it.

    What is changed meanwhile may be there as it was before or after; `$export` of the server gives one moment.
    """
    from fhir_profiles.dates import interval
    from fhir_profiles.definitions import load
    from server.access.caller import SYSTEM
    from server.interactions.exchange import Request
    from server.interactions.fhir import Fhir
    from server.jobs.exporting.pages import Pages
    from server.phi.keys import keys_of
    from server.store import open_store

    settings = read_settings(database=database, data=data)
    known = [name for name in load().resource_types if name != "AuditEvent"]  # `fhirwright audit export` has those
    if unknown := [name for name in types or () if name not in known]:
        raise typer.BadParameter(f"R4 has no resource type {', '.join(unknown)}.")
    if since is not None:
        try:
            interval(since)
        except (ValueError, OverflowError):
            raise typer.BadParameter("--since is written as 2026-10-01 or 2026-10-01T08:30:00Z.") from None
    folder.mkdir(parents=True, exist_ok=True)
    store = open_store(settings.database_url, keys=keys_of(settings))
    pages = Pages(Fhir(store, settings), Request(method="GET", base_url=settings.base_url or "", caller=SYSTEM))
    pairs = (("_lastUpdated", f"gt{since}"),) if since else ()
    counts = {}
    for name in types or known:
        if count := _write(pages, name, pairs, folder / f"{name}.ndjson"):
            counts[name] = count
    store.close()
    if json:
        print_json(counts)
    else:
        note(f"{sum(counts.values())} resources of {len(counts)} types in {folder}.")


def _write(pages: Pages, name: str, pairs: tuple[tuple[str, str], ...], path: Path) -> int:
    """Write one type; no file when there is nothing of it."""
    count, cursor, begun = 0, None, False
    while not begun or cursor:
        page = pages.search(name, pairs, cursor)
        if page.resources:
            with path.open("ab" if count else "wb") as file:
                file.writelines(line + b"\n" for line in page.resources)
        count, cursor, begun = count + len(page.resources), page.cursor, True
    return count
