"""The MLLP listener: acknowledged after the write, in both modes; what is wrong on the wire is told or ended."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.errors import Category, FhirError
from server.doors import mllp
from server.doors.mllp import Listener, Senders, tls_of
from server.doors.rows import rows
from server.interactions.fhir import Fhir
from server.settings import SettingsError

from .client import Sender, fields

HEAD = "MSH|^~\\&|APP|H|FW|FW|20240101||ADT^A08|{}|P|2.5"
PID = "PID|1||M{}^^^H^MR||Secretname^Pat||19700101|F"


def message(control: str, more: str = "", person: str = PID) -> bytes:
    """An update of a patient."""
    return f"{HEAD.format(control)}{more}\r{person.format(control)}\r".encode()


@contextmanager
def listening(fhir: Fhir, **settings: Any) -> Iterator[int]:
    """A listener in a thread; its port."""
    listener = Listener(fhir.settings.model_copy(update=settings), {"": fhir})
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(listener.start("127.0.0.1", 0), loop).result()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(_end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        listener.close()


async def _end() -> None:
    """Let connections that are open end."""
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture(scope="module")
def port(house: Fhir) -> Iterator[int]:
    """A listener of the file's server."""
    with listening(house) as found:
        yield found


def test_several_on_a_connection(house: Fhir, port: int) -> None:
    """Messages on one connection are acknowledged in order, each once it is stored; sent again, so again."""
    with Sender(port) as sender:
        for control in ("1", "2", "1"):
            answer = sender.send(message(control))
            assert fields(answer, "MSA")[:3] == ["MSA", "AA", control]
            assert fields(answer, "MSH")[2:6] == ["FW", "FW", "APP", "H"]
    assert len(rows(house.store, "stored", door="mllp")) == 2


@pytest.mark.parametrize(
    ("sent", "code", "place", "error"),
    [
        (message("10", person="PID|1||M^^^H||Secretname^Pat||1970x"), "AE", "PID^1^7", "102"),
        (message("11").replace(b"ADT^A08", b"ADT^A77"), "AR", "MSH^1^9", "201"),
        (message("12").replace(b"|12|", b"||"), "AE", "MSH^1^10", "101"),
        (b"Secretname " * 100, "AE", "MSH^1", "100"),
    ],
    ids=["data-type", "event", "control-id", "rubbish"],
)
def test_refusals(port: int, sent: bytes, code: str, place: str, error: str) -> None:
    """What cannot be used is answered with where and why, and nothing of a patient; sent again, with the same."""
    with Sender(port) as sender:
        for _ in range(2):
            answer = sender.send(sent)
            assert fields(answer, "MSA")[1] == code
            assert fields(answer, "ERR")[2] == place
            assert fields(answer, "ERR")[3].split("^")[0] == error
            assert "Secretname" not in answer


def test_conflict(port: int) -> None:
    """The same control id with other content is not acknowledged as stored."""
    with Sender(port) as sender:
        assert fields(sender.send(message("20")), "MSA")[1] == "AA"
        answer = sender.send(message("20") + b"ZZZ|1\r")
        assert (fields(answer, "MSA")[1], fields(answer, "ERR")[3].split("^")[0]) == ("AE", "205")


@pytest.mark.parametrize(
    ("accept", "application", "codes"),
    [("AL", "NE", ["CA"]), ("AL", "AL", ["CA", "AA"]), ("NE", "AL", ["AA"]), ("SU", "ER", ["CA"]), ("", "AL", ["AA"])],
)
def test_enhanced_mode(port: int, accept: str, application: str, codes: list[str]) -> None:
    """MSH-15 and MSH-16 decide which acknowledgements come."""
    control = f"30{accept}{application}"
    with Sender(port) as sender:
        sender.write(b"\x0b" + message(control, f"|||{accept}|{application}") + b"\x1c\r")
        assert [fields(sender.read(), "MSA")[1] for _ in codes] == codes
        assert fields(sender.send(message(f"{control}x")), "MSA")[2] == f"{control}x"


