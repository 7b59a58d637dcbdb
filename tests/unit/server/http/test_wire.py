"""Answers leave in one write, whole and in order."""

import asyncio

from server.http.wire import LARGE, Gathered


class Socket:
    """A transport that remembers what it was given."""

    def __init__(self):
        self.writes = []
        self.closed = False

    def write(self, data):
        self.writes.append(bytes(data))

    def writelines(self, parts):
        self.writes.append(b"".join(parts))

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed

    def get_extra_info(self, name):
        return name


def gathered():
    waiting = []
    socket = Socket()
    return Gathered(socket, waiting.append), socket, waiting


def test_head_and_body_are_one_write():
    """Two writes in one turn of the loop reach the socket together, with one call put off."""
    transport, socket, waiting = gathered()
    transport.write(b"head")
    transport.write(b"body")
    assert socket.writes == []
    assert len(waiting) == 1
    waiting[0]()
    assert socket.writes == [b"headbody"]


def test_a_large_body_goes_at_once():
    """Bytes beyond the limit are not kept, and what was kept goes before them."""
    transport, socket, waiting = gathered()
    transport.write(b"head")
    transport.write(b"x" * (LARGE + 1))
    assert socket.writes == [b"head" + b"x" * (LARGE + 1)]
    waiting[0]()
    assert len(socket.writes) == 1


def test_close_sends_what_is_kept():
    """Nothing written before close is lost, and nothing is written after it."""
    transport, socket, waiting = gathered()
    transport.write(b"last")
    transport.close()
    waiting[0]()
    assert socket.writes == [b"last"]
    assert transport.is_closing()
    transport.write(b"late")
    waiting[1]()
    assert socket.writes == [b"last"]


def test_the_rest_is_the_inner_transport():
    """What uvicorn asks a transport for still reaches the real one."""
    transport, *_ = gathered()
    assert transport.get_extra_info("peername") == "peername"


async def test_uvicorn_serves_over_it():
    """Pipelined requests on one connection are answered in order, and a closing one to its end."""
    import uvicorn

    from server.http.wire import GatheringProtocol

    async def app(scope, receive, send):
        path = scope["path"].encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(path))]})
        await send({"type": "http.response.body", "body": path})

    server = uvicorn.Server(uvicorn.Config(app, port=0, http=GatheringProtocol, lifespan="off", log_config=None))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in range(5)))
    writer.write(b"GET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    said = await asyncio.wait_for(reader.read(), 120)
    writer.close()
    await server.shutdown()
    assert [part[-2:] for part in said.split(b"HTTP/1.1 200 OK")[1:]] == [b"/0", b"/1", b"/2", b"/3", b"/4", b"nd"]
