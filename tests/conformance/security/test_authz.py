"""Requests for authorization and codes (https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html): AUTHZ-*."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, quote_from_bytes, unquote_to_bytes, urlencode, urlsplit

import pytest

from tests.conformance.security.services import ask, install, signed, tokens_of
from tests.integration.auth.browser import BOB, PASSWORD, Browser, code_of, title
from tests.integration.auth.conftest import BASE, CHALLENGE, REDIRECT, Flow
from tests.integration.auth.test_pages import browser, peopled

__all__ = ["BOB", "browser", "peopled"]

EVIL = "https://evil.example/cb"
NEAR = (
    "https://app.example/c", f"{REDIRECT}x", "https://app.example:444/cb", "https://u@app.example/cb",
    "https://app.example./cb", f"{REDIRECT}/more", "https://APP.example/cb", f"{REDIRECT}?a=b", f"{REDIRECT}#a",
    "http://app.example/cb", "//app.example/cb", "https://app.example/%63b", "javascript:alert(1)", "", EVIL,
)  # fmt: skip


def _told(answer: Any) -> dict[str, str]:
    """What the app is told."""
    place = answer.headers["location"]
    assert place.startswith(f"{REDIRECT}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(place).query).items()}


@pytest.mark.check("AUTHZ-01")
async def test_authz_01_a_redirect_uri_is_the_registered_one_letter_for_letter(flow: Flow) -> None:
    """Whatever is near it is told here, and nobody is sent anywhere."""
    for uri in NEAR:
        answer = await flow.authorize(redirect_uri=uri)
        assert answer.status_code == 400 and "location" not in answer.headers, uri


@pytest.mark.check("AUTHZ-02")
async def test_authz_02_errors_go_to_validated_places_only(flow: Flow) -> None:
    """Another fault beside an unknown place, or an unknown client, is told here too."""
    for changed in (
        {"redirect_uri": EVIL, "response_type": "token"}, {"redirect_uri": EVIL, "aud": ""},
        {"client": "nobody", "redirect_uri": EVIL}, {"client": "a\x00b"}, {"client": "x" * 5000},
    ):  # fmt: skip
        answer = await flow.authorize(**changed)
        assert answer.status_code in (400, 401) and "location" not in answer.headers, changed
    told = _told(await flow.authorize(response_type="token"))
    assert told["error"] and "access_token" not in told


@pytest.mark.check("AUTHZ-03")
async def test_authz_03_aud_is_this_server(flow: Flow) -> None:
    """Absent, another server's, another path or twice: invalid_request and no code."""
    for aud in ("", "https://evil.example/fhir", f"{BASE}/other", "http://test", f"{BASE}@evil.example"):
        told = _told(await flow.authorize(aud=aud))
        assert told["error"] == "invalid_request" and "code" not in told, aud
    twice = await flow.http.get("/auth/authorize", params=[*_asked(), ("aud", "https://evil.example/fhir")])
    assert "code" not in _told(twice) and _told(twice)["error"] == "invalid_request"


def _asked(**more: str) -> list[tuple[str, str]]:
    told = {
        "response_type": "code", "client_id": "public", "redirect_uri": REDIRECT, "scope": "patient/*.rs",
        "aud": BASE, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    }  # fmt: skip
    return list((told | more).items())


@pytest.mark.check("AUTHZ-04")
@pytest.mark.parametrize(
    "state",
    [b"a&b=c", b"100%25 %zz", "añ😀".encode(), b"x" * 2048, b" +#?/\\\"'<>", b"a\r\nLocation: b", b"\x00\x01"],
    ids=["ampersand", "percent", "unicode", "2KB", "marks", "lines", "controls"],
)
async def test_authz_04_the_state_comes_back_byte_for_byte(flow: Flow, state: bytes) -> None:
    """With an error and with a code."""
    query = f"{urlencode(_asked(aud='https://evil.example'))}&state={quote_from_bytes(state)}"
    answer = await flow.http.get(f"/auth/authorize?{query}")
    raw = dict(pair.split("=", 1) for pair in urlsplit(answer.headers["location"]).query.split("&"))
    assert unquote_to_bytes(raw["state"].replace("+", " ")) == state
    told = await flow.authorize(state=state.decode())
    pending = parse_qs(urlsplit(told.headers["location"]).query)["request"][0]
    denied = flow.endpoints.deny(pending, BASE)
    assert parse_qs(urlsplit(denied.location or "").query)["state"] == [state.decode()]


@pytest.mark.check("AUTHZ-04")
async def test_authz_04_what_is_no_utf_8_is_not_guessed(flow: Flow) -> None:
    """Bytes that cannot be given back as they came are refused here."""
    answer = await flow.http.get(f"/auth/authorize?{urlencode(_asked())}&state=%ff%fe")
    assert answer.status_code in (400, 401) and "location" not in answer.headers


async def test_authz_05_pkce_is_asked_of_every_client(flow: Flow) -> None:
    """Without a challenge there is no code, for clients with a secret as well."""
    for client in ("public", "secret"):
        for challenge in ("", "short", "!" * 43):
            told = _told(await flow.authorize(client=client, code_challenge=challenge))
            assert told["error"] == "invalid_request", (client, challenge)


@pytest.mark.check("AUTHZ-06")
async def test_authz_06_plain_is_refused(flow: Flow) -> None:
    """As a method, and as what a missing method would mean."""
    for method in ("plain", "", "s256", "none"):
        told = _told(await flow.authorize(code_challenge_method=method))
        assert told["error"] == "invalid_request" and "code" not in told, method


