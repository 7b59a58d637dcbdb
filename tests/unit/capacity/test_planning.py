"""Plans: the queue is carried, more costs more, and nonsense is refused."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from fhir_profiles.errors import FhirError
from server.capacity.costs import MEASURED, read_costs
from server.capacity.planning import Load, plan, service_of
from server.capacity.queueing import wait_at
from server.cli.main import app

COSTS = read_costs(MEASURED)
LOAD = Load(1_000_000, 3.0, 0.7, hours=12, cores=8)


def test_the_plan_is_the_smallest_that_waits_as_asked() -> None:
    """95 of 100 begin in time and no more than 85 % are busy; with one process less, one of the two fails."""
    for wait in (0.0, 1.0, 60.0):
        load = msgspec.structs.replace(LOAD, wait=wait)
        found, service = plan(load, COSTS), service_of(load, COSTS)
        assert found.wait_p95 <= wait and found.busy <= 0.85
        fewer = found.slots - 1
        late = wait_at(0.95, fewer, found.peak_rate, service, COSTS.variation) > wait
        assert late or found.peak_rate * service / fewer > 0.85


@pytest.mark.parametrize(
    ("name", "more"),
    [("pages_per_day", 3e6), ("scanned", 1.0), ("peak", 4.0), ("spare", 5)],
)
def test_more_load_takes_more_machines(name: str, more: float) -> None:
    """More pages, more scans, a higher peak, more to spare."""
    assert plan(msgspec.structs.replace(LOAD, **{name: more}), COSTS).machines > plan(LOAD, COSTS).machines


def test_reads_take_processes_and_cores_and_days_take_disk() -> None:
    """Queries burden API and database, keeping burdens the disk, neither the workers."""
    base = plan(LOAD, COSTS)
    busy = plan(msgspec.structs.replace(LOAD, reads_per_second=20_000, keep_days=3650), COSTS)
    assert busy.api_processes > base.api_processes and busy.database_cores > base.database_cores
    assert busy.stored == pytest.approx(10 * base.stored) and busy.slots == base.slots


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pages_per_day", 0),
        ("pages_per_day", float("nan")),
        ("scanned", 1.1),
        ("hours", 25),
        ("cores", 0),
        ("pages_per_day", 1e10),
    ],
)
def test_a_load_that_is_none_is_refused(name: str, value: float) -> None:
    """With a sentence that names what is wrong."""
    with pytest.raises(FhirError, match=r"must be from|not planned"):
        plan(msgspec.structs.replace(LOAD, **{name: value}), COSTS)


def test_costs_that_are_not_costs_are_refused(tmp_path: Path) -> None:
    """A missing file, a missing field, a negative one: told by name."""
    with pytest.raises(FhirError, match="cannot be read"):
        read_costs(tmp_path / "none.toml")
    text = MEASURED.read_text()
    (wrong := tmp_path / "wrong.toml").write_text(text.replace("\napi =", "\n# api ="))
    with pytest.raises(FhirError, match="api"):
        read_costs(wrong)
    wrong.write_text(text.replace("variation = ", "variation = -"))
    with pytest.raises(FhirError, match="variation"):
        read_costs(wrong)


def test_the_command_prints_a_table_and_json() -> None:
    """For people and for machines; a load that is none ends with a code that is not 0."""
    told = CliRunner().invoke(app, ["plan", "--pages-per-day", "1000000"])
    assert told.exit_code == 0 and "machines for them" in told.output
    found = json.loads(CliRunner().invoke(app, ["plan", "--pages-per-day", "1000000", "--json"]).stdout)
    assert found["plan"]["machines"] >= 2 and found["load"]["pages_per_day"] == 1_000_000
    assert CliRunner().invoke(app, ["plan", "--pages-per-day", "-1"]).exit_code != 0
