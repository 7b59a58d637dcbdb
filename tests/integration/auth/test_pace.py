"""How fast may be asked: authorizations, pages and resources, for each client and each address."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.app import create_app
from server.auth import keep
from server.settings import Settings

from .browser import Browser
from .conftest import ALICE, APPS, Flow

SLOW = {"auth_rate": 0.01, "auth_burst": 60, "fhir_rate": 0.01, "fhir_burst": 20}


@pytest.fixture
async def slow(database_url: str, tmp_path: Path) -> AsyncIterator[Flow]:
    """A closed server where little may be asked for, and hardly anything comes back."""
    app = create_app(
        Settings(database=database_url, data=tmp_path / "var", log_requests="problems", coding="off", **SLOW)  # type: ignore[arg-type]
    )
    fhir = app.state.fhir
    for one in APPS:
        fhir.store.write_sync(lambda tx, one=one: keep.put_client(tx, one))  # type: ignore[misc]
    fhir.store.write_sync(lambda tx: keep.put_person(tx, ALICE))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        yield Flow(http, app.state.endpoints, fhir.store)
    fhir.store.close()


async def _until_429(call: Callable[[], Any], most: int) -> httpx.Response:
    """The first answer that tells to wait, which comes within so many."""
    for _ in range(most):
        answer: httpx.Response = await call()
        if answer.status_code == 429:
            return answer
    raise AssertionError("it never came")


@pytest.mark.check("OPS-01")
async def test_authorizations_are_begun_only_so_fast(slow: Flow) -> None:
    """Each is kept until somebody answers it: a client that begins many waits, by GET and POST; another does not."""
    answer = await _until_429(slow.authorize, 8)
    assert int(answer.headers["retry-after"]) >= 1 and "location" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    form = {"client_id": "public", "response_type": "code"}
    assert (await slow.http.post("/auth/authorize", data=form)).status_code == 429
    waiting = slow.store.query("SELECT count(*) FROM auth_pending")[0][0]
    assert waiting <= 6
    assert (await slow.authorize("secret")).status_code == 303


@pytest.mark.check("OPS-01")
async def test_an_address_waits_whatever_clients_it_names(slow: Flow) -> None:
    """Names of clients that nobody has do not get round the limit of an address; another address goes on."""
    numbers = iter(range(1000))
    answer = await _until_429(lambda: slow.authorize(f"nobody{next(numbers)}"), 60)
    assert int(answer.headers["retry-after"]) >= 1
    assert (await Browser(slow, "203.0.113.9").http.get("/auth/sign-in")).status_code == 200


@pytest.mark.check("OPS-01")
@pytest.mark.parametrize("path", ["/auth/sign-in", "/auth/consent?request=x", "/auth/manage", "/auth/register/x"])
async def test_pages_are_shown_only_so_fast(slow: Flow, path: str) -> None:
    """A browser that asks all the time is told to wait, on a page as guarded as any; another address is not."""
    one, other = Browser(slow), Browser(slow, "203.0.113.9")
    answer = await _until_429(lambda: one.http.get(path), 70)
    assert int(answer.headers["retry-after"]) >= 1
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert (await other.http.get(path)).status_code != 429


@pytest.mark.check("OPS-01")
async def test_a_client_asks_for_resources_only_so_fast(slow: Flow) -> None:
    """429 with Retry-After and an OperationOutcome, with another token of it too; another client is served."""
    tokens = [(await slow.tokens())["access_token"] for _ in range(2)]
    answer = await _until_429(lambda: slow.get("Patient", tokens[0]), 25)
    assert int(answer.headers["retry-after"]) >= 1
    told = answer.json()
    assert (told["resourceType"], told["issue"][0]["code"]) == ("OperationOutcome", "throttled")
    assert (await slow.get("Patient", tokens[1])).status_code == 429
    assert (await slow.get("metadata")).status_code == 200
    other = (await slow.tokens(client="secret"))["access_token"]
    assert (await slow.get("Patient", other)).status_code == 200


@pytest.mark.check("OPS-01")
@pytest.mark.parametrize("path", ["Patient", "$file/x/Patient.ndjson"])
async def test_an_address_tries_tokens_only_so_fast(slow: Flow, path: str) -> None:
    """Bad tokens are answered 401, then 429 before any is looked up; who was known goes on, another address too."""
    good = (await slow.tokens())["access_token"]
    late = (await slow.tokens())["access_token"]
    assert (await slow.get("Patient", good)).status_code == 200
    numbers = iter(range(1000))
    answer = await _until_429(lambda: slow.get(path, f"guess-{next(numbers)}"), 70)
    assert next(numbers) > 20 and int(answer.headers["retry-after"]) >= 1
    assert answer.json()["issue"][0]["code"] == "throttled"
    assert (await slow.get("Patient", good)).status_code == 200
    assert (await slow.get("Patient", late)).status_code == 429
    assert (await slow.get("Patient")).status_code == 401
    elsewhere = Browser(slow, "203.0.113.9").http
    headers = {"authorization": f"Bearer {late}"}
    assert (await elsewhere.get("/fhir/Patient", headers=headers)).status_code == 200


def test_nothing_is_without_a_limit_by_default() -> None:
    """What people and apps ask of `/auth` cannot be without one, and resources have one unless it is turned off."""
    assert Settings().auth_rate > 0 and Settings().fhir_rate > 0
    with pytest.raises(ValueError, match="auth_rate"):
        Settings(auth_rate=0)
    assert Settings(fhir_rate=0).fhir_rate == 0
