"""The pages on which people sign in and agree, as a browser without scripts uses them."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pyotp
import pytest

from server.access.caller import ANYBODY
from server.audit.chain import events_of
from server.audit.event import decode
from server.auth import keep
from server.auth.model import Client, Context, Person
from server.interactions.exchange import Request
from tests.integration.auth.browser import BOB, HASH, KEY, PASSWORD, Browser, code_of, title
from tests.integration.auth.conftest import REDIRECT, SCOPES, Flow

RELATIVE = Person(
    id="son", name="Son", password=HASH, roles=("patient",), fhir_user="RelatedPerson/r", patients=("A",), totp=KEY
)
BOSS = Person(id="boss", name="boss", password=HASH, roles=("admin",), totp=KEY)
NEW = Person(id="new", name="new", password=HASH, roles=("clinician",))
VISITS = Client(
    id="visits", title="<b>Visits</b>", redirects=(REDIRECT,), scopes=(*SCOPES, "launch/encounter", "fhirwright/admin")
)
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
QUILL = {"reference": "Patient/A"}
RECORDS: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "A", "birthDate": "1970-01-01",
     "name": [{"family": "Quill<i>", "given": ["Ada"]}]},
    {"resourceType": "Patient", "id": "B", "birthDate": "1980-02-02", "name": [{"family": "Reed"}],
     "identifier": [{"system": "urn:x", "value": "MRN|7"}]},
    {"resourceType": "Observation", "id": "v", "status": "final", "code": {"text": "c"}, "subject": QUILL,
     "category": [{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}]},
    {"resourceType": "Observation", "id": "l", "status": "final", "code": {"text": "c"}, "subject": QUILL,
     "category": [{"coding": [{"system": CATEGORY, "code": "laboratory"}]}]},
    {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"}, "subject": QUILL},
    {"resourceType": "Condition", "id": "c", "code": {"text": "c"}, "subject": QUILL},
]  # fmt: skip


@pytest.fixture
def peopled(flow: Flow) -> Iterator[Flow]:
    """A server with people, two patients and a record."""
    app: Any = flow.http._transport.app  # type: ignore[attr-defined]
    for one in RECORDS:
        path = (one["resourceType"], one["id"])
        app.state.fhir.handle_sync(Request(caller=ANYBODY, method="PUT", path=path, body=json.dumps(one).encode()))

    def people(tx: Any) -> None:
        for person in (BOB, RELATIVE, BOSS, NEW):
            keep.put_person(tx, person)
        keep.put_client(tx, VISITS)

    flow.store.write_sync(people)
    yield flow


@pytest.fixture
def browser(peopled: Flow) -> Browser:
    """A browser at that server."""
    return Browser(peopled)


async def _consent(browser: Browser, scope: str, patient: str | None = "A", client: str = "public") -> None:
    await browser.ask(scope, client)
    await browser.sign_in()
    if patient:
        await browser.send("/auth/patients", patient=patient)
    assert "asks for access" in title(browser.page), browser.page.text


async def _granted(browser: Browser, client: str = "public") -> dict[str, Any]:
    found: dict[str, Any] = (await browser.flow.redeem(browser.answer()["code"], client)).json()
    return found


async def test_a_person_signs_in_chooses_and_agrees(browser: Browser) -> None:
    """From the app's request to the token: sign in, patient, consent; the app gets state, context and all it asked."""
    await browser.ask("openid fhirUser launch/patient patient/*.rs patient/Observation.rs offline_access")
    assert title(browser.page) == "Sign in"
    await browser.sign_in()
    assert title(browser.page) == "Choose a patient"
    assert "Ada Quill&lt;i&gt;" in browser.page.text and "Reed" in browser.page.text
    await browser.send("/auth/patients", patient="A")
    await browser.send("/auth/consent", decision="agree")
    assert browser.page.status_code == 303 and browser.answer()["state"] == "st"
    told = await _granted(browser)
    assert told["patient"] == "A" and told["refresh_token"] and told["id_token"]
    assert set(told["scope"].split()) == {
        "openid", "fhirUser", "launch/patient", "patient/*.rs", "patient/Observation.rs", "offline_access",
    }  # fmt: skip


