"""`fhirwright keys`: the keys that encrypt what is stored (docs/encryption.md)."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli.terminal import note, print_json
from server.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from server.store import Store

Database = Annotated[str | None, typer.Option(help="Database URL; FHIRWRIGHT_DATABASE otherwise.")]
Data = Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

keys = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@keys.callback()
def about() -> None:
    """The keys that encrypt what is stored: make them, turn them over, destroy those of a patient.

    The first key: fhirwright keys new > keys.txt, with FHIRWRIGHT_ENCRYPTION=file, FHIRWRIGHT_ENCRYPTION_KEYS=keys.txt
    """


@keys.command()
def new(version: Annotated[int, typer.Argument(help="The version of the key.", min=1, max=999_999_999)] = 1) -> None:
    """Print a new key, as a line for the file of keys."""
    from server.phi.envelope import new_key

    typer.echo(f"{version}:{base64.b64encode(new_key()).decode()}")


@keys.command()
def status(database: Database = None, data: Data = None, json: AsJson = False) -> None:
    """Tell which keys there are and what is wrapped with them."""
    with _opened(read_settings(database=database, data=data)) as store:
        told = _status(store)
    if json:
        print_json(told)
    else:
        for name, value in told.items():
            note(f"{name}: {value}")


@keys.command()
def rotate(
    database: Database = None,
    data: Data = None,
    renew: Annotated[bool, typer.Option("--data-keys", help="Also make new data keys and seal all anew.")] = False,
    json: AsJson = False,
) -> None:
    """Wrap every data key with the newest key. Servers may run; what is interrupted is finished by the next call."""
    from server.store import resealing

    with _opened(read_settings(database=database, data=data)) as store:
        wrapped = max(resealing.rewrap(store), default=0)
        sealed = max(resealing.renew(store), default=0) if renew else 0
    text = f"{wrapped:,} keys wrapped anew, {sealed:,} values sealed anew."
    _tell({"wrapped": wrapped, "sealed": sealed}, text, as_json=json)


@keys.command()
def shred(
    patient: Annotated[str, typer.Argument(help="The id of the Patient.")],
    database: Database = None,
    data: Data = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: AsJson = False,
) -> None:
    """Destroy everything that is stored of one patient, for good."""
    from server.store.shredding import shred as run

    if not yes:
        typer.confirm("What is stored of this patient cannot be read again by anyone. Go on?", abort=True)
    settings = read_settings(database=database, data=data)
    with _opened(settings) as store:
        done = run(store, patient.removeprefix("Patient/"))
    shutil.rmtree(settings.data / "cache", ignore_errors=True)
    text = f"{done.keys} keys and {done.versions} versions destroyed."
    _tell({"keys": done.keys, "versions": done.versions}, text, as_json=json)


@keys.command()
def encrypt(database: Database = None, data: Data = None, json: AsJson = False) -> None:
    """Encrypt a database that holds data in clear. Stop the servers first; safe to run again after an interruption."""
    from server.interactions.fhir import Fhir
    from server.search.reindex import reindex
    from server.search.stored import stored_types
    from server.store import resealing

    settings = read_settings(database=database, data=data)
    with _opened(settings, mixed=True) as store:
        sealed = max(resealing.encrypt(store), default=0)
        indexing = Fhir(store, settings).indexing
        for kind in sorted(set(stored_types(store)) - set(resealing.indexed_types(store))):
            for _ in reindex(store, indexing, (kind,), settings.base_url or ""):
                pass
            resealing.note_indexed(store, kind)
        shutil.rmtree(settings.data / "cache", ignore_errors=True)
        resealing.close(store)
    _tell({"sealed": sealed}, f"{sealed:,} values sealed.", as_json=json)


@contextmanager
def _opened(settings: Settings, *, mixed: bool = False) -> Iterator[Store]:
    """The store with its keys; SettingsError when encryption is off."""
    from server.phi.keys import keys_of
    from server.store import open_store

    found = keys_of(settings)
    if found is None:
        raise SettingsError("Encryption is off: set FHIRWRIGHT_ENCRYPTION=file and FHIRWRIGHT_ENCRYPTION_KEYS=FILE.")
    store = open_store(settings.database_url, keys=found, mixed=mixed)
    try:
        yield store
    finally:
        store.close()


def _status(store: Store) -> dict[str, Any]:
    assert store.sealing is not None
    modes = store.query("SELECT value FROM phi_state WHERE name = 'mode'")
    wrapped = store.query("SELECT kek, count(*) FROM phi_key WHERE length(wrapped) > 0 GROUP BY kek ORDER BY kek")
    destroyed = store.query("SELECT count(*) FROM phi_key WHERE length(wrapped) = 0")
    runs = store.query(
        "SELECT name FROM phi_state WHERE name IN ('renew', 'encrypt') OR (name >= 'shred ' AND name < 'shred!')"
    )
    return {
        "mode": modes[0][0],
        "versions": store.sealing.ring.keys.versions,
        "wrapped": {str(kek): count for kek, count in wrapped},
        "destroyed": destroyed[0][0],
        "unfinished": sorted(name.partition(" ")[0] for (name,) in runs),
    }


def _tell(told: dict[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        print_json(told)
    else:
        note(text)
