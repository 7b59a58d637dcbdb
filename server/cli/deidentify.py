"""`fhirwright deidentify`: a note or a FHIR resource without identifiers, on standard output."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fhir_profiles.errors import Category, FhirError
from server.cli.exits import Exit
from server.cli.places import FILE
from server.cli.terminal import note
from server.settings import read_settings

if TYPE_CHECKING:
    from extractors.deid.vocabulary import Vocabulary

LEAST_KEY = 16  # bytes


def deidentify(
    file: Annotated[Path, typer.Argument(**FILE, help="A resource or Bundle as FHIR JSON, or a note as plain text.")],
    patient: Annotated[
        list[Path] | None,
        typer.Option(**FILE, help="A Patient or RelatedPerson as FHIR JSON, whose identifiers are known."),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(**FILE, help="A secret of 16 bytes or more: the same stand-ins each time. [another each time]"),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
) -> None:
    """Replace identifiers by stand-ins of the same shape. Exit code 5 when something known would still have left."""
    from server.operations.deidentify import vocabulary_of

    key = key_file.read_bytes() if key_file is not None else secrets.token_bytes(32)
    if len(key) < LEAST_KEY:
        raise typer.BadParameter("--key-file must hold 16 bytes or more.")
    at = file
    try:
        people = [_resource((at := path).read_bytes()) for path in patient or ()]
        at = file
        body = file.read_bytes()
        given = _resource(body) if body.lstrip()[:1] == b"{" else _note(body)
        out = _made(given, people, key, vocabulary_of(read_settings(data=data).data))
    except FhirError as error:
        note(f"error: {at.name}: {'; '.join(problem.text for problem in error.problems)}")
        raise typer.Exit(Exit.REFUSED) from None
    sys.stdout.write(out)


def _made(given: dict[str, Any] | str, people: list[dict[str, Any]], key: bytes, vocabulary: Vocabulary) -> str:
    from datetime import UTC, datetime

    from extractors.deid.known import known_from, known_from_block, together
    from extractors.deid.resource import Deidentifier
    from extractors.deid.surrogates import new_map
    from extractors.deid.text import Road
    from extractors.findings.identity import find_identity
    from extractors.findings.reading import read_text
    from extractors.pages import from_text
    from fhir_profiles import json

    if isinstance(given, dict):
        made = Deidentifier(vocabulary, key, datetime.now(UTC).date(), people).resource(given)
        return json.encode(made).decode() + "\n"
    document = from_text(given)
    block = find_identity(document, read_text(document.text))
    known = together(known_from(people), known_from_block(block))
    return Road(known, vocabulary, key, new_map(key, "")).clean(document.text).text


def _note(body: bytes) -> str:
    """The text of a note; FhirError for bytes that are none, in which names could not be found."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or (body.lstrip()[:1] == b"[" and _is_json(body)):
        told = "This is neither FHIR JSON nor a note as text in UTF-8."
        raise FhirError.of(Category.INCORRECT, "structure", told)
    return text


def _is_json(body: bytes) -> bool:
    import orjson

    try:
        orjson.loads(body)
    except ValueError:
        return False
    return True


def _resource(body: bytes) -> dict[str, Any]:
    from fhir_profiles import json

    found: dict[str, Any] = json.decode(body)
    return found