@pytest.mark.check("AUTHZ-19")
async def test_what_is_unticked_is_not_granted(browser: Browser) -> None:
    """AUTHZ-19: Observation unticked: the scope lacks it, reads of it are 403, others 200."""
    await _consent(browser, "launch/patient patient/*.rs patient/Observation.rs offline_access")
    await browser.send("/auth/consent", untick=("Observation", "offline_access"), decision="agree")
    told = await _granted(browser)
    assert "patient/Condition.rs" in told["scope"] and "patient/Observation" not in told["scope"]
    assert "*" not in told["scope"] and "refresh_token" not in told
    token = told["access_token"]
    assert (await browser.flow.get("Observation/v", token)).status_code in (403, 404)
    assert (await browser.flow.get("Observation", token)).status_code == 403
    assert (await browser.flow.get("Condition/c", token)).status_code == 200
    assert (await browser.flow.get("Patient/A", token)).status_code == 200


@pytest.mark.check("AUTHZ-19")
async def test_categories_narrow_a_type(browser: Browser) -> None:
    """AUTHZ-19: with only vital signs ticked, laboratory results are as if they were not there."""
    await _consent(browser, "launch/patient patient/Observation.rs patient/Condition.rs")
    await browser.send(
        "/auth/consent", decision="agree",
        **{"g1.Observation": "vital-signs", "g2.Condition": ["problem-list-item", "health-concern", "made-up"]},
    )  # fmt: skip
    told = await _granted(browser)
    assert set(told["scope"].split()) == {
        "launch/patient", f"patient/Observation.rs?category={CATEGORY}|vital-signs",
        "patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item",
        "patient/Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern",
    }  # fmt: skip
    token = told["access_token"]
    assert (await browser.flow.get("Observation/v", token)).status_code == 200
    assert (await browser.flow.get("Observation/l", token)).status_code == 404


@pytest.mark.check("AUTHZ-19")
async def test_a_form_cannot_ask_for_more(browser: Browser) -> None:
    """AUTHZ-19: values that no box has bring nothing in."""
    await _consent(browser, "launch/patient patient/Observation.rs")
    await browser.send(
        "/auth/consent", decision="agree", g1=["Observation", "Condition", "*"],
        plain=["offline_access", "fhirwright/admin", "user/*.cruds"], g0="Patient",
    )  # fmt: skip
    assert set((await _granted(browser))["scope"].split()) == {"launch/patient", "patient/Observation.rs"}


async def test_denying_and_ticking_nothing_are_the_same(browser: Browser) -> None:
    """The app is told access_denied, and gets no code."""
    await _consent(browser, "launch/patient patient/*.rs")
    await browser.send("/auth/consent", decision="deny")
    assert browser.answer() == {"error": "access_denied", "state": "st"} or browser.answer()["error"] == "access_denied"
    await browser.ask("launch/patient patient/Observation.rs")
    await browser.send("/auth/patients", patient="A")
    await browser.send("/auth/consent", untick=("Observation",), decision="agree")
    assert browser.answer()["error"] == "access_denied" and "code" not in browser.answer()


@pytest.mark.check("AUTHZ-16")
async def test_a_consent_form_of_another_session_is_refused(browser: Browser) -> None:
    """AUTHZ-16: without token, with another session's, or from another site: 403 and no code."""
    await _consent(browser, "launch/patient patient/*.rs")
    fields = browser.form("/auth/consent") | {"decision": ["agree"]}
    other = Browser(browser.flow, "192.0.2.2")
    await other.visit("/auth/manage")
    await other.sign_in("boss")
    foreign = other.form("/auth/sign-out")["csrf"]
    tries = [
        (browser, fields | {"csrf": []}, {}),
        (browser, fields | {"csrf": foreign}, {}),
        (browser, fields, {"sec-fetch-site": "cross-site"}),
        (Browser(browser.flow), fields, {}),
        (other, fields, {}),
    ]
    for who, data, headers in tries:
        answer = await who.http.post("/auth/consent", data=data, headers=headers)
        assert answer.status_code == 403 and "location" not in answer.headers
    await browser.send("/auth/consent", decision="agree")
    assert "code" in browser.answer()


