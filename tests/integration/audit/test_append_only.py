"""The role that the server runs as on PostgreSQL."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy.engine import make_url

from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.settings import Settings
from server.store import open_store
from server.store.roles import grant


@pytest.mark.check("OPS-16")
def test_ops_16_the_role_of_the_server_cannot_change_the_trail(database_url: str, tmp_path: object) -> None:
    """OPS-16: as the app's role everything works, but UPDATE and DELETE of audit tables: permission denied."""
    if not database_url.startswith("postgresql"):
        with pytest.raises(ValueError, match="Only PostgreSQL"):
            grant(database_url, "fhirwright_app")
        return
    with psycopg.connect(database_url, autocommit=True) as owner:
        if not _known(owner):
            owner.execute("CREATE ROLE audit_test_app LOGIN PASSWORD 'x'")
    grant(database_url, "audit_test_app")
    url = make_url(database_url).set(username="audit_test_app", password="x").render_as_string(hide_password=False)
    store = open_store(url, create=False)
    fhir = Fhir(store, Settings(data=tmp_path, open=True))  # type: ignore[arg-type]
    body = b'{"resourceType":"Patient","id":"a"}'
    assert fhir.handle_sync(Request(caller=ANYBODY, method="PUT", path=("Patient", "a"), body=body)).status == 201
    store.close()
    with psycopg.connect(url, autocommit=True) as role:
        assert role.execute("SELECT count(*) FROM audit_event").fetchone() == (1,)
        for table, column in (("audit_event", "seq"), ("audit_key", "block"), ("audit_checkpoint", "seq")):
            for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = 1", f"TRUNCATE {table}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    role.execute(statement)  # type: ignore[call-overload]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            role.execute("ALTER TABLE audit_event DISABLE TRIGGER ALL")


def _known(owner: psycopg.Connection[object]) -> bool:
    return owner.execute("SELECT 1 FROM pg_roles WHERE rolname = 'audit_test_app'").fetchone() is not None
