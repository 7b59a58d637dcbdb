"""The process behind `server.jobs.children`: runs stages until its pipe closes or its caller dies."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import sys
import threading
import time
from multiprocessing.connection import Connection

import msgspec

from server.jobs.children import FAULT, Bounds, Call, Failure, Reply
from server.jobs.parts import Part

_WATCH_SECONDS = 0.5


def _die_with(caller: int) -> None:
    """End this process when `caller` is gone, also while a stage runs.

    The kernel's parent-death signal is tied to the thread that started us, which may end earlier: so we look.
    """

    def watch() -> None:
        while os.getppid() == caller:
            time.sleep(_WATCH_SECONDS)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def main(descriptor: int, bounds: Bounds) -> None:
    """Answer calls on the pipe `descriptor`."""
    resource.setrlimit(resource.RLIMIT_DATA, (bounds.memory_bytes, bounds.memory_bytes))
    pipe = Connection(descriptor)

    def send(kind: str, value: object = None, parts: list[Part] | None = None) -> None:
        pipe.send_bytes(msgspec.msgpack.encode(Reply(kind, value, parts or [])))

    gc.set_threshold(50_000, 20, 20)  # modules and tables stay: collecting while they are loaded frees nothing
    from server.jobs.stages import Stages

    key = pipe.recv_bytes()  # of the caches; not among the arguments, which others on the machine can read
    stages = Stages(bounds, lambda stage: send("stage", stage), key)
    with contextlib.suppress(Exception):  # what is wrong is told with the first document
        stages.warm()
    with contextlib.suppress(EOFError, OSError):
        while True:
            call = msgspec.msgpack.decode(pipe.recv_bytes(), type=Call)
            try:
                send("done", stages.run(call.stage, call.arguments, call.model), stages.parts.take())
            except Failure as failure:
                send("failed", (failure.code, failure.text), stages.parts.take())
            except MemoryError:
                return
            except Exception as error:
                send("failed", ("exception", FAULT.format(kind=type(error).__name__)), stages.parts.take())


if __name__ == "__main__":
    _die_with(int(sys.argv[2]))
    main(int(sys.argv[1]), msgspec.json.decode(sys.argv[3], type=Bounds))
