"""The app "Growth" on an origin of its own, and a browser in which a person uses it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.integration.clients.closed import FIRST_PATIENT, PASSWORD, Closed, Person

SCOPES = "launch launch/patient openid fhirUser offline_access patient/*.rs"


class Site:
    """Where the app is, and a browser in which a person uses it."""

    def __init__(self, closed: Closed, person: Person, app: int, context: Any) -> None:
        self.closed = closed
        self.person = person
        self.app = f"http://localhost:{app}"
        self.elsewhere = f"http://127.0.0.1:{app}"
        self.context = context
        self.page: Any

    def go(self, url: str) -> None:
        """Open a URL in a tab of its own: the client keeps what it has for each."""
        self.page = self.context.new_page()
        self.page.goto(url)

    def open(self, scope: str) -> None:
        """Open the app from a bookmark, and go through the pages of the server."""
        self.go(f"{self.app}/app?{urlencode({'server': self.closed.base, 'scope': scope})}")
        self.sign_in()
        assert self.page.inner_text("h1") == "Choose a patient"
        self.page.get_by_role("button", name="Quill").click()
        self.agree()

    def sign_in(self) -> None:
        """Sign in, where the browser has not yet."""
        self.page.wait_for_url(f"{self.closed.root}/auth/**")
        if self.page.inner_text("h1") == "Sign in":
            self.page.get_by_label("Name").fill(self.person.name)
            self.page.get_by_label("Password").fill(PASSWORD)
            self.page.get_by_label("Code of your authenticator app").fill(self.person.code.now())
            self.page.get_by_role("button", name="Sign in").click()

    def agree(self) -> None:
        """Agree to all that is asked, and wait until the app shows whose record it is."""
        assert self.page.inner_text("h1") == "Growth asks for access"
        self.page.get_by_role("button", name="Agree", exact=True).click()
        self.page.wait_for_url(f"{self.app}/app**")
        self.page.wait_for_function(
            "document.querySelector('h1').textContent || document.querySelector('p').textContent"
        )
        assert self.page.inner_text("p") == ""

    def run(self, script: str) -> Any:
        """The value of an expression in the app, which has its client in `client`; an error gives its text."""
        return self.page.evaluate(f"(async () => {script})().catch(error => 'Error: ' + error.message)")

    def status(self, token: dict[str, Any]) -> int:
        """What a read of the first patient is answered with."""
        headers = {"authorization": f"Bearer {token['access_token']}"}
        return httpx.get(f"{self.closed.base}/Patient/{FIRST_PATIENT}", headers=headers).status_code

    def token(self) -> dict[str, Any]:
        """What the token endpoint last answered to the client."""
        return dict(self.run("client.state.tokenResponse"))


@contextmanager
def published(folder: Path) -> Iterator[int]:
    """The app and the client in its build for browsers, served on a port of its own."""
    files = {
        "/app": ("text/html", Path(__file__).with_name("app.html").read_bytes()),
        "/fhir-client.js": ("text/javascript", (folder / "fhir-client.pure.min.js").read_bytes()),
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), _serving(files))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def _serving(files: dict[str, tuple[str, bytes]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = files.get(self.path.partition("?")[0], ("text/plain", b""))
            self.send_response(200)
            self.send_header("content-type", f"{kind}; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
