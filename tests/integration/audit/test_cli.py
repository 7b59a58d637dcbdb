"""`fhirwright audit`: verify, export and prune, as an operator runs them, on both engines."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from campaigns.auditing.balp import problems
from server.audit.checkpoints import FILE
from server.audit.event import Event, line_of
from server.audit.place import directory
from server.audit.trail import Trail
from server.cli.main import app
from server.settings import Settings
from server.store import open_store
from server.store.roles import grant

Run = Callable[..., Result]
OLD = int(datetime(2019, 5, 1, tzinfo=UTC).timestamp()) * 1_000_000
LATER = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"  # after all events, also of a run that passes midnight


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Run:
    """The command over a trail of 30 events of 2019 and 30 of now, ten a row, each day signed on its own."""
    settings = Settings(database=database_url, data=tmp_path / "var", open=True)
    now = int(datetime.now(UTC).timestamp()) * 1_000_000
    for begin in (OLD, now):
        store = open_store(database_url, create=False)
        Trail(store, settings).start()
        for ten in range(0, 30, 10):
            some = [
                line_of(Event(begin + n, "read", 200, "Patient", f"p{n}", 0, (f"p{n}",), who="x"))
                for n in range(ten, ten + 10)
            ]
            store.write_sync(lambda tx, some=some: tx.audit(*some))  # type: ignore[misc]
        store.close()

    def call(*words: str) -> Result:
        return CliRunner().invoke(app, ["audit", *words, "--database", database_url, "--data", str(tmp_path / "var")])

    return call


def meddle(url: str, statement: str) -> None:
    """Run a statement as somebody whom nothing refuses."""
    if url.startswith("sqlite"):
        raw: Any = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
    else:
        raw = psycopg.connect(url, autocommit=True)
        for table in ("audit_event", "audit_key"):
            raw.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    raw.execute(statement)
    raw.close()


def test_verify_says_that_the_trail_is_whole(run: Run) -> None:
    """Exit code 0, the number of events, and how far they are signed; the same as JSON."""
    told = run("verify")
    assert told.exit_code == 0 and "60 events, 2 checkpoints, signed up to event 60" in told.output
    found = json.loads(run("verify", "--json").stdout)
    assert found["whole"] and (found["events"], found["signed"], found["findings"]) == (60, 60, [])


@pytest.mark.parametrize(
    ("statement", "kind", "seq"),
    [
        ("DELETE FROM audit_event WHERE seq = 20", "deleted", 11),
        ("UPDATE audit_event SET at = at + 1 WHERE seq = 30", "edited", 21),
        ("UPDATE audit_event SET events = 9 WHERE seq = 30", "edited", 21),
        ("UPDATE audit_event SET prints = hash WHERE seq = 40", "edited", 31),
        ("UPDATE audit_event SET hash = data WHERE seq = 50", "edited", 41),
        ("DELETE FROM audit_event WHERE seq > 50", "truncated", 51),
        ("DELETE FROM audit_key WHERE key = 'Patient/p23'", "key", 24),
    ],
    ids=["delete", "time", "count", "prints", "hash", "truncate", "key"],
)
def test_verify_tells_damage_by_its_place(run: Run, database_url: str, statement: str, kind: str, seq: int) -> None:
    """What was done, to which event; exit code 1."""
    meddle(database_url, statement)
    told = run("verify", "--json")
    assert told.exit_code == 1
    found = json.loads(told.stdout)
    assert not found["whole"] and (kind, seq) in [(one["kind"], one["seq"]) for one in found["findings"]]
    assert re.search(rf"vents? {seq}\b", run("verify").output)


def test_verify_believes_only_the_signer_that_is_named(run: Run, database_url: str, tmp_path: Path) -> None:
    """With another public key, or a copy of the checkpoints that lacks the last, it is not whole."""
    assert run("verify", "--signer", base64.b64encode(bytes(32)).decode()).exit_code == 1
    store = open_store(database_url, create=False)
    text = (directory(store, Settings(data=tmp_path / "var", database=database_url)) / FILE).read_text()
    store.close()
    (copy := tmp_path / "copy.ndjson").write_text(text.splitlines()[0])
    assert run("verify", "--checkpoints", str(copy)).exit_code == 1


def test_export_writes_audit_events_with_and_without_proofs(run: Run, tmp_path: Path) -> None:
    """A line for each event, and the hashes of rows follow one another; plain: an AuditEvent of BALP a line."""
    out = tmp_path / "out.ndjson"
    assert "60 events" in run("export", str(out)).output
    before, leaves, ends = bytes(32), b"", []
    for proof in (json.loads(line)["proof"] for line in out.read_text().splitlines()):
        leaf = sha256(base64.b64decode(proof["data"])).digest()
        assert proof["hash"] == leaf.hex()
        leaves += leaf
        if "chain" in proof:
            before, leaves = sha256(before + leaves).digest(), b""
            assert proof["chain"] == before.hex()
            ends.append(proof["seq"])
    assert ends == [10, 20, 30, 40, 50, 60]
    assert "10 AuditEvents" in run("export", str(out), "--plain", "--since", "50").output
    plain = [json.loads(line) for line in out.read_text().splitlines()]
    assert [one["id"] for one in plain] == [f"{seq}-0" for seq in range(51, 61)]
    assert not any(problems(one) for one in plain)


def test_prune_moves_old_events_and_what_stays_is_proved(run: Run, tmp_path: Path, database_url: str) -> None:
    """The events of 2019 are in the file; the rest is whole, goes on, and tells of the pruning; damage is told."""
    out = tmp_path / "old.ndjson"
    assert (
        "30 events were moved to old.ndjson; the trail begins with event 31"
        in run("prune", str(out), "--before", "2020-01-01").output
    )
    assert [json.loads(line)["proof"]["seq"] for line in out.read_text().splitlines()] == [*range(1, 31)]
    store = open_store(database_url, create=False)
    trail = Trail(store, Settings(database=database_url, data=tmp_path / "var", open=True))
    trail.keep(Event(OLD, "read", 200, who="y"))
    store.close()
    found = json.loads(run("verify", "--json").stdout)
    assert (found["whole"], found["events"], found["signed"]) == (True, 32, 62), found
    run("export", str(out), "--plain", "--since", "60")
    assert "prune" in {json.loads(line)["subtype"][0]["code"] for line in out.read_text().splitlines()}
    meddle(database_url, "DELETE FROM audit_event WHERE seq = 40")
    assert [one["seq"] for one in json.loads(run("verify", "--json").stdout)["findings"]][:1] == [31]


def test_what_was_not_signed_as_pruned_is_told(run: Run, database_url: str) -> None:
    """Who takes the oldest events away by hand is told, however well the rest fits."""
    meddle(database_url, "DELETE FROM audit_event WHERE seq <= 30")
    found = json.loads(run("verify", "--json").stdout)["findings"]
    assert {(one["kind"], one["seq"]) for one in found} >= {("deleted", 1), ("deleted", 30)}


def test_prune_leaves_what_is_damaged_and_what_no_checkpoint_ends(run: Run, tmp_path: Path, database_url: str) -> None:
    """Nothing old enough: nothing is done. A trail that is not whole is left as it is."""
    out = tmp_path / "old.ndjson"
    assert "nothing to take away" in run("prune", str(out), "--before", "2019-01-01").output
    assert run("prune", str(out), "--before", LATER).exit_code == 0  # up to the last checkpoint before the end
    meddle(database_url, "UPDATE audit_event SET at = at + 1 WHERE seq = 60")
    assert run("prune", str(out), "--before", LATER).exit_code != 0


def test_the_role_of_the_server_cannot_prune(run: Run, tmp_path: Path, database_url: str) -> None:
    """On PostgreSQL the app's role takes nothing away: only the owner of the tables lifts their guard."""
    if not database_url.startswith("postgresql"):
        pytest.skip("only PostgreSQL has roles")
    with psycopg.connect(database_url, autocommit=True) as owner:
        if owner.execute("SELECT 1 FROM pg_roles WHERE rolname = 'audit_prune_app'").fetchone() is None:
            owner.execute("CREATE ROLE audit_prune_app LOGIN PASSWORD 'x'")
    grant(database_url, "audit_prune_app")
    from sqlalchemy.engine import make_url

    url = make_url(database_url).set(username="audit_prune_app", password="x").render_as_string(hide_password=False)
    words = ["audit", "prune", str(tmp_path / "o"), "--before", "2020-01-01", "--database", url]
    assert CliRunner().invoke(app, [*words, "--data", str(tmp_path / "var")]).exit_code != 0
    found = json.loads(run("verify", "--json").stdout)
    assert (found["whole"], found["events"]) == (True, 60)


def test_each_machine_signs_the_chain_in_a_file_of_its_own(run: Run, database_url: str, tmp_path: Path) -> None:
    """A file is held against what its signer signed: checkpoints of another machine are not missing from it."""
    other = Settings(database=database_url, data=tmp_path / "other", open=True)
    store = open_store(database_url, create=False)
    Trail(store, other).start()
    store.write_sync(lambda tx: tx.audit(line_of(Event(tx.now, "read", 200, "Patient", "p", 0, ("p",), who="x"))))
    store.close()
    assert run("verify").exit_code == 0
    words = ["audit", "verify", "--database", database_url, "--data", str(other.data)]
    assert CliRunner().invoke(app, words).exit_code == 0
