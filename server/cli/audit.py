"""`fhirwright audit`: prove that the audit trail is whole, and hand it out with its proofs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from server.cli.exits import Exit
from server.cli.places import FILE
from server.cli.terminal import note, print_json
from server.settings import read_settings

audit = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Prove that the audit trail is whole; export it.",
)
_Database = Annotated[str | None, typer.Option(help="Database URL; FHIRWRIGHT_DATABASE otherwise.")]
_Data = Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")]


@audit.command()
def verify(
    database: _Database = None,
    data: _Data = None,
    checkpoints: Annotated[Path | None, typer.Option(**FILE, help="A copy of the checkpoints, from elsewhere.")] = None,
    signer: Annotated[str | None, typer.Option(help="The public key that they must bear, in base64.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Say whether anything was deleted, edited, inserted, reordered or cut off, and where."""
    import msgspec

    from server.audit.checkpoints import FILE as KEPT
    from server.audit.place import directory
    from server.audit.verify import verify as check
    from server.phi.keys import keys_of
    from server.store import open_store

    settings = read_settings(database=database, data=data)
    store = open_store(settings.database_url, create=False, keys=keys_of(settings))
    try:
        path = checkpoints or directory(store, settings) / KEPT
        report = check(store, path.read_text(errors="replace") if path.exists() else "", signer)
    finally:
        store.close()
    if json:
        print_json({"whole": report.whole, **msgspec.to_builtins(report)})
    else:
        note(f"{report.events} events, {report.checkpoints} checkpoints, signed up to event {report.signed}.")
        for found in report.findings:
            note(f"{found.kind}: {found.text}")
        note("The audit trail is whole." if report.whole else f"{len(report.findings)} things are wrong.")
    if not report.whole:
        raise typer.Exit(Exit.FAILED)


@audit.command()
def export(
    output: Annotated[Path, typer.Argument(help="The NDJSON file to write.")],
    database: _Database = None,
    data: _Data = None,
    since: Annotated[int, typer.Option(help="The number of the event before the first.")] = 0,
    proofs: Annotated[
        bool, typer.Option("--proofs/--plain", help="With number, hash and hashed bytes, or AuditEvents alone.")
    ] = True,
) -> None:
    """Write AuditEvents with their proofs, a line for each event; or each alone, as bulk imports take them."""
    from server.audit.export import write_events
    from server.phi.keys import keys_of
    from server.store import open_store

    settings = read_settings(database=database, data=data)
    store = open_store(settings.database_url, create=False, keys=keys_of(settings))
    try:
        count = write_events(store, output, since=since, proofs=proofs)
    finally:
        store.close()
    note(f"{count} {'events' if proofs else 'AuditEvents'} are in {output.name}.")


@audit.command()
def prune(
    before: Annotated[datetime, typer.Option(help="Events from here on stay (UTC).", formats=["%Y-%m-%d"])],
    output: Annotated[Path, typer.Argument(help="The NDJSON file that takes what is removed, with its proofs.")],
    database: _Database = None,
    data: _Data = None,
) -> None:
    """Move old events into a file. What stays can still be verified; only the owner of the database can do it."""
    from server.audit.export import write_events
    from server.audit.place import directory
    from server.audit.prune import last_before
    from server.audit.prune import prune as take_away
    from server.phi.keys import keys_of
    from server.store import open_store

    settings = read_settings(database=database, data=data)
    store = open_store(settings.database_url, create=False, keys=keys_of(settings))
    try:
        found = last_before(store, int(before.replace(tzinfo=UTC).timestamp()) * 1_000_000)
        if found is None:
            note("There is nothing to take away: no checkpoint stands before that day.")
            return
        write_events(store, output, until=found[0], proofs=True)
        count = take_away(store, settings, directory(store, settings), *found)
    finally:
        store.close()
    note(f"{count} events were moved to {output.name}; the trail begins with event {found[0] + 1}.")
