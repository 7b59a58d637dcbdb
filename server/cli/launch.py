"""`fhirwright launch`: open an app as an EHR would."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from fhir_profiles.errors import Category, FhirError
from server.cli.terminal import note, print_json
from server.cli.user import Data, Database, Json, opened

launch = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@launch.callback()
def about() -> None:
    """Open apps as an EHR would, with a patient at hand."""


@launch.command()
def create(
    client: Annotated[str, typer.Option(help="The client_id of the app.")],
    patient: Annotated[str, typer.Option(help="The id of the Patient that is open.")],
    encounter: Annotated[str | None, typer.Option(help="The id of the Encounter that is open.")] = None,
    context: Annotated[
        list[str] | None, typer.Option(help="Something else that is open: Type/id, or a JSON object of fhirContext.")
    ] = None,
    banner: Annotated[
        bool | None, typer.Option("--banner/--no-banner", help="Whether the app shall show whose record it is.")
    ] = None,
    intent: Annotated[str | None, typer.Option(help="What the app is opened for.")] = None,
    style: Annotated[str | None, typer.Option(help="URL of a smart-style.json for its looks.")] = None,
    seconds: Annotated[int, typer.Option(min=1, max=3600, help="How long it is good.")] = 300,
    base_url: Annotated[
        str | None, typer.Option(help="The FHIR base as the app sees it; FHIRWRIGHT_BASE_URL otherwise.")
    ] = None,
    database: Database = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Prepare a launch and print where to send the browser. It is good once.

    \b
    fhirwright launch create --client growth --patient 17 --encounter 4 --no-banner
    """
    from server.auth import keep
    from server.auth.launching import launch_url, prepare_launch
    from server.auth.model import Context

    told = Context(
        patient=_read_id(patient, "Patient"),
        encounter=_read_id(encounter, "Encounter") if encounter else None,
        fhir_context=tuple(_read_context(one) for one in context or ()),
        need_patient_banner=banner,
        intent=intent,
        smart_style_url=style,
    )
    with opened(database, data) as (store, settings):
        found = keep.client(store, client)
        if found is None or not found.approved:
            raise FhirError.of(Category.NOT_FOUND, "not-found", "There is no such client that is approved.")
        if not found.redirects:
            text = "This client is a service: it asks for tokens by itself, and nobody opens it."
            raise FhirError.of(Category.INCORRECT, "value", text)
        issuer = base_url or settings.base_url or f"http://{settings.host}:{settings.port}/fhir"
        token = prepare_launch(store, client, told, seconds)
    url = launch_url(found, issuer, token)
    if json:
        print_json({"launch": token, "iss": issuer, "url": url, "seconds": seconds})
        return
    typer.echo(url or token)
    if base_url is None and settings.base_url is None:
        note(f"The app is told that the server is {issuer}. If it is elsewhere: --base-url, or FHIRWRIGHT_BASE_URL.")
    if url is None:
        note(f"This is the parameter launch; iss is {issuer}. The client has no launch URL: client add --launch-url.")


def _read_id(text: str, kind: str) -> str:
    """The id in `17` or `Patient/17`."""
    found = re.fullmatch(rf"(?:{kind}/)?([A-Za-z0-9\-.]{{1,64}})", text)
    if found is None:
        raise typer.BadParameter(f"The id of a {kind} has letters, digits, - and . and at most 64 of them.")
    return found[1]


def _read_context(text: str) -> dict[str, Any]:
    """One entry of fhirContext."""
    import orjson

    if not text.startswith("{"):
        if text.count("/") != 1 or text.startswith(("Patient/", "Encounter/")):
            raise typer.BadParameter("--context is Type/id, and neither of a Patient nor of an Encounter.")
        return {"reference": text}
    try:
        found = orjson.loads(text)
    except ValueError:
        raise typer.BadParameter("--context is Type/id or a JSON object.") from None
    if not isinstance(found, dict) or not {"reference", "canonical", "identifier"} & set(found):
        raise typer.BadParameter("An entry of fhirContext has a reference, a canonical or an identifier.")
    return found
