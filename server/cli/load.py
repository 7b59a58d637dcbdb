"""`fhirwright load`: a code system into the terminology, or a package of profiles (`load package FILE.tgz`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from server.cli.terminal import console, note, print_json, warn
from server.settings import read_settings


def load(
    system: Annotated[str, typer.Argument(help="icd10cm, or package for a FHIR package.")] = "icd10cm",
    file: Annotated[
        Path | None, typer.Argument(help="Official order file, the installed package otherwise; or a FHIR .tgz.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Load a code system into the terminology, or a FHIR package of profiles and value sets.

    Safe to run again: what is already there stays as it is.
    """
    if file is not None and not file.is_file():
        raise typer.BadParameter("There is no such file.")
    if system == "package":
        _load_package(file, data, json)
    else:
        _load_terminology(system, file, data, json)


def _load_package(file: Path | None, data: Path | None, json: bool) -> None:
    """Load an implementation guide: its profiles, value sets, code systems and search parameters."""
    from fhir_profiles.packages import Limits, install

    if file is None:
        raise typer.BadParameter("Give the .tgz file of the package.")
    settings = read_settings(data=data)
    with _progress() as told:
        loaded = install(settings.data, file, Limits(settings.package_bytes, settings.package_entries), told)
    if json:
        print_json(asdict(loaded))
        return
    note("Loaded." if loaded.written else "It was already there.")
    counts = ", ".join(f"{n} {kind}" for kind, n in sorted(loaded.counts.items()))
    typer.echo(f"{loaded.name} {loaded.version}: {counts}")
    if loaded.missing:
        note(f"It builds on packages that are not loaded: {', '.join(loaded.missing)}.")
        note("What needs them is reported as not checked; load them to have it checked.")
    for profile in loaded.unusable:
        warn(f"cannot be enforced: {profile}")


def _load_terminology(system: str, file: Path | None, data: Path | None, json: bool) -> None:
    """Load a code system."""
    from fhir_profiles.systems import ICD10CM
    from terminology import build, open_terminology
    from terminology.build import install
    from terminology.importers import Given
    from terminology.importers.icd10cm_order import read
    from terminology.systems import system_of

    if system_of(system) != ICD10CM:
        raise typer.BadParameter("icd10cm and package are what can be loaded.")
    target = read_settings(data=data).data
    with _progress() as told:
        written = [str(path.name) for path in build(target, told)]
        if file is not None:
            (source,) = read(Given((file,)))
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
