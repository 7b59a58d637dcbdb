"""What holds for the whole server: tenants, guesses, pages, and processes that are killed (OPS-*, JWT-10)."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from argon2 import extract_parameters

from server.audit.checkpoints import FILE
from server.audit.place import directory
from server.audit.trail import Trail
from server.audit.verify import verify
from server.auth import keep, secrets
from server.settings import Settings
from server.store import open_store
from tests.conformance.security.services import SERVICE, form_of, signed
from tests.integration.access.test_tenants import HOSTS, Three, give, three
from tests.integration.auth.conftest import REDIRECT, Flow

__all__ = ["three"]


def _token_url(host: str) -> str:
    return f"http://{host}/auth/token"


@pytest.mark.check("JWT-10", "OPS-08")
async def test_jwt_10_an_assertion_for_one_tenant_is_worth_nothing_to_another(three: Three) -> None:
    """The same service with the same key at every tenant: what it signs for one is invalid_client at the others."""
    for app in three.apps.values():
        app.state.fhir.store.write_sync(lambda tx: keep.put_client(tx, SERVICE))
    for host in HOSTS:
        for meant in (*(other for other in HOSTS if other != host), None):
            audience = _token_url(meant) if meant else f"http://{HOSTS[0]}/fhir"
            form = form_of(signed(claims={"aud": audience}))
            answer = await three.http.post(_token_url(host), data=form, headers={"host": host})
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), (host, meant)
        rows = three.apps[host].state.fhir.store.query("SELECT count(*) FROM auth_token")
        assert rows == [(0,)]
    for host in HOSTS:
        form = form_of(signed(claims={"aud": _token_url(host)}))
        answer = await three.http.post(_token_url(host), data=form, headers={"host": host})
        assert answer.status_code == 200
        token = answer.json()["access_token"]
        for other in HOSTS:
            status = (await three.ask(other, token, "GET", "Patient")).status_code
            assert status == (200 if other == host else 401), (host, other)


@pytest.mark.check("OPS-08")
async def test_ops_08_no_cache_of_one_tenant_answers_another(three: Three) -> None:
    """The same URL with tokens of two tenants, again and again in turn: each sees its own version."""
    tokens = {host: give(app, "system/*.cruds") for host, app in three.apps.items()}
    for host in HOSTS:
        made = {"resourceType": "Patient", "id": "p", "name": [{"family": host}]}
        await three.ask(host, tokens[host], "PUT", "Patient/p", made)
    for _ in range(3):
        for host in HOSTS:
            for path in ("Patient/p", "Patient?_id=p", f"Patient?family={host}&_total=accurate"):
                text = (await three.ask(host, tokens[host], "GET", path)).text
                assert f'"family":"{host}"' in text
                assert not [other for other in HOSTS if other != host and f'"family":"{other}"' in text]
            hidden = next(other for other in HOSTS if other != host)
            told = (await three.ask(host, tokens[host], "GET", f"Patient?family={hidden}&_total=accurate")).json()
            assert told["total"] == 0


@pytest.mark.check("OPS-01", "OPS-03")
async def test_ops_03_a_client_that_nobody_knows_is_answered_like_one_that_is(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At authorize with another place, and at the token endpoint with a wrong secret: the same answer and work."""
    evil = "https://evil.example/cb"
    asked = [await flow.authorize(one, redirect_uri=evil) for one in ("public", "secret", "nobody")]
    assert (
        len({(one.status_code, one.text.replace(one.request.url.params["client_id"], "")) for one in asked}) == 1
        and "location" not in asked[0].headers
    )
    seen: set[tuple[int, str]] = set()
    verify, hashed = secrets._hasher.verify, []
    monkeypatch.setattr(
        secrets, "_hasher", SimpleNamespace(verify=lambda *of: hashed.append(extract_parameters(of[0])) or verify(*of))
    )
    form = {"grant_type": "authorization_code", "code": "x", "redirect_uri": REDIRECT}
    for number, name in enumerate(("secret", "nobody")):
        answer = await flow.post("/auth/token", form, (name, "guess"))
        seen.add((answer.status_code, answer.text))
        assert len(hashed) == number + 1, "who asks for nobody waits for a hash too"
    assert seen == {(401, next(iter(seen))[1])} and hashed[0] == hashed[1]


