"""Attempts to sign in: how often, how long they take, and what they tell."""

from __future__ import annotations

import hmac
import subprocess
import sys
from types import SimpleNamespace

import pytest
from argon2 import Parameters, Type, extract_parameters

from server.auth import keep, secrets
from server.auth.attempts import Attempts, network_of
from server.auth.secrets import same
from server.auth.signin import Entered, Limits, Refused, SignIn
from server.store import Store
from tests.integration.auth.browser import BOB, PASSWORD, Browser, code_of
from tests.integration.auth.conftest import Flow
from tests.support.work import calls


def _entrance(store: Store) -> SignIn:
    store.write_sync(lambda tx: keep.put_person(tx, BOB))
    return SignIn(store, Limits(), Attempts(store))


@pytest.mark.check("OPS-01")
def test_a_thousand_wrong_attempts_are_stopped_and_nobody_else_is(store: Store) -> None:
    """OPS-01: whoever guesses waits longer and longer; the same person elsewhere, and others, sign in as ever."""
    entrance = _entrance(store)
    answers = [entrance.enter("bob", "guess", "", "198.51.100.1") for _ in range(1000)]
    waits = [one.wait for one in answers if isinstance(one, Refused)]
    assert len(waits) == 1000 and sum(wait == 0 for wait in waits) <= 100 and waits[-1] > 0
    assert isinstance(entrance.enter("bob", PASSWORD, code_of(store), "198.51.100.1"), Refused)
    assert isinstance(entrance.enter("bob", PASSWORD, code_of(store), "192.0.2.1"), Entered)


@pytest.mark.check("OPS-01")
def test_the_wait_outlives_a_restart(store: Store) -> None:
    """OPS-01: it is kept in the database, for every process."""
    entrance = _entrance(store)
    for _ in range(8):
        entrance.enter("bob", "guess", "", "198.51.100.1")
    other = SignIn(store, Limits(), Attempts(store))
    found = other.enter("bob", PASSWORD, code_of(store), "198.51.100.1")
    assert isinstance(found, Refused) and found.wait > 0


@pytest.mark.check("OPS-01")
def test_many_names_from_one_address_are_stopped(store: Store) -> None:
    """OPS-01: trying one password with every name ends too, and only for that address."""
    attempts = Attempts(store)
    waits = [attempts.begin(attempts.counters("person", f"n{n}", "198.51.100.1")) for n in range(200)]
    assert waits[:100] == [0] * 100 and waits[-1] > 0
    assert attempts.begin(attempts.counters("person", "bob", "198.51.100.2")) == 0


def test_a_right_password_clears_the_count(store: Store) -> None:
    """Somebody who mistypes now and then is never stopped."""
    entrance = _entrance(store)
    for _ in range(5):
        for _ in range(3):
            assert entrance.enter("bob", "typo", "", "192.0.2.1") == Refused(0)
        assert isinstance(entrance.enter("bob", PASSWORD, code_of(store), "192.0.2.1"), Entered)


@pytest.mark.check("OPS-01")
async def test_too_many_are_answered_with_429(flow: Flow) -> None:
    """OPS-01: the page says how long to wait, and so does Retry-After."""
    flow.store.write_sync(lambda tx: keep.put_person(tx, BOB))
    browser = Browser(flow)
    await browser.visit("/auth/manage")
    for _ in range(7):
        answer = await browser.sign_in(password="guess")
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 0


@pytest.mark.check("OPS-03")
async def test_unknown_people_get_the_same_answer(flow: Flow) -> None:
    """OPS-03: a wrong password, a wrong code, a name that nobody has and one that is disabled: letter for letter."""
    flow.store.write_sync(lambda tx: keep.put_person(tx, BOB))
    seen = set()
    for name, password, code in (("bob", "guess", ""), ("bob", PASSWORD, "000000"), ("nobody", "guess", "")):
        browser = Browser(flow, f"192.0.2.{len(seen) + 20}")
        await browser.visit("/auth/manage")
        csrf = browser.form("/auth/sign-in")["csrf"][0]
        answer = await browser.sign_in(name if name == "bob" else "bob", password, code) if name == "bob" else (
            await browser.send("/auth/sign-in", name=name, password=password, code=code))  # fmt: skip
        again = browser.form("/auth/sign-in")["csrf"][0]
        seen.add((answer.status_code, answer.text.replace(csrf, "").replace(again, "")))
    assert len(seen) == 1 and next(iter(seen))[0] == 403


@pytest.mark.check("OPS-02", "OPS-03")
def test_unknown_people_take_the_same_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-02, OPS-03: a password is hashed as dearly for whoever is asked about: no time tells who there is."""
    store.write_sync(lambda tx: keep.put_person(tx, BOB))
    entrance = SignIn(store, Limits(), Attempts(store, free=100))
    hashed: list[Parameters] = []
    verify = secrets._hasher.verify

    def noted(kept: str, password: str) -> bool:
        hashed.append(extract_parameters(kept))
        return verify(kept, password)

    monkeypatch.setattr(secrets, "_hasher", SimpleNamespace(verify=noted))
    for number, name in enumerate(("bob", "n0", "n1", "bob")):
        entrance.enter(name, "guess", "", f"192.0.2.{number}")
        assert len(hashed) == number + 1
    assert len(set(map(str, hashed))) == 1


def test_a_hash_is_dear() -> None:
    """What the server keeps of a password takes argon2id, 64 MiB and three rounds, for nobody's too."""
    code = "from server.auth import secrets; print(secrets.hash_password('x'), secrets._NOBODY)"
    kept = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    for one in map(extract_parameters, kept):
        assert (one.type, one.memory_cost, one.time_cost) == (Type.ID, 64 * 1024, 3)


@pytest.mark.check("OPS-02")
@pytest.mark.parametrize("length", [32, 64])
def test_comparing_takes_the_same_time_wherever_texts_differ(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-02: whole texts go to the comparison made for secrets, wherever they differ, and nothing else looks."""
    secret = "s" * length
    compare, seen = hmac.compare_digest, []

    def noted(one: bytes, other: bytes) -> bool:
        seen.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    done = [calls(lambda text=text: same(secret, text)) for text in (secret[:-1] + "x", "x" * length, secret)]  # type: ignore[misc]
    assert [other for _, other in seen] == [(secret[:-1] + "x").encode(), b"x" * length, secret.encode()]
    assert {one for one, _ in seen} == {secret.encode()} and len(set(done)) == 1


def test_addresses_are_counted_by_who_has_them() -> None:
    """An IPv6 network counts once; IPv4 in IPv6 is IPv4; what is no address counts as one place."""
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2") != network_of("2001:db8:0:1::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("testclient") == network_of("")