@pytest.mark.check("AUTHZ-16")
async def test_sign_in_needs_a_form_of_ours(browser: Browser) -> None:
    """AUTHZ-16: nobody is signed in by a form that another site made."""
    await browser.visit("/auth/manage")
    fields = {"name": "bob", "password": PASSWORD, "code": code_of(browser.flow.store)}
    csrf = browser.form("/auth/sign-in")["csrf"][0]
    assert (await browser.http.post("/auth/sign-in", data=fields)).status_code == 403
    assert (await Browser(browser.flow).http.post("/auth/sign-in", data=fields | {"csrf": csrf})).status_code == 403


@pytest.mark.check("AUTHZ-17", "OPS-05")
@pytest.mark.parametrize("path", ["/auth/sign-in", "/auth/manage", "/auth/consent?request=x", "/auth/second-factor"])
async def test_pages_keep_to_themselves(browser: Browser, path: str) -> None:
    """AUTHZ-17, OPS-05: nobody frames, keeps or sniffs a page, and nothing inline runs on it."""
    _guarded(await browser.visit(path))


def _guarded(page: Any) -> None:
    headers = page.headers
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy and "default-src 'none'" in policy and "unsafe" not in policy
    assert headers["x-frame-options"] == "DENY" and headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store" and headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", page.text)


@pytest.mark.check("AUTHZ-17")
async def test_the_consent_page_keeps_to_itself(browser: Browser) -> None:
    """AUTHZ-17: the same of the page on which somebody agrees; its form may lead to the app and nowhere else."""
    await _consent(browser, "launch/patient patient/*.rs", client="visits")
    _guarded(browser.page)
    assert "form-action 'self' https://app.example" in browser.page.headers["content-security-policy"]
    assert "<b>Visits</b>" not in browser.page.text and "&lt;b&gt;Visits" in browser.page.text


@pytest.mark.check("AUTHZ-18")
async def test_signing_in_gives_a_new_session(browser: Browser) -> None:
    """AUTHZ-18: an id that was there before is worth nothing after; the cookie is out of reach of scripts."""
    browser.http.cookies.set("fhirwright", "a" * 43, domain="localhost.local")
    await browser.visit("/auth/manage")
    filled = {"name": ["bob"], "password": [PASSWORD], "code": [code_of(browser.flow.store)]}
    answer = await browser.http.post("/auth/sign-in", data=browser.form("/auth/sign-in") | filled)
    sent = answer.headers.get_list("set-cookie")
    cookie = next(one for one in sent if one.startswith("fhirwright="))
    assert "a" * 43 not in cookie and "HttpOnly" in cookie and "SameSite=lax" in cookie
    token = cookie.partition("=")[2].partition(";")[0]
    assert len(token) >= 43 and token not in str(browser.flow.store.query("SELECT * FROM auth_session"))


@pytest.mark.check("AUTHZ-18")
async def test_cookies_go_by_tls_only_but_for_this_machine(peopled: Flow) -> None:
    """AUTHZ-18: at any other host they are Secure, with the prefix that binds them to it."""
    browser = Browser(peopled)
    browser.http.base_url = "http://test"
    page = await browser.visit("/auth/manage")
    assert "__Host-fhirwright-form=" in page.headers["set-cookie"] and "Secure" in page.headers["set-cookie"]


