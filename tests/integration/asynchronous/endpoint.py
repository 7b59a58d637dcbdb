"""An endpoint that subscribers run: it keeps what it is sent and answers as it is told."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


@dataclass
class Endpoint:
    """`status` is what it answers, or a list of what it answers in turn; `taken` is what it answered with 200."""

    statuses: list[int] = field(default_factory=list)
    status: int = 200
    taken: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    asked: int = 0
    hold: threading.Event | None = None
    url: str = ""

    def bundles(self) -> list[dict[str, Any]]:
        return [orjson.loads(body) for _, _, _, body in self.taken]

    def kinds(self) -> list[str]:
        return [value(bundle, "type") for bundle in self.bundles()]


def value(bundle: dict[str, Any], name: str) -> Any:
    """A parameter of the status in a notification."""
    for one in bundle["entry"][0]["resource"]["parameter"]:
        if one["name"] == name:
            return next(value for key, value in one.items() if key != "name")
    return None


def open_endpoint() -> tuple[Endpoint, ThreadingHTTPServer]:
    """An endpoint on a port of the system's choice."""
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            endpoint.asked += 1
            if endpoint.hold:
                endpoint.hold.wait(300)
            status = endpoint.statuses.pop(0) if endpoint.statuses else endpoint.status
            if status == 200:
                headers = {name.lower(): text for name, text in self.headers.items()}
                endpoint.taken.append((self.command, self.path, headers, body))
            self.send_response(status)
            self.send_header("content-length", "0")
            if status in (301, 302, 307):
                self.send_header("location", endpoint.url)
            self.end_headers()

        do_POST = do_PUT = do_GET = answer

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    return endpoint, server
