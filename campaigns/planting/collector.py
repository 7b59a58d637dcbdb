"""A collector that speaks OTLP over HTTP and keeps what it is sent (https://opentelemetry.io/docs/specs/otlp/)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """Answers with `status`, after `pause` seconds; `bodies` are what it was sent, by path."""

    def __init__(self, status: int = 200, pause: float = 0.0) -> None:
        bodies = self.bodies = list[tuple[str, bytes]]()

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do_POST(self) -> None:
                bodies.append((self.path, self.rfile.read(int(self.headers.get("content-length") or 0))))
                time.sleep(pause)
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def sent(self, signal: str) -> list[bytes]:
        """What it was sent of `traces`, `metrics` or `logs`, as protobuf."""
        return [body for path, body in self.bodies if path == f"/v1/{signal}"]

    def spans(self) -> Iterator[Any]:
        """Every span."""
        for body in self.sent("traces"):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    yield from scope.spans

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
