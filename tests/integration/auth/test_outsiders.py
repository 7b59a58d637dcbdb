"""Tokens of an issuer that this server trusts (https://datatracker.ietf.org/doc/html/rfc9068)."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from server.access.caller import Caller
from server.access.grants import read_scopes
from server.access.roles import read_roles
from server.auth.identify import NotAuthorizedError
from server.auth.jwks import KeySets
from server.auth.model import Client
from server.auth.outsiders import Outsiders
from server.jobs.outside import Wall

ISSUER, BASE = "https://sso.example", "https://fhir.example/fhir"
KEY, OTHER = RSAKey.generate_key(2048, auto_kid=True), RSAKey.generate_key(2048, auto_kid=True)
CURVE = ECKey.generate_key("P-256", auto_kid=True)


class Known(KeySets):
    """The key set of the issuer, at hand."""

    def __call__(self, client: Client) -> dict[str, Any]:
        """The two keys."""
        assert client.jwks_uri == f"{ISSUER}/jwks"
        return {"keys": [KEY.as_dict(private=False), CURVE.as_dict(private=False)]}


def token(key: Any = KEY, alg: str = "RS256", **changed: Any) -> str:
    """A token of the issuer; a claim of None is left out."""
    claims = {"iss": ISSUER, "aud": BASE, "sub": "u-1", "exp": int(time.time()) + 60, "scope": "user/Patient.rs"}
    body = {name: value for name, value in (claims | changed).items() if value is not None}
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    return jws.serialize_compact({"alg": alg, "kid": key.kid}, json.dumps(body).encode(), key, registry=registry)


OUTSIDERS = Outsiders(ISSUER, f"{ISSUER}/jwks", BASE, Known(Wall(())))


@pytest.mark.parametrize(("key", "alg"), [(KEY, "RS256"), (KEY, "RS384"), (CURVE, "ES256")])
def test_a_good_token_says_who_calls(key: Any, alg: str) -> None:
    """Subject, scopes, patient and roles are those of its claims."""
    text = token(key, alg, patient="A", roles=["auditor"], fhirUser=f"{BASE}/Practitioner/d")
    caller = OUTSIDERS(text, read_roles())
    assert (caller.who, caller.patient, caller.user, caller.admin) == (f"{ISSUER}#u-1", "A", "Practitioner/d", False)
    assert [str(grant) for grant in caller.grants or ()] == ["user/Patient.rs"]
    assert {"user/*.rs", "user/AuditEvent.rs"} <= {str(grant) for grant in caller.role or ()}


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"}, {"aud": "https://other.example/fhir"}, {"aud": None}, {"exp": 1},
        {"exp": None}, {"exp": "soon"}, {"sub": None}, {"sub": 7}, {"nbf": int(time.time()) + 1000}, {"iss": None},
        {"sub": ""}, {"sub": "u" * 256}, {"client_id": "c" * 256}, {"patient": "A" * 256}, {"aud": [BASE, 7]},
        {"aud": [BASE, "https://south.example/fhir"]},
    ],
)  # fmt: skip
def test_a_token_with_a_wrong_claim_is_refused(changed: dict[str, Any]) -> None:
    """401, whatever is wrong."""
    with pytest.raises(NotAuthorizedError):
        OUTSIDERS(token(**changed), read_roles())


def test_an_outsider_is_no_local_person_or_client() -> None:
    """Whoever the issuer calls alice, or a client app, is not ours of that name, and has none of what is theirs."""
    grants = read_scopes(("user/Patient.rs",))
    caller = OUTSIDERS(token(sub="alice", client_id="app"), read_roles())
    ours = Caller(who="alice", client="app", grants=grants)
    assert (caller.who, caller.client) == (f"{ISSUER}#alice", f"{ISSUER}#app")
    assert caller.key != ours.key
    assert not caller.holds(ours)
    joined = {
        OUTSIDERS(token(sub=sub, client_id=client, patient=patient), read_roles()).key
        for sub, client, patient in (
            ("a b Patient/A", None, None), ("a", "b Patient/A", None), ("a", "b", "A"), ("a", "Patient/A", None),
            ("a", None, "A"), ("a%20b", "c", None), ("a b", "c", None),
        )
    }  # fmt: skip
    assert len(joined) == 7


def test_a_token_for_one_base_may_be_for_something_else_too() -> None:
    """Another audience that is no FHIR base of the same form does no harm."""
    assert OUTSIDERS(token(aud=[f"{ISSUER}/userinfo", BASE]), read_roles()).who == f"{ISSUER}#u-1"


def test_a_token_of_another_key_is_refused() -> None:
    """Another key under the same kid, none at all, an algorithm of secrets, and what is no token."""
    forged = token(OTHER).split(".")
    head = token().split(".")[0]
    for text in (
        f"{head}.{forged[1]}.{forged[2]}",
        token(OTHER),
        "eyJhbGciOiJub25lIn0.e30.",
        "a.b.c",
        "..",
        token()[:-4],
    ):
        with pytest.raises(NotAuthorizedError):
            OUTSIDERS(text, read_roles())


def test_without_roles_a_person_may_do_nothing() -> None:
    """Scopes at user level are held against roles; a token without them gives none."""
    assert OUTSIDERS(token(), read_roles()).role == ()
