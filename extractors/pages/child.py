"""The child process: parses foreign bytes within bounds of memory and processor time.

Run as `python -m extractors.pages.child` by `children.Child`. It ends when its caller does.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import time
from typing import Any

from extractors.pages import wire
from extractors.pages.limits import Limits, Refused
from extractors.pages.ocr import Readers
from extractors.pages.sources import Source, open_source

OUT_OF_MEMORY = (
    "The document needs more memory than allowed: it is too large or built to exhaust. Send it at less resolution."
)


def main() -> None:
    """Answer requests until the stream ends."""
    reply_stream = os.fdopen(os.dup(1), "wb")
    request_stream = os.fdopen(os.dup(0), "rb")
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):  # libraries print; the pipe is ours
        os.dup2(null, fd)
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    source: Source | None = None
    reply: wire.Reply
    while (request := wire.receive_request(request_stream)) is not None:
        try:
            if isinstance(request, wire.Open):
                if source is not None:
                    source.close()
                source = None
                limits = Limits(**{key: _number(value) for key, value in request.limits.items()})
                _bound(limits)
                _allow(limits.open_seconds)
                readers = Readers(request.ocr, request.second, limits.second_pieces, limits.second_seconds)
                source, reply = open_source(request.data, request.media_type, limits, readers)
            else:
                assert source is not None
                _allow(limits.page_seconds)
                if isinstance(request, wire.Draw):
                    reply = wire.Drawn(source.draw(request))
                else:
                    reply = wire.Read(source.page(request.number, _allow))
        except Refused as refusal:
            reply = wire.Refusal(refusal.code, refusal.text)
        except MemoryError:
            reply = wire.Refusal("too-costly", OUT_OF_MEMORY)
        except Exception as error:  # a parser's fault is the document's, not ours
            reply = _fault(error)
        signal.setitimer(signal.ITIMER_PROF, 0)
        wire.send(reply_stream, reply)


def _number(value: float) -> Any:
    return int(value) if float(value).is_integer() else value


def _fault(error: Exception) -> wire.Refusal:
    if "memory" in str(error).lower():
        return wire.Refusal("too-costly", OUT_OF_MEMORY)
    return wire.Refusal(
        "structure", f"The document is damaged ({type(error).__name__}). Print it to a new PDF and send that."
    )


def _bound(limits: Limits) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _allow(seconds: float) -> None:
    """From here on `seconds` of processor time; past them SIGPROF ends the process, even inside C code."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
    sys.exit(0)
