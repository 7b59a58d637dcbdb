"""`fhirwright import`: NDJSON files into the database, each resource under its own id."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from fhir_profiles.errors import Category, FhirError
from server.cli.exits import Exit
from server.cli.places import FILE
from server.cli.terminal import note, print_json
from server.settings import read_settings

_PART = 1 << 20


def import_(
    files: Annotated[list[Path], typer.Argument(**FILE, help="NDJSON files; those that end in .gz are unpacked.")],
    errors: Annotated[Path | None, typer.Option(help="File for an OperationOutcome per bad line.")] = None,
    database: Annotated[str | None, typer.Option(help="Database URL; FHIRWRIGHT_DATABASE otherwise.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Store each line as a resource under its id, checked as any client's. A server may run beside it.

    Run again it changes nothing. Lines that cannot be stored are told, and the exit code is 5.
    """
    from server.access.caller import server_as
    from server.interactions.exchange import Request
    from server.jobs.importing.lines import cut, explain, read_lines, write_lines
    from server.parts import join
    from server.phi.keys import keys_of
    from server.store import open_store

    settings = read_settings(database=database, data=data)
    store = open_store(settings.database_url, keys=keys_of(settings))
    fhir = join(store, settings).fhir
    base = Request(
        method="PUT", base_url=settings.base_url or "", prefer="return=minimal", caller=server_as("fhirwright-import")
    )
    counts: Counter[str] = Counter()
    told: list[bytes] = []
    for path in files:
        first = 1
        for lines in cut(_parts(path), settings.max_body_bytes):
            prepared = read_lines(fhir, lines, first, base)
            loaded = store.write_sync(lambda tx, prepared=prepared: write_lines(tx, prepared))  # type: ignore[misc]
            counts.update(loaded.counts)
            told += [explain(number, problems) for number, problems in loaded.errors]
            first += len(lines)
    store.close()
    if errors is not None:
        errors.write_bytes(b"".join(line + b"\n" for line in told))
    if json:
        print_json({"stored": counts, "refused": len(told)})
    else:
        note(f"{sum(counts.values())} resources stored, {len(told)} lines refused.")
    if told:
        raise typer.Exit(Exit.REFUSED)


def _parts(path: Path) -> Iterator[bytes]:
    """The bytes of a file, unpacked."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        try:
            while part := file.read(_PART):
                yield part
        except (EOFError, gzip.BadGzipFile, zlib.error):
            text = f"{path.name}: the packed file is damaged or ends too early; lines before that are stored."
            raise FhirError.of(Category.INCORRECT, "structure", text) from None
