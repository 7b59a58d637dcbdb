"""`fhirwright validate-code`: whether a code exists, is billable and was in force on a date."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from server.cli.exits import Exit
from server.cli.terminal import building, note, print_json
from server.settings import read_settings


def validate_code(
    system: Annotated[
        str, typer.Argument(help="icd10cm, cpt, loinc, pos, ucum, currency, v3-ActCode …, or the URI of a code system.")
    ],
    code: Annotated[str, typer.Argument(help="The code as it is written on a claim.")],
    on: Annotated[str | None, typer.Option(help="Date of service, YYYY-MM-DD.")] = None,
    display: Annotated[str | None, typer.Option(help="A display to check against the code.")] = None,
    version: Annotated[str | None, typer.Option(help="The edition to ask, for example 2026-04.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Say whether a code exists, is billable and was in force on a date. Exit code 1 when it may not be used."""
    from terminology import ensure_terminology

    day = _date(on)
    terminology = ensure_terminology(read_settings(data=data).data, building())
    uri = terminology.system(system)
    if ":" not in uri:
        raise typer.BadParameter(f"{system} is neither a known short name nor a URI.")
    answer = terminology.validate_code(uri, code, display, version, day)
    if json:
        print_json(asdict(answer))
    else:
        unchecked = answer.result and answer.issue == "code-invalid"
        mark = "not checked" if unchecked else "valid" if answer.result else "not valid"
        billable = {True: ", billable", False: ", not billable", None: ""}[answer.billable]
        typer.echo(f"{answer.code} {answer.display or ''}".rstrip() + f": {mark}{billable}" + _edition(answer.version))
        if answer.message:
            note(answer.message)
    if not answer.result or answer.billable is False:
        raise typer.Exit(Exit.FAILED)


def _edition(version: str | None) -> str:
    return f" ({version})" if version else ""


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter("--on is a date such as 2026-04-15.") from None
