"""`fhirwright patient`: legal holds, copies for patients, erasure, and how long data are kept."""

from __future__ import annotations

import getpass
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from server.cli.exits import Exit
from server.cli.places import FILE
from server.cli.terminal import note, print_json, print_table
from server.settings import Settings, read_settings
from server.store import Store

Database = Annotated[str | None, typer.Option(help="Database URL; FHIRWRIGHT_DATABASE otherwise.")]
Data = Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Id = Annotated[str, typer.Argument(help="The id of the Patient.")]
Who = Annotated[str | None, typer.Option(help="Who does it, for the audit. [the user of this machine]")]
_ID = re.compile(r"(?:Patient/)?([A-Za-z0-9\-.]{1,64})")
_DAY = 86_400_000_000

patient = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@patient.callback()
def about() -> None:
    """Hold, copy, erase and let go the data of patients, with proof."""


@patient.command()
def hold(
    name: Id,
    reason: Annotated[str, typer.Option(help="Why, in 200 characters, without anything about the patient.")],
    who: Who = None, database: Database = None, data: Data = None,
) -> None:  # fmt: skip
    """Put a patient on legal hold: nothing of it is deleted or erased until it is released."""
    from server.policy.holds import hold as run

    with _opened(read_settings(database=database, data=data)) as store:
        done = run(store, _id(name), reason, who or getpass.getuser())
    note("The patient is on hold." if done else "The patient was on hold already.")


@patient.command()
def release(name: Id, who: Who = None, database: Database = None, data: Data = None) -> None:
    """End the legal hold of a patient."""
    from server.policy.holds import release as run

    with _opened(read_settings(database=database, data=data)) as store:
        done = run(store, _id(name), who or getpass.getuser())
    note("The hold has ended." if done else "The patient was not on hold.")


@patient.command()
def holds(database: Database = None, data: Data = None, json: AsJson = False) -> None:
    """List the legal holds."""
    from server.policy.holds import holds as listed

    with _opened(read_settings(database=database, data=data)) as store:
        found = listed(store)
    if json:
        print_json([{"patient": one.patient, "reason": one.reason, "who": one.who, "at": one.at} for one in found])
    else:
        print_table(
            ("patient", "since", "by", "reason"),
            [(one.patient, _day(one.at * 1000), one.who, one.reason) for one in found],
        )


@patient.command()
def access(
    name: Id,
    out: Annotated[Path, typer.Option(help="A folder that is made: resources, accesses, and the proof.")],
    database: Database = None, data: Data = None, json: AsJson = False,
) -> None:  # fmt: skip
    """Write everything that is stored of a patient, and who had access to it, with a signed proof."""
    from server.audit.place import directory
    from server.interactions.fhir import Fhir
    from server.policy.copy import ACCESSES, RESOURCES, write_copy

    settings = read_settings(database=database, data=data)
    if out.exists():
        raise typer.BadParameter("--out names something that is there already; name a folder that is not.")
    with _opened(settings) as store:
        proof = write_copy(Fhir(store, settings), directory(store, settings), _id(name), out)
    if json:
        print_json(proof.found)
    else:
        resources, accesses = (proof.found[name]["lines"] for name in (RESOURCES, ACCESSES))
        note(f"{resources} resources and {accesses} events.")


@patient.command()
def erase(
    name: Id,
    proof: Annotated[Path, typer.Option(help="Where the signed proof goes.")],
    who: Who = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    database: Database = None, data: Data = None,
) -> None:  # fmt: skip
    """Destroy everything that is stored of a patient, for good, and prove it. The database must be encrypted."""
    from server.audit.place import directory
    from server.policy.erasure import erase as run

    if not yes:
        typer.confirm("What is stored of this patient cannot be read again by anyone. Go on?", abort=True)
    settings = read_settings(database=database, data=data)
    with _opened(settings) as store:
        proof.write_bytes(run(store, directory(store, settings), _id(name), who or getpass.getuser()))
    _forget_caches(settings)
    note(f"Erased; the proof is in {proof.name}.")


@patient.command()
def verify(
    proof: Annotated[Path, typer.Argument(**FILE, help="A proof of `access` or `erase`.")],
    signer: Annotated[str, typer.Option(help="The public key that must have signed it, in base64.")],
) -> None:
    """Say whether a proof is what the signer has signed. Exit code 1 when it is not."""
    from server.policy.proof import read_proof

    found = read_proof(proof.read_bytes(), signer)
    if found is None:
        note("The proof is not what this signer has signed.")
        raise typer.Exit(Exit.FAILED)
    note(f"{found.what} on {_day(found.at)}, up to event {found.event} of the audit trail: signed by this signer.")


@patient.command()
def retention(
    days: Annotated[int, typer.Option(min=1, help="Days for which data are kept after the last was written.")],
    proofs: Annotated[Path, typer.Option(help="A folder for the proofs.")],
    yes: Annotated[bool, typer.Option("--yes", help="Erase; without it only tell whom it would be.")] = False,
    who: Who = None, database: Database = None, data: Data = None, json: AsJson = False,
) -> None:  # fmt: skip
    """Erase the patients of whom nothing was written for so long and who are not on hold; or tell who they are."""
    from server.audit.place import directory
    from server.policy.erasure import erase as run
    from server.policy.retention import due

    settings = read_settings(database=database, data=data)
    with _opened(settings) as store:
        found = due(store, time.time_ns() // 1000 - days * _DAY)
        if yes:
            proofs.mkdir(parents=True, exist_ok=True)
            for number, (one, _) in enumerate(found, 1):
                signed = run(store, directory(store, settings), one, who or getpass.getuser())
                (proofs / f"{one}.json").write_bytes(signed)
                note(f"{number} of {len(found)} erased")
    if yes:
        _forget_caches(settings)
    if json:
        print_json([{"patient": one, "last": at, "erased": yes} for one, at in found])
    else:
        print_table(("patient", "last written"), [(one, _day(at)) for one, at in found])


@contextmanager
def _opened(settings: Settings) -> Iterator[Store]:
    from server.phi.keys import keys_of
    from server.store import open_store

    store = open_store(settings.database_url, keys=keys_of(settings))
    try:
        yield store
    finally:
        store.close()


def _forget_caches(settings: Settings) -> None:
    import shutil

    shutil.rmtree(settings.data / "cache", ignore_errors=True)


def _id(name: str) -> str:
    found = _ID.fullmatch(name)
    if found is None:
        raise typer.BadParameter("The id of a Patient has letters, digits, - and . and at most 64 of them.")
    return found[1]


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1_000_000, UTC):%Y-%m-%d}"
