"""`fhirwright user`: the people who sign in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli.secret import read_secret
from server.cli.terminal import note, print_json, print_table
from server.settings import Settings, read_settings

if TYPE_CHECKING:
    from server.auth.model import Person
    from server.store import Store

user = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="The name to sign in by.")]
Database = Annotated[str | None, typer.Option(help="Database URL; FHIRWRIGHT_DATABASE otherwise.")]
Data = Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@contextmanager
def opened(database: str | None, data: Path | None) -> Iterator[tuple[Store, Settings]]:
    """The store that the settings name, with them."""
    from server.phi.keys import keys_of
    from server.store import open_store

    settings = read_settings(database=database, data=data)
    settings.data.mkdir(parents=True, exist_ok=True)
    store = open_store(settings.database_url, keys=keys_of(settings))
    try:
        yield store, settings
    finally:
        store.close()


@user.callback()
def about() -> None:
    """The people who sign in, and what they may do by their roles.

    The first administrator: fhirwright user add NAME --role admin
    """


@user.command()
def add(
    name: Name,
    role: Annotated[list[str], typer.Option(help="clinician, coder, auditor, biller, patient, admin; or your own.")],
    fhir_user: Annotated[str | None, typer.Option(help="Who that is among the resources: Practitioner/1.")] = None,
    patients: Annotated[
        list[str] | None, typer.Option(help="The id of a Patient that may be chosen; then no others may.")
    ] = None,
    database: Database = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make somebody who can sign in.

    The password is asked for, or is the first line of standard input. A second factor is set up when that person first
    signs in.

    \b
    fhirwright user add ada --role clinician --fhir-user Practitioner/1
    fhirwright user add son --role patient --fhir-user RelatedPerson/2 --patients 17 < password.txt
    """
    from server.access.roles import read_roles
    from server.auth.people import add_person

    password = read_secret("password", twice=True)
    with opened(database, data) as (store, settings):
        made = add_person(store, read_roles(settings.data), name, password, role, fhir_user, patients or ())
    if json:
        print_json(_told(made))
    else:
        note(f"{made.name} can sign in, as {', '.join(made.roles)}.")


@user.command("list")
def list_people(database: Database = None, data: Data = None, json: Json = False) -> None:
    """Who can sign in."""
    from server.auth import keep

    with opened(database, data) as (store, _):
        found = [_told(one) for one in keep.people(store, 100_000)]
    if json:
        print_json(found)
        return
    rows = [
        [
            one["name"], ", ".join(one["roles"]), one["fhirUser"] or "", ", ".join(one["patients"]),
            "yes" if one["secondFactor"] else "no", "disabled" if one["disabled"] else "",
        ]
        for one in found
    ]  # fmt: skip
    print_table(["name", "roles", "who", "patients", "second factor", ""], rows)


@user.command()
def disable(
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Let that person sign in again.")] = False,
    database: Database = None,
    data: Data = None,
) -> None:
    """Let somebody sign in no more, and end at once all that person's sessions and all that apps were given."""
    from server.auth.people import change_person

    with opened(database, data) as (store, _):
        change_person(store, name, disabled=not undo)
    note(f"{name} can sign in again." if undo else f"{name} cannot sign in any more, and apps have lost access.")


@user.command()
def password(name: Name, database: Database = None, data: Data = None) -> None:
    """Give somebody a new password, and end that person's sessions.

    It is asked for, or is the first line of standard input.
    """
    from server.auth.people import change_person, kept_password

    text = read_secret("new password", twice=True)
    with opened(database, data) as (store, _):
        change_person(store, name, password=kept_password(name, text))
    note(f"{name} has a new password.")


@user.command()
def totp(
    name: Name,
    remove: Annotated[bool, typer.Option("--remove", help="Take it away: it is set up again at sign-in.")] = False,
    database: Database = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Give somebody a new second factor, and end that person's sessions.

    Prints, this once, the key as an otpauth link for an authenticator app, and the recovery codes.
    """
    from server.auth.people import change_person, new_factor
    from server.auth.totp import address_of

    with opened(database, data) as (store, _):
        if remove:
            change_person(store, name, totp=None, totp_step=-1, recovery=())
            note(f"{name} sets up a second factor at the next sign-in.")
            return
        key, codes = new_factor(store, name)
    if json:
        print_json({"name": name, "uri": address_of(key, name), "recovery": codes})
        return
    typer.echo(address_of(key, name))
    for code in codes:
        typer.echo(code)
    note("These are not shown again.")


def _told(person: Person) -> dict[str, Any]:
    """Somebody without secrets."""

    return {
        "id": person.id,
        "name": person.name,
        "roles": person.roles,
        "fhirUser": person.fhir_user,
        "patients": person.patients,
        "secondFactor": person.totp is not None,
        "disabled": person.disabled,
    }
