"""`fhirwright client`: the apps and services that may ask for access."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fhir_profiles.errors import Category, FhirError
from server.cli.places import FILE
from server.cli.terminal import note, print_json, print_table
from server.cli.user import Data, Database, Json, opened

if TYPE_CHECKING:
    from server.auth.model import Client
    from server.store import Store, Tx

client = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

Id = Annotated[str, typer.Argument(help="The client_id.")]


@client.callback()
def about() -> None:
    """The apps and services that may ask for access.

    Apps send people here to sign in and agree; services (without --redirect) sign for themselves with their keys.
    """


@client.command()
def add(
    id: Id,
    scopes: Annotated[str, typer.Option(help="The most it can be given, with spaces between; in quotes.")],
    title: Annotated[str | None, typer.Option(help="What people read when they are asked. [the id]")] = None,
    redirect: Annotated[list[str] | None, typer.Option(help="Where answers may go, letter for letter.")] = None,
    method: Annotated[
        Literal["none", "client_secret_basic", "private_key_jwt"],
        typer.Option(help="How it shows who it is; none is a public app, in a browser or on a phone."),
    ] = "none",
    jwks: Annotated[Path | None, typer.Option(**FILE, help="File with its public keys, a JWKS.")] = None,
    jwks_uri: Annotated[str | None, typer.Option(help="Where its public keys are published.")] = None,
    origin: Annotated[list[str] | None, typer.Option(help="Origin whose pages may call the server.")] = None,
    launch_url: Annotated[str | None, typer.Option(help="Where the app is launched from an EHR.")] = None,
    post_secret: Annotated[
        bool, typer.Option("--post-secret", help="Take the secret in the body too, and of services: not SMART.")
    ] = False,
    database: Database = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Let an app or a service in. A secret is made here and printed this once.

    \b
    fhirwright client add growth --title "Growth chart" --redirect https://app.example/cb \\
      --origin https://app.example --scopes "launch launch/patient openid fhirUser patient/*.rs offline_access"
    fhirwright client add nightly --method private_key_jwt --jwks keys.json --scopes "system/*.rs"
    """
    from server.auth.model import Client
    from server.auth.registering import check_client
    from server.auth.secrets import hash_password, new_token

    secret = new_token() if method == "client_secret_basic" else None
    made = check_client(
        Client(
            id=id,
            title=title or id,
            method=method,
            secret=hash_password(secret) if secret else None,
            redirects=tuple(redirect or ()),
            origins=tuple(origin or ()),
            scopes=tuple(scopes.split()),
            jwks=_read_keys(jwks) if jwks else None,
            jwks_uri=jwks_uri,
            launch_uri=launch_url,
            grants=("authorization_code", "refresh_token") if redirect else ("client_credentials",),
            post_secret=post_secret,
        )
    )
    with opened(database, data) as (store, _):
        _put(store, made)
    if json:
        print_json(_told(made) | ({"secret": secret} if secret else {}))
        return
    if secret:
        typer.echo(secret)
        note("This is the secret; it is not shown again.")
    note(f"{made.title} may ask for access.")


def _put(store: Store, made: Client) -> None:
    """Keep a client whose id nobody has."""
    from server.auth import keep

    def run(tx: Tx) -> None:
        tx.lock("auth_client")
        if keep.client(tx, made.id) is not None:
            raise FhirError.of(Category.CONFLICT, "duplicate", "There is a client of this id already.")
        keep.put_client(tx, made)

    store.write_sync(run)


def _read_keys(path: Path) -> dict[str, Any]:
    """The JWKS in a file."""
    import orjson

    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        raise FhirError.of(Category.INCORRECT, "structure", "The file of keys cannot be read as JSON.") from None
    if not isinstance(found, dict):
        raise FhirError.of(Category.INCORRECT, "structure", 'The file of keys is a JWKS: {"keys": […]}.')
    return found


@client.command("list")
def list_clients(database: Database = None, data: Data = None, json: Json = False) -> None:
    """Who may ask for access, and who waits for approval."""
    from server.auth import keep

    with opened(database, data) as (store, _):
        found = [_told(one) for one in keep.clients(store, 100_000)]
    if json:
        print_json(found)
        return
    rows = [
        [one["id"], one["title"], one["method"], " ".join(one["scopes"]), "" if one["approved"] else "waits"]
        for one in found
    ]
    print_table(["id", "title", "method", "scopes", ""], rows)


@client.command()
def remove(id: Id, database: Database = None, data: Data = None) -> None:
    """Forget a client, and end at once all that it was given."""
    from server.auth.registering import remove as forget

    with opened(database, data) as (store, _):
        forget(store, id)
    note(f"{id} has no access any more.")


@client.command()
def approve(id: Id, database: Database = None, data: Data = None) -> None:
    """Let in a client that registered itself. See `client list` for what it asks for first."""
    from server.auth.registering import approve as let_in

    with opened(database, data) as (store, _):
        found = let_in(store, id)
    note(f"{found.title} may ask for access.")


def _told(one: Client) -> dict[str, Any]:
    """A client without its secret."""
    return {
        "id": one.id,
        "title": one.title,
        "method": one.method,
        "redirects": one.redirects,
        "origins": one.origins,
        "scopes": one.scopes,
        "grants": one.grants,
        "jwksUri": one.jwks_uri,
        "launchUrl": one.launch_uri,
        "approved": one.approved,
    }
