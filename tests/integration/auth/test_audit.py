"""What the audit knows of tokens and of who is refused."""

from __future__ import annotations

from typing import Any

import pytest

from campaigns.auditing.balp import problems
from fhir_profiles.validate import check
from server.audit.chain import events_of
from server.audit.event import decode
from server.audit.render import render
from server.auth.signing import Keys

from .conftest import Flow


def told(flow: Flow) -> list[dict[str, Any]]:
    """All AuditEvents, each of them valid."""
    flow.trail.chain()
    found = [one for seq, data in events_of(flow.store) for one in render(seq, decode(data))]
    for one in found:
        assert problems(one) == []
        assert [p for p in check(one) if p.severity in ("error", "fatal")] == []
    return found


@pytest.mark.check("OPS-12")
async def test_ops_12_failures_and_tokens_leave_events(flow: Flow) -> None:
    """OPS-12: denied, bad token, consent, revoke and rotation are there, failures with outcome 4 or 8."""
    tokens = await flow.tokens(client="secret", scope="patient/Patient.rs launch/patient offline_access")
    await flow.get("Patient/A", "no token of ours")
    await flow.get("Patient/A")
    await flow.get("Observation/x", tokens["access_token"])
    await flow.redeem("no code", "secret")
    await flow.post("/auth/revoke", {"token": tokens["refresh_token"]}, ("secret", "the secret of the app"))
    Keys(flow.store).rotate()
    found = {(one["subtype"][0]["code"], one["outcome"]) for one in told(flow)}
    expected = {("consent", "0"), ("token", "0"), ("token", "4"), ("revoke", "0"), ("key-rotation", "0"), ("read", "8")}
    assert expected <= found


async def test_an_event_tells_client_user_and_token(flow: Flow) -> None:
    """A read with a token names the app, the person and the authorization, and never the token."""
    tokens = await flow.tokens(scope="patient/Patient.rs launch/patient")
    await flow.get("Patient/A", tokens["access_token"])
    [event] = [one for one in told(flow) if one["subtype"][0]["code"] == "read"]
    agents = event["agent"]
    assert agents[0]["who"]["identifier"]["value"] == "public"
    assert agents[2]["who"]["reference"] == "Practitioner/d"
    assert agents[2]["requestor"] is True and agents[2]["policy"]
    assert tokens["access_token"] not in str(event)
