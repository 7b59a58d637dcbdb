"""A request of a browser: who is signed in, whether a form is one of ours, and from where it came.

https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import parse_qsl

import msgspec
from fastapi import Request, Response
from starlette.requests import HTTPConnection

from server.auth.model import Person, Session
from server.auth.secrets import digest, new_token, same

LONGEST = 64 * 1024
COOKIE, FORM_COOKIE = "fhirwright", "fhirwright-form"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Form(msgspec.Struct, frozen=True):
    """The fields of a form, in order."""

    pairs: tuple[tuple[str, str], ...] = ()

    def one(self, name: str) -> str:
        """The value of a field; empty where there is none."""
        return next((value for key, value in self.pairs if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return [value for key, value in self.pairs if key == name]


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One request. Without `session` nobody is signed in, and forms are bound to a cookie of their own."""

    form_token: str
    fresh: bool
    """Whether the browser does not have the cookie for forms yet."""

    secure: bool
    address: str
    same_site: bool
    session: Session | None = None
    person: Person | None = None

    @property
    def csrf(self) -> str:
        """What each form carries, which no other site can know."""
        return self.session.csrf if self.session else digest(f"form {self.form_token}")

    def is_ours(self, form: Form) -> bool:
        """Whether a form came from a page of ours that was shown in this session."""
        has_cookie = self.session is not None or not self.fresh
        return has_cookie and self.same_site and same(form.one("csrf"), self.csrf)


def visit_of(request: Request, session: tuple[Session, Person] | None, secure: bool, proxies: Iterable[str]) -> Visit:
    """A request, with the session of its cookie."""
    token = request.cookies.get(cookie_name(FORM_COOKIE, secure), "")
    known = 20 <= len(token) <= 100
    return Visit(
        form_token=token if known else new_token(),
        fresh=not known,
        secure=secure,
        address=address_of(request, proxies),
        same_site=request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none"),
        session=session[0] if session else None,
        person=session[1] if session else None,
    )


def session_token(request: Request, secure: bool) -> str | None:
    """The token of the cookie."""
    return request.cookies.get(cookie_name(COOKIE, secure))


def is_secure(request: Request, issuer: str) -> bool:
    """Whether cookies go by TLS only: always, but for http to the machine itself."""
    return issuer.startswith("https:") or request.url.hostname not in _LOOPBACK


def cookie_name(name: str, secure: bool) -> str:
    """With the prefix that keeps other hosts of the domain from setting it, where browsers take it."""
    return f"__Host-{name}" if secure else name


def with_cookie(response: Response, name: str, value: str, secure: bool) -> Response:
    """The answer with a cookie that ends with the browser, out of reach of scripts and of other sites' forms."""
    response.set_cookie(cookie_name(name, secure), value, path="/", httponly=True, secure=secure, samesite="lax")
    return response


def without_cookie(response: Response, name: str, secure: bool) -> Response:
    """The answer that takes a cookie back."""
    response.delete_cookie(cookie_name(name, secure), path="/", httponly=True, secure=secure, samesite="lax")
    return response


async def read_body(request: Request) -> bytes | None:
    """The body; None when it is longer than any form of ours."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            return None
    return body


async def read_form(request: Request) -> Form:
    """A form; without fields when it is none, or too long."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await read_body(request) if kind == "application/x-www-form-urlencoded" else None
    try:
        pairs = parse_qsl((body or b"").decode(), keep_blank_values=True, max_num_fields=2000)
    except ValueError:
        return Form()
    return Form(tuple((name, value.replace("\x00", "")) for name, value in pairs))


def address_of(request: HTTPConnection, proxies: Iterable[str]) -> str:
    """Where a request came from; behind proxies that are known, the address that the nearest unknown one had."""
    address = request.client.host if request.client else ""
    known = [ipaddress.ip_network(one, strict=False) for one in proxies]
    behind = [one.strip() for one in ",".join(request.headers.getlist("x-forwarded-for")).split(",") if one.strip()]
    while behind and _is_in(address, known):
        address = behind.pop()
    return address


def _is_in(address: str, networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)