@pytest.mark.check("TOKEN-08")
async def test_signing_out_ends_online_access(browser: Browser) -> None:
    """TOKEN-08: after signing out, nothing that lasts with the session can be refreshed or used."""
    await _consent(browser, "launch/patient patient/*.rs online_access")
    await browser.send("/auth/consent", decision="agree")
    told = await _granted(browser)
    assert told["expires_in"] <= 450
    form = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    again = (await browser.flow.post("/auth/token", form)).json()
    await browser.visit("/auth/manage")
    assert "A page" in browser.page.text
    await browser.send("/auth/sign-out")
    form["refresh_token"] = again["refresh_token"]
    refused = await browser.flow.post("/auth/token", form)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert (await browser.flow.get("Patient/A", again["access_token"])).status_code == 401
    assert title(await browser.visit("/auth/manage")) == "Sign in"


@pytest.mark.check("TOKEN-08")
@pytest.mark.parametrize("ago", [{"seen": 16 * 60_000}, {"began": 11 * 3_600_000}])
async def test_whoever_is_away_is_signed_out(browser: Browser, ago: dict[str, int]) -> None:
    """TOKEN-08: after the idle time, or in the end, the session is over, and online access with it."""
    await _consent(browser, "launch/patient patient/*.rs online_access")
    await browser.send("/auth/consent", decision="agree")
    told = await _granted(browser)
    store = browser.flow.store
    hash = str(store.query("SELECT hash FROM auth_session WHERE person = 'bob'")[0][0])
    session = keep.session(store, hash)
    assert session is not None
    old = msgspec.structs.replace(session, **{name: getattr(session, name) - by for name, by in ago.items()})
    store.write_sync(lambda tx: keep.put_session(tx, old))
    assert title(await browser.visit("/auth/manage")) == "Sign in"
    form = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    assert (await browser.flow.post("/auth/token", form)).json()["error"] == "invalid_grant"


async def test_who_may_choose_few_sees_no_others(browser: Browser) -> None:
    """A relative sees the patients of their own, by no search and no form another."""
    await browser.ask("launch/patient patient/*.rs")
    await browser.sign_in("Son")
    assert "Quill" in browser.page.text and "Reed" not in browser.page.text
    await browser.send("/auth/patients", name="Reed")
    assert "no such patient" in browser.page.text
    await browser.visit(f"/auth/consent?request={browser.form('/auth/patients')['request'][0]}")
    await browser.send("/auth/patients", patient="B")
    assert title(browser.page) == "Choose a patient"
    await browser.send("/auth/patients", patient="A")
    await browser.send("/auth/consent", decision="agree")
    assert (await _granted(browser))["patient"] == "A"


async def test_patients_are_found_by_name_birth_date_and_identifier(browser: Browser) -> None:
    """Each narrows the list; a character that searches read in another way stands for itself."""
    await browser.ask("launch/patient patient/*.rs")
    await browser.sign_in()
    for asked, found in (
        ({"name": "quil"}, "A"), ({"born": "1980-02-02"}, "B"), ({"identifier": "MRN|7"}, "B"),
        ({"name": "quill,reed"}, ""),
    ):  # fmt: skip
        page = await browser.send("/auth/patients", **({"name": "", "born": "", "identifier": ""} | asked))
        assert re.findall(r'name="patient" value="(\w)"', page.text) == list(found), asked


async def test_looking_for_a_patient_is_in_the_audit(browser: Browser) -> None:
    """Each look at patients leaves an event of the person, with what was asked and who was shown."""
    await browser.ask("launch/patient patient/*.rs")
    await browser.sign_in()
    await browser.send("/auth/patients", name="quil")
    app: Any = browser.flow.http._transport.app  # type: ignore[attr-defined]
    found: list[Any] = []
    for _ in range(600):  # another thread may be chaining the last event
        app.state.trail.chain()
        events = [decode(data) for _, data in events_of(browser.flow.store)]
        found = [one for one in events if (one.who, one.code) == ("bob", "search-type")]
        if len(found) == 2:
            break
        await asyncio.sleep(0.1)
    assert [one.patients for one in found] == [("A", "B"), ("A",)] and found[1].user == "Practitioner/d"
    assert b"name=quil" in base64.b64decode(found[1].query)


