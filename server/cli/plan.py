"""`fhirwright plan`: the machines that a load takes, from measured unit costs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.places import FILE
from server.cli.terminal import note, print_json, print_table

if TYPE_CHECKING:
    from server.capacity.costs import Costs
    from server.capacity.planning import Load, Plan

_GIB = 1024**3


@dataclass(frozen=True)
class _Row:
    what: str
    much: str
    why: str


def plan(
    pages_per_day: Annotated[float, typer.Option(help="Pages that arrive on a day.")],
    pages_per_document: Annotated[float, typer.Option(help="Pages of a document, on average.")] = 3.0,
    scanned: Annotated[float, typer.Option(help="Share of the pages that are scans or faxes, 0 to 1.")] = 0.7,
    hours: Annotated[float, typer.Option(help="Hours of the day in which documents arrive.")] = 12.0,
    peak: Annotated[float, typer.Option(help="The busiest hour by the mean of those hours.")] = 2.0,
    wait: Annotated[float, typer.Option(help="Seconds within which 95 of 100 documents are begun.")] = 60.0,
    reads_per_second: Annotated[float, typer.Option(help="Reads and searches at the busiest hour.")] = 0.0,
    cores: Annotated[int, typer.Option(help="Cores of a machine for workers.")] = 8,
    spare: Annotated[int, typer.Option(help="Machines that may be lost at the busiest hour.")] = 1,
    keep_days: Annotated[float, typer.Option(help="Days of documents that the database holds.")] = 365.0,
    costs: Annotated[Path | None, typer.Option(**FILE, help="Unit costs (TOML) of your own machine.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """The machines that a load takes: workers by a queueing model, API, database, memory and disk.

    The unit costs were measured; `python -m benchmarks.scale --write costs.toml` measures them on your machine, and
    --costs takes that file. What the model leaves out is told in docs/capacity.md.
    """
    from fhir_profiles.errors import FhirError
    from server.capacity.costs import MEASURED, read_costs
    from server.capacity.planning import Load
    from server.capacity.planning import plan as planned

    known = read_costs(costs or MEASURED)
    load = Load(
        pages_per_day, pages_per_document, scanned, hours, peak, wait, reads_per_second, cores, spare, keep_days
    )
    try:
        found = planned(load, known)
    except FhirError as error:  # about an option
        raise typer.BadParameter(error.problems[0].text) from None
    if json:
        import msgspec

        print_json({"load": msgspec.to_builtins(load), "plan": msgspec.to_builtins(found), "costs": known.measured})
        return
    print_table(("", "", "because"), [(row.what, row.much, row.why) for row in rows(load, found, known)])
    note(f"Unit costs: {known.measured}")


def rows(load: Load, found: Plan, costs: Costs) -> list[_Row]:
    """The plan as people read it."""
    busiest = f"{found.peak_rate:.2f} documents a second in the busiest hour"
    return [
        _Row("documents", f"{found.documents_per_day:,.0f} a day", f"{busiest}, {found.service:.2f} s of CPU each"),
        _Row(
            "worker processes", f"{found.slots:,}", f"{found.busy:.0%} busy; 95 % begun within {found.wait_p95:.0f} s"
        ),
        _Row("machines for them", f"{found.machines:,}", f"of {load.cores} cores, {load.spare} of them to spare"),
        _Row("memory of each", f"{found.worker_memory / _GIB:.1f} GiB", "one process a core, and the one that reads"),
        _Row("API processes", f"{found.api_processes:,}", f"{costs.api * 1000:.0f} ms of CPU to take a document in"),
        _Row("cores of PostgreSQL", f"{found.database_cores:,}", f"{costs.database * 1000:.0f} ms of CPU a document"),
        _Row("connections", f"{found.connections:,}", "of workers; PgBouncer where that is too many"),
        _Row("log of the database", f"{found.log_per_day / _GIB:.1f} GiB a day", "to be archived for a restore"),
        _Row("database", f"{found.stored / _GIB:,.0f} GiB", f"documents of {load.keep_days:.0f} days, with indexes"),
    ]
