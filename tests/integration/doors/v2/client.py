"""A sender of HL7 v2 over MLLP, for tests and campaigns."""

from __future__ import annotations

import socket
from types import TracebackType

END = b"\x1c\r"


class Sender:
    """A connection that sends messages and reads their acknowledgements."""

    def __init__(self, port: int, seconds: float = 30.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), seconds)
        self._rest = b""

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.socket.close()

    def send(self, message: bytes) -> str:
        """Send a message; its acknowledgement, empty when the connection ended without one."""
        self.write(b"\x0b" + message + END)
        return self.read()

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def read(self) -> str:
        """The next acknowledgement."""
        while END not in self._rest:
            if not (more := self.socket.recv(65536)):
                return ""
            self._rest += more
        answer, _, self._rest = self._rest.partition(END)
        return answer.lstrip(b"\x0b").decode()


def fields(answer: str, segment: str) -> list[str]:
    """The fields of a segment of an acknowledgement."""
    return next((line.split("|") for line in answer.split("\r") if line.startswith(segment)), [])