async def test_an_encounter_is_chosen(browser: Browser) -> None:
    """With launch/encounter one of the patient's is chosen, or none; another's is not taken."""
    await browser.ask("launch/patient launch/encounter patient/*.rs", "visits")
    await browser.sign_in()
    await browser.send("/auth/patients", patient="A")
    assert title(browser.page) == "Choose a visit"
    await browser.send("/auth/encounters", encounter="made-up")
    assert title(browser.page) == "Choose a visit"
    await browser.send("/auth/encounters", encounter="e")
    await browser.send("/auth/consent", decision="agree")
    told = await _granted(browser, "visits")
    assert (told["patient"], told["encounter"]) == ("A", "e")
    await browser.ask("launch/patient launch/encounter patient/*.rs", "visits")
    await browser.send("/auth/patients", patient="A")
    await browser.send("/auth/encounters", encounter="")
    assert "asks for access" in title(browser.page)


async def test_a_launch_skips_the_choice(browser: Browser) -> None:
    """The patient of an EHR's launch is taken, and cannot be changed; whoever may not see that one is refused."""
    launch = browser.flow.endpoints.launch("public", Context(patient="B"))
    await browser.ask("launch patient/*.rs", launch=launch)
    await browser.sign_in()
    assert "asks for access" in title(browser.page) and "Reed" in browser.page.text
    fields = browser.form("/auth/consent") | {"patient": ["A"]}
    await browser.http.post("/auth/patients", data=fields)
    await browser.send("/auth/consent", decision="agree")
    assert (await _granted(browser))["patient"] == "B"
    other = Browser(browser.flow)
    await other.ask("launch patient/*.rs", launch=browser.flow.endpoints.launch("public", Context(patient="B")))
    await other.sign_in("Son")
    assert other.page.status_code == 403 and "Reed" not in other.page.text
    await other.send("/auth/consent", decision="agree")
    assert "code=" not in other.page.headers.get("location", "")


async def test_what_one_chose_is_not_anothers(browser: Browser) -> None:
    """A choice is of its session: whoever signs in later chooses again."""
    await browser.ask("launch/patient patient/*.rs")
    await browser.sign_in()
    request = browser.form("/auth/patients")["request"][0]
    await browser.send("/auth/patients", patient="B")
    other = Browser(browser.flow)
    await other.visit(f"/auth/consent?request={request}")
    await other.sign_in("Son")
    assert title(other.page) == "Choose a patient" and "Reed" not in other.page.text


async def test_a_second_factor_is_set_up_at_first(browser: Browser) -> None:
    """Until then nothing else is done; then codes work once each, and recovery codes once each."""
    await browser.ask("launch/patient patient/*.rs")
    await browser.sign_in("new", code="")
    assert title(browser.page) == "Set up a second factor" and "<svg" in browser.page.text
    assert title(await browser.visit("/auth/manage")) == "Set up a second factor"
    found = re.search(r"<code>(\w{32})</code>", browser.page.text)
    assert found is not None
    await browser.send("/auth/second-factor", code="000000")
    assert browser.page.status_code == 403
    before = dict(browser.http.cookies)["fhirwright"]
    await browser.send("/auth/second-factor", code=pyotp.TOTP(found[1]).now())
    assert title(browser.page) == "Recovery codes" and dict(browser.http.cookies)["fhirwright"] != before
    codes = re.findall(r"<code>([A-Z2-9-]{19})</code>", browser.page.text)
    assert len(set(codes)) == 10 and codes[0] not in str(browser.flow.store.query("SELECT * FROM auth_person"))
    again = Browser(browser.flow, "192.0.2.9")
    await again.visit("/auth/manage")
    await again.sign_in("new", code=pyotp.TOTP(found[1]).now())
    assert again.page.status_code == 403  # it was used to set it up
    await again.sign_in("new", code=codes[3].lower().replace("-", " "))
    assert title(again.page) == "Apps that have access"
    third = Browser(browser.flow, "192.0.2.10")
    await third.visit("/auth/manage")
    assert (await third.sign_in("new", code=codes[3])).status_code == 403


