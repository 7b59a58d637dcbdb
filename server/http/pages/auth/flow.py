"""From an app's request to the person's answer: sign in, second factor, patient, encounter, consent.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import msgspec
from fastapi import Response
from fastapi.responses import RedirectResponse

from server.auth import keep, scopes, totp
from server.auth.choosing import Choosing, Row
from server.auth.consenting import asked_of, place_of, ticked
from server.auth.endpoints import Endpoints, needs_patient
from server.auth.model import Client, Context, Pending, Person, Session
from server.auth.secrets import digest
from server.auth.signin import Refused, SignIn
from server.http.authorization import answer
from server.store import Store

from .render import guarded, page
from .visit import COOKIE, FORM_COOKIE, Form, Visit, with_cookie, without_cookie

HOME = "/auth/manage"
LONGEST_PLACE = 500
_PAGE = re.compile(r"/work(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*(?:\?[A-Za-z0-9._~=&%+:|,-]*)?")


class Step(msgspec.Struct, frozen=True):
    """A request that waits, its app, and what of it a person can be asked."""

    token: str
    pending: Pending
    client: Client
    scopes: tuple[str, ...]

    def context(self, session: Session) -> Context:
        """The context as it is for this session."""
        chosen = self.pending.chosen if self.pending.session == session.hash else None
        return chosen or self.pending.context


class Flow:
    """The pages of one request for authorization, each the answer to a form or to a visit."""

    def __init__(self, store: Store, endpoints: Endpoints, entrance: SignIn, choosing: Choosing) -> None:
        self._store = store
        self._endpoints = endpoints
        self._entrance = entrance
        self._choosing = choosing

    # Signing in

    def sign_in_page(
        self, visit: Visit, request: str = "", status: int = 200, wait: int | None = None, then: str = ""
    ) -> Response:
        """The form; `wait` is None at first, then the seconds until it may be tried again.

        `then` is the page of the workbench to go on to.
        """
        headers = {"retry-after": str(wait)} if wait else {}
        step = self._step(request) if request else None
        shown = page(
            "sign_in", status, headers=headers, csrf=visit.csrf, request=request, wait=wait, person=None,
            title=step.client.title if step else "the workbench" if then else None, then=then if is_page(then) else "",
        )  # fmt: skip
        return with_cookie(shown, FORM_COOKIE, visit.form_token, visit.secure)

    def sign_in(self, visit: Visit, form: Form) -> Response:
        """A name, a password and a code."""
        entered = self._entrance.enter(form.one("name").strip(), form.one("password"), form.one("code"), visit.address)
        request, then = form.one("request"), form.one("then")
        if isinstance(entered, Refused):
            return self.sign_in_page(visit, request, 429 if entered.wait else 403, entered.wait, then)
        if visit.session is not None:
            self._entrance.leave(visit.session)
        home = then if is_page(then) else HOME
        there = go(f"/auth/consent?request={request}" if self._step(request) else home)
        return with_cookie(there, COOKIE, entered.token, visit.secure)

    def sign_out(self, visit: Visit) -> Response:
        """End the session."""
        if visit.session is not None:
            self._entrance.leave(visit.session)
        return without_cookie(page("message", title="Signed out", text="You have signed out."), COOKIE, visit.secure)

    def factor_page(self, visit: Visit, request: str, status: int = 200, wait: int | None = None) -> Response:
        """The key of a second factor, to set up."""
        assert visit.session is not None and visit.person is not None
        key = self._entrance.offer(visit.session)
        uri = totp.address_of(key, visit.person.name)
        return page(
            "factor", status, headers={"retry-after": str(wait)} if wait else {}, csrf=visit.csrf, request=request,
            person=visit.person, picture=totp.picture(uri), key=key, uri=uri, wait=wait,
        )  # fmt: skip

    def factor(self, visit: Visit, form: Form) -> Response:
        """A code of the new second factor: the recovery codes, shown this once."""
        assert visit.session is not None
        request = form.one("request")
        found = self._entrance.enrol(visit.session, form.one("code"), visit.address)
        if isinstance(found, Refused):
            return self.factor_page(visit, request, 429 if found.wait else 403, found.wait)
        entered, codes = found
        onward = f"/auth/consent?request={request}" if self._step(request) else HOME
        shown = page("recovery", codes=codes, onward=onward, person=visit.person, csrf=entered.session.csrf)
        return with_cookie(shown, COOKIE, entered.token, visit.secure)

    # The request

    def show(self, visit: Visit, request: str) -> Response:
        """Whatever a request lacks next."""
        step = self._step(request)
        if step is None:
            return expired()
        if visit.session is None or visit.person is None:
            return self.sign_in_page(visit, request)
        if not visit.session.whole:
            return go(f"/auth/second-factor?request={request}")
        context = step.context(visit.session)
        if context.patient is None and needs_patient(step.scopes):
            return self.patients(visit, step, Form())
        patient = self._choosing.patient(visit.person, context.patient) if context.patient else None
        if context.patient is not None and patient is None:
            text = "The app was started for a patient whom you may not see."
            return page(
                "refused", 403, target=_target(step), csrf=visit.csrf, request=request, text=text, person=visit.person
            )
        if patient is not None and self._wants_encounter(step, context):
            rows = self._choosing.encounters(visit.person, patient.id)
            return page(
                "encounters", csrf=visit.csrf, request=request, rows=rows, patient=patient, client=step.client,
                person=visit.person,
            )  # fmt: skip
        return self._consent_page(visit, step, patient, context)

    def _wants_encounter(self, step: Step, context: Context) -> bool:
        wanted = "launch/encounter" in step.scopes and context.encounter is None
        return wanted and not step.pending.without_encounter

    def patients(self, visit: Visit, step: Step, form: Form) -> Response:
        """The patients that a search finds."""
        assert visit.person is not None
        asked = {name: form.one(name).strip() for name in ("name", "born", "identifier")}
        rows = self._choosing.patients(visit.person, asked["name"], asked["born"], asked["identifier"])
        return page(
            "patients", csrf=visit.csrf, request=step.token, rows=rows, asked=asked, client=step.client,
            person=visit.person,
        )  # fmt: skip

    def choose_patient(self, visit: Visit, form: Form) -> Response:
        """Search among patients, or take one."""
        step = self._step(form.one("request"))
        if step is None or visit.session is None or visit.person is None or not visit.session.whole:
            return expired()
        if not form.one("patient"):
            return self.patients(visit, step, form)
        found = self._choosing.patient(visit.person, form.one("patient"))
        if found is None or step.pending.context.patient is not None:
            return self.show(visit, step.token)
        return self._choose(visit, step, patient=found.id)

    def choose_encounter(self, visit: Visit, form: Form) -> Response:
        """Take an encounter, or none."""
        step = self._step(form.one("request"))
        if step is None or visit.session is None or visit.person is None or not visit.session.whole:
            return expired()
        patient = step.context(visit.session).patient
        if patient is None or step.pending.context.encounter is not None:
            return self.show(visit, step.token)
        if not form.one("encounter"):
            return self._choose(visit, step, without=True)
        found = self._choosing.encounter(visit.person, patient, form.one("encounter"))
        return self._choose(visit, step, encounter=found.id) if found else self.show(visit, step.token)

    def _choose(self, visit: Visit, step: Step, *, without: bool = False, **chosen: str) -> Response:
        session = visit.session
        assert session is not None
        context = msgspec.structs.replace(step.context(session), **chosen)
        after = msgspec.structs.replace(step.pending, chosen=context, session=session.hash, without_encounter=without)
        self._store.write_sync(lambda tx: keep.put_pending(tx, after) if keep.pending(tx, after.hash) else None)
        return go(f"/auth/consent?request={step.token}")

    # Consent

    def _consent_page(self, visit: Visit, step: Step, patient: Row | None, context: Context) -> Response:
        return page(
            "consent", target=_target(step), csrf=visit.csrf, request=step.token, client=step.client,
            place=place_of(_redirect(step)), asked=asked_of(step.scopes), patient=patient, person=visit.person,
            encounter=context.encounter,
        )  # fmt: skip

    def consent(self, visit: Visit, form: Form, issuer: str) -> Response:
        """What the person says."""
        step = self._step(form.one("request"))
        if step is None or visit.session is None or visit.person is None or not visit.session.whole:
            return expired()
        if form.one("decision") != "agree":
            return back(self._endpoints.deny(step.token, issuer))
        context = step.context(visit.session)
        if not self._is_complete(visit.person, step, context):
            return self.show(visit, step.token)
        given = ticked(step.scopes, form.all)
        if set(given) <= scopes.LAUNCH:
            return back(self._endpoints.deny(step.token, issuer))
        return back(self._endpoints.agree(step.token, visit.person, visit.session, given, context, issuer))

    def _is_complete(self, person: Person, step: Step, context: Context) -> bool:
        """Whether the context has what is needed, of a patient whom the person may see still."""
        if context.patient is None:
            return not needs_patient(step.scopes)
        return self._choosing.patient(person, context.patient) is not None

    def _step(self, token: str) -> Step | None:
        if not 20 <= len(token) <= 100:
            return None
        pending = keep.pending(self._store, digest(token))
        client = keep.client(self._store, pending.client) if pending else None
        if pending is None or client is None or not client.approved:
            return None
        return Step(token, pending, client, scopes.allowed(pending.scopes, client.scopes))


def is_page(place: str) -> bool:
    """Whether a place is a page of the workbench: signing in leads nowhere else."""
    return len(place) <= LONGEST_PLACE and _PAGE.fullmatch(place) is not None


def expired() -> Response:
    """What is told when there is nothing to agree to, or nobody."""
    text = "This request has expired or was answered. Start again from the app."
    return page("message", 400, title="Start again", text=text)


def go(place: str) -> Response:
    """The way to another page of ours."""
    return RedirectResponse(place, 303, headers=guarded())


def back(told: object) -> Response:
    """The way back to the app, or what is wrong."""
    found = answer(told)  # type: ignore[arg-type]
    if "location" not in found.headers:
        return expired()
    found.status_code = 303
    return found


def _redirect(step: Step) -> str:
    return next((value for name, value in step.pending.pairs if name == "redirect_uri"), "")


def _target(step: Step) -> str:
    """The app's place as a source of a content security policy: there the answer to the form leads."""
    parts = urlsplit(_redirect(step))
    if parts.scheme in ("http", "https") and parts.netloc and "[" not in parts.netloc:
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:" if parts.scheme else ""