@pytest.mark.check("OPS-05")
async def test_ops_05_each_page_is_guarded(flow: Flow) -> None:
    """Pages of the FHIR base too: a policy without unsafe-inline, no frames, no sniffing, nothing inline."""
    pages = ["/fhir/metadata?_format=html", "/auth/sign-in", "/auth/consent?request=x", "/auth/manage", "/auth/admin"]
    for path in pages:
        answer = await flow.http.get(path, headers={"accept": "text/html"})
        policy = answer.headers["content-security-policy"]
        assert answer.headers["content-type"].startswith("text/html"), path
        assert "unsafe" not in policy and "frame-ancestors 'none'" in policy and "default-src 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "<script" not in answer.text and "javascript:" not in answer.text


WRITES = """
import json, sys
from pathlib import Path
from server.access.caller import ANYBODY
from server.audit.trail import Trail
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.settings import Settings
from server.store import open_store
url, data, first = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
settings = Settings(database=url, data=data, open=True, coding="off")
store = open_store(url, create=False)
fhir = Fhir(store, settings)
for n in range(first, first + 100_000):
    entries = [
        {"resource": {"resourceType": "Basic", "id": f"b{n}-{k}", "code": {"text": str(n)}},
         "request": {"method": "PUT", "url": f"Basic/b{n}-{k}"}}
        for k in range(5)
    ]
    entries.append({"resource": {"resourceType": "Basic", "id": "same", "code": {"text": str(n)}},
                    "request": {"method": "PUT", "url": "Basic/same"}})
    body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()
    fhir.handle_sync(Request(caller=ANYBODY, method="POST", body=body))
    print(n, flush=True)
"""


@pytest.mark.check("OPS-26")
def test_ops_26_a_kill_amid_transactions_loses_and_halves_nothing(database_url: str, tmp_path: Path) -> None:
    """Writers killed with SIGKILL while they write: what was acknowledged is whole, versions and audit have no gap."""
    acknowledged: list[int] = []
    settings = Settings(database=database_url, data=tmp_path / "var", open=True, coding="off")
    for round_, after in enumerate((7, 23)):
        command = [sys.executable, "-c", WRITES, database_url, str(tmp_path / "var"), str(round_ * 1_000_000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as writer:
            assert writer.stdout is not None
            acknowledged += [int(writer.stdout.readline()) for _ in range(after)]
            writer.send_signal(signal.SIGKILL)
            acknowledged += [int(line) for line in writer.stdout.read().split("\n")[:-1] if line]
        assert writer.returncode == -signal.SIGKILL
    store = open_store(database_url, create=False)
    parts: dict[str, int] = {}
    for (name,) in store.query("SELECT id FROM resource WHERE type = 'Basic' AND id <> 'same'"):
        parts[str(name).partition("-")[0]] = parts.get(str(name).partition("-")[0], 0) + 1
    assert {f"b{n}" for n in acknowledged} <= set(parts)
    assert set(parts.values()) == {5}, "no transaction is there by half"
    assert len(parts) - len(acknowledged) <= 2, "at most the one that was being answered"
    [(last,)] = store.query("SELECT version FROM resource WHERE type = 'Basic' AND id = 'same'")
    past = [row[0] for row in store.query("SELECT version FROM history WHERE type = 'Basic' AND id = 'same'")]
    assert sorted({*past, last}) == list(range(1, len(parts) + 1)), "no version is missing or twice"
    trail = Trail(store, settings)
    trail.start()
    trail.chain()
    trail.close()
    report = verify(store, (directory(store, settings) / FILE).read_text())
    assert report.whole, report.findings
    assert report.events >= 6 * len(acknowledged)
    store.close()
