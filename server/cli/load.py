"""`fhirwright load`: a code system from the installed packages or from its official file into the terminology."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from server.cli.terminal import console, note, print_json
from server.settings import read_settings


def load(
    system: Annotated[str, typer.Argument(help="icd10cm.")] = "icd10cm",
    file: Annotated[Path | None, typer.Argument(help="Official order file; the installed package otherwise.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Load a code system into the terminology. Safe to run again: what is already there stays as it is."""
    from fhir_profiles.systems import ICD10CM
    from terminology import build, open_terminology
    from terminology.build import install
    from terminology.order_file import read_order_file
    from terminology.systems import system_of

    if system_of(system) != ICD10CM:
        raise typer.BadParameter("icd10cm is what can be loaded.")
    target = read_settings(data=data).data
    if file is not None and not file.is_file():
        raise typer.BadParameter("There is no such file.")
    with _progress() as told:
        written = [str(path.name) for path in build(target, told)]
        if file is not None:
            source = read_order_file(file)
            path = install(target, f"{source.name}@{source.version}", [source], told)
            written += [path.name] if path else []
    terminology = open_terminology(target)
    editions = [
        {"name": e.name, "version": e.version, "start": e.start, "end": e.end, "content": e.content, "source": e.source}
        for uri in terminology.systems
        for e in terminology.editions(uri)
    ]
    if json:
        print_json({"written": written, "editions": editions})
        return
    note(f"Written: {', '.join(written)}." if written else "Everything was already there.")
    for edition in editions:
        typer.echo(f"{edition['name']} {edition['version']} ({edition['content']}): {edition['source']}")


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on a terminal; silence elsewhere."""
    from rich.progress import Progress

    with Progress(console=console(), transient=True) as bar:
        tasks: dict[str, int] = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = int(bar.add_task(what, total=total))
            bar.update(tasks[what], completed=done)  # type: ignore[arg-type]

        yield told
