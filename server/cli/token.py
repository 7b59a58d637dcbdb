"""`fhirwright token`: what a token is worth, and an end to it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.exits import Exit
from server.cli.secret import read_secret
from server.cli.terminal import note, print_json
from server.cli.user import Data, Database, Json, opened

if TYPE_CHECKING:
    from server.store import Store

token = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@token.callback()
def about() -> None:
    """What a token is worth, and an end to it.

    The token is asked for, or is the first line of standard input; it never stands on the command line.
    """


@token.command()
def introspect(database: Database = None, data: Data = None, json: Json = False) -> None:
    """Say what a token gives, to whom and until when; exit code 1 when it is worth nothing.

    \b
    fhirwright token introspect --json < token.txt
    """
    from server.auth.endpoints import introspected

    text = read_secret("token")
    with opened(database, data) as (store, settings):
        told = introspected(store, text, settings.base_url or "")
        if told["active"]:
            told |= _who(store, text)
    if json:
        print_json(told)
    elif told["active"]:
        until = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(told["exp"]))
        typer.echo(f"{told['token_type']} of {told['client_id']}, until {until}")
        for name in ("username", "patient", "encounter", "scope"):
            if name in told:
                typer.echo(f"{name}: {told[name]}")
    else:
        note("It has expired, was used or revoked, or is none of this server's.")
    if not told["active"]:
        raise typer.Exit(Exit.FAILED)


@token.command()
def revoke(
    family: Annotated[bool, typer.Option("--family", help="Also everything that came of the same consent.")] = False,
    database: Database = None,
    data: Data = None,
) -> None:
    """End a token. With a refresh token, everything that came of the same consent ends."""
    from server.auth import keep
    from server.auth.secrets import digest

    text = read_secret("token")
    with opened(database, data) as (store, _):
        found = keep.token(store, digest(text))
        if found is None:
            note("It is none of this server's.")
            raise typer.Exit(Exit.FAILED)
        if family or found.kind != "access":
            store.write_sync(lambda tx: keep.revoke(tx, found.authorization))
        else:
            store.write_sync(lambda tx: keep.revoke_token(tx, found.hash))
    note("It is worth nothing any more.")


def _who(store: Store, text: str) -> dict[str, str]:
    """The name of the person whom a token speaks for, where it is one's."""
    from server.auth import keep
    from server.auth.secrets import digest

    found = keep.token(store, digest(text))
    granted = keep.authorization(store, found.authorization) if found else None
    person = keep.person(store, granted.person) if granted and granted.person else None
    return {"username": person.name} if person else {}
