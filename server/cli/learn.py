"""`fhirwright learn`: make models from coders' decisions, watch drift, promote and roll back."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli import learn_stages
from server.cli.exits import Exit
from server.cli.terminal import note, print_json
from server.cli.user import Data, Database, Json, opened

if TYPE_CHECKING:
    from server.interactions.fhir import Fhir
    from server.settings import Settings

learn = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)
Who = Annotated[str, typer.Option(help="Who decides this; kept with it.")]
Why = Annotated[str, typer.Option(help="The reason; kept with it.")]


@learn.callback()
def about() -> None:
    """Learn from coders' decisions: run, status, shadow, promote, rollback, history (docs/learning.md)."""


learn_stages.register(learn)


@contextmanager
def _server(database: str | None, data: Path | None) -> Iterator[tuple[Fhir, Settings]]:
    from server.interactions.fhir import Fhir

    with opened(database, data) as (store, settings):
        yield Fhir(store, settings), settings


@learn.command()
def run(
    here: Annotated[bool, typer.Option("--here", help="In this process, without a worker; a kill loses it.")] = False,
    database: Database = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Begin a run of retraining: a worker does it, also when it is killed meanwhile. One at a time on all machines.

    Exit code 5: a run is under way. What came of it: fhirwright learn history.
    """
    from server.jobs.engine import Jobs
    from server.learning import run as running

    with _server(database, data) as (fhir, settings):
        id = running.id_now(time.time())
        told: dict[str, Any] = {"run": id}
        if here:
            from extractors.pipeline import Pipeline
            from server.learning.apart import Here
            from server.learning.bench import Bench

            store = fhir.store
            doing = Here(Bench(fhir, Pipeline.open(settings.data)), store)
            told |= running.retrain(id, running.Plainly(store), doing, settings, store)
        else:
            from server.jobs.schema import prepare

            prepare(settings.direct_url)
            jobs = Jobs(postgres=fhir.store.dialect == "postgresql")
            running.refuse_second(fhir.store.write_sync(lambda tx: running.begin(tx, jobs, id)))
    if json:
        print_json(told)
        return
    note(f"Run {id}" + (f": {told['verdict']}" if here else " waits for a worker."))
    for why in told.get("why", ()):
        note(f"- {why}")


@learn.command()
def status(database: Database = None, data: Data = None, json: Json = False) -> None:
    """Say which version codes, and look at drift and calibration now. Exit code 1: an alarm."""
    import msgspec

    from server.learning import registry, watch

    with _server(database, data) as (fhir, _):
        found = watch.look_now(fhir, time.time())
        fhir.store.write_sync(lambda tx: watch.keep(fhir, tx, found))
        watch.tell(found)
        champion, challenger = registry.champion(fhir.store), registry.challenger(fhir.store)
    name = challenger.id if challenger else None
    told = {"champion": champion, "challenger": name, "look": msgspec.to_builtins(found)}
    if json:
        print_json(told)
    else:
        note(f"Version {champion} codes" + (f", {name} in the shadow." if name else "."))
        note(f"{found.now} documents lately, {found.before} before" + ("." if found.enough else ": too few to tell."))
        for one in found.found:
            sides = f", {one.before:.3f} → {one.now:.3f}" if one.before is not None and one.now is not None else ""
            word = "ALARM" if one.alarm else "calm"
            note(f"{word}  {one.of}: moved {one.moved:.4f}{sides}, by chance {one.chance:.4f}")
    if found.alarms:
        raise typer.Exit(Exit.FAILED)


@learn.command()
def shadow(database: Database = None, data: Data = None, json: Json = False) -> None:
    """Say how the challenger would have coded live documents beside the champion; in counts, nothing was changed."""
    from server.learning import registry

    with _server(database, data) as (fhir, settings):
        found = registry.challenger(fhir.store)
        counts = registry.shadow(fhir.store, found.id) if found else {}
    if json:
        print_json({"version": found.id if found else None, "counts": counts, "of": settings.learn_shadow_documents})
    elif found is None:
        note("No version is in the shadow.")
    else:
        note(f"{found.id}: {counts.get('documents', 0)} of {settings.learn_shadow_documents} documents.")
        for measure, number in counts.items():
            note(f"{number:8}  {measure}")


@learn.command()
def promote(
    version: Annotated[str, typer.Argument(help="A version: see learn history.")],
    force: Annotated[bool, typer.Option("--force", help="Also one that the rule refused.")] = False,
    who: Who = "",
    why: Why = "",
    database: Database = None,
    data: Data = None,
) -> None:
    """Let a version code from now on; workers follow within seconds. Exit code 5: it was not found better."""
    from fhir_profiles.errors import Category, FhirError
    from server.learning import registry
    from server.store import Tx

    def operation(tx: Tx) -> bool:
        tx.lock(registry.LOCK)
        if not force and registry.known(tx, version).state not in ("ready", "shadow", "champion"):
            text = "The version is not one that was found better: see learn history. --force promotes it all the same."
            raise FhirError.of(Category.CONFLICT, "conflict", text)
        return registry.promote(tx, version, who or _user(), why or "by hand")

    with _server(database, data) as (fhir, _):
        changed = fhir.store.write_sync(operation)
        _follow(fhir)
    note(f"Version {version} codes {'from now on' if changed else 'already'}.")


@learn.command()
def rollback(
    version: Annotated[str | None, typer.Argument(help="A version that coded before. [the one before]")] = None,
    who: Who = "",
    why: Why = "",
    database: Database = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Let an earlier version code again, `package` for the one of the software; workers follow within seconds."""
    from server.learning import registry

    with _server(database, data) as (fhir, _):
        name = fhir.store.write_sync(lambda tx: registry.roll_back(tx, version, who or _user(), why or "by hand"))
        _follow(fhir)
    if json:
        print_json({"champion": name})
    else:
        note(f"Version {name} codes again.")


@learn.command()
def history(database: Database = None, data: Data = None, json: Json = False) -> None:
    """Tell of every run, version and change, the newest first."""
    import msgspec

    from server.learning import registry
    from server.learning import run as running

    with _server(database, data) as (fhir, _):
        changes, versions = registry.history(fhir.store), registry.versions(fhir.store)
        runs = running.runs(fhir.store)
    if json:
        told = [{"id": v.id, "at": v.at, "state": v.state, "why": v.data.get("why", [])} for v in versions]
        print_json({"changes": msgspec.to_builtins(changes), "versions": told, "runs": runs})
        return
    for change in changes:
        note(f"{_day(change.at)}  {change.kind} {change.version} by {change.who}: {change.why}")
    for version in versions:
        note(f"{_day(version.at)}  version {version.id}: {version.state}; {'; '.join(version.data.get('why', []))}")
    for one in runs:
        came = f"{one['state']} {one.get('verdict', '')} {'; '.join(one.get('why', []))}"
        note(f"{_day(one['at'])}  run {one['id']}: {came}")


@learn.command()
def card(
    version: Annotated[str | None, typer.Argument(help="A version. [the one that codes]")] = None,
    database: Database = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Print the card of a version: data, figures, fairness, verdict, limits, hashes. Exit code 5: it has none."""
    from fhir_profiles.errors import Category, FhirError
    from server.learning import registry
    from server.learning.card import page

    with _server(database, data) as (fhir, _):
        found = registry.known(fhir.store, version or registry.champion(fhir.store))
    if "card" not in found.data:
        raise FhirError.of(Category.NOT_FOUND, "not-found", "The version has no card: it was not measured.")
    if json:
        print_json(found.data["card"])
    else:
        typer.echo(page(found.data["card"], found.at), nl=False)


def _follow(fhir: Fhir) -> None:
    """Tell MLflow which version codes now, where its address is set."""
    from server.learning.agree import told

    if not told(fhir.store):
        note("warning: MLflow could not be told; it is with the next change.")


def _user() -> str:
    return os.environ.get("USER") or str(os.getuid())


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M}"
