"""`fhirwright claims answers`: files of X12 from payers, and the 837 that was sent, into a running server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from server.cli.exits import Exit
from server.cli.places import FILE
from server.cli.terminal import note, print_json

SECONDS = 600.0


def answers(
    files: Annotated[list[Path], typer.Argument(**FILE, help="X12 files: 835, 277CA, 999, or an 837 that was sent.")],
    server: Annotated[str, typer.Option(help="FHIR base of the server.")] = "http://127.0.0.1:8000/fhir",
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Bring files about claims into a running server, as Claim/$remittance does; the same file again changes nothing.

    Exit code 5: a file was refused, or holds answers to claims that are not stored; these are kept and told by number.
    """
    import httpx

    wrong = False
    told: list[dict[str, Any]] = []
    with httpx.Client(timeout=SECONDS, trust_env=False) as client:
        for path in files:
            try:
                headers = {"content-type": "application/edi-x12"}
                url = f"{server.rstrip('/')}/Claim/$remittance"
                answer = client.post(url, content=path.read_bytes(), headers=headers)
                body = answer.json()
            except (httpx.HTTPError, httpx.InvalidURL, ValueError):
                note(f"{path.name}: the server cannot be reached, or is none of FHIR.")
                raise typer.Exit(Exit.UNAVAILABLE) from None
            if answer.status_code != 200:
                wrong = True
                for issue in body.get("issue", ()):
                    note(f"{path.name}: {issue.get('diagnostics', 'The file was refused.')}")
                continue
            found = _read(body)
            wrong |= bool(found["missing"])
            told.append({"file": path.name, **found})
            if not json:
                _tell(path.name, found)
    if json:
        print_json(told)
    if wrong:
        raise typer.Exit(Exit.REFUSED)


def _read(parameters: dict[str, Any]) -> dict[str, Any]:
    """The answer of the server by name."""
    found: dict[str, Any] = {"missing": {}}
    for one in parameters.get("parameter", ()):
        if one["name"] == "missing":
            part = {each["name"]: each["valueString"] for each in one["part"]}
            found["missing"][part["number"]] = part["reason"]
        elif one["name"] not in ("payment", "file"):
            found[one["name"]] = next(value for name, value in one.items() if name.startswith("value"))
    return found


def _tell(name: str, found: dict[str, Any]) -> None:
    again = ", known already" if found["known"] else ""
    note(f"{name}: {found['kind']} {found['control']}{again}; {found['matched']} matched, {found['unmatched']} not.")
    for number, reason in found["missing"].items():
        note(f"  {number}: {reason}")