@pytest.mark.check("AUTHZ-07", "AUTHZ-08")
@pytest.mark.parametrize("verifier", ["", " ", "w" * 64, CHALLENGE], ids=["missing", "blank", "wrong", "challenge"])
async def test_authz_07_and_authz_08_one_wrong_verifier_burns_the_code(flow: Flow, verifier: str) -> None:
    """A wrong verifier is refused, and then the right one too."""
    code = await flow.code()
    assert (await flow.redeem(code, code_verifier=verifier)).status_code in (400, 401)
    again = await flow.redeem(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert tokens_of(flow) == 1, "the code alone"


@pytest.mark.check("AUTHZ-09")
async def test_authz_09_a_code_that_comes_twice_ends_all_that_came_of_it(flow: Flow) -> None:
    """The second time is refused, and neither the access token nor the refresh token is good after it."""
    code = await flow.code(scope="patient/*.rs launch/patient offline_access")
    told = (await flow.redeem(code)).json()
    assert (await flow.get("Patient", told["access_token"])).status_code == 200
    assert (await flow.redeem(code)).json()["error"] == "invalid_grant"
    assert (await flow.get("Patient", told["access_token"])).status_code == 401
    form = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    assert (await flow.post("/auth/token", form)).status_code in (400, 401)


async def test_authz_10_a_code_is_good_for_a_minute(flow: Flow) -> None:
    """After it has expired it is refused."""
    code = await flow.code()
    flow.store.write_sync(lambda tx: _expire(tx))
    assert (await flow.redeem(code)).json()["error"] == "invalid_grant"


def _expire(tx: Any) -> None:
    rows = tx.query("SELECT hash, data, expires FROM auth_token WHERE kind = 'code'")
    for hash, data, expires in rows:
        changed = data.replace(str(expires), str(expires - 61_000))
        tx.execute("UPDATE auth_token SET data = ?, expires = ? WHERE hash = ?", (changed, expires - 61_000, hash))


@pytest.mark.check("AUTHZ-11")
async def test_authz_11_a_code_is_of_its_client_and_place(flow: Flow) -> None:
    """Another client, or another redirect_uri, gets nothing."""
    assert (await flow.redeem(await flow.code(), "secret")).json()["error"] == "invalid_grant"
    for uri in ("https://app.example/other", ""):
        answer = await flow.redeem(await flow.code(), redirect_uri=uri)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant"), uri


@pytest.mark.check("AUTHZ-16")
async def test_authz_16_a_consent_form_comes_from_our_page_in_this_session(browser: Browser) -> None:
    """Without the token, with another one, without the cookie, or from another site: 403 and no code."""
    await _at_consent(browser)
    fields = browser.form("/auth/consent") | {"decision": ["agree"]}
    for who, data, headers in (
        (browser, fields | {"csrf": []}, {}), (browser, fields | {"csrf": ["a" * 43]}, {}),
        (browser, fields, {"sec-fetch-site": "cross-site"}), (Browser(browser.flow), fields, {}),
    ):  # fmt: skip
        answer = await who.http.post("/auth/consent", data=data, headers=headers)
        assert answer.status_code == 403 and "location" not in answer.headers
    assert tokens_of(browser.flow) == 0


async def _at_consent(browser: Browser, scope: str = "launch/patient patient/*.rs patient/Observation.rs") -> None:
    await browser.ask(scope)
    await browser.sign_in()
    await browser.send("/auth/patients", patient="A")
    assert "asks for access" in title(browser.page)


@pytest.mark.check("AUTHZ-17")
async def test_authz_17_nobody_frames_the_consent_page(browser: Browser) -> None:
    """It says so in both ways, is not kept, and tells nobody where it was."""
    await _at_consent(browser)
    headers = browser.page.headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    told = [headers[name] for name in ("x-frame-options", "cache-control", "referrer-policy")]
    assert told == ["DENY", "no-store", "no-referrer"]


@pytest.mark.check("AUTHZ-18")
async def test_authz_18_a_session_begins_when_somebody_signs_in(browser: Browser) -> None:
    """An id that was fixed before is worth nothing; the cookie is HttpOnly and SameSite."""
    browser.http.cookies.set("fhirwright", "a" * 43, domain="localhost.local")
    await browser.visit("/auth/manage")
    filled = {"name": ["bob"], "password": [PASSWORD], "code": [code_of(browser.flow.store)]}
    answer = await browser.http.post("/auth/sign-in", data=browser.form("/auth/sign-in") | filled)
    (cookie,) = [one for one in answer.headers.get_list("set-cookie") if re.match(r"fhirwright=", one)]
    assert "a" * 43 not in cookie and "HttpOnly" in cookie and "samesite=lax" in cookie.lower()


@pytest.mark.check("AUTHZ-19")
async def test_authz_19_what_is_unticked_is_not_granted(browser: Browser) -> None:
    """The scope lacks the type; reads of it are refused, of others not."""
    await _at_consent(browser)
    await browser.send("/auth/consent", untick=("Observation",), decision="agree")
    told = (await browser.flow.redeem(browser.answer()["code"])).json()
    assert "Observation" not in told["scope"] and "*" not in told["scope"]
    assert (await browser.flow.get("Observation", told["access_token"])).status_code == 403
    assert (await browser.flow.get("Condition/c", told["access_token"])).status_code == 200


@pytest.mark.check("AUTHZ-20")
async def test_authz_20_no_scope_never_becomes_an_empty_token(flow: Flow) -> None:
    """What is unknown, not allowed or absent is invalid_scope, at both endpoints."""
    install(flow)
    for scope in ("system/Observation.rs", "patient/Patient.rs", "nonsense", "", "system/Patient.srduc"):
        answer = await ask(flow, signed(), scope=scope)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope"), scope
    for scope in ("nonsense", "system/*.rs", "patient/Nothing.rs", "patient/*.", ""):
        assert _told(await flow.authorize(scope=scope))["error"] == "invalid_scope", scope
    assert tokens_of(flow) == 0