async def test_access_is_taken_back(browser: Browser) -> None:
    """What somebody agreed to is listed in words, and ends when it is taken back; not by another person."""
    await _consent(browser, "launch/patient patient/*.rs offline_access")
    await browser.send("/auth/consent", decision="agree")
    token = (await _granted(browser))["access_token"]
    await browser.visit("/auth/manage")
    assert "See: All kinds of data" in browser.page.text and "about Ada" in browser.page.text
    id = browser.form("/auth/manage/revoke")["authorization"][0]
    other = Browser(browser.flow)
    await other.visit("/auth/manage")
    await other.sign_in("Son")
    csrf = other.form("/auth/sign-out")["csrf"][0]
    await other.http.post("/auth/manage/revoke", data={"csrf": csrf, "authorization": id})
    assert (await browser.flow.get("Patient/A", token)).status_code == 200
    await browser.send("/auth/manage/revoke")
    assert "No app has access" in browser.page.text
    assert (await browser.flow.get("Patient/A", token)).status_code == 401


async def test_an_app_that_registers_waits_for_approval(browser: Browser) -> None:
    """It is worth nothing until an administrator, and nobody else, approves; then it is like any other."""
    asked = {"client_name": "<i>New</i>", "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none",
             "scope": "launch/patient patient/*.rs"}  # fmt: skip
    made = await browser.flow.http.post("/auth/register", json=asked)
    assert made.status_code == 201 and "client_secret" not in made.json()
    id = made.json()["client_id"]
    assert "location" not in (await browser.flow.authorize(id)).headers
    await browser.visit("/auth/admin")
    await browser.sign_in("bob")
    assert (await browser.visit("/auth/admin")).status_code == 403
    csrf = (await browser.visit("/auth/manage")) and browser.form("/auth/sign-out")["csrf"][0]
    refused = await browser.http.post("/auth/admin/clients", data={"csrf": csrf, "client": id, "decision": "approve"})
    assert refused.status_code == 403
    boss = Browser(browser.flow)
    await boss.visit("/auth/admin")
    await boss.sign_in("boss")
    await boss.visit("/auth/admin")
    assert "&lt;i&gt;New" in boss.page.text
    await boss.send("/auth/admin/clients", decision="approve", client=id)
    assert (await browser.flow.authorize(id, "patient/*.rs launch/patient")).status_code == 303


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uris": []}, {"redirect_uris": ["http://evil.example/cb"]},
        {"redirect_uris": ["javascript:alert(1)"]}, {"redirect_uris": ["data:text/html,x"]},
        {"redirect_uris": ["https://a.example/#x"]}, {"redirect_uris": "x"},
        {"redirect_uris": ["https://u@a.example/"]}, {"redirect_uris": [1]}, {"scope": ""}, {"scope": "nonsense"},
        {"scope": "system/*.rs"}, {"scope": 1}, {"grant_types": ["password"]}, {"client_name": "a\nb"},
        {"token_endpoint_auth_method": "private_key_jwt"}, {"token_endpoint_auth_method": "client_secret_post"},
        {"jwks": {"keys": []}, "token_endpoint_auth_method": "private_key_jwt"},
        {"jwks_uri": "http://inner/keys", "token_endpoint_auth_method": "private_key_jwt"},
        {"grant_types": ["client_credentials"]},
    ],
)  # fmt: skip
async def test_what_cannot_be_registered_is_told(flow: Flow, changed: dict[str, Any]) -> None:
    """400 with the word of RFC 7591, and nothing is kept."""
    asked = {
        "client_name": "New",
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "none",
        "scope": "user/*.rs",
    }
    answer = await flow.http.post("/auth/register", json=asked | changed)
    assert answer.status_code == 400 and answer.json()["error"].startswith("invalid_")
    assert all(one.approved for one in keep.clients(flow.store))
