"""`fhirwright load`: official files of code systems and of tables of claims, or a package of profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from server.cli.terminal import console, note, print_json, print_table, warn
from server.settings import read_settings


def load(
    name: Annotated[
        str, typer.Argument(help="What the files hold: icd10cm, loinc, ptp …; --list tells all; or package.")
    ] = "",
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            exists=True, help="Official files, folders or zip archives; without any, what the installation carries."
        ),
    ] = None,
    version: Annotated[str | None, typer.Option(help="The edition, where the files do not tell it.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="First day of service it governs, YYYY-MM-DD.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day of service it governs, YYYY-MM-DD.")] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Say that you have the licence that the content asks for.")
    ] = False,
    list_: Annotated[bool, typer.Option("--list", help="Tell what can be loaded and what is loaded.")] = False,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Load a code system or a table of claims from official files, or a FHIR package of profiles and value sets.

    A damaged file is refused with its line and column, and nothing of it is loaded. Safe to run again: what is already
    there stays as it is. Editions stand side by side, each for its own dates. Examples:

    fhirwright load hcpcs HCPC2026_OCT_ANWEB.txt; fhirwright load loinc Loinc_2.81.zip;
    fhirwright load cpt LONGULT.txt --accept-licence; fhirwright load ptp ccipra-v313r0-f1.zip ccipra-v313r0-f2.zip;
    fhirwright load package us-core.tgz
    """
    target = read_settings(data=data).data
    paths = tuple(files or ())
    if list_:
        _tell(target, json)
    elif name == "package":
        _load_package(paths, target, json)
    elif not paths and name in ("", "icd10cm", "icd10pcs"):
        _build(target, json)
    else:
        options = frozenset(("accept-licence",) if accept_licence else ())
        _load_files(name, paths, target, (version, _date(from_), _date(until), options), json)


def _load_package(paths: tuple[Path, ...], target: Path, json: bool) -> None:
    """Load an implementation guide: its profiles, value sets, code systems and search parameters."""
    from fhir_profiles.packages import Limits, install

    if len(paths) != 1 or not paths[0].is_file():
        raise typer.BadParameter("Give the .tgz file of the package.")
    settings = read_settings(data=target)
    with _progress() as told:
        loaded = install(target, paths[0], Limits(settings.package_bytes, settings.package_entries), told)
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


def _build(target: Path, json: bool) -> None:
    """The editions that come with the installation."""
    from terminology import build

    with _progress() as told:
        written = [path.name for path in build(target, told)]
        _keep_tables(target, told)
    if json:
        print_json({"written": written, "editions": _editions(target)})
        return
    note(f"Written: {', '.join(written)}." if written else "Everything was already there.")
    for edition in _editions(target):
        typer.echo(f"{edition['name']} {edition['version']} ({edition['content']}): {edition['source']}")


def _load_files(
    name: str,
    paths: tuple[Path, ...],
    target: Path,
    said: tuple[str | None, date | None, date | None, frozenset[str]],
    json: bool,
) -> None:
    """Code systems, tables of claims, or both: everything is read before anything of it is written."""
    from claims import importers as tables
    from claims.importers.load import Ready, ready
    from terminology import importers as systems
    from terminology.importers.load import load as load_files

    system, table = systems.importer_of(name), tables.importer_of(name)
    told_of = table or system
    if told_of is None:
        known = dict.fromkeys((*(i.name for i in systems.IMPORTERS), *(i.name for i in tables.IMPORTERS)))
        raise typer.BadParameter(f"What can be loaded: {', '.join(known)}, package.")
    if not paths:
        raise typer.BadParameter(f"Give the files of {told_of.title}: {told_of.files}.")
    given = systems.Given(paths, *said)
    with _progress() as told:
        read = ready(target, table, given, told) if table else Ready(target, ())
        loaded = load_files(target, system, given, told) if system else []
        written = read.write(told)
        if any(one.written for one in loaded):
            _keep_tables(target, told)
    if json:
        print_json([*map(asdict, loaded), *map(asdict, written)])
        return
    told_all = [(one.title, one.version, one.written) for one in loaded]
    for title, edition, new in told_all + [(one.title, one.version, one.written) for one in written]:
        typer.echo(f"{title} {edition}: {'loaded' if new else 'it was already there'}")
    for part in written:
        if part.written:
            counts = ", ".join(f"{value} {count}" for value, count in part.totals.items())
            note(f"{part.title} {part.version}: {part.rows} rows" + (f" ({counts})" if counts else "") + ".")
        for name, found in part.counts.items():
            note(f"{name}: " + ", ".join(f"{value} {count}" for value, count in found.items()))
        for text in part.warnings:
            warn(text)


def _keep_tables(target: Path, told: Callable[[str, int, int], None]) -> None:
    """Make the tables of claims out of the code systems now, so that the first claim does not wait for them."""
    from claims.tables.terms import keep
    from terminology import open_terminology

    keep(open_terminology(target), target, told)


def _tell(target: Path, json: bool) -> None:
    """What can be loaded, and what is."""
    from claims import importers as tables
    from claims.tables.store import releases
    from terminology.importers import IMPORTERS

    can = [{"name": i.name, "title": i.title, "files": i.files, "licence": i.licence} for i in IMPORTERS]
    can_too = [{"name": i.name, "title": i.title, "files": i.files} for i in tables.IMPORTERS]
    editions = _editions(target)
    loaded = [
        {
            "table": r.table,
            "release": r.name,
            "start": r.start,
            "end": r.end,
            "rows": r.rows,
            "source": r.source,
            "withdrawn": r.withdrawn,
        }
        for r in releases(target)
    ]
    if json:
        print_json({"importers": can, "editions": editions, "table_importers": can_too, "tables": loaded})
        return
    print_table(
        ("name", "code system", "files to give"), [(i.name, i.title, i.files) for i in IMPORTERS], "Can be loaded"
    )
    print_table(
        ("name", "table", "files to give"),
        [(i.name, i.title, i.files) for i in tables.IMPORTERS],
        "Can be loaded for claims",
    )
    rows = [tuple(str(e[k] or "") for k in ("name", "version", "start", "end", "content", "source")) for e in editions]
    print_table(("name", "edition", "from", "until", "content", "source"), rows, "Is loaded")
    if loaded:
        rows = [tuple(str(value or "") for value in one.values()) for one in loaded]
        print_table(("table", "release", "from", "until", "rows", "source", "withdrawn"), rows, "Is loaded for claims")


def _editions(target: Path) -> list[dict[str, Any]]:
    from fhir_profiles.errors import FhirError
    from terminology import open_terminology

    try:
        terminology = open_terminology(target)
    except FhirError:
        return []
    return [
        {"name": e.name, "version": e.version, "start": e.start, "end": e.end, "content": e.content, "source": e.source}
        for uri in terminology.systems
        for e in terminology.editions(uri)
    ]


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter("A date is written as 2026-10-01.") from None


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on a terminal; silence elsewhere."""
    from rich.progress import Progress

    with Progress(console=console(), transient=True) as bar:
        tasks: dict[str, int] = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = int(bar.add_task(what, total=total or None))
            bar.update(tasks[what], completed=done)  # type: ignore[arg-type]

        yield told