def test_framing(port: int) -> None:
    """Bytes outside a frame are told, line ends between frames are not, half a message has no effect."""
    with Sender(port) as sender:
        sender.write(b"\r\n\x0b" + message("40") + b"\x1c\r\n\x0b" + message("41") + b"\x1c\r")
        assert [fields(sender.read(), "MSA")[1] for _ in range(2)] == ["AA", "AA"]
        sender.write(b"junk\x0b" + message("42") + b"\x1c\r")
        assert fields(sender.read(), "MSA")[1:3] == ["AR", "42"]
        sender.write(b"no frame at all\x1c\r")
        assert fields(sender.read(), "MSA")[1] == "AR"
        sender.write(b"\x0b" + message("43")[:50])
    with Sender(port) as sender:
        assert fields(sender.send(message("43")), "MSA")[1] == "AA"


def test_limits(house: Fhir) -> None:
    """A message that is too large is refused, a silent connection and one too many are closed."""
    with listening(house, mllp_message_bytes=2048, mllp_connections=1, mllp_idle_seconds=1.0) as port:
        with Sender(port) as sender:
            assert fields(sender.send(message("50") + b"ZZZ|" + b"x" * 10_000), "MSA")[1] == "AR"
            assert sender.read() == ""
        with Sender(port) as first:
            assert fields(first.send(message("51")), "MSA")[1] == "AA"
            with Sender(port) as second:
                assert second.read() == ""
            assert first.read() == ""


def test_unknown_sender(house: Fhir) -> None:
    """Who is not on the list is not listened to."""
    with listening(house, mllp_senders={"10.0.0.0/8": ""}) as port, Sender(port) as sender:
        assert sender.read() == ""


def test_senders() -> None:
    """A certificate decides before an address, a narrow network before a wide one."""
    senders = Senders({"cn:lab": "a", "10.0.0.0/8": "b", "10.1.0.0/16": "c", "::1": "d"})
    found = [senders.tenant(*who) for who in (("10.1.2.3", "lab"), ("10.1.2.3", None), ("10.2.2.3", "x"))]
    assert found == ["a", "c", "b"]
    assert [senders.tenant(who, None) for who in ("::1", "::ffff:10.1.0.1", "192.0.2.1")] == ["d", "c", None]
    with pytest.raises(SettingsError):
        Senders({"not an address": ""})


def test_not_answered_when_not_kept(house: Fhir, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that cannot be kept now is not acknowledged: the connection ends, and sent again it is stored."""

    def away(*_: object) -> None:
        raise FhirError.of(Category.UNAVAILABLE, "transient", "The database is away.")

    with monkeypatch.context() as patch:
        patch.setattr(mllp, "arrive", away)
        with Sender(port) as sender:
            assert sender.send(message("60")) == ""
    with Sender(port) as sender:
        assert fields(sender.send(message("60")), "MSA")[1] == "AA"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Self-signed certificates by name."""
    folder = tmp_path_factory.mktemp("certificates")

    def make(name: str) -> Path:
        path = folder / name
        subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
        files = ["-keyout", f"{path}.key", "-out", f"{path}.pem"]
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        subprocess.run([*command, "-days", "2", *subject, *files], check=True, capture_output=True)
        return path

    return make


def test_client_certificates(house: Fhir, certificates: Callable[[str], Path]) -> None:
    """Over TLS who shows a certificate that is believed is known by its name; without one nobody gets in."""
    server, lab = certificates("server"), certificates("lab")
    settings = {
        "mllp_certificate": Path(f"{server}.pem"),
        "mllp_key": Path(f"{server}.key"),
        "mllp_clients": Path(f"{lab}.pem"),
        "mllp_senders": {"cn:lab": ""},
    }
    context = ssl.create_default_context(cafile=f"{server}.pem")
    with listening(house, **settings) as port:
        with Sender(port) as sender, pytest.raises((ssl.SSLError, ConnectionError)):
            sender.socket = context.wrap_socket(sender.socket, server_hostname="127.0.0.1")
            if sender.send(message("70")) == "":
                raise ConnectionError
        context.load_cert_chain(f"{lab}.pem", f"{lab}.key")
        with Sender(port) as sender:
            sender.socket = context.wrap_socket(sender.socket, server_hostname="127.0.0.1")
            assert fields(sender.send(message("70")), "MSA")[1] == "AA"


def test_half_of_tls(house: Fhir) -> None:
    """A certificate without its key, or client certificates without TLS, are wrong settings."""
    with pytest.raises(SettingsError):
        tls_of(house.settings.model_copy(update={"mllp_clients": Path("x.pem")}))
