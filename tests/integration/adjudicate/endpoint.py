"""An endpoint that speaks chat completions over real sockets, honestly or not (https://platform.openai.com/docs/api-reference/chat)."""

from __future__ import annotations

import json
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

Body = dict[str, Any]
Serve = Callable[["Handler", Body], None]


class Handler(BaseHTTPRequestHandler):
    """One request: what was received is kept, then the script answers."""

    protocol_version = "HTTP/1.1"
    server: Endpoint

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.append((self.path, headers, raw))
        script = self.server.script
        script[min(len(self.server.received) - 1, len(script) - 1)](self, json.loads(raw))

    do_GET = do_POST

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def reset(self) -> None:
        """End the connection as a crashed server does."""
        self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


class Endpoint(ThreadingHTTPServer):
    """What it received, and its script: an answer for each request, the last one for all further ones."""

    daemon_threads = True

    def __init__(self, *script: Serve) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = list(script)
        self.received: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def bodies(self) -> list[Body]:
        return [json.loads(raw) for _, _, raw in self.received]

    def handle_error(self, *_: Any) -> None:
        """A client that has gone is what some tests want."""


@contextmanager
def serving(*script: Serve) -> Iterator[Endpoint]:
    """An endpoint that runs its script."""
    endpoint = Endpoint(*script)
    thread = threading.Thread(target=endpoint.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.shutdown()
        endpoint.server_close()
        thread.join()


def completion(content: str, usage: Body | None = None, *, tool: bool = False) -> bytes:
    """The body of a chat completion."""
    message: Body = {"role": "assistant", "content": content}
    if tool:
        call = {"id": "c", "type": "function", "function": {"name": "answer", "arguments": content}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "finish_reason": "tool_calls" if tool else "stop", "message": message}
    told = {} if usage is None else {"usage": usage}
    return json.dumps(
        {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], **told}
    ).encode()


USAGE = {"prompt_tokens": 900, "completion_tokens": 100, "total_tokens": 1000}


def says(content: str, usage: Body | None = USAGE) -> Serve:
    """An endpoint that always says the same."""
    return lambda handler, _: handler.send(200, completion(content, usage))


def fails(status: int, body: Body | None = None, **headers: str) -> Serve:
    """An endpoint that answers with an error."""
    return lambda handler, _: handler.send(status, json.dumps(body or {"error": {"message": "no"}}).encode(), **headers)


def resets(handler: Handler, _: Body) -> None:
    """An endpoint that crashes."""
    handler.reset()


def decides(choose: Callable[[Body], Body]) -> Serve:
    """An endpoint that answers each candidate by `choose`, in the form that it was asked for."""

    def serve(handler: Handler, body: Body) -> None:
        decisions = [choose(candidate) for candidate in candidates(body)]
        handler.send(200, completion(json.dumps({"decisions": decisions}), USAGE, tool="tools" in body))

    return serve


def candidates(body: Body) -> list[Body]:
    """The candidates of a question, each with the line of the note that its words stand in as `line`."""
    user = body["messages"][1]["content"]
    note = user.partition("<note ")[2]
    found = [json.loads(line) for line in user.splitlines() if line.startswith('{"code"')]
    for one in found:
        one["line"] = next((line for line in note.splitlines() if one["words"][0] in " ".join(line.split())), "")
    return found


def keep(candidate: Body) -> Body:
    return {"code": candidate["code"], "verdict": "keep", "because": "stated", "quote": candidate["words"][0]}


def drop(candidate: Body) -> Body:
    return {"code": candidate["code"], "verdict": "drop", "because": "past", "quote": candidate["words"][0]}


def drips(handler: Handler, _: Body) -> None:
    """An endpoint that sends a byte now and then, headers at once."""
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", "100000")
    handler.end_headers()
    _trickle(handler)


def drips_headers(handler: Handler, _: Body) -> None:
    """An endpoint whose headers do not end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-long: ")
    _trickle(handler)


def _trickle(handler: Handler) -> None:
    for _ in range(2400):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)
