"""`fhirwright restore`: bring a backup back elsewhere, to its point or to a later moment, and prove it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.each import each
from server.cli.exits import Exit
from server.cli.places import FILE, there
from server.cli.terminal import note, print_json
from server.settings import read_settings

if TYPE_CHECKING:
    from server.continuity.restore import Restored

_Tenants = Annotated[
    bool, typer.Option("--tenants", help="The server and each tenant; PostgreSQL in own/ and HOST/ of --cluster.")
]
_Staging = Annotated[
    Path | None, typer.Option(help="For URIs: directory of this disk for archived changes. [a temporary one]")
]


def restore(
    target: Annotated[str, typer.Argument(help="Directory of the backups, or s3://…, gs://…, az://….")],
    data: Annotated[Path, typer.Option(help="Empty data directory to restore into.")],
    name: Annotated[str | None, typer.Option("--backup", help="Which one; the newest that fits otherwise.")] = None,
    to_time: Annotated[
        datetime | None,
        typer.Option(help="The moment to go to (UTC).", formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f"]),
    ] = None,
    latest: Annotated[bool, typer.Option("--latest", help="Go to the end of the archived changes.")] = False,
    database: Annotated[
        str | None, typer.Option(help="Database URL to restore as; for PostgreSQL as it was. FHIRWRIGHT_DATABASE else.")
    ] = None,
    cluster: Annotated[Path | None, typer.Option(help="PostgreSQL: new data directory for the whole cluster.")] = None,
    bin_: Annotated[
        Path | None, typer.Option("--bin", help="Directory of PostgreSQL's programs; the PATH otherwise.")
    ] = None,
    user: Annotated[str, typer.Option("--as", help="Who runs PostgreSQL, where this is run as root.")] = "postgres",
    signing_key: Annotated[
        Path | None, typer.Option(**FILE, help="checkpoint.key of the audit, kept apart; a new one is made otherwise.")
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant: from tenants/HOST, into tenants/HOST.")] = None,
    tenants: _Tenants = False,
    staging: _Staging = None,
    force: Annotated[bool, typer.Option("--force", help="Restore over what is there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Restore, hold what came back against the backup, and say in the audit trail that it was restored."""
    import tempfile

    import msgspec

    from server.continuity.houses import House, houses
    from server.continuity.postgres_tools import Tools
    from server.continuity.restore import choose
    from server.continuity.restore import restore as run

    if (to_time is not None and latest) or (tenant is not None and tenants):
        raise typer.BadParameter("--to-time and --latest exclude each other, and so do --tenant and --tenants.")
    settings = read_settings(database=database, data=data)
    moment = None if to_time is None else int(to_time.replace(tzinfo=UTC).timestamp() * 1e6)

    def one(house: House) -> Restored:
        place = house.target(staging or Path(scratch))
        into = cluster / (house.name.replace(":", "_") or "own") if cluster and tenants else cluster
        return run(
            house.settings, place, choose(place, name, moment), Tools(bin_, user), cluster=into, to_time=moment,
            latest=latest, force=force, signing_key=signing_key,
        )  # fmt: skip

    with tempfile.TemporaryDirectory(prefix="fhirwright-restore-") as scratch:
        done = each(houses(settings, there(target), tenant, every=tenants), one)
    if json:
        told = [{"whole": not one.wrong, **msgspec.to_builtins(one)} for one in done]
        print_json(told if tenants else told[0])
    else:
        for came in done:
            _tell(came)
    if any(came.wrong for came in done):
        raise typer.Exit(Exit.FAILED)


def _tell(done: Restored) -> None:
    note(f"Backup {done.backup}: {done.standing.versions:,} versions, {done.standing.event:,} events came back.")
    if not done.exact and done.reached:
        note(f"It goes to {datetime.fromtimestamp(done.reached / 1e6, UTC):%Y-%m-%d %H:%M:%S.%f} (UTC).")
    for text in done.wrong:
        note(f"wrong: {text}")
    note("All is as it was." if not done.wrong else f"{len(done.wrong)} things are wrong.")
