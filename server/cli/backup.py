"""`fhirwright backup`: make, follow, list, check and thin out backups of the database and what lies beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.each import each
from server.cli.exits import Exit
from server.cli.places import there
from server.cli.terminal import note, print_json, print_table
from server.settings import Settings, read_settings

if TYPE_CHECKING:
    from server.continuity.houses import House
    from server.continuity.manifest import Manifest
    from server.continuity.target import Target

backup = typer.Typer(
    add_completion=False, no_args_is_help=True, rich_markup_mode=None, help="Make and look after backups."
)
_Target = Annotated[
    str, typer.Argument(help="Directory of this database's backups, or s3://…, gs://…, az://… with what speaks it.")
]
_Tenant = Annotated[str | None, typer.Option(help="Only this tenant, in tenants/HOST of the target.")]
_Tenants = Annotated[bool, typer.Option("--tenants", help="The server and each of its tenants.")]
_Staging = Annotated[
    Path | None, typer.Option(help="For URIs: directory of this disk to work in. [backup-staging of the data]")
]
_Database = Annotated[str | None, typer.Option(help="Database URL; FHIRWRIGHT_DATABASE otherwise.")]
_Data = Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")]
_Bin = Annotated[Path | None, typer.Option("--bin", help="Directory of PostgreSQL's programs; the PATH otherwise.")]
_Seal = Annotated[bool, typer.Option("--seal", help="Seal the files of the backup with the newest key.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@backup.command()
def create(
    target: _Target, database: _Database = None, data: _Data = None, bin_: _Bin = None, seal: _Seal = False,
    tenant: _Tenant = None, tenants: _Tenants = False, staging: _Staging = None, json: _Json = False,
) -> None:  # fmt: skip
    """Make a backup while servers run. It has a name only when all of it is there."""
    from server.continuity.create import create as make
    from server.continuity.postgres_tools import Tools

    wanted = _houses(read_settings(database=database, data=data), target, tenant, tenants)
    made = each(wanted, lambda one: make(one.settings, one.target(staging), Tools(bin_), sealed=seal))
    if json:
        print_json([_told(one) for one in made] if tenants else _told(made[0]))
        return
    for one in made:
        _tell(one)


@backup.command()
def follow(
    target: _Target, database: _Database = None, data: _Data = None, bin_: _Bin = None, seal: _Seal = False,
    tenant: _Tenant = None, tenants: _Tenants = False, staging: _Staging = None,
    seconds: Annotated[float, typer.Option(min=0.05, max=3600, help="Pause between two looks at what is new.")] = 1.0,
    every: Annotated[float, typer.Option(min=0.01, max=8760, help="Hours between two backups.")] = 24.0,
) -> None:  # fmt: skip
    """Archive every change as it is committed, and make backups: what `restore --to-time` needs. Runs until stopped."""
    import signal
    import threading
    from concurrent.futures import ThreadPoolExecutor

    from server.continuity.follow import follow as run
    from server.continuity.postgres_tools import Tools
    from server.observability import configure_logging

    settings = read_settings(database=database, data=data)
    configure_logging(settings)
    ended = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: ended.set())

    def one(house: House) -> None:
        try:
            run(
                house.settings, house.target(staging), Tools(bin_), lambda: not ended.is_set(), seconds=seconds,
                every=every * 3600, sealed=seal, slot=house.slot,
            )  # fmt: skip
        finally:
            ended.set()  # when one cannot go on, somebody must see to it

    wanted = _houses(settings, target, tenant, tenants)
    with ThreadPoolExecutor(len(wanted)) as several:
        list(several.map(one, wanted))


@backup.command("list")
def list_(target: _Target, staging: _Staging = None, json: _Json = False) -> None:
    """The whole backups, oldest first. Those of a tenant stand in tenants/HOST of the target."""
    found = _target(target, staging).list()
    if json:
        print_json([_told(one) for one in found])
        return
    if not found:
        note("No whole backup stands there.")
        return
    rows = [
        [one.id, _moment(one.point), one.engine, f"{one.size:,}", f"{one.standing.versions:,}",
         f"{one.standing.event:,}", "yes" if one.sealed else "no", ", ".join(map(str, one.keys)) or "none"]
        for one in found
    ]  # fmt: skip
    print_table(["backup", "point (UTC)", "engine", "bytes", "versions", "events", "sealed", "keys"], rows)


@backup.command()
def verify(
    target: _Target,
    name: Annotated[str | None, typer.Option("--backup", help="Only this one; all otherwise.")] = None,
    staging: _Staging = None,
    json: _Json = False,
) -> None:
    """Hold each file of the backups against its hash. That a backup can be restored only restoring it shows.

    Exit code 1: there is none.
    """
    from server.continuity.restore import verify_backup

    place = _target(target, staging)
    found = [place.get(name)] if name is not None else place.list()
    if not found:
        note("There is no backup in that place: look at its name, and at `fhirwright backup list` of it.")
        raise typer.Exit(Exit.FAILED)
    for one in found:
        verify_backup(place, one)
    if json:
        print_json([one.id for one in found])
    else:
        note(f"{len(found)} backups are as they were made.")


@backup.command()
def prune(
    target: _Target,
    daily: Annotated[int, typer.Option(min=0, max=10_000, help="Days whose newest backup stays.")] = 7,
    weekly: Annotated[int, typer.Option(min=0, max=10_000, help="Weeks whose newest backup stays.")] = 5,
    monthly: Annotated[int, typer.Option(min=0, max=10_000, help="Months whose newest backup stays.")] = 12,
    staging: _Staging = None,
    json: _Json = False,
) -> None:
    """Remove what need not stay. The newest backup always does."""
    from server.continuity.keep import Keep
    from server.continuity.keep import prune as run

    gone = run(_target(target, staging), Keep(daily, weekly, monthly))
    if json:
        print_json(gone)
    else:
        note(f"{len(gone)} were removed.")


def _told(one: Manifest) -> dict[str, object]:
    """A manifest without its files."""
    import msgspec

    told: dict[str, object] = msgspec.to_builtins(one)
    return {name: value for name, value in told.items() if name not in ("files", "wrapped")} | {"size": one.size}


def _houses(settings: Settings, target: str, tenant: str | None, tenants: bool) -> list[House]:
    from server.continuity.houses import houses

    if tenant is not None and tenants:
        raise typer.BadParameter("--tenant and --tenants exclude each other.")
    return houses(settings, target, tenant, every=tenants)


def _target(place: str, staging: Path | None) -> Target:
    from server.continuity.houses import STAGING, target_at

    return target_at(there(place), staging or read_settings().data / STAGING)


def _tell(one: Manifest) -> None:
    held = sum(one.standing.resources.values())
    note(
        f"Backup {one.id}: {held:,} resources, {one.standing.versions:,} versions, {one.standing.event:,} events, "
        f"{one.size:,} bytes, in {(one.ended - one.began) / 1e6:.1f} s."
    )
    if one.keys:
        note(f"Restoring it takes versions {', '.join(map(str, one.keys))} of the keys, which are not in it.")


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1e6, UTC):%Y-%m-%d %H:%M:%S}"
