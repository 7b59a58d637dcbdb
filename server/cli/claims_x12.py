"""`fhirwright claims export` and `import`: claims as X12 837 files, and back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from claims.x12.codes import Kind
from fhir_profiles.errors import FhirError
from server.cli.claims_answers import answers
from server.cli.exits import Exit
from server.cli.places import FILE
from server.cli.terminal import note

MAX_LINE = 16 * 2**20


def register(group: typer.Typer) -> None:
    """Add the commands about X12 to `fhirwright claims`."""
    group.command("export")(export)
    group.command("import")(import_)
    group.command("answers")(answers)


def export(
    file: Annotated[
        Path, typer.Argument(**FILE, help="Claims, or Bundles that begin with one, one JSON object a line.")
    ],
    out: Annotated[Path, typer.Option(help="The 837 file to write.")],
    sender: Annotated[str, typer.Option(help="Identifier of who sends (ISA06).")],
    receiver: Annotated[str, typer.Option(help="Identifier of who receives (ISA08).")],
    submitter: Annotated[str, typer.Option(help="Name of who sends.")],
    contact: Annotated[str, typer.Option(help="Name of somebody to ask.")],
    phone: Annotated[str, typer.Option(help="Telephone number of the contact, ten digits.")],
    recipient: Annotated[str, typer.Option(help="Name of who receives.")],
    kind: Annotated[Kind, typer.Option(help="professional or institutional.")] = "professional",
    control: Annotated[int, typer.Option(min=0, help="Control number; 0 is one by chance.")] = 0,
    test: Annotated[bool, typer.Option("--test", help="Mark the file as a test.")] = False,
) -> None:
    """Write a file of claims as an X12 837.

    Claims of the other kind and those that X12 cannot hold are left out and told by the number of their line. Exit
    code 5: some were left out.
    """
    from claims.x12.envelope import Envelope
    from claims.x12.write837 import interchange

    number = control or random.SystemRandom().randrange(1, 10**9)
    envelope = Envelope(
        sender, receiver, submitter, contact, phone, recipient, number, datetime.now(), "T" if test else "P"
    )
    try:
        envelope.checked()
    except FhirError as error:
        raise typer.BadParameter(" ".join(f"{problem.text}." for problem in error.problems)) from None
    line, left = 0, 0

    def bodies() -> Iterator[bytes]:
        nonlocal line
        for line, body in enumerate(_lines(file), 1):  # noqa: B007 - `refused` tells it
            if body.strip():
                yield body

    def refused(_: int, error: FhirError) -> None:
        nonlocal left
        left += 1
        for problem in error.problems:
            note(f"Line {line}: {problem.expression or 'Claim'}: {problem.text}")

    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("w", encoding="ascii", newline="") as target:
            target.writelines(interchange(bodies(), kind, envelope, refused=refused))
        part.replace(out)
    except FhirError as error:
        part.unlink(missing_ok=True)
        for problem in error.problems:
            note(problem.text)
        raise typer.Exit(Exit.REFUSED) from None
    note(f"Written to {out} with control number {number}; {left} claims left out.")
    if left:
        raise typer.Exit(Exit.REFUSED)


def _lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while line := source.readline(MAX_LINE):
            yield line


def import_(
    file: Annotated[Path, typer.Argument(**FILE, help="An X12 837P or 837I file.")],
    out: Annotated[Path, typer.Option(help="The NDJSON file of Claims to write.")],
) -> None:
    """Read an X12 837 as FHIR Claims, one JSON object a line.

    Exit code 5: the file is damaged or is no 837; it is told where, and nothing is written.
    """
    import orjson

    from claims.x12.read837 import read_837

    part, count = out.with_name(f"{out.name}.part"), 0
    try:
        with part.open("wb") as target:
            for claim in read_837(file.read_bytes()):
                target.write(orjson.dumps(claim) + b"\n")
                count += 1
        part.replace(out)
    except FhirError as error:
        part.unlink(missing_ok=True)
        for problem in error.problems:
            note(problem.text)
        raise typer.Exit(Exit.REFUSED) from None
    note(f"{count} claims written to {out}.")
