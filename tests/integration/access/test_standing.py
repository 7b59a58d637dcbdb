"""Callers that were kept: what became of what they were given; on both engines."""

from __future__ import annotations

from pathlib import Path

import msgspec

from server.access.caller import SYSTEM, Caller
from server.access.grants import read_scopes
from server.access.standing import still
from server.auth import keep
from server.auth.model import Authorization, Client, Person
from server.store import Store

ALICE = Person(id="alice", name="alice", password="-", roles=("clinician",))


def test_a_kept_caller_is_asked_again(store: Store, tmp_path: Path) -> None:
    """A revoked authorization, a disabled person and a client that is gone end it; a role says what it says now."""
    granted = Authorization(id="a", client="app", person="alice", scopes=("user/*.rs",), roles=("clinician", "gone"))
    kept = Caller(
        who="alice", client="app", token="a", grants=read_scopes(["user/*.rs"]), role=(), admin=True, broken=("B",)
    )
    assert still(store, SYSTEM, tmp_path) is SYSTEM
    store.write_sync(lambda tx: keep.put_client(tx, Client(id="app", title="app")))
    store.write_sync(lambda tx: keep.put_person(tx, ALICE))
    store.write_sync(lambda tx: keep.put_authorization(tx, granted))
    found = still(store, kept, tmp_path)
    assert found is not None
    assert found.role == read_scopes(["user/*.cruds"])
    assert not found.admin
    assert found.broken == ()
    (tmp_path / "roles.toml").write_text('[clinician]\ntitle = "t"\nscopes = ["user/Patient.r"]\n')
    found = still(store, kept, tmp_path)
    assert found is not None
    assert found.role == read_scopes(["user/Patient.r"])
    store.write_sync(lambda tx: keep.put_person(tx, msgspec.structs.replace(ALICE, disabled=True)))
    assert still(store, kept, tmp_path) is None
    store.write_sync(lambda tx: keep.put_person(tx, ALICE))
    store.write_sync(lambda tx: keep.revoke(tx, "a"))
    assert still(store, kept, tmp_path) is None
