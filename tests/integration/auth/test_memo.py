"""Whom a token speaks for is remembered for a moment, and forgotten with what ends it; on both engines."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from server.auth import keep, memo
from server.store import open_store

from .conftest import Flow


async def test_what_this_process_ends_is_over_at_once(flow: Flow) -> None:
    """Revocation by the endpoint is seen by the next request, though the token was used just before."""
    told = await flow.tokens(client="secret", scope="patient/Patient.rs launch/patient offline_access")
    for _ in range(2):
        assert (await flow.get("Patient/A", told["access_token"])).status_code != 401
    await flow.post("/auth/revoke", {"token": told["access_token"]}, ("secret", "the secret of the app"))
    assert (await flow.get("Patient/A", told["access_token"])).status_code == 401


async def test_what_another_process_ends_is_over_within_a_second(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's commit is seen once what was remembered is a second old; no token outlives its end by that."""
    told = await flow.tokens(client="secret", scope="patient/Patient.rs launch/patient")
    assert (await flow.get("Patient/A", told["access_token"])).status_code != 401
    url = flow.store.engine.url.render_as_string(hide_password=False)
    other = open_store(url, create=False)
    [(name,)] = other.query("SELECT id FROM auth_authorization")
    other.write_sync(lambda tx: keep.revoke(tx, name))
    other.close()
    later = keep.now() / 1000 + memo.LONGEST
    monkeypatch.setattr(memo, "time", SimpleNamespace(time=lambda: later))
    assert (await flow.get("Patient/A", told["access_token"])).status_code == 401
    assert memo.LONGEST <= 1


async def test_a_token_that_expires_is_remembered_no_longer(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory of a caller ends with the token, also within the second."""
    told = await flow.tokens(client="secret", scope="patient/Patient.rs launch/patient")
    [(expires,)] = flow.store.query("SELECT expires FROM auth_token WHERE kind = 'access'")
    for moment, good in ((expires - 300, True), (expires + 1, False)):
        monkeypatch.setattr(keep, "now", lambda moment=moment: moment)
        monkeypatch.setattr(memo, "time", SimpleNamespace(time=lambda moment=moment: moment / 1000))
        assert ((await flow.get("Patient/A", told["access_token"])).status_code != 401) is good
